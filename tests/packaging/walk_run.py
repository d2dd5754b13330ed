"""Every number of a finished run is found again: a check of a real run's folder, which CI calls on its smoke run.

``python tests/packaging/walk_run.py RUN`` exits with a list of what is wrong: a row of a table that ``zjsim trace``
cannot follow to a rule, an input or a registry; a number of the workbook, in either language, that its table lacks; a
number in a table of the memo and the page that the table it names lacks; a headline number of the memo, or
one of its sentences, that the workbook alone does not give again; a figure whose type is too small on the memo's page.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from zjsim.report.blocks import Grid, Item, Paragraph
from zjsim.report.finished import RunTables, read_run
from zjsim.report.likelihood import likelihood
from zjsim.report.memo import HIGHEST_MM
from zjsim.report.sheets import SHEETS
from zjsim.report.story import run_story
from zjsim.report.style import DPI
from zjsim.report.tasks import tasks
from zjsim.report.word import BODY_MM
from zjsim.report.words import column_title, reading_name
from zjsim.report.workbook import write_workbook
from zjsim.tables.published import MARK
from zjsim.texts import LANGUAGES, Language, catalogue, text
from zjsim.trace import manifest_of, matching_rows, read_table, scenario_of, tables_folders, trace_result

JOINED = {"assignment_explanations": ("assignment_frequencies",)}
"""Tables that a sheet shows beside its own."""
ROWS = 5
"""Rows of each table that are followed, from its beginning to its end."""


def untraced(folder: Path) -> Iterator[str]:
    """Rows of tables that lead nowhere, and tasks whose row is not in the table they name."""
    scenario, _ = scenario_of(folder, manifest_of(folder), None)
    for name in sorted({file.stem for at in tables_folders(folder) for file in at.glob("*.csv")}):
        rows = read_table(folder, name)
        for i in sorted({round(k * (len(rows) - 1) / (ROWS - 1)) for k in range(ROWS)} if rows else ()):
            key = ", ".join(f"{column}={value}" for column, value in rows[i].items() if value)
            if i not in matching_rows(rows, key):
                yield f"{name}: row {i} is not found by its own cells"
            found = trace_result(folder, scenario, name, rows[i])
            if not (found["rules"] or found["read_as_a_whole"]) or not (found["inputs"] or found["read_as_a_whole"]):
                yield f"{name}: row {i} leads to no rule and no input"
    named = tasks(RunTables(folder / "tables"), "zh")
    for table, rows_of in named.groupby("table"):
        rows = read_table(folder, str(table))
        for key in rows_of["key"].iloc[:: max(1, len(rows_of) // ROWS)]:
            if not matching_rows(rows, str(key)):
                yield f"tasks: {table} has no row {key}"


def numbers_without_a_table(folder: Path, lang: Language) -> Iterator[str]:
    """Numbers of the workbook that their table does not hold; sums at the foot of a sheet are sums of a column."""
    run = read_run(folder)
    with tempfile.TemporaryDirectory() as place:
        write_workbook(Path(place) / "plan.xlsx", run.manifest, run.tables, lang)
        book = openpyxl.load_workbook(Path(place) / "plan.xlsx", read_only=True, data_only=True)
        total = text("report.total_shown", lang)
        for name in (n for n in SHEETS if n in run.tables):
            shown = [run.tables[t] for t in (name, *JOINED.get(name, ())) if t in run.tables]
            known = {round(float(v), 6) for table in shown for v in _numbers(table)}
            whole = {round(v) for v in known}
            for row in book[text(f"report.sheet_{name}", lang)].iter_rows(min_row=2, values_only=True):
                for value in row if row and row[0] != total else ():
                    if isinstance(value, bool) or not isinstance(value, int | float):
                        continue
                    # Some tables are told in whole numbers, and prices of tiny goals in thousandths.
                    if round(float(value), 6) not in known and value not in whole and round(value * 1000) not in whole:
                        yield f"{name} ({lang}): {value} is not in the table"


def untold(folder: Path, lang: Language) -> Iterator[str]:
    """Numbers in the tables of the memo and the page that the table of the run they are from does not hold."""
    run = read_run(folder)
    readings = _worded(run)
    for grid in (b for b in run_story(run.manifest, run.tables, lang).blocks if isinstance(b, Grid)):
        named = readings if grid.table == "target_feasibility" else set()
        rows = [_told(row) for row in run.tables[grid.table].to_dict("records")]
        for said in grid.rows:
            numbers = {n for cell in said for n in _TOLD.findall(cell)} - named
            if not any(all(n in words or _among(n, values) for n in numbers) for words, values in rows):
                yield f"{grid.title} ({lang}): {said} is not one row of {grid.table}"


def _told(row: dict[Any, Any]) -> tuple[set[str], list[float]]:
    """What a row of a table holds: the digits in its words, and its numbers, with the sum of its two kinds of rooms."""
    words = {n for cell in row.values() if isinstance(cell, str) for n in _TOLD.findall(cell)}
    values = [float(v) for v in row.values() if isinstance(v, int | float) and math.isfinite(v)]
    if "rooms_added" in row:
        values.append(float(row["rooms_added"]) + float(row["new_school_rooms"]))
    if {"local_unplaced", "unplaced"} <= row.keys():
        values.append(float(row["local_unplaced"]) + float(row["unplaced"]))
    return words, values


_TOLD = re.compile(r"\d[\d,]*(?:\.\d+)?")
_UNITS = (1.0, 1e-2, 1e3, 1e4, 1e6, 1e8)
"""What a number may be told in: itself, per cent, thousands, 万, millions, 亿."""
_EDGES = ("0.99", "0.01")
"""Chances beyond these are told as beyond them."""


def _among(said: str, values: list[float]) -> bool:
    digits = len(said.partition(".")[2])
    number, least = float(said.replace(",", "")), 0.5 * 10**-digits + 1e-9
    return said in _EDGES or any(abs(abs(v) / unit - number) <= least for unit in _UNITS for v in values)


def _worded(run: Any) -> set[str]:
    """Digits of the names of readings and of what counts in them."""
    table = run.tables["target_readings"]
    cells = [str(cell) for column in table for cell in table[column]]
    cells += [reading_name(r, lang) for r in run.tables["target_feasibility"]["reading"] for lang in LANGUAGES]
    return {n for cell in cells for n in _TOLD.findall(cell)}


def not_from_the_workbook(folder: Path, lang: Language) -> Iterator[str]:
    """Headline numbers of the memo that differ from what its reader computes from the sheets of the workbook."""
    run = read_run(folder)
    told = run_story(run.manifest, run.tables, lang).headline
    with tempfile.TemporaryDirectory() as place:
        write_workbook(Path(place) / "plan.xlsx", run.manifest, run.tables, lang)
        book = openpyxl.load_workbook(Path(place) / "plan.xlsx", read_only=True, data_only=True)
        found = _headline(lambda name: _sheet(book, name, run.tables[name], lang), lang)
    for name, number in found.items():
        if told.get(name) != number:
            yield f"headline ({lang}): {name} is {told.get(name)!r} in the memo and {number!r} by the workbook"
    if unsaid := {n for n in told if n not in found and n not in _BY_WORDS}:
        yield f"headline ({lang}): {sorted(unsaid)} are not computed again"
    yield from _unsaid(run, {n: _sheet(book, n, run.tables[n], lang) for n in _PROSE if n in run.tables}, found, lang)


def _unsaid(run: Any, sheets: dict[str, pd.DataFrame], headline: dict[str, str], lang: Language) -> Iterator[str]:
    """Numbers in the memo's sentences that the workbook does not give again.

    A sentence about a target has all its numbers from one row about that target; every other number is a headline, or
    follows from the sheets of sources, facilities and talent. Numbers that stand in the wording itself or in names, and
    what the manifest says of the run, are no results.
    """
    wording = {n for key, said in catalogue().items() if key.startswith(_WORDING) for n in _TOLD.findall(said[lang])}
    wording |= {n for word in _scalars(run.manifest) for n in _TOLD.findall(word)} | _worded(run)
    for name in set(sheets) & {"location_targets", "sources_used", "input_changes"}:
        wording |= {n for row in sheets[name].itertuples() for cell in row[1:] for n in _TOLD.findall(str(cell))}
    wording |= {str(y) for sheet in sheets.values() if "year" in sheet for y in sheet["year"]}
    loose = {n for said in headline.values() for n in _TOLD.findall(said)}
    values = [*_sums(sheets), 1 - float(headline["placeholder_share"].rstrip("%")) / 100]
    rows = _about_targets(sheets, lang)
    for block in run_story(run.manifest, run.tables, lang).blocks:
        if not isinstance(block, Paragraph | Item):
            continue
        said = {n.rstrip(",") for n in _TOLD.findall(_CLAUSE.sub("", block.words))} - wording
        one_row = any(name in block.words and all(_close(n, of) for n in said) for name, of in rows)
        rest = {n for n in said if n not in loose and not _close(n, values)}
        if rest and not one_row:
            yield f"memo ({lang}): {sorted(rest)} in “{block.words[:60]}…” are not in the workbook"


_PROSE = (
    *("target_feasibility", "location_targets", "seat_summary", "talent_programmes", "talent_shortfalls"),
    *("talent_field_share", "marginal_values", "input_sources", "input_changes", "sources_used"),
)
"""Sheets that the memo's sentences are about."""
_WORDING = ("memo.", "report.", "published.", "unit.")
_CLAUSE = re.compile(r"M\d{3}")


def _about_targets(sheets: dict[str, pd.DataFrame], lang: Language) -> list[tuple[str, list[float]]]:
    """By target what its default row says, alone and with each relief, and how much of the relief it would take."""
    targets = sheets["target_feasibility"]
    own = targets[targets["is_default"] == text("report.yes", lang)]
    found = []
    reliefs = sheets["marginal_values"]
    name, other = (next(c for c in t if c.startswith("indicator")) for t in (own, reliefs))
    for target in own.to_dict("records"):
        gap = _number(target["bound"]) - _number(target["mean"])
        first = [*map(_number, target.values()), gap]
        found.append((str(target[name]), first))
        for row in reliefs[reliefs[other] == target[name]].to_dict("records"):
            gain = _number(row["gain"])
            needed = [gap / gain] if gain else []
            found.append((str(target[name]), [*first, *map(_number, row.values()), *needed]))
    return found


def _sums(sheets: dict[str, pd.DataFrame]) -> list[float]:
    """What the other sentences add up: facilities begun, groups by action, graduates missing, values of inputs."""
    values = [float(v) for v in sheets["location_targets"]["planned"]] if "location_targets" in sheets else []
    if "talent_programmes" in sheets:
        plan, short, share = (sheets[f"talent_{n}"] for n in ("programmes", "shortfalls", "field_share"))
        first = plan[plan["year"] == plan["year"].min()]
        last = short[short["year"] == short["year"].max()]
        values += [float(len(first)), *first.groupby("action").size().tolist()]
        values += [last["unmet"].sum(), last["unmet"].sum() / last["demand"].sum()]
        values += [float(share.sort_values("year")["share"].iloc[k]) for k in (0, -1)]
    total = sheets["input_sources"].iloc[-0:]
    numbers = sheets["input_sources"].groupby(total.columns[0], sort=False)["values"].sum()
    values += [float(v) for v in numbers]
    if "sources_used" in sheets:
        used = sheets["sources_used"]
        methods = used["source_id"].astype(str).str.startswith("method_")
        named = used[~methods & used["url"].notna()]
        values += [float(used.loc[methods, "source_id"].nunique()), float(named["source_id"].nunique())]
    return values


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _close(said: str, values: list[float]) -> bool:
    """Whether one of the values, or that in per cent, is told so: to the digits said."""
    if said in _EDGES:
        return True
    digits = len(said.partition(".")[2])
    number, least = float(said.replace(",", "")), 0.5 * 10**-digits + 1e-9
    return any(abs(abs(v) * factor - number) <= least for v in values for factor in (1.0, 100.0))


def _scalars(manifest: Any) -> Iterator[str]:
    """Texts and numbers of the manifest itself and its header: what the run is called, when, with which seed."""
    for value in (*manifest.values(), *manifest["header"].values(), *manifest["solves"].values()):
        if isinstance(value, str | int | float):
            yield str(value)
        elif isinstance(value, dict) and "gap" in value:
            stages = value.get("stages", ())
            yield f"{len(stages)} {sum(float(s['gap']) > 0 for s in stages)} {100 * float(value['gap']):.2f}"


_BY_WORDS = ("targets_even",)
"""Headline numbers that follow from the others."""


def _sheet(book: Any, name: str, table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """A sheet under the names of the table's columns, without the sums at its foot; hidden cells are unknown."""
    rows = list(book[text(f"report.sheet_{name}", lang)].iter_rows(values_only=True))
    at = {title: i for i, title in enumerate(rows[0])}
    columns = {c: at[column_title(str(c), lang, name)] for c in table if column_title(str(c), lang, name) in at}
    body = [r for r in rows[1:] if any(v is not None for v in r[1:]) and r[0] != text("report.total_shown", lang)]
    return pd.DataFrame({c: [None if r[i] == MARK else r[i] for r in body] for c, i in columns.items()})


def _headline(sheet: Any, lang: Language) -> dict[str, str]:
    targets, seats, sources = sheet("target_feasibility"), sheet("seat_summary"), sheet("input_sources")
    yes, no = text("report.yes", lang), text("report.no", lang)
    own = targets[(targets["is_default"] == yes) & targets["p_meet"].notna()]
    judged = [likelihood({**row, "verdict": "met"}) for row in own.to_dict("records")]
    total = sources[sources[f"registry_{lang}"] == text("report.total", lang)]
    share = total.loc[total["public"] == no, "values"].sum() / total["values"].sum()
    unit, digits = (1e8, 1) if lang == "zh" else (1e9, 2)

    def added(*columns: str) -> str:
        sums = [seats[c].astype(float).sum(skipna=False) for c in columns]
        return text("published.some", lang) if math.isnan(sum(sums)) else f"{sum(sums):,.0f}"

    return {
        "targets_n": str(len(own)),
        "targets_probable": str(sum(j.probable for j in judged if j)),
        "targets_improbable": str(sum(j.improbable for j in judged if j)),
        "targets_fragile": str(sum(j.fragile for j in judged if j)),
        "industries": str(sheet("lead_assignments")["industry_id"].nunique()),
        "universities": str(sheet("lead_assignments")["moe_code"].nunique()),
        "heritage": str(sheet("heritage_pairs")["industry_id"].nunique()),
        "facilities": f"{sheet('location_targets')['planned'].sum():,.0f}",
        "rooms": added("rooms_added", "new_school_rooms"),
        "purchased": added("placed_purchased"),
        "unplaced": added("unplaced", "local_unplaced"),
        "cost": f"{seats['cost_yuan'].sum() / unit:,.{digits}f}",
        "placeholder_share": f"{100 * share:.1f}%",
    }


def too_small(folder: Path) -> Iterator[str]:
    """Figures whose type, drawn with 7.5 pt and more, is under 7 pt once the memo has fitted them into its page."""
    for path in sorted((folder / "figures").glob("*.png")):
        head = path.read_bytes()[16:24]
        wide, high = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        printed = min(float(BODY_MM), HIGHEST_MM["zh"] * wide / high) / 25.4
        if 7.5 * printed / (wide / DPI) < 7:
            yield f"{path.name}: drawn {wide / DPI:.2f} in wide, printed {printed:.2f} in"


def _numbers(table: Any) -> Iterator[float]:
    for column in table.columns:
        if table[column].dtype.kind in "if":
            yield from (v for v in table[column].dropna().unique().tolist() if math.isfinite(v))


def main() -> int:
    """Print what is wrong with the run; returns 1 if anything is."""
    folder = Path(sys.argv[1])
    checks = (numbers_without_a_table, untold, not_from_the_workbook)
    wrong = [
        *untraced(folder),
        *too_small(folder),
        *(w for check in checks for lang in LANGUAGES for w in check(folder, lang)),
    ]
    print("\n".join(wrong[:50]) or "every number is found again")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
