"""What a finished run gives again: the same tables, the same workbook, and a county's extract with nothing else."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import range_boundaries

from zjsim.report.county_book import write_county_book
from zjsim.report.finished import read_run, read_table
from zjsim.report.inputs_told import input_changes, sources_used, target_readings
from zjsim.report.tasks import tasks
from zjsim.report.visible import visible
from zjsim.report.workbook import TOTALS, write_workbook
from zjsim.scenario import load
from zjsim.tables.errors import InputErrors
from zjsim.tables.writer import write_csv
from zjsim.texts import text

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]


@pytest.fixture
def folder(made_run: MakeRun, tmp_path: Path) -> Path:
    manifest, tables = made_run("=1+1")
    (tmp_path / "run" / "tables").mkdir(parents=True)
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    for name, table in tables.items():
        write_csv(table, tmp_path / "run" / "tables" / f"{name}.csv")
    return tmp_path / "run"


def test_tables_come_back_as_they_were_written(made_run: MakeRun, folder: Path) -> None:
    tables = made_run("=1+1")[1]
    done = read_run(folder)
    assert set(done.tables) == set(tables)
    for name, table in tables.items():
        found = done.tables[name]
        assert list(found.columns) == list(table.columns)
        for column in table.columns:
            for a, b in zip(table[column].tolist(), found[column].tolist(), strict=True):
                empty = a in ("", None) or (isinstance(a, float) and math.isnan(a))
                same = a == b if isinstance(a, str) else b == pytest.approx(a, rel=1e-9)
                assert (b == "" or b != b) if empty else same, (name, column)
    assert found["registry"].dtype == object


def test_the_workbook_made_again_is_the_same(folder: Path, tmp_path: Path) -> None:
    done = read_run(folder)
    for name in ("a", "b"):
        write_workbook(tmp_path / f"{name}.xlsx", done.manifest, read_run(folder).tables, "zh")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputErrors):
        read_run(tmp_path)
    (tmp_path / "tables").mkdir()
    (tmp_path / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(InputErrors):
        read_run(tmp_path)


def test_codes_stay_text_and_numbers_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"moe_code": ["10335"], "n": [3], "x": [0.5], "ok": [True], "place": ["0810"], "why": ["-"]})
    write_csv(table.assign(gone=np.nan), tmp_path / "t.csv")
    found = read_table(tmp_path / "t.csv")
    assert found.iloc[0].drop("gone").tolist() == ["10335", 3, 0.5, True, "0810", "-"]
    assert pd.api.types.is_integer_dtype(found["n"])


def test_totals_are_formulas_that_agree_with_the_values(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run()
    write_workbook(tmp_path / "p.xlsx", manifest, tables, "zh")
    data = io.BytesIO((tmp_path / "p.xlsx").read_bytes())
    formulas, values = openpyxl.load_workbook(data), openpyxl.load_workbook(data, data_only=True)
    found = 0
    for name in TOTALS:
        title = text(f"report.sheet_{name}", "zh")
        if title not in formulas.sheetnames:
            continue
        for cell in formulas[title][formulas[title].max_row]:
            if isinstance(cell.value, str) and cell.value.startswith("="):
                left, top, right, bottom = range_boundaries(cell.value[len("=SUBTOTAL(109,") : -1])
                assert (left, right, top, bottom) == (cell.column, cell.column, 2, cell.row - 1)
                column = [values[title].cell(r, cell.column).value or 0 for r in range(top, bottom + 1)]
                assert values[title].cell(cell.row, cell.column).value == pytest.approx(math.fsum(column))
                found += 1
    assert found >= 8


def test_a_county_extract_holds_that_county_and_nothing_else(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run("余杭区")
    write_county_book(tmp_path / "c.xlsx", manifest, tables, ["330110"], "zh")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "c.xlsx").read_bytes()))
    assert text("report.sheet_seat_expansion", "zh") in book.sheetnames
    assert text("report.sheet_lead_assignments", "zh") not in book.sheetnames
    cells = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert not [
        c for c in cells for other in ("330102", "上城区", "330483", "桐乡市", "331102", "莲都区") if other in c
    ]
    assert "余杭区 (330110)" in cells
    assert len(list(book[text("report.sheet_seat_expansion", "zh")].iter_rows())) == 1 + 2 + 1, (
        "two years and the total"
    )
    with pytest.raises(InputErrors, match="330110"):
        write_county_book(tmp_path / "d.xlsx", manifest, tables, ["330111"], "zh")


def test_tasks_name_the_rows_they_are_from(made_run: MakeRun) -> None:
    tables = made_run()[1]
    table = tasks(tables, "zh")
    assert {"platform_plan", "seat_expansion", "lead_assignments", "heritage_pairs"} == set(table["table"])
    for row in table.to_dict("records"):
        wanted = dict(part.split("=") for part in row["key"].split(","))
        source = tables[row["table"]].astype(str)
        assert (source[list(wanted)] == pd.Series(wanted)).all(axis=1).sum() >= 1
    built = table[(table["table"] == "seat_expansion") & table["what"].str.contains("教室") & (table["unit"] == "间")]
    assert built["amount"].sum() == tables["seat_expansion"]["rooms_added"].sum()
    dated = [due for due in table["due"] if due]
    assert dated == sorted(dated)
    assert list(table["due"]) == dated + [""] * (len(table) - len(dated)), "what has no date comes last"


def test_changes_against_the_base_are_grouped_by_column_and_reason() -> None:
    loaded = load("birth_decline", sets=("simulation.p_required=0.8",))
    found = input_changes(loaded).set_index(["registry", "column"])
    assert found.loc[("scenario.toml", "simulation.p_required"), ["old", "new"]].tolist() == ["0.9", "0.8"]
    local = found.loc[("seat_demand", "local_children")]
    base = load("baseline").tables["seat_demand"]["local_children"]
    changed = base != loaded.tables["seat_demand"]["local_children"]
    assert local["cells"] == changed.sum()
    assert local["new_sum"] == loaded.tables["seat_demand"].loc[changed, "local_children"].sum()
    assert local["old_sum"] == base[changed].sum()
    assert local["reason"]
    alone = load("baseline")
    assert input_changes(alone).empty
    readings = target_readings(alone.tables)
    assert len(readings) == len(alone.tables["targets"])
    used = sources_used(alone.tables)
    counted = used.groupby("registry")["rows"].sum()
    assert counted["counties"] == len(alone.tables["counties"])


def test_attacks_stand_in_a_county_extract_as_text(made_run: MakeRun, tmp_path: Path, attack: str) -> None:
    manifest, tables = made_run(attack)
    write_county_book(tmp_path / "c.xlsx", manifest, tables, ["330110"], "zh")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "c.xlsx").read_bytes()))
    said = []
    for sheet in book:
        assert not sheet._hyperlinks
        for cell in (c for row in sheet.iter_rows() for c in row):
            assert cell.data_type != "f" or str(cell.value).startswith("=SUBTOTAL(109,"), cell.value
            said.append(str(cell.value or ""))
    shown = visible(attack, 200)[:60]
    assert any(shown in s for s in said), "the text is there, as text"
    assert max(map(len, said)) <= 2_100, "and cut where it is too long to read"
