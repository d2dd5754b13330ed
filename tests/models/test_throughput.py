from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models import feasibility_tables, throughput
from zjsim.models.ensemble_looks import Stopping
from zjsim.models.feasibility import Target
from zjsim.models.throughput import Assessment, Process, assess, processes_of, target_of

import zjsim
from zjsim.simulate.inputs import UncertainInput, Values
from zjsim.simulate.streams import Streams
from zjsim.texts import catalogue

PACE = UncertainInput("pace", 5.0, 10.0, 20.0, "triangular", "per year", "assumption", "速度", "pace")
SPARE = UncertainInput("spare", 0.0, 0.5, 1.0, "uniform", "share", "assumption", "余量", "spare")


def steady(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """Three years of ``pace`` plus noise within ± ``data``; ``spare`` does nothing."""
    noise = data * (2 * streams.uniforms("toy", "a", 2025, 3) - 1)
    return {"made": values.get("pace", 10.0) + noise, "level": np.cumsum(values.get("pace", 10.0) + noise)}


TOY = Process(
    "toy", 1.0, (2025, 2026, 2027), (PACE, SPARE), steady, {"made": ("flow", "n"), "level": ("level", "n")},
    repeat=2, design_replications=4, batch=3,
)  # fmt: skip


def target(bound: float, period: str = "cumulative", outcome: str = "made", comparator: Any = ">=") -> Target:
    return Target("t", f"{period}_{bound:g}", comparator, bound, period, 2025, 2027, nan, outcome)


def judge(*targets: Target, space_points: int = 8, **changes: Any) -> list[Assessment]:
    toy = replace(TOY, **changes)
    return assess([toy], targets, seed=1, replications=20, space_points=space_points, p_required=0.9)[1]


def test_the_break_even_of_the_deciding_input_is_found() -> None:
    # the sum of three years is 3 × pace + noise of at most 3: 36 is met in 90 % of futures a little above pace 12
    (found,) = judge(target(36.0))
    assert found.effects[0].input_id == "pace"
    assert found.p_worst == 0
    assert found.p_best == 1
    noise = np.sort(found.margin + 36 - 30)
    assert found.break_even == pytest.approx((36 - noise[4]) / 3, abs=1e-6)
    assert feasibility_tables.deciding_input(found) == PACE


def test_an_input_without_effect_never_decides() -> None:
    (found,) = judge(target(1000.0))
    assert found.p_best == 0
    assert np.isnan(found.break_even)
    assert feasibility_tables.deciding_input(found) is None


def test_the_base_ensemble_is_repeated_as_often_as_the_process_says() -> None:
    (found,) = judge(target(30.0))
    assert len(found.margin) == 40
    # base, two ends of each of the two inputs, eight points between
    assert len(found.p_points) == 13


def test_targets_that_no_process_answers_are_left_out() -> None:
    assert judge(target(1.0, outcome="unknown")) == []


def test_two_workers_give_the_tables_of_one() -> None:
    registry = pd.DataFrame(
        [
            {
                "target_id": "t", "reading": r, "is_default": True, "measures": "M001", "indicator_zh": "甲",
                "indicator_en": "a", "unit": "n", "unit_zh": "个", "comparator": ">=", "period": "cumulative",
                "bound": b, "start": "2025-01-01", "deadline": "2027-12-31", "has_baseline": False, "baseline": nan,
                "outcome": o,
            }
            for r, b, o in (("low", 20.0, "made"), ("mid", 33.0, "made"), ("high", 80.0, "made"), ("none", 1.0, ""))
        ]
    )  # fmt: skip
    found = []
    for workers in (1, 2):
        studies, assessments = assess(
            [TOY], [target_of(row) for _, row in registry.iterrows()], seed=1, replications=20, space_points=8,
            p_required=0.9, workers=workers,
        )  # fmt: skip
        found.append(feasibility_tables.all_tables(registry, studies, assessments, 0.9, 1))
    alone, together = found
    assert set(alone) == set(together)
    for name, table in alone.items():
        assert table.to_csv() == together[name].to_csv(), name
    feasibility = alone["target_feasibility"].set_index("reading")
    assert str(feasibility.loc["mid", "verdict"]).startswith("depends on pace")
    assert feasibility.loc["high", "verdict"] == "not met"
    assert (feasibility["p_low"] <= feasibility["p_meet"]).all()
    assert (feasibility["p_meet"] <= feasibility["p_high"]).all()
    assert (feasibility["p_worst"] <= feasibility["p_meet"]).all()
    assert (feasibility["p_meet"] <= feasibility["p_best"]).all()
    assert alone["targets_not_modelled"]["reading"].tolist() == ["none"]
    counts = alone["design_points"]["p_meet"] * feasibility["replications"].iloc[0]
    assert counts.tolist() == pytest.approx(counts.round().tolist()), "a share of the base replications at every point"
    points = alone["design_points"]
    at_base = points[points["kind"] == "base"].set_index("reading")["margin_mean"]
    told = feasibility["mean"] - feasibility["bound"]
    assert at_base.to_dict() == pytest.approx(told[at_base.index].to_dict())
    sure = points[points["p_meet"].isin([0.0, 1.0])]
    assert ((sure["margin_mean"] >= 0) == (sure["p_meet"] == 1)).all()


def combined(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """Only both inputs together reach much."""
    both = values["pace"] * values["spare"]
    return {"made": np.full(3, both), "level": np.full(3, both)}


def test_where_no_input_decides_alone_the_strongest_ones_are_named() -> None:
    (found,) = judge(target(31.5), space_points=64, simulate=combined)
    assert found.p_worst < 0.9 <= found.p_best
    assert feasibility_tables.deciding_input(found) is None
    assert {i for i, _ in found.correlations} == {"pace", "spare"}
    assert all(rho > 0.3 for _, rho in found.correlations)


@pytest.fixture(scope="module")
def scenario() -> Any:
    return zjsim.load("baseline")


def test_every_modelled_target_is_answered_by_exactly_one_process(scenario: Any) -> None:
    processes = processes_of(scenario, {})
    declared = [name for process in processes for name in process.outcomes]
    assert len(declared) == len(set(declared))
    targets = scenario.table("targets")
    left_out = targets[~targets["outcome"].isin(declared)]
    assert left_out.empty
    for _, row in targets[targets["outcome"].isin(declared)].iterrows():
        wanted = target_of(row)
        years = next(p.years for p in processes if wanted.outcome in p.outcomes)
        assert set(range(wanted.first_year, wanted.last_year + 1)) <= set(years)


def test_processes_share_no_inputs_and_each_input_has_a_range(scenario: Any) -> None:
    processes = processes_of(scenario, {})
    for process in processes:
        assert len({i.input_id for i in process.inputs}) == len(process.inputs)
        assert all(i.low <= i.mode <= i.high for i in process.inputs)
    pairs = [(p.name, i.input_id) for p in processes for i in p.inputs]
    assert len(pairs) == len(set(pairs))


def test_every_outcome_of_a_target_has_a_name_in_both_languages(scenario: Any) -> None:
    for outcome in sorted(set(scenario.table("targets")["outcome"]) - {""}):
        assert f"simulation.outcome.{outcome}" in catalogue()


def test_the_tables_of_the_cheap_processes_have_the_form_that_is_asked_for(scenario: Any) -> None:
    cheap = [
        replace(p, repeat=1, design_replications=2)
        for p in processes_of(scenario, {})
        if p.name in ("programmes", "seats")
    ]
    registry = scenario.table("targets")
    wanted = [target_of(row) for _, row in registry.iterrows() if row["outcome"]]
    studies, assessments = assess(cheap, wanted, seed=1, replications=4, space_points=2, p_required=0.9)
    tables = feasibility_tables.all_tables(registry, studies, assessments, 0.9, 1)
    feasibility, yearly = tables["target_feasibility"], tables["yearly_outcomes"]
    asked = (
        "target_id reading is_default measures indicator period bound deadline p_meet p_low p_high p_worst p_best "
        "has_baseline mean p05 p50 p95 replications verdict"
    )
    assert set(asked.split()) <= set(feasibility.columns)
    assert {"year", "indicator", "mean", "p05", "p50", "p95"} <= set(yearly.columns)
    assert feasibility["verdict"].str.startswith(("met", "not met", "undecided", "depends on")).all()
    assert feasibility["p_worst"].between(0, feasibility["p_meet"]).all()
    assert feasibility["p_best"].between(feasibility["p_meet"], 1).all()
    assert sorted(yearly["year"].unique()) == [2025, 2026, 2027]
    assert len(tables["targets_not_modelled"]) == len(registry) - len(feasibility)


def capped(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """A share that is full from pace 7 on."""
    share = np.full(3, min(1.0, values["pace"] / 7))
    return {"made": share, "level": share}


def test_the_break_even_of_a_share_with_a_ceiling_is_closed_in_on() -> None:
    (found,) = judge(target(1.0, "per_year"), simulate=capped)
    assert found.p_worst == 0
    assert found.break_even == pytest.approx(7.0, abs=5 / 2**throughput.BREAK_EVEN_ROUNDS)


LOOKS = Stopping((5, 20, 40), 0.1, frozenset({("t", "cumulative_20"), ("t", "cumulative_30")}), 0.9)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_ensemble_stops_at_the_first_look_at_which_its_headline_targets_are_decided(workers: int) -> None:
    def grown(*bounds: float) -> tuple[Any, list[Assessment]]:
        wanted = [target(b) for b in bounds]
        options = {"seed": 1, "replications": 40, "space_points": 2, "p_required": 0.9, "workers": workers}
        (study,), found = assess([replace(TOY, repeat=3)], wanted, stopping=LOOKS, **options)
        return study, found

    early, found = grown(20.0)  # always met: 60 of 60 replications suffice, 15 of 15 do not
    assert (early.look, len(found[0].margin)) == (2, 60)
    assert found[0].confidence == early.confidence == pytest.approx(1 - 0.1 / 6)
    never, _ = grown(80.0)  # not a headline target: nothing to wait for
    assert never.look == 1
    late, _ = grown(20.0, 28.4)  # the second is met about as often as required, but is no headline target
    assert late.look == 2
    whole, _ = assess([replace(TOY, repeat=3)], [target(20.0)], seed=1, replications=20, space_points=2, p_required=0.9)
    assert np.array_equal(whole[0].base["made"], early.base["made"]), "the same futures as with a fixed number"
    assert whole[0].look == 0
