"""Every number of a finished run is found again: a check of a real run's folder, which CI calls on its smoke run.

``python tests/packaging/walk_run.py RUN`` exits with a list of what is wrong: a row of a table that ``zjsim trace``
cannot follow to a rule, an input or a registry; a number of the workbook, in either language, that its table lacks.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl

from zjsim.report.finished import RunTables, read_run
from zjsim.report.sheets import SHEETS
from zjsim.report.tasks import tasks
from zjsim.report.workbook import write_workbook
from zjsim.texts import LANGUAGES, Language, text
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


def _numbers(table: Any) -> Iterator[float]:
    for column in table.columns:
        if table[column].dtype.kind in "if":
            yield from (v for v in table[column].dropna().unique().tolist() if math.isfinite(v))


def main() -> int:
    """Print what is wrong with the run; returns 1 if anything is."""
    folder = Path(sys.argv[1])
    wrong = [*untraced(folder), *(w for lang in LANGUAGES for w in numbers_without_a_table(folder, lang))]
    print("\n".join(wrong[:50]) or "every number is found again")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
