"""What must be in ``actuals``, and that every fault is told with file, line and rule."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from zjsim.scenario import load
from zjsim.scenario.actual_checks import outcome_kinds, required
from zjsim.scenario.quarters import is_quarter_end, quarter_end, quarter_of, quarters_until
from zjsim.tables.errors import Finding, InputErrors

Row = dict[str, str]
HEADER = """extends = "mid_course"
[header]
title_zh = "试"
title_en = "Try"
date = 2026-11-01
"""


@pytest.fixture(scope="module")
def given() -> list[Row]:
    text = files("zjsim.scenarios").joinpath("mid_course/registries/actuals.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def world(tmp_path: Path, given: list[Row]) -> Callable[..., Path]:
    def write(change: Callable[[list[Row]], list[Row]], time: str = "") -> Path:
        folder = tmp_path / "mine"
        (folder / "registries").mkdir(parents=True)
        (folder / "scenario.toml").write_text(HEADER + time, encoding="utf-8")
        with open(folder / "registries" / "actuals.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(given[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(change([dict(r) for r in given]))
        return folder

    return write


def faults(folder: Path) -> list[Finding]:
    with pytest.raises(InputErrors) as caught:
        load(folder)
    for found in caught.value.findings:
        assert found.sentence("zh")
    return list(caught.value.errors)


def line_of(rows: list[Row], outcome: str, quarter: str) -> int:
    return next(i for i, r in enumerate(rows, start=2) if (r["outcome"], r["quarter"]) == (outcome, quarter))


def setting(outcome: str, quarter: str, value: str) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [
        {**r, "value": value} if (r["outcome"], r["quarter"]) == (outcome, quarter) else r for r in rows
    ]


def areas(outcome: str, quarter: str, values: dict[str, str]) -> Callable[[list[Row]], list[Row]]:
    same = {"outcome": outcome, "quarter": quarter, "source_id": "method_back_cast", "basis": "synthetic"}
    return lambda rows: rows + [{**same, "area_code": a, "value": v} for a, v in values.items()]


def test_quarters_by_hand() -> None:
    assert quarters_until(date(2024, 12, 31)) == ()
    assert quarters_until(date(2025, 3, 30)) == ()
    assert quarters_until(date(2025, 9, 30)) == ("2025-Q1", "2025-Q2", "2025-Q3")
    assert quarter_end("2026-Q4") == date(2026, 12, 31)
    assert quarter_of(date(2026, 7, 1)) == "2026-Q3"
    assert [is_quarter_end(date(2026, m, d)) for m, d in ((3, 31), (6, 30), (9, 30), (12, 31), (9, 29))] == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_what_must_be_given() -> None:
    scenario = load("mid_course")
    wanted = required(scenario.table("targets"), scenario.parameters)
    assert set(wanted) == set(scenario.table("targets")["outcome"]) - {""}
    assert wanted["services_completed"] == quarters_until(date(2026, 9, 30))
    assert wanted["silk_road_operating"] == ("2025-Q4", "2026-Q3")
    assert outcome_kinds(scenario.table("targets"))["place_share_county_rule"] == "level"
    base = load("baseline")
    assert required(base.table("targets"), base.parameters) == {}


def test_a_missing_quarter_is_told_after_the_row_before_it(world: Callable[..., Path], given: list[Row]) -> None:
    gone = ("services_completed", "2026-Q2")
    (found,) = faults(world(lambda rows: [r for r in rows if (r["outcome"], r["quarter"]) != gone]))
    line = line_of(given, "services_completed", "2026-Q1")
    assert (found.rule, found.file, found.line, found.column) == ("actual_missing", "actuals.csv", line, "quarter")
    assert "services_completed" in found.sentence("en")
    assert "2026-Q2" in found.sentence("en")
    assert "synthetic" in found.sentence("en")


def test_of_a_level_the_year_ends_and_the_last_quarter_are_enough(world: Callable[..., Path]) -> None:
    between = {"2025-Q1", "2025-Q2", "2025-Q3", "2026-Q1", "2026-Q2"}
    folder = world(
        lambda rows: [r for r in rows if r["outcome"] != "silk_road_operating" or r["quarter"] not in between]
    )
    assert len(load(folder).table("actuals")) > 100


def test_nothing_given_at_all_names_every_outcome() -> None:
    with pytest.raises(InputErrors) as caught:
        load("baseline", sets=("time.as_of=2025-03-31",))
    assert {f.rule for f in caught.value.errors} == {"actual_missing"}
    assert len(caught.value.errors) == len(set(load("baseline").table("targets")["outcome"]) - {""})


def test_the_as_of_date_ends_a_quarter() -> None:
    with pytest.raises(InputErrors) as caught:
        load("mid_course", sets=("time.as_of=2026-09-29",))
    assert [(f.rule, f.column) for f in caught.value.errors] == [("as_of_not_quarter_end", "time.as_of")]
    assert "2026-09-30" in caught.value.errors[0].sentence("zh")


def test_rows_after_the_as_of_date_are_a_notice() -> None:
    scenario = load("mid_course", sets=("time.as_of=2025-12-31",))
    later = [n for n in scenario.notices if n.rule == "actual_later"]
    assert later
    assert all(n.severity == "notice" for n in later)


@pytest.mark.parametrize(
    ("change", "rule", "outcome", "quarter"),
    [
        (setting("inventory_share_rolling", "2026-Q3", "1.2"), "actual_share", "inventory_share_rolling", "2026-Q3"),
        (setting("services_completed", "2025-Q1", "7.5"), "actual_whole", "services_completed", "2025-Q1"),
        (setting("silk_road_operating", "2026-Q3", "99"), "actual_exceeds", "silk_road_operating", "2026-Q3"),
        (
            areas("services_completed", "2025-Q1", {"330100": "2000", "330200": "490"}),
            "actual_parts_above", "services_completed", "2025-Q1",
        ),
        (
            areas("services_completed", "2025-Q1", {"330102": "2490"}),
            "actual_parts_above", "services_completed", "2025-Q1",
        ),
        (
            areas("services_completed", "2025-Q1", {f"33{n:02d}00": "1" for n in range(1, 12)}),
            "actual_parts_below", "services_completed", "2025-Q1",
        ),
        (
            areas("public_share_public_only", "2026-Q3", {f"33{n:02d}00": "0.9" for n in range(1, 12)}),
            "actual_parts_share", "public_share_public_only", "2026-Q3",
        ),
    ],
)  # fmt: skip
def test_each_rule(
    world: Callable[..., Path],
    given: list[Row],
    change: Callable[[list[Row]], list[Row]],
    rule: str,
    outcome: str,
    quarter: str,
) -> None:
    found = faults(world(change))
    assert (rule, "actuals.csv", line_of(given, outcome, quarter)) in [(f.rule, f.file, f.line) for f in found]
    assert {f.rule for f in found} == {rule}


def test_an_unknown_area_is_told(world: Callable[..., Path], given: list[Row]) -> None:
    found = faults(world(areas("services_completed", "2025-Q1", {"339999": "1"})))
    assert [(f.rule, f.line) for f in found] == [("actual_area", len(given) + 2)]


def test_cities_that_add_up_pass(world: Callable[..., Path], given: list[Row]) -> None:
    whole = int(given[line_of(given, "services_completed", "2025-Q1") - 2]["value"])
    values = {f"33{n:02d}00": "100" for n in range(1, 11)} | {"331100": str(whole - 1000)}
    assert load(world(areas("services_completed", "2025-Q1", values))).table("actuals")["area_code"].nunique() == 12
