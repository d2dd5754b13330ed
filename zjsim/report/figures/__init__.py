"""The figures of a run, each as SVG and PNG in one house style. Each module draws one kind from tables alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from zjsim.report.figures.assignment import draw_assignment
from zjsim.report.figures.bottlenecks import draw_bottlenecks
from zjsim.report.figures.fans import draw_fans
from zjsim.report.figures.locations import draw_locations
from zjsim.report.figures.pareto import draw_pareto
from zjsim.report.figures.seat_map import draw_seat_map
from zjsim.report.figures.seats import draw_seats
from zjsim.report.figures.talent import draw_talent
from zjsim.report.figures.targets import draw_targets
from zjsim.report.style import house_style, label_synthetic, save
from zjsim.texts import Language

Draw = Callable[[Mapping[str, Any], Mapping[str, pd.DataFrame], Language], Figure | None]

FIGURES: dict[str, Draw] = {
    "target_probabilities": draw_targets,
    "yearly_outcomes": draw_fans,
    "bottlenecks": draw_bottlenecks,
    "lead_assignments": draw_assignment,
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
            label_synthetic(figure, lang, str(manifest["scenario"]), manifest.get("placeholder_share"))
            written += save(figure, folder, name)
    return written
