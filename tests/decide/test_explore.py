"""Exploring plans of toy processes whose answers are known."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.processes import Process

from zjsim.decide import explore as room
from zjsim.decide import rank as ranking
from zjsim.decide.explore import explore
from zjsim.decide.explore_words import explored_said
from zjsim.decide.planned import Planned, typed
from zjsim.decide.rank import rank
from zjsim.engine import Engine
from zjsim.simulate.inputs import UncertainInput
from zjsim.tables.errors import InputErrors

MONTHS = UncertainInput("SET", 10, 18, 30, "uniform", "months", "assumption", "筹建周期", "set-up time")
RATE = UncertainInput("FAIL", 0.0, 0.1, 0.2, "uniform", "share", "assumption", "失败率", "failure rate")
IDLE = UncertainInput("IDLE", 0.0, 0.5, 1.0, "uniform", "share", "assumption", "无关", "idle")


def opened(bonus: float, values: Any, streams: Any) -> dict[str, np.ndarray]:
    """Colleges open at the end of the last year: 3 fewer per month beyond 10, and 100 x the failure rate."""
    noise = streams.uniforms("toy", "x", 2027, 1)[0] * 1e-3
    count = 100 + bonus - 3 * (values["SET"] - 10) - 100 * values["FAIL"] + noise
    return {"open": np.array([count])}


def toys(scenario: Any, plan: Any) -> list[Process]:
    outcomes = {"open": ("level", "colleges")}
    return [Process("toy", plan["bonus"], (2027,), (MONTHS, RATE, IDLE), opened, outcomes)]


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Planned]:
    for used_by in (room, ranking):
        monkeypatch.setattr(used_by, "processes_of", toys)
    row = {
        "target_id": "t", "reading": "r", "is_default": True, "comparator": ">=", "bound": 70.0, "period": "stock",
        "start": "2027-01-01", "deadline": "2027-12-31", "baseline": np.nan, "outcome": "open", "indicator_zh": "目标",
        "indicator_en": "T", "unit": "colleges", "unit_zh": "所", "measures": "M083",
    }  # fmt: skip
    scenario: Any = SimpleNamespace(
        table=lambda name: pd.DataFrame([row]),
        parameters=SimpleNamespace(
            simulation=SimpleNamespace(p_required=0.9), header=SimpleNamespace(title_zh="小例", title_en="Toy")
        ),
    )
    return [Planned(name, scenario, {"bonus": bonus}, 1) for name, bonus in (("plain", 0.0), ("better", 6.0))]  # type: ignore[dict-item]


def test_what_matters_where_it_is_missed_and_which_plan_is_robust(plans: list[Planned]) -> None:
    tables = explore(plans, points=256, replications=2, engine=Engine())
    index = tables["sensitivity"].set_index(["plan", "input_id"])
    months, rate = 60.0**2, 20.0**2  # squares of what the ranges move
    assert index.loc[("plain", "SET"), "total"] == pytest.approx(months / (months + rate), abs=0.05)
    assert index.loc[("plain", "FAIL"), "first"] == pytest.approx(rate / (months + rate), abs=0.05)
    assert index.loc[("plain", "IDLE"), "total"] == pytest.approx(0, abs=1e-3)
    box = tables["scenario_boxes"].iloc[0]
    assert "筹建周期 > " in box["said_zh"]
    assert "set-up time > " in box["said_en"]
    assert "无关" not in box["said_zh"]
    assert min(box["density"], box["coverage"]) > 0.85
    robust = tables["robustness"].set_index("plan")
    assert robust.loc["better", "regret_max"] == 0
    assert robust.loc["plain", ["regret_max", "regret_mean"]].tolist() == pytest.approx([6, 6])
    # met where 3 (SET - 10) + 100 FAIL <= 30: the share of the rectangle below that line
    exact = 1 / 3
    assert robust.loc["plain", "share_satisfied_low"] <= exact <= robust.loc["plain", "share_satisfied_high"]


def test_sentences_name_the_plan_and_say_why_there_is_no_box(plans: list[Planned]) -> None:
    tables = explore(plans, points=256, replications=2, engine=Engine())
    for lang, word in (("zh", "未达成主要出现在"), ("en", "Missed mainly where")):
        plain = next(line for line in explored_said(tables, lang) if "plain" in line)
        assert word in plain
    without = {**tables, "scenario_boxes": tables["scenario_boxes"].iloc[:0]}
    for share, said in ((0.0, "missed at all 512 points"), (1.0, "met at all 512 points"), (0.4, "met at 40% of 512")):
        told = {**without, "robustness": tables["robustness"].iloc[:1].assign(share_satisfied=share)}
        (line,) = explored_said(told, "en")
        assert said in line
        assert "plain" not in line


def test_equal_arguments_give_equal_tables(plans: list[Planned]) -> None:
    one, again = (explore(plans, points=8, replications=2, engine=Engine()) for _ in range(2))
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, again[name])


def test_an_unknown_target_is_told_with_the_nearest(plans: list[Planned]) -> None:
    with pytest.raises(InputErrors, match=r"no modelled target|没有这个"):
        explore(plans, targets=["tt"], engine=Engine())


def test_tables_of_a_plan_are_read_as_they_were() -> None:
    read = pd.DataFrame({"a": ["yes", "no"], "b": ["x", None], "c": [1, 2], "d": [None, None]})
    table = typed(read)
    assert table["a"].tolist() == [True, False]
    assert table["b"].tolist() == ["x", ""]
    assert table["c"].dtype == np.int64


def test_the_better_plan_is_ranked_first(plans: list[Planned]) -> None:
    table, found = rank(plans, "t", delta=1.0, engine=Engine())
    assert table["plan"].tolist() == ["better", "plain"]
    assert table["is_best"].tolist() == [True, False]
    assert table["mean"].diff().iloc[1] == pytest.approx(-6)
    assert found.replications == 20
    with pytest.raises(InputErrors, match="--target"):
        rank(plans, "u", delta=1.0, engine=Engine())


LEVERS = {
    "lever_id": ["staff", "budget"], "name_zh": ["增派", "预算"], "name_en": ["More staff", "Budget"],
    "path": ["process_parameters[PP60].mode", "seat_budgets[*,*].budget_yuan"], "change": ["set", "scale"],
    "low": [0.0, 0.5], "high": [60.0, 2.0], "unit": ["persons", "factor"], "unit_zh": ["人", "倍数"],
    "earliest_effect": ["2026-01-01", "2025-09-01"], "basis": ["judgement", "judgement"],
}  # fmt: skip


def with_lever(bonus: float, values: Any, streams: Any) -> dict[str, np.ndarray]:
    assert values["since/PP60"] == 365, "from the lever's earliest effect on"
    found = opened(bonus, values, streams)
    return {"open": found["open"] + values["later/PP60"]}


def test_levers_are_sampled_beside_uncertainties_and_told_apart(
    plans: list[Planned], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lever that moves as much as the set-up time has its index; what only a new plan could answer is named."""

    def programmes(scenario: Any, plan: Any) -> list[Process]:
        data = SimpleNamespace(as_of=date(2024, 12, 31), bonus=plan["bonus"])
        process = Process("programmes", data, (2027,), (MONTHS, RATE, IDLE), simulate, {"open": ("level", "colleges")})
        return [process]

    def simulate(data: Any, values: Any, streams: Any) -> dict[str, np.ndarray]:
        return with_lever(data.bonus, values, streams)

    monkeypatch.setattr(room, "processes_of", programmes)
    old = plans[0].scenario.table
    tables = {"levers": pd.DataFrame(LEVERS)}
    pace = pd.DataFrame({"parameter_id": ["PP60"], "mode": [5.0], "unit": ["persons"], "unit_zh": ["人"]})
    scenario: Any = SimpleNamespace(
        table=lambda name: tables.get(name, old(name)),
        tables={"process_parameters": pace},
        parameters=plans[0].scenario.parameters,
    )
    plan = Planned("plain", scenario, plans[0].plan, 1)
    found = explore([plan], points=256, replications=1, levers=True, engine=Engine())
    index = found["sensitivity"].set_index("input_id")
    assert index["role"].to_dict() == {
        "SET": "uncertainty", "FAIL": "uncertainty", "IDLE": "uncertainty", "staff": "lever"
    }  # fmt: skip
    total = 60.0**2 + 20.0**2 + 60.0**2
    assert index.loc["staff", "total"] == pytest.approx(60.0**2 / total, abs=0.06)
    said = found["scenario_boxes"].iloc[0]
    assert "[手段]增派 < " in said["said_zh"]
    assert "[lever] More staff < " in said["said_en"]
    assert "[lever] set-up time" not in said["said_en"]
    levers = found["explored_levers"].set_index("lever_id")
    assert levers["sampled"].to_dict() == {"staff": True, "budget": False}
    assert levers.loc["staff", ["low", "high", "present"]].tolist() == [0, 60, 5]
    assert "seat_budgets" in levers.loc["budget", "said_en"]
    points = found["explored_points"]
    assert set(points.loc[points["input_id"] == "staff", "role"]) == {"lever"}
    assert set(found["robustness"]["over"]) == {"levers_too"}
    monkeypatch.setattr(room, "processes_of", toys)
    without = explore(plans, points=8, replications=1, engine=Engine())
    assert set(without["robustness"]["over"]) == {"uncertainties"}
    assert "explored_levers" not in without


def test_a_number_of_points_that_is_no_power_of_two_is_told(plans: list[Planned]) -> None:
    with pytest.raises(InputErrors, match=r"--points.*(power of two|2 的幂)"):
        explore(plans, points=33, engine=Engine())
