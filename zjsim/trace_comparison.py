"""``zjsim trace`` of a comparison: from a number in it to the rows of the runs that it compares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.texts import Language, text
from zjsim.trace import Row, matching_rows, read_rows, table_file, tables_folders

_KEYS = {
    "target_changes": ("target_feasibility", ("target_id", "reading")),
    "outcome_changes": ("yearly_outcomes", ("process", "outcome", "year")),
    "seat_changes": ("seat_expansion", ("county_code", "year")),
}
"""By table of a comparison: the table of the runs, and the columns that both have."""


def show_comparison(
    folder: Path, manifest: Mapping[str, Any], table: str, key: str, lang: Language, as_json: bool
) -> int:
    """Print where the numbers of a row stand in the runs compared; returns 0."""
    files = {p.stem: p for at in reversed(tables_folders(folder)) for p in sorted(at.glob("*.csv"))}
    if table not in files:
        raise _refuse("table", str(folder), table, nearest(table, list(files)))
    rows = read_rows(files[table])
    found = matching_rows(rows, key)
    if not found:
        raise _refuse("row", table, key)
    row = rows[found[0]]
    said: dict[str, Any] = {
        "comparison": str(manifest["run_id"]),
        "rows_found": len(found),
        "row": row,
        "stands_in": list(stands_in(folder, manifest, table, row, read_rows(files["compared_runs"]))),
    }
    if as_json:
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return 0
    if len(found) > 1:
        print(text("scenario.trace.more_rows", lang, count=len(found)))
    print(", ".join(f"{k} = {v}" for k, v in row.items() if v))
    print("\n" + text("scenario.trace.compared", lang))
    for place in said["stands_in"]:
        print(
            "  "
            + text(
                f"scenario.trace.compared_{'row' if place['rows'] else 'none'}",
                lang,
                **{"at" if k == "key" else k: v for k, v in place.items()},
            )
        )
        if place["folder"]:
            print(f'    zjsim trace {place["folder"]} {place["table"]} "{place["key"]}"')
    return 0


def _refuse(rule: str, place: str, value: str, fix: str = "") -> InputErrors:
    return InputErrors([finding(rule, place, value=value, fix=fix, theme="scenario.trace.rule")])


def stands_in(
    folder: Path, manifest: Mapping[str, Any], table: str, row: Row, runs: list[Row]
) -> Iterator[dict[str, Any]]:
    """By run of a row (the base and the one compared): table, key, folder if it is at hand, and rows found there."""
    named = {r["run"]: r for r in runs}
    base = next(r["run"] for r in runs if r["role"] == "base")
    wanted = [row["run"]] if table == "compared_runs" else [base, row["run"]]
    for run in wanted:
        where, key = run_key(table, row)
        place = run_folder(folder, manifest, named[run])
        rows = _rows_of(place, where)
        count = len(matching_rows(rows, key)) if key else 0
        if not key:  # openings of a year: the first of them
            own = [r["opening_id"] for r in rows if r["open_date"].startswith(row["year"])]
            key, count = f"opening_id={own[0]}" if own else f"open_date={row['year']}", len(own)
        yield {
            "run": run, "run_id": named[run]["run_id"], "table": where, "key": key, "rows": count,
            "folder": "" if place is None else str(place),
        }  # fmt: skip


def _rows_of(place: Path | None, table: str) -> list[Row]:
    file = None if place is None else table_file(place, table)
    return [] if file is None else read_rows(file)


def run_key(table: str, row: Row) -> tuple[str, str]:
    """The table of a run, and the key in it, that a row of a comparison was made from (no key: year of opening)."""
    from zjsim.decide.compare_plans import PARTS

    if table in _KEYS:
        where, columns = _KEYS[table]
        return where, ", ".join(f"{c}={row[c]}" for c in columns)
    if table == "plan_changes":
        part = next(p for p in PARTS if p.table == row["part"])
        values = row["key"].split(" / ")
        return part.table, ", ".join(f"{c}={v}" for c, v in zip(part.key, values, strict=True) if v)
    if table == "cost_changes":
        opening = next((p.table for p in PARTS if p.table == row["part"]), None)
        return ("seat_summary", f"year={row['year']}") if opening is None else (opening, "")
    if table == "input_changes":
        return "input_sources", f"registry={row['registry']}"
    return "target_feasibility", "is_default=yes"


def run_folder(folder: Path, manifest: Mapping[str, Any], run: Row) -> Path | None:
    """The folder of a compared run if it lies where runs lie: beside the comparison's own folders."""
    for home in folder.resolve().parents[:4]:
        place = home / run["scenario"] / run["folder"]
        try:
            own = json.loads((place / "manifest.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(own, dict) and own.get("run_id") == run["run_id"]:
            return place
    return None
