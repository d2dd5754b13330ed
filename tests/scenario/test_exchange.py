"""Inputs to Excel and back, and two scenarios compared."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from zjsim.scenario import builtin_names, load
from zjsim.scenario.diff import diff
from zjsim.scenario.exchange import export_inputs, import_inputs, read_inputs, scenario_toml
from zjsim.scenario.settings import read_toml, validate
from zjsim.tables.errors import InputErrors
from zjsim.tables.registries import REGISTRIES

WriteScenario = Callable[..., Path]


@pytest.fixture
def book(write_scenario: WriteScenario, tmp_path: Path) -> Path:
    path = tmp_path / "toy.xlsx"
    export_inputs(load(write_scenario()), path)
    return path


def edit(path: Path, sheet: str, change: Callable[[openpyxl.worksheet.worksheet.Worksheet], None]) -> Path:
    workbook = openpyxl.load_workbook(path)
    change(workbook[sheet])
    workbook.save(path)
    return path


def test_the_round_trip_of_a_toy_loses_nothing(book: Path, tmp_path: Path) -> None:
    toy = load(tmp_path / "toy", sets=("assignment.strength_by_grade.A+=0.98", 'header.author=张"三'))
    export_inputs(toy, book)
    files = import_inputs(book, tmp_path / "back")
    assert diff(toy, load(tmp_path / "back")) == []
    assert {f.name for f in files} >= {"scenario.toml", "counties.csv"}


@pytest.mark.parametrize("name", builtin_names())
def test_the_round_trip_of_built_in_scenarios_loses_nothing(name: str, tmp_path: Path) -> None:
    scenario = load(name)
    if name == "baseline":
        export_inputs(scenario, tmp_path / "a.xlsx")
        assert diff(scenario, read_inputs(tmp_path / "a.xlsx")) == []
        return
    # the tables that a what-if changes; all others are the baseline's, which the first case takes round
    from zjsim.scenario.exchange import parameter_values, toml_literal
    from zjsim.tables.workbook_out import write_inputs

    base = load("baseline").tables
    changed = {n for n, table in scenario.tables.items() if not table.equals(base[n])}
    tables = {n: scenario.tables[n] for n in changed}
    rows = [(p, toml_literal(v), "") for p, v in parameter_values(scenario.parameters).items()]
    write_inputs(tmp_path / "a.xlsx", REGISTRIES, tables, rows, ("题", "title"))
    assert diff(scenario, read_inputs(tmp_path / "a.xlsx", base="baseline")) == []


def test_equal_scenarios_give_equal_bytes(book: Path, tmp_path: Path) -> None:
    export_inputs(load(tmp_path / "toy"), tmp_path / "again.xlsx")
    assert book.read_bytes() == (tmp_path / "again.xlsx").read_bytes()


def test_the_sheets_help_to_fill_them_in(book: Path) -> None:
    workbook = openpyxl.load_workbook(book)
    sheet = workbook["counties"]
    assert sheet.freeze_panes == "B4"
    assert [sheet.cell(row, 1).value for row in (1, 3)] == [REGISTRIES["counties"].columns[0].zh, "county_code"]
    kinds = {validation.type for validation in sheet.data_validations.dataValidation}
    assert "list" in kinds
    assert len(sheet.conditional_formatting) > 0
    assert isinstance(sheet.cell(4, 1).value, str)
    with zipfile.ZipFile(book) as package:
        assert not [n for n in package.namelist() if "externalLink" in n]


def test_a_template_has_every_sheet_and_no_rows(write_scenario: WriteScenario, tmp_path: Path) -> None:
    export_inputs(load(write_scenario()), tmp_path / "empty.xlsx", template=True)
    workbook = openpyxl.load_workbook(tmp_path / "empty.xlsx")
    assert set(REGISTRIES) < set(workbook.sheetnames)
    assert workbook["counties"].cell(4, 1).value is None


def test_one_sheet_over_a_base(book: Path, tmp_path: Path) -> None:
    edit(book, "counties", lambda sheet: sheet.__setitem__("B4", "新名"))
    workbook = openpyxl.load_workbook(book)
    for name in workbook.sheetnames:
        if name not in ("counties", "scenario"):
            del workbook[name]
    workbook.save(book)
    import_inputs(book, tmp_path / "child", base=str(tmp_path / "toy"))
    child = load(tmp_path / "child")
    assert child.base == "toy"
    assert [(d.registry, d.column, d.new) for d in diff(load(tmp_path / "toy"), child)] == [
        ("scenario.toml", "header.title_en", "Toy child"), ("scenario.toml", "header.title_zh", "小例 child"),
        ("counties", "name_zh", "新名"),
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "child" / "registries").iterdir()) == ["counties.csv"]


def test_nothing_is_written_over_and_nothing_from_a_faulty_workbook(book: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x", "utf-8")
    with pytest.raises(InputErrors) as caught:
        import_inputs(book, tmp_path / "full")
    assert caught.value.findings[0].rule == "import_exists"
    edit(book, "counties", lambda sheet: sheet.__setitem__("A4", "1"))
    with pytest.raises(InputErrors):
        import_inputs(book, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_faults_of_the_parameters_are_told_at_their_row(book: Path) -> None:
    def change(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        for row in range(2, sheet.max_row + 1):
            if sheet.cell(row, 1).value == "simulation.p_required":
                sheet.cell(row, 2).value = "high"
            if sheet.cell(row, 1).value == "simulation.seed":
                sheet.cell(row, 1).value = "simulation.sead"

    edit(book, "scenario", change)
    with pytest.raises(InputErrors) as caught:
        read_inputs(book)
    assert [(f.rule, f.column) for f in caught.value.errors] == [("settings_value", "simulation.p_required")]


def test_parameters_survive_as_toml(write_scenario: WriteScenario) -> None:
    sets = ("simulation.seed=5", "assignment.strength_by_grade.A-=0.9", 'header.description_zh=引"号\\')
    parameters = load(write_scenario(), sets=sets).parameters
    settings, found = read_toml(scenario_toml(parameters).encode(), "scenario.toml")
    assert not found
    assert validate(settings, "scenario.toml")[0] == parameters


def test_diff_names_old_new_reason_and_place() -> None:
    found = [d for d in diff(load("baseline"), load("release_share_cut")) if d.column == "mode"]
    assert [(d.registry, d.key, d.kind, d.old, d.new) for d in found] == [
        ("process_parameters", ("PP09",), "changed", "0.1", "0.05")
    ]
    assert found[0].reason
    assert found[0].place == "overrides/process_parameters.csv:2"
    back = [d for d in diff(load("release_share_cut"), load("baseline")) if d.column == "mode"]
    assert (back[0].old, back[0].new, back[0].reason) == ("0.05", "0.1", found[0].reason)
    assert json.dumps(found[0].record())


@pytest.mark.parametrize(
    ("cells", "rule", "line", "fix"),
    [
        ({"B3": None}, "settings_value", 3, "7"),
        ({"A3": None}, "settings_path", 3, ""),
        ({"A4": "simulation.seed", "B4": "8"}, "settings_twice", 4, ""),
        ({"B1": "wert"}, "settings_columns", None, ""),
        ({"B3": "=1+1"}, "settings_value", 3, ""),
    ],
)
def test_the_sheet_of_parameters(
    tmp_path: Path, cells: dict[str, str | None], rule: str, line: int | None, fix: str
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "scenario"
    for row in (("path", "value", "default"), ("simulation.p_required", "0.9", "0.9"), ("simulation.seed", "5", "7")):
        sheet.append(row)
    for place, value in cells.items():
        sheet[place] = value
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(InputErrors) as told:
        read_inputs(tmp_path / "x.xlsx", "baseline")
    assert [(f.rule, f.line, f.fix) for f in told.value.errors if f.rule != "key_missing"] == [(rule, line, fix)]


def test_columns_of_parameters_that_are_there_twice(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "scenario"
    for row in (("path", "value", "value"), ("simulation.seed", "5", "7")):
        sheet.append(row)
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(InputErrors) as told:
        read_inputs(tmp_path / "x.xlsx", "baseline")
    assert "settings_columns" in {f.rule for f in told.value.errors}
