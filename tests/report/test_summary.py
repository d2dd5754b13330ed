"""The summary on the screen, and the shares of inputs by basis."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from zjsim.report.cover import cover_rows
from zjsim.report.sources import TOTAL, input_sources, placeholder_share
from zjsim.report.summary import screen_summary
from zjsim.report.words import column_title, quantity, shown_columns, status_word, verdict_kind
from zjsim.texts import LANGUAGES, Language

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_summary_fits_one_screen_and_has_the_headline(made_run: MakeRun, lang: Language) -> None:
    manifest, tables = made_run()
    said = screen_summary(manifest, tables, "results/toy/0123456789ab", lang)
    lines = said.split("\n")
    assert len(lines) <= 30
    assert "results/toy/0123456789ab" in lines[-1]
    assert sum("%" in line and "[" in line for line in lines) == 3, "three modelled targets in their default reading"
    assert "97% [92%–100%]" in re.sub(" +", " ", said)
    assert "1.23%" in said
    assert "75%" in lines[-2]


def test_the_location_plans_have_a_line_with_gap_and_what_falls_short(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    said = screen_summary(manifest, tables, "x", "zh")
    assert "布局方案：可行，未证明最优，差距 0.19%；启动：\n  共建平台 3（比目标所需少启动 2）、余杭区 1\n" in said
    rows = dict(cover_rows({**manifest, "not_reproducible": []}, tables, "en"))
    assert rows["Location plans"].endswith("3 (2 fewer than the target wants begun)\n余杭区: 1")
    assert "0.19%" in rows["Location plans, solver status"]
    del tables["location_targets"], manifest["solves"]["locations"]
    assert "布局方案" not in screen_summary(manifest, tables, "x", "zh")


def test_many_openings_are_told_in_lines_of_a_screen(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    row = tables["location_targets"].iloc[[1]]
    tables["location_targets"] = pd.concat([row.assign(kind_en=f"A kind of facility {i}") for i in range(9)])
    lines = screen_summary(manifest, tables, "x", "en").split("\n")
    told = [line for line in lines if "A kind of facility" in line]
    assert len(told) == 3
    assert max(map(len, told)) <= 100
    assert sum(line.count("A kind of facility") for line in told) == 9


def test_summary_says_when_nothing_falls_short(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    tables["seat_shortfalls"] = tables["seat_shortfalls"].iloc[:0]
    assert "无缺口\n" in screen_summary(manifest, tables, "x", "zh")


def test_shortfalls_under_other_readings_are_told_apart(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    tables["seat_shortfalls"] = tables["seat_shortfalls"].assign(is_planned=False)
    assert "无缺口（其他口径下 1 项" in screen_summary(manifest, tables, "x", "zh")


def test_input_sources_counts_filled_values_by_basis() -> None:
    tables = {
        "counties": pd.DataFrame(
            {
                "county_code": ["330102", "330105", "330106"],
                "population_2020": [1.0, float("nan"), 3.0],
                "is_island": [True, False, True],
                "name_zh": ["甲", "乙", ""],
                "source_id": ["s", "s", "s"],
                "basis": ["official", "derived", "derived"],
            }
        ),
        "patents": pd.DataFrame({"n": [1, 2], "basis": ["synthetic", "synthetic"]}),
        "sources": pd.DataFrame({"source_id": ["s"]}),
        "rules": pd.DataFrame({"basis": []}),
    }
    found = input_sources(tables).set_index(["registry", "basis"])
    assert found.loc[("counties", "official"), ["rows", "values"]].tolist() == [1, 2]
    assert found.loc[("counties", "derived"), ["rows", "values"]].tolist() == [2, 3]
    assert found.loc[("patents", "synthetic"), "values"] == 2
    assert found.loc[(TOTAL, "official"), "share_of_values"] == pytest.approx(2 / 7)
    assert found.groupby("registry")["share_of_rows"].sum().tolist() == pytest.approx([1, 1, 1])
    assert found.index[-1][0] == TOTAL
    assert "sources" not in found.index.get_level_values(0)
    assert placeholder_share(found.reset_index()) == pytest.approx(5 / 7)


def test_a_registry_without_basis_is_unstated_and_counts_as_not_public() -> None:
    found = input_sources({"x": pd.DataFrame({"n": [1.0]})})
    assert found["basis"].tolist() == ["unstated", "unstated"]
    assert placeholder_share(found) == 1.0


def test_words() -> None:
    assert [verdict_kind(v) for v in ("met", "not met", "undecided", "depends on x (2)", "not modelled yet", "")] == [
        "met", "not met", "undecided", "depends on", "", "",
    ]  # fmt: skip
    assert [quantity(v) for v in (1234567.0, 0.5, 12, float("nan"), "x")] == ["1,234,567", "0.5", "12", "–", "–"]
    table = pd.DataFrame(columns=["county_code", "county_zh", "county_en", "verdict", "verdict_zh", "note_zh"])
    assert shown_columns(table, "zh") == ["county_code", "county_zh", "verdict_zh", "note_zh"]
    assert shown_columns(table, "en") == ["county_code", "county_en", "verdict", "note_zh"]
    assert column_title("population_2020", "zh") != "population_2020", "declared in a registry"
    assert column_title("county_zh", "en") == "County"
    assert column_title("grade", "zh", "lead_assignments") != column_title("grade", "zh")
    assert column_title("of_my_own", "zh") == "of_my_own"


def test_switched_rules_of_the_seat_plan_are_told(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    asked = {"permit_guarantee_from": 2025, "indicator_share": 0.85, "convert_primary_rooms": True}
    manifest["parameters"] = {**manifest.get("parameters", {}), "seats": asked}
    row = tables["seat_shortfalls"].iloc[[0]].assign(rule="indicator_short", amount=1234.0, is_planned=True)
    tables["seat_shortfalls"] = pd.concat([tables["seat_shortfalls"], row], ignore_index=True)
    tables["seat_rooms"] = pd.DataFrame({"stage": ["junior", "primary"], "converted_rooms": [7, -7]})
    (line,) = [x for x in screen_summary(manifest, tables, "x", "en").split("\n") if x.startswith("Switches")]
    assert "a public seat for every permit holder from 2025: met everywhere" in line
    assert "public and purchased at least 85%: 1,234 child-years short in 1 counties" in line
    assert "7 primary rooms converted" in line
    manifest["parameters"] = {}
    assert "Switches" not in screen_summary(manifest, tables, "x", "en")


def test_a_plan_that_is_not_proven_says_how_many_of_its_goals_that_concerns() -> None:
    stages = [{"name": name, "gap": gap} for name, gap in (("placed", 0.0), ("cost", 0.0), ("changes", 0.0002))]
    solve = {"status": "feasible", "gap": 0.0002, "stages": stages}
    assert status_word(solve, "en") == "feasible, 1 of 3 goals not proven optimal, gap at most 0.02%"
    assert status_word(solve, "zh") == "可行，3个目标中1个未证明最优，差距至多 0.02%"
