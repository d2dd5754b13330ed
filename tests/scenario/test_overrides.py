"""Override files: what each operation does, who set what, and every fault at its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zjsim.scenario import Scenario, load
from zjsim.scenario.overrides import apply_overrides, scale
from zjsim.scenario.patterns import matching, unmatched
from zjsim.tables.errors import InputErrors
from zjsim.tables.parse import parse_csv
from zjsim.tables.reader import check_tables
from zjsim.tables.registries import REGISTRIES
from zjsim.texts import LANGUAGES

WriteScenario = Callable[..., Path]
CHILD = 'extends = "toy"\n[header]\ntitle_zh = "子"\ntitle_en = "Child"\ndate = 2025-01-01\n'
COUNTIES = "county_code,op,name_zh,population_2020,reason\n"


@pytest.fixture
def child(write_scenario: WriteScenario) -> Callable[..., Path]:
    toy = write_scenario()

    def write(name: str = "child", parent: str = "toy", **overrides: str) -> Path:
        folder = toy.parent / name
        (folder / "overrides").mkdir(parents=True)
        (folder / "scenario.toml").write_text(CHILD.replace("toy", parent), "utf-8")
        for registry, content in overrides.items():
            (folder / "overrides" / f"{registry}.csv").write_text(content, "utf-8")
        return folder

    return write


def codes(scenario: Scenario) -> list[str]:
    return scenario.table("counties")["county_code"].tolist()


def test_set_and_scale_change_cells_and_remember_who_did_it(child: Callable[..., Path], tmp_path: Path) -> None:
    first, second = codes(load(tmp_path / "toy"))[:2]
    before = load(tmp_path / "toy").table("counties").set_index("county_code")["population_2020"]
    folder = child(counties=f"{COUNTIES}{first},set,新名,,改名\n{second},scale,,1.5,增长\n")
    scenario = load(folder)
    counties = scenario.table("counties").set_index("county_code")
    assert counties["name_zh"][first] == "新名"
    assert counties["population_2020"][first] == before[first]
    assert counties["population_2020"][second] == np.floor(before[second] * 1.5 + 0.5)
    told = [(c.key, c.column, c.op, c.file, c.line, c.reason, c.level) for c in scenario.changes]
    assert told[0] == ((first,), "name_zh", "set", "overrides/counties.csv", 2, "改名", "child")
    assert scenario.place("counties", 0, "name_zh") == ("overrides/counties.csv", 2)
    assert scenario.place("counties", 0, "name_en") == ("toy/registries/counties.csv", 2)
    assert [level.name for level in scenario.levels] == ["toy", "child"]
    assert scenario.levels[1].overrides == ("counties",)
    assert "child/overrides/counties.csv" in scenario.file_hashes


def test_add_and_delete(child: Callable[..., Path], tmp_path: Path) -> None:
    table = load(tmp_path / "toy").table("population")
    header = [c.name for c in REGISTRIES["population"].columns]
    last = table["year"].max()
    row = ",".join(["2040", "add", *["6000"] * (len(header) - 3), table["source_id"][0], "derived", "新年份"])
    content = ",".join(["year", "op", *header[1:], "reason"]) + f"\n{row}\n{last},delete{',' * len(header)}旧\n"
    scenario = load(child(population=content))
    years = scenario.table("population")["year"].tolist()
    assert years == [*table["year"].tolist()[:-1], 2040]
    assert scenario.place("population", len(years) - 1, "basis") == ("overrides/population.csv", 2)
    assert {(c.op, c.column) for c in scenario.changes if c.op == "delete"} == {("delete", "")}


def test_a_child_of_a_child_goes_on_from_there_and_a_table_replaces_what_came_before(
    child: Callable[..., Path], tmp_path: Path
) -> None:
    first = codes(load(tmp_path / "toy"))[0]
    child(counties=f"{COUNTIES}{first},set,甲,,一\n")
    grandchild = child("grand", "child", counties=f"{COUNTIES}{first},set,,5000,二\n")
    scenario = load(grandchild)
    assert scenario.table("counties")["name_zh"][0] == "甲"
    assert scenario.place("counties", 0, "name_zh")[0] == "child/overrides/counties.csv"
    (grandchild / "registries").mkdir()
    (grandchild / "registries" / "counties.csv").write_bytes((tmp_path / "toy/registries/counties.csv").read_bytes())
    scenario = load(grandchild)
    assert scenario.table("counties")["name_zh"][0] != "甲"
    assert scenario.levels[1].passed_over == ("counties",)
    scenario = load(grandchild, sets=(f"counties[{first}].name_zh=乙",))
    assert scenario.table("counties")["name_zh"][0] == "乙"
    assert scenario.changes[-1].level == "--set"


@pytest.mark.parametrize(
    ("rows", "rule", "line", "column"),
    [
        ("{a},set,甲,,一\n{a},set,乙,,二\n", "override_twice", 3, "name_zh"),
        ("*,scale,,2,一\n{a},scale,,3,二\n", "override_twice", 3, "population_2020"),
        ("{a},delete,,,一\n{a},set,乙,,二\n", "override_twice", 3, "name_zh"),
        ("{a},delete,甲,,一\n", "override_delete_value", 2, "name_zh"),
        ("33OOOO,set,甲,,一\n", "override_row", 2, "county_code"),
        ("{a};999999,set,甲,,一\n", "override_part", 2, "county_code"),
        ("{a},set,,,一\n", "override_nothing", 2, "op"),
        ("{a},sett,甲,,一\n", "unknown_choice", 2, "op"),
        ("{a},set,甲,,\n", "required", 2, "reason"),
        ("{a},scale,,x,一\n", "override_factor", 2, "population_2020"),
        ("{a},scale,2,,一\n", "override_scale_text", 2, "name_zh"),
        ('{a},set,,"1,2OO",一\n', "not_integer", 2, "population_2020"),
        ("{a},set,<empty>,,一\n", "required", 2, "name_zh"),
        ("{a},add,甲,1,一\n", "override_exists", 2, "county_code"),
        ("33*,add,甲,1,一\n", "override_add_pattern", 2, "county_code"),
    ],
)
def test_faults_are_told_at_their_line(
    toy_table: Callable[[str], tuple[dict[str, str], ...]], rows: str, rule: str, line: int, column: str
) -> None:
    counties = list(toy_table("counties"))
    content = "".join(",".join(r) + "\n" for r in [list(counties[0]), *(list(c.values()) for c in counties)])
    target, _ = parse_csv(content.encode(), "counties", "counties.csv")
    text = COUNTIES + rows.replace("{a}", counties[0]["county_code"])
    raw, _ = parse_csv(text.encode(), "counties", "overrides/counties.csv")
    assert target is not None
    assert raw is not None
    changed, _, found = apply_overrides(raw, target, REGISTRIES["counties"], "child")
    errors = [*found, *check_tables({"counties": changed}, REGISTRIES).findings]
    assert [(f.rule, f.file, f.line, f.column) for f in errors] == [(rule, "overrides/counties.csv", line, column)]
    assert all(f.sentence(lang) for f in errors for lang in LANGUAGES)
    if rule == "override_twice":
        assert "第2行" in errors[0].zh
        assert "overrides/counties.csv line 2" in errors[0].en


def test_faults_of_the_header_and_of_unknown_files(child: Callable[..., Path], tmp_path: Path) -> None:
    a = codes(load(tmp_path / "toy"))[0]
    folder = child(counties=f"county_code,op,name_zhh\n{a},set,甲\n", countys="x\n")
    with pytest.raises(InputErrors) as caught:
        load(folder)
    told = {(f.rule, f.file, f.column, f.fix) for f in caught.value.errors}
    assert ("unknown_file", "overrides/countys.csv", "", "counties.csv") in told
    assert ("unknown_column", "overrides/counties.csv", "name_zhh", "name_zh") in told
    assert ("missing_column", "overrides/counties.csv", "reason", "") in told


def test_a_value_that_is_the_same_already_is_a_notice(child: Callable[..., Path], tmp_path: Path) -> None:
    toy = load(tmp_path / "toy").table("counties")
    scenario = load(child(counties=f"{COUNTIES}{toy['county_code'][0]},set,{toy['name_zh'][0]},,一\n"))
    assert [f.rule for f in scenario.notices] == ["override_same"]
    assert not scenario.changes


def test_patterns() -> None:
    cells = np.array(["330102", "330105", "330203", "2026"], dtype=object)
    assert matching("*", cells).all()
    assert matching("3301*", cells).tolist() == [True, True, False, False]
    assert matching("330105;2026", cells).tolist() == [False, True, False, True]
    assert matching("2026..330102", cells).tolist() == [True, False, False, True]
    assert unmatched("330105;330106", cells) == "330106"
    quarters = np.array(["2024-Q4", "2025-Q1", "2026-Q3"], dtype=object)
    assert matching("2025-Q1..2026-Q4", quarters).tolist() == [False, True, True]


def test_scaling_is_exact() -> None:
    whole, number = REGISTRIES["counties"].by_name["population_2020"], REGISTRIES["births"].by_name["births_10k"]
    assert scale("5", "1.1", whole) == "6"
    assert scale("45", "1.1", whole) == "50"
    assert scale("0.1", "3", number) == "0.3"
    assert scale("", "3", number) == ""


def test_a_link_out_of_the_folder_is_refused(child: Callable[..., Path], tmp_path: Path) -> None:
    folder = child()
    (folder / "overrides" / "counties.csv").symlink_to(tmp_path / "toy" / "registries" / "counties.csv")
    with pytest.raises(InputErrors) as caught:
        load(folder)
    assert [(f.rule, f.file) for f in caught.value.errors] == [("link_outside", "overrides/counties.csv")]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_override_file_ends_in_a_traceback_or_in_an_untold_change(
    data: st.DataObject, toy_table: Callable[[str], tuple[dict[str, str], ...]]
) -> None:
    counties = list(toy_table("counties"))
    content = "".join(",".join(r) + "\n" for r in [list(counties[0]), *(list(c.values()) for c in counties)])
    target, _ = parse_csv(content.encode(), "counties", "counties.csv")
    assert target is not None
    before = [c.copy() for c in target.columns]
    keys = st.sampled_from([counties[0]["county_code"], "*", "33*", "1..9", ";", "", "x;*", "330000..340000"])
    cell = st.one_of(st.sampled_from(["", "2", "1.5", "<empty>", "名"]), st.text(max_size=4))
    row = st.tuples(keys, st.sampled_from(["set", "scale", "add", "delete", "x"]), cell, cell, st.just("r"))
    rows = data.draw(st.lists(row, max_size=4))
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([COUNTIES.strip().split(","), *rows])
    encoded = stream.getvalue().encode("utf-8", "replace")
    raw, _ = parse_csv(encoded, "counties", "overrides/counties.csv")
    if raw is None:
        return
    changed, changes, found = apply_overrides(raw, target, REGISTRIES["counties"], "child")
    assert all(f.sentence(lang) for f in found for lang in LANGUAGES)
    if len(changed) == len(before[0]) and not {c.op for c in changes} & {"add", "delete"}:
        told = {(c.key[0], c.column) for c in changes}
        for name, old, new in zip(changed.header, before, changed.columns, strict=True):
            for code, a, b in zip(before[0], old, new, strict=True):
                assert (a == b) == ((code, name) not in told)
