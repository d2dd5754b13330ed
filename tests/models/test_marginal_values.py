"""Marginal values, bottlenecks, shortfalls and dates of certainty: toys by hand, then the processes themselves."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models import marginal_values as mv
from zjsim.models import patent_transfer, programmes, training
from zjsim.models.bottlenecks import bottlenecks
from zjsim.models.feasibility import Target
from zjsim.models.marginal_values import city_figure, marginal_values, relieve, waited_for
from zjsim.models.outcomes_by_city import outcomes_by_city
from zjsim.models.past import Past
from zjsim.models.people import ACTIVITIES, STAFF_CLASSES
from zjsim.models.processes import Process, processes_of
from zjsim.models.reliefs import Relief, reliefs
from zjsim.models.shortfalls import earliest_certainty, met_by, shortfall_distribution
from zjsim.models.throughput import Assessment, Study, target_of

import zjsim
from zjsim.simulate.design import Point
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, replicate
from zjsim.simulate.inputs import Values, base_values
from zjsim.simulate.resources import Resource
from zjsim.simulate.streams import Streams

YEARS = (2025, 2026, 2027)
NAMES = {"A": ("甲", "A"), "B": ("乙", "B")}


class Data:
    """The first simulated day of the toy follows this as-of date."""

    as_of = pd.Timestamp("2024-12-31").date()


def shop(data: Any, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """City A makes 4 a quarter and 2 more per hand; city B makes 1 or 2 a quarter, by the draw."""
    b = 1.0 + np.floor(2 * streams.uniforms("shop", "B", 2025, 1)[0])
    a = 4.0 + 2.0 * values.get("more/hands", 0.0)
    by_city = np.array([[4 * a] * 3, [4 * b] * 3])
    use = {f"use/hands/{m}": np.full((2, 3), v) for m, v in (("capacity", 8.0), ("used", 6.0), ("waiting", 365.0))}
    return {
        "made": by_city.sum(axis=0),
        "by_city/made": by_city,
        "quarterly/made": np.full(12, a + b),
        **use,
        "use/hands/served": np.array([[9.0] * 3, [0.0] * 3]),
        "use/hands/left": np.array([[1.0] * 3, [0.0] * 3]),
        "use/hands/lost": np.array([[2.0] * 3, [0.0] * 3]),
    }


HANDS = Relief(
    "trainers", "trainers", {"more/hands": 5.0}, 10.0, 20.0, "hands", of_city={"A": 5.0, "B": 5.0},
    present_of={"A": 8.0, "B": 12.0},
)  # fmt: skip
SHOP = Process(
    "shop", Data(), YEARS, (), shop, {"made": ("flow", "n")}, (Resource("hands", "days", ("A", "B")),),
    cities=("A", "B"),
)  # fmt: skip


def row(target_id: str, bound: float, period: str = "cumulative", **more: Any) -> dict[str, Any]:
    named = {"target_id": target_id, "reading": "r", "is_default": True, "measures": "M001", "unit": "n"}
    named |= {"indicator_zh": "甲", "indicator_en": "a", "unit_zh": "个", "comparator": ">=", "baseline": nan}
    dates = {"start": "2025-01-01", "deadline": "2027-12-31", "outcome": "made"}
    return {**named, **dates, "bound": bound, "period": period, **more}


REGISTRY = pd.DataFrame([row("sum", 72.0), row("year", 22.0, "per_year")])


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    """Eight futures of the shop, and of the shop with five more hands in each city."""
    monkeypatch.setattr(mv, "reliefs", lambda name, data: (HANDS,))
    with Ensemble({"shop": Experiment(shop, SHOP.data)}) as ensemble:
        (base,) = ensemble.run([Task("shop", {}, 3, 0, 8)])
        (found,) = relieve([Study(SHOP, base, (Point("base", "", {}),), ())], ensemble, 3, 4)
    return found


def assessed(study: Study, registry: pd.DataFrame = REGISTRY) -> list[Assessment]:
    found = []
    for _, r in registry.iterrows():
        target, values = target_of(r), study.base["made"]
        margin = mv.margins(target, values, YEARS)
        found.append(Assessment(target, study.process, values, margin, (), (), (), nan))
    return found


def test_the_gain_of_a_unit_is_the_paired_difference_by_units_added(study: Study) -> None:
    table = marginal_values(REGISTRY, [study], assessed(study), NAMES).set_index(["target_id", "place_code"])
    # ten hands in all make 2 × 5 more a quarter in A: 120 in three years, 12 for each hand; none of it in B
    assert table.loc[("sum", "330000"), "gain"] == pytest.approx(12.0)
    assert table.loc[("sum", "A"), "gain"] == pytest.approx(24.0)
    assert table.loc[("sum", "B"), "gain"] == 0
    assert table.loc[("year", "330000"), "gain"] == pytest.approx(4.0)
    # paired on the same draws: no noise at all is left
    assert (table["gain_high"] - table["gain_low"]).abs().max() < 1e-9
    # a tenth more of the 20 hands there: 2 × 12 of a bound of 72
    assert table.loc[("sum", "330000"), "gain_share_of_tenth"] == pytest.approx(24 / 72)
    assert table.loc[("sum", "A"), "gain_share_of_tenth"] == pytest.approx(0.8 * 24 / 72)
    share = float((study.base["made"].sum(axis=1) >= 72).mean())
    assert 0 < share < 1
    assert table.loc[("sum", "330000"), ["p_meet", "p_with"]].tolist() == [share, 1.0]
    assert np.isnan(table.loc[("sum", "A"), "p_with"])


def test_what_nobody_waits_for_is_not_simulated_again(study: Study) -> None:
    idle = replace(study, base={**study.base, **{f"use/hands/{m}": np.zeros((8, 2, 3)) for m in ("waiting", "left")}})
    assert waited_for(study, HANDS, 4)
    assert not waited_for(idle, HANDS, 4)
    assert waited_for(idle, replace(HANDS, resource=""), 4), "no queue is known: it is simulated"
    only_a = study.base | {"use/hands/waiting": study.base["use/hands/waiting"] * np.array([[[1.0], [0.0]]])}
    assert not waited_for(replace(study, base=only_a), replace(HANDS, city="B"), 4)


def test_the_lowest_year_is_that_of_the_whole() -> None:
    by_city = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    base = np.array([[9.0, 5.0, 7.0]])
    for period, wanted in (("cumulative", [6.0, 15.0]), ("per_year", [2.0, 5.0]), ("stock", [3.0, 6.0])):
        target = Target("t", "r", ">=", 1.0, period, 2025, 2027, nan, "made")
        assert city_figure(target, by_city, base, YEARS).tolist() == [wanted]
    # a year before the simulated ones is nobody's
    target = Target("t", "r", ">=", 1.0, "cumulative", 2025, 2027, nan, "made")
    assert city_figure(target, by_city[:, :, 1:], base, YEARS).tolist() == [[5.0, 11.0]]


def use_row(resource: str, place: str, **figures: float) -> dict[str, Any]:
    cells = dict.fromkeys(("capacity", "used", "waiting_days", "mean_queue", "served", "left", "lost_work"), 0.0)
    return {"resource": resource, "place_code": place, "year": 2025, "unit": "d", "unit_zh": "天", **cells, **figures}


def test_bottlenecks_are_ranked_by_what_relief_buys(study: Study) -> None:
    marginal = marginal_values(REGISTRY, [study], assessed(study), NAMES)
    whole = marginal[marginal["place_code"] == "330000"]
    other = whole.assign(relief="rooms", resource="rooms", gain_share_of_tenth=9.0)
    use = pd.DataFrame(
        [
            use_row("hands", "A", capacity=10.0, used=9.0, waiting_days=30.0, served=8.0, left=2.0, lost_work=3.0),
            use_row("hands", "B1", capacity=10.0, used=1.0),
            use_row("hands", "B2", capacity=20.0, used=2.0),
        ]
    )
    table = bottlenecks(use, pd.concat([marginal, other]), {"B1": "B", "B2": "B"}).set_index(["relief", "place_code"])
    assert table["rank"].to_dict() == {
        ("rooms", "330000"): 1, ("trainers", "330000"): 2, ("trainers", "A"): 1, ("trainers", "B"): 2,
    }  # fmt: skip
    # the target that gains most of its bound: 8 × 8 a tenth of 22 a year, against 8 × 24 of 72 in three
    assert table.loc[("trainers", "A"), "target_id"] == "year"
    a, b, whole = (table.loc[("trainers", p)] for p in ("A", "B", "330000"))
    assert (a["utilisation"], a["mean_wait_days"], a["lost_share"]) == (0.9, 3.0, 0.25)
    assert (b["capacity"], b["utilisation"]) == (30.0, 0.1)
    assert (whole["utilisation"], whole["lost_share"]) == (0.3, 0.2)
    assert np.isnan(table.loc[("rooms", "330000"), "utilisation"])


def test_shortfalls_and_excesses_apart(study: Study) -> None:
    margin = np.array([-4.0, -2.0, 0.0, 6.0])
    found = replace(assessed(study)[0], margin=margin)
    table = shortfall_distribution(REGISTRY, [found]).iloc[0]
    assert (table["p_miss"], table["expected_shortfall"], table["expected_excess"]) == (0.5, 3.0, 3.0)
    assert (table["margin_p50"], table["margin_lowest"], table["margin_highest"]) == (-1.0, -4.0, 6.0)


def path(values: list[list[float]], kind: str = "flow") -> tuple[Process, dict[str, np.ndarray]]:
    quarters = np.array(values)
    yearly = quarters.reshape(len(quarters), 3, 4)
    base = {"made": yearly.sum(axis=2) if kind == "flow" else yearly[:, :, -1], "quarterly/made": quarters}
    return replace(SHOP, outcomes={"made": (kind, "n")}), base


def test_a_sum_is_certain_from_the_quarter_in_which_enough_futures_reach_it() -> None:
    process, base = path([[1.0] * 12, [2.0] * 12])
    registry = pd.DataFrame([row("sum", 6.0)])
    study = Study(process, base, (), ())
    table = earliest_certainty(registry, [study], assessed(study, registry), 0.9).iloc[0]
    # 1 a quarter reaches 6 in the sixth quarter, 2 a quarter in the third
    assert (table["certain_from"], table["half_from"], table["p_then"]) == ("2026-06-30", "2025-09-30", 1.0)
    assert table["days_before_deadline"] == 365 + 184
    assert table["p_at_deadline"] == 1
    never = pd.DataFrame([row("sum", 20.0)])
    table = earliest_certainty(never, [study], assessed(study, never), 0.9).iloc[0]
    assert (table["certain_from"], table["half_from"], table["p_at_deadline"]) == ("", "2027-06-30", 0.5)


def test_levels_must_stay_and_yearly_amounts_are_decided_in_the_last_year() -> None:
    level = [5.0, 9.0, 4.0, 6.0, 6.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0]
    process, base = path([level], "level")
    ends, met, resolution = met_by(target_of(pd.Series(row("s", 6.0, "stock"))), process, base)
    assert (ends[int(np.argmax(met[0]))].isoformat(), resolution) == ("2025-12-31", "quarter")
    process, base = path([[3.0] * 12, [3.0] * 3 + [0.0] + [3.0] * 8])
    _, met, _ = met_by(target_of(pd.Series(row("y", 10.0, "per_year"))), process, base)
    assert met.tolist() == [[False] * 11 + [True], [False] * 12]
    # neither 12, 12, 12 nor 9, 12, 12 falls, and that is known at the end only
    _, met, _ = met_by(target_of(pd.Series(row("n", nan, "per_year", comparator="not_falling"))), process, base)
    assert met.tolist() == [[False] * 11 + [True]] * 2


def test_the_past_comes_first_and_what_no_city_is_known_for_keeps_the_sum() -> None:
    values = {("made", "330000", "2025-Q1"): 10.0, ("made", "A", "2025-Q1"): 7.0}
    before = Past(pd.Timestamp("2025-03-31").date(), YEARS, ("2025-Q1",), values)
    data = Data()
    data.as_of = before.as_of
    process = replace(SHOP, data=data, past=before, simulated=YEARS)
    made = np.array([[19.0, 12.0, 12.0]])
    by_city = np.array([[[5.0, 8.0, 8.0], [4.0] * 3]])
    base = {"made": made, "quarterly/made": np.full((1, 11), 3.0), "by_city/made": by_city}
    ends, met, _ = met_by(target_of(pd.Series(row("s", 13.0))), process, base)
    assert (ends[0].isoformat(), len(ends)) == ("2025-03-31", 12)
    assert met[0].tolist() == [False] + [True] * 11
    table = outcomes_by_city([Study(process, base, (), ())], NAMES)
    of_2025 = table[table["year"] == 2025].set_index("place_code")["mean"].to_dict()
    assert of_2025 == {"330000": 19.0, "A": 12.0, "B": 4.0, "": 3.0}
    assert table[table["year"] == 2026]["place_code"].tolist() == ["330000", "A", "B"]


@pytest.fixture(scope="module")
def processes() -> dict[str, Process]:
    return {p.name: p for p in processes_of(zjsim.load("baseline"), {})}


def small(process: Process) -> Process:
    data = replace(process.data, cities=process.data.cities[-2:], base=process.data.base[-2:])
    return replace(process, data=data, cities=training.cities(data), resources=training.resources(data))


@pytest.mark.parametrize("name", ["training", "patent_transfer", "programmes"])
def test_cities_and_quarters_add_up_to_the_province(processes: dict[str, Process], name: str) -> None:
    process = small(processes[name]) if name == "training" else processes[name]
    found = process.simulate(process.data, base_values(process.inputs), Streams(3, 0))
    parts = [n for n in found if n.startswith("by_city/")]
    assert parts
    for part in parts:
        assert found[part].shape == (len(process.cities), 3)
        assert found[part].sum(axis=0) == pytest.approx(found[part.removeprefix("by_city/")], rel=1e-12), part
    for part in (n for n in found if n.startswith("quarterly/")):
        whole = part.removeprefix("quarterly/")
        years = found[part].reshape(3, 4)
        own = years.sum(axis=1) if process.outcomes[whole][0] == "flow" else years[:, -1]
        online = name == "training" and whole != "mentors_trained"
        assert own == pytest.approx(found[whole], rel=0.02 if online else 1e-9), part


def test_more_of_a_resource_never_changes_other_draws(processes: dict[str, Process]) -> None:
    process = processes["programmes"]
    base = replicate(Experiment(process.simulate, process.data), Task("p", base_values(process.inputs), 1, 0, 60))
    for relief in reliefs("programmes", process.data):
        values = {**base_values(process.inputs), **relief.values}
        more = replicate(Experiment(process.simulate, process.data), Task("p", values, 1, 0, 60))
        for outcome in process.outcomes:
            if outcome not in relief.outcomes:
                assert np.array_equal(more[outcome], base[outcome]), (relief.relief_id, outcome)
        assert more[relief.outcomes[0]].mean() >= base[relief.outcomes[0]].mean(), relief.relief_id
    assert programmes.cities(process.data) == process.cities


def test_an_officer_more_in_every_office_shortens_the_wait(processes: dict[str, Process]) -> None:
    data = processes["patent_transfer"].data
    relief = next(r for r in reliefs("patent_transfer", data) if r.relief_id == "transfer_officers")
    few, many = (patent_transfer.office_sizes(data, v)[0] for v in ({}, relief.values))
    assert sum(many) >= sum(few) + 0.5 * relief.units
    assert sum(relief.of_city.values()) == relief.units == len(data.institutions)
    assert sum(relief.present_of.values()) == pytest.approx(relief.present)


@pytest.mark.parametrize(("process", "activity"), [("enterprise_service", "services"), ("patent_transfer", "patents")])
def test_person_years_go_to_their_class_and_activity(
    processes: dict[str, Process], process: str, activity: str
) -> None:
    people = processes[process].data.people
    a, a_year = ACTIVITIES.index(activity), float(people.person_hours(np.array([365.0]))[0])
    base = people.allotted
    found = [r for r in reliefs(process, processes[process].data) if "person_years" in r.relief_id]
    assert [r.relief_id.removeprefix("person_years_") for r in found] == list(STAFF_CLASSES)
    for relief, kind in zip(found, STAFF_CLASSES, strict=True):
        own = np.array([c == kind for c in people.classes])
        more = (people.allot(relief.values).allotted - base)[:, a, -1] / a_year
        assert more[own].sum() == pytest.approx(relief.units, rel=0.03), "a post may be filled that was vacant"
        assert more[~own] == pytest.approx(0.0, abs=1e-6)
        assert relief.present == pytest.approx(base[own, a, -1].sum() / a_year)
    assert sum(r.present for r in found) == pytest.approx(base[:, a, -1].sum() / a_year)


@pytest.mark.parametrize("level", ["college", "secondary_school"])
def test_trainers_and_rooms_added_are_paid_in(processes: dict[str, Process], level: str) -> None:
    """By kind of provider: the step's hours arrive in every city, at that kind alone, and nothing else moves."""
    data = small(processes["training"]).data
    found = {r.relief_id: r for r in reliefs("training", data)}
    modes, months = {i.input_id: i.mode for i in data.inputs}, training.months_of(data)[-13:]
    years, ledger = [data.years[-1]] * 12, training.ledger_hours(data, {i.input_id: i.mode for i in data.inputs})
    for what in ("trainers", "rooms", "evening_rooms"):
        relief = found[f"{what}/{level}"]
        for city in data.cities:
            less, more = (
                training.supply(data, city, {**modes, **v}, months, years, ledger) for v in ({}, relief.values)
            )
            own = np.array([p.level == level for p in city.providers])
            step = relief.of_city[city.city_code]
            gained = {
                "trainers": (more.general + more.dual - less.general - less.dual).sum(axis=0),
                "rooms": (more.day - less.day).mean(axis=0),
                "evening_rooms": (more.evening - less.evening).mean(axis=0),
            }
            for name, gain in gained.items():
                wanted = step * (modes["PP08"] if name == "trainers" else 40.0) if name == what else 0.0
                assert gain[own].sum() == pytest.approx(wanted, abs=1e-6), (what, name)
                assert gain[~own] == pytest.approx(0.0, abs=1e-6)
    hours = sum(p.present for r, p in found.items() if r.startswith("trainers/")) * modes["PP08"]
    offered = sum(
        training.supply(data, c, modes, months, [data.years[0]] * 12, ledger).general.sum()
        + training.supply(data, c, modes, months, [data.years[0]] * 12, ledger).dual.sum()
        for c in data.cities
    )
    assert hours == pytest.approx(offered), "those present are what the year pays in"
    assert {"adjuncts", "release_share", "rooms_in_term", "evening_windows", "dual_share", "online_share"} <= set(found)
    assert all(r.name(lang) for r in found.values() for lang in ("zh", "en"))
