"""The figures of a run, each as SVG and PNG in one house style. Each module draws one kind from tables alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from zjsim.report.comparison_book import named_runs
from zjsim.report.figures.assignment import draw_assignment, draw_heritage
from zjsim.report.figures.bottlenecks import draw_bottlenecks
from zjsim.report.figures.comparison import draw_comparison
from zjsim.report.figures.fans import draw_fans, draw_other_fans
from zjsim.report.figures.locations import draw_locations
from zjsim.report.figures.pareto import draw_pareto
from zjsim.report.figures.seat_map import draw_seat_map
from zjsim.report.figures.seats import draw_seats
from zjsim.report.figures.talent import draw_talent
from zjsim.report.figures.targets import draw_readings, draw_targets
from zjsim.report.style import house_style, label_synthetic, save
from zjsim.texts import Language, text

Draw = Callable[[Mapping[str, Any], Mapping[str, pd.DataFrame], Language], Figure | None]

FIGURES: dict[str, Draw] = {
    "target_probabilities": draw_targets,
    "target_readings": draw_readings,
    "yearly_outcomes": draw_fans,
    "yearly_outcomes_continued": partial(draw_fans, part=1),
    "yearly_outcomes_other": draw_other_fans,
    "yearly_outcomes_other_continued": partial(draw_other_fans, part=1),
    "bottlenecks": draw_bottlenecks,
    "lead_assignments": draw_assignment,
    "heritage_pairs": draw_heritage,
    "assignment_pareto": draw_pareto,
    "location_openings": draw_locations,
    "talent_supply": draw_talent,
    "seat_gaps": draw_seats,
    "seat_gap_map": draw_seat_map,
}
"""Name of the files → who draws them; a drawing that has nothing to show returns ``None`` and is left out."""


def draw_all(
    folder: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> list[Path]:
    """Draw every figure into ``folder`` with the label of synthetic data; returns the files written."""
    written: list[Path] = []
    with house_style():
        for name, draw in FIGURES.items():
            figure = draw(manifest, tables, lang)
            if figure is None:
                continue
            share = manifest.get("placeholder_share")
            label_synthetic(figure, lang, str(manifest["scenario"]), share, run_line(manifest, lang))
            written += save(figure, folder, name)
    return written


def run_line(manifest: Mapping[str, Any], lang: Language) -> str:
    """Run, seed and replications, as they stand at the foot of every figure."""
    counts = sorted({int(n) for n in manifest.get("replications_by_target", {}).values()} | {manifest["replications"]})
    said = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}{'—' if lang == 'zh' else '–'}{counts[-1]}"
    return text("report.figure_run", lang, run=manifest["run_id"], seed=manifest["seed"], replications=said)


def draw_compared(
    folder: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> list[Path]:
    """Draw the figure of a comparison into ``folder``, labelled with the least public of its runs."""
    tables = named_runs(tables, lang)
    runs = tables["compared_runs"]
    with house_style():
        figure = draw_comparison(tables, lang)
        if figure is None:
            return []
        base = str(runs.loc[runs["role"] == "base", "run"].iloc[0])
        share = pd.to_numeric(runs["placeholder_share"], errors="coerce").max()
        label_synthetic(figure, lang, base, None if pd.isna(share) else float(share))
        return save(figure, folder, "target_changes")
