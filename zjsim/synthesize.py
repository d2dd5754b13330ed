"""``zjsim synthesize``: writes the schools and groups of applicants of a school year as tables of a scenario folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from zjsim.scenario import Scenario, load
from zjsim.scenario.folders import SCENARIO_FILE, builtin_names, find_folder
from zjsim.synthesis.placement import TABLES, source_of, synthesize_tables
from zjsim.tables.errors import Finding, InputErrors, finding
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.values import nearest
from zjsim.tables.writer import write_atomic, write_registry
from zjsim.texts import LANGUAGES, text

REGISTRY_FOLDER = "registries"
_THEME = "synthesize.rule"


def synthesize(
    scenario: str | Path,
    out_dir: str | Path,
    seed: int | None = None,
    counties: Sequence[str] | None = None,
    *,
    year: int | None = None,
    force: bool = False,
) -> list[Path]:
    """Draw zones, schools, places, tiers and groups of applicants from a scenario's county tables; returns the files.

    ``out_dir`` becomes (or stays) a scenario folder that extends ``scenario``: the tables go to its ``registries``.
    The seed is the scenario's unless given, the school year the first one after its as-of date. With ``counties`` only
    their rows are drawn, the same as in a run over all, and replace these counties' rows in tables that are there: real
    tables of other counties stay. Nothing that exists is replaced without ``force``. Raises ``InputErrors``.
    """
    loaded = load(scenario)
    out = Path(out_dir)
    seed = loaded.parameters.simulation.seed if seed is None else seed
    year = loaded.parameters.time.as_of.year + 1 if year is None else year
    known = sorted(loaded.table("counties")["county_code"])
    codes = known if counties is None else sorted(set(counties))
    paths = [out / REGISTRY_FOLDER / f"{name}.csv" for name in TABLES]
    unknown = sorted(set(codes) - set(known))
    problems = [finding("county", "--county", value=c, fix=nearest(c, known), theme=_THEME) for c in unknown]
    problems += [
        finding("year", f"{name}.csv", column="year", value=str(year), theme=_THEME)
        for name in ("seat_demand", "seat_capacity")
        if not (loaded.table(name)["year"] == year).any()
    ]
    problems += [finding("exists", str(path), theme=_THEME) for path in paths if path.exists() and not force]
    problems += _misplaced(scenario, loaded, out)
    if problems:
        raise InputErrors(problems)
    tables = synthesize_tables(source_of(loaded.tables, year, seed), codes)
    if counties is not None:
        tables = {n: _beside(t, p, set(codes)) for (n, t), p in zip(tables.items(), paths, strict=True)}
    (out / REGISTRY_FOLDER).mkdir(parents=True, exist_ok=True)
    for (_, table), path in zip(tables.items(), paths, strict=True):
        write_registry(table, path)
    header = out / SCENARIO_FILE
    if not header.exists():
        write_atomic(header, _header(loaded, year, seed).encode("utf-8"))
        paths.append(header)
    return paths


def _misplaced(scenario: str | Path, loaded: Scenario, out: Path) -> list[Finding]:
    """Why ``out`` cannot become a scenario that extends the one loaded: it must lie beside one that is not built in."""
    if (out / SCENARIO_FILE).exists():
        return []
    folder, _ = find_folder(scenario)
    if folder.builtin and folder.name in builtin_names():
        return []
    if folder.path.resolve().parent == out.resolve().parent:
        return []
    return [finding("beside", str(out), value=loaded.name, theme=_THEME)]


def _beside(table: pd.DataFrame, path: Path, codes: set[str]) -> pd.DataFrame:
    """``table`` together with the rows of other counties in the file that is there, by county."""
    if not path.exists():
        return table
    there = read_table(path, REGISTRIES[path.stem])
    both = pd.concat([there[~there["county_code"].isin(codes)], table], ignore_index=True)
    return both.sort_values("county_code", kind="stable", ignore_index=True)


def _header(loaded: Scenario, year: int, seed: int) -> str:
    """The scenario file of a new folder: what it extends, and that its schools are synthetic."""
    own = loaded.header
    words = {"year": year, "seed": seed}
    lines = [f"extends = {json.dumps(loaded.name)}", "", "[header]"]
    titles = {"zh": own.title_zh, "en": own.title_en}
    for lang in LANGUAGES:
        said = text("synthesize.header.title", lang, base=titles[lang])
        lines.append(f"title_{lang} = {json.dumps(said, ensure_ascii=False)}")
    lines.append(f"date = {own.date.isoformat()}")
    for lang in LANGUAGES:
        said = text("synthesize.header.description", lang, **words)
        lines.append(f"description_{lang} = {json.dumps(said, ensure_ascii=False)}")
    return "\n".join([*lines, ""])
