"""Providers: a hand trace of a city with two of them, every limit binding in a toy, wishes, ledger, common draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models import training, training_yard
from zjsim.models.outcomes_by_provider import training_by_provider
from zjsim.models.people import ACTIVITIES
from zjsim.models.processes import Process, processes_of
from zjsim.models.throughput import Study
from zjsim.models.training import Provider, TrainingData, simulate_training, training_book, training_data
from zjsim.models.training_book import Book, Facts
from zjsim.models.training_classes import Array, Classes
from zjsim.models.training_supply import ANY, City, Supply, Wishes, ring, supply, wishes_of
from zjsim.models.training_yard import Fate, Rooms, Stock, run_city

import zjsim
from zjsim.simulate.ensemble import Experiment, Task, replicate
from zjsim.simulate.inputs import base_values
from zjsim.simulate.kernel import Simulation, Steps
from zjsim.simulate.streams import Streams

Toy = Callable[..., tuple[TrainingData, dict[str, float]]]
MONTHS = [(0.0, 1), (30.0, 2), (60.0, 7), (90.0, 8)]
A = Provider("P001", "secondary_school", teachers=2, students=200)
B = Provider("P002", "college", teachers=4, students=400)


def classes(*rows: dict[str, float]) -> Classes:
    """Classes of ten people, by ``formed``, ``hours``, ``week_hours``, ``patience``, ``evening``; all come and stay."""
    usual = {"hours": 2.0, "week_hours": 2.0, "patience": 90.0, "evening": 0.0}
    table = pd.DataFrame([{**usual, **r} for r in rows])
    n, ten = len(table), np.full(len(table), 10.0)
    zero = np.zeros(n, dtype=np.int64)
    hours, week_hours = table["hours"].to_numpy(), table["week_hours"].to_numpy()
    return Classes(
        course=zero, sector=zero, formed=table["formed"].to_numpy(), hours=hours, week_hours=week_hours,
        days=7 * hours / week_hours, patience=table["patience"].to_numpy(), size=ten, participants=ten, completed=ten,
        evening=table["evening"].to_numpy() > 0, wish=np.zeros(n),
    )  # fmt: skip


def run(
    made: tuple[TrainingData, dict[str, float]],
    asked: Classes,
    wishes: list[list[int]],
    needs_dual: list[bool] | None = None,
    months: list[tuple[float, int]] = MONTHS,
) -> tuple[Fate, Supply]:
    """What becomes of ``asked``, whose class i goes to the providers ``wishes[i]`` in this order."""
    data, values = made
    (city,) = data.cities
    offer = supply(data, city, values, months, [2025] * (len(months) - 1))
    lists = Wishes(np.arange(len(wishes)), [tuple(w) for w in wishes])
    dual = np.array(needs_dual or [False] * len(wishes))
    return run_city(city, offer, asked, dual, lists, months[-1][0]), offer


def test_hand_trace_of_a_city_with_two_providers(training_toy: Toy) -> None:
    """A has 2 trainer hours a month, B has 4, rooms are no limit. Classes take 2 hours, the last one 4.

    day 1   c0 begins at A (0 left)             day 4  c3: nobody has hours; A would take a month, B half: B
    day 2   c1: A has none, begins at B (2)     day 5  c4: A a month, B 4 ÷ 4: equal, so its first wish, A
    day 3   c2 begins at B (0)                  day 6  c5 wants A only and waits ten days: it leaves on day 16
    day 20  c6 (4 hours): B, behind c3          day 30 A's 2 hours go to c4; of B's 4, c3 takes 2, c6 needs 4
    day 60  B has 2 + 4: c6 begins
    """
    asked = classes(
        {"formed": 1}, {"formed": 2}, {"formed": 3}, {"formed": 4}, {"formed": 5}, {"formed": 6, "patience": 10},
        {"formed": 20, "hours": 4},
    )  # fmt: skip
    both = [[0, 1]] * 7
    both[5] = [0, 0]
    toy = training_toy(A, B)
    fate, offer = run(toy, asked, both)
    assert fate.started.tolist() == pytest.approx([1, 2, 3, 30, 30, nan, 60], nan_ok=True)
    assert fate.provider.tolist() == [0, 1, 1, 1, 0, 0, 1]
    book = Book(np.array([0.0, 90.0]))
    book.enter(asked, fate, offer, (A, B), Facts.of(toy[0].courses, 0.0))
    parts = {k.removeprefix("by_provider/"): v[:, 0].tolist() for k, v in book.parts().items() if "provider" in k}
    assert parts["training_classes_started"] == [2, 4]
    assert parts["training_person_times_all"] == [20, 40]
    assert parts["training_person_hours"] == [40, 100]
    assert parts["training_lost"] == [10, 0]
    assert parts["trainer_hours"] == [4, 10]
    assert parts["trainer_hours_offered"] == [6, 12]
    assert parts["wait_days"] == [25, 26 + 40]
    assert (book.flows["training_registered"][1], book.imbalance()) == (70, 0)


def test_trainers_bind(training_toy: Toy) -> None:
    """A class of 3 hours waits for the second month's 2; with twice the teachers' time released it begins at once."""
    asked, here = classes({"formed": 1, "hours": 3}), [[0, 0]]
    assert run(training_toy(A), asked, here)[0].started.tolist() == [30]
    assert run(training_toy(A, PP09=0.2), asked, here)[0].started.tolist() == [1]


def test_rooms_bind_by_window(training_toy: Toy) -> None:
    """A's 10 rooms are free 150 hours a week by day, 50 in the evening. Two classes of 100 hours a week, three weeks.

    By day the second waits until the first is over; one by day and one in the evening: that one never fits in 50, even
    if the day is free; with twice the evening hours opened it begins at once.
    """
    rich = {"PP09": 500.0}
    wide = {"hours": 300, "week_hours": 100}
    by_day = classes({"formed": 1, **wide}, {"formed": 2, **wide})
    here = [[0, 0]] * 2
    assert run(training_toy(A, **rich), by_day, here)[0].started.tolist() == [1, 22]
    assert run(training_toy(A, **rich, TR24=10.0), by_day, here)[0].started.tolist() == [1, 2]
    evening = classes({"formed": 1, **wide}, {"formed": 2, **wide, "evening": 1})
    assert run(training_toy(A, **rich), evening, here)[0].started.tolist() == pytest.approx([1, nan], nan_ok=True)
    assert run(training_toy(A, **rich, TR28=2.0), evening, here)[0].started.tolist() == [1, 2]


def test_a_full_provider_passes_the_class_on(training_toy: Toy) -> None:
    """A's rooms are taken by the first class: the second goes to B, though A has trainers."""
    wide = {"hours": 300, "week_hours": 150}
    fate, _ = run(training_toy(A, B, PP09=500.0), classes({"formed": 1, **wide}, {"formed": 2, **wide}), [[0, 1]] * 2)
    assert fate.provider.tolist() == [0, 1]
    assert fate.started.tolist() == [1, 2]


def test_dual_qualified_trainers_bind(training_toy: Toy) -> None:
    """Half of A's 2 hours a month are dual-qualified ones. A class of 2 hours that needs them waits a month, while one
    that needs not takes the general hour; of two such classes the second takes the dual-qualified hour.
    """
    half = training_toy(A, TR31=0.5)
    two = classes({"formed": 1, "hours": 1}, {"formed": 2, "hours": 1})
    assert run(half, classes({"formed": 1}), [[0, 0]], [True])[0].started.tolist() == [30]
    assert run(training_toy(A, TR31=1.0), classes({"formed": 1}), [[0, 0]], [True])[0].started.tolist() == [1]
    fate, _ = run(half, two, [[0, 0]] * 2)
    assert (fate.started.tolist(), fate.dual.tolist()) == ([1, 2], [False, True])
    fate, _ = run(half, two, [[0, 0]] * 2, [True, True])
    assert fate.started.tolist() == [1, 30]


def test_a_campus_takes_classes_from_its_month_on_and_a_centre_lends_its_rooms(training_toy: Toy) -> None:
    """30 hours are more than A ever has: the class of the first month is lost, that of the second goes to the campus.

    A centre of 20 rooms, 300 hours a week by day, opens in the second month: then the second class has a room.
    """
    february = date(2025, 1, 31)
    campus = Provider("CC1", "opened", opens=february, rooms=3, trainers=10)
    asked = classes({"formed": 5, "hours": 30, "patience": 20}, {"formed": 31, "hours": 30})
    fate, _ = run(training_toy(A, campus), asked, [[0, 1]] * 2)
    assert fate.started.tolist() == pytest.approx([nan, 31], nan_ok=True)
    assert fate.provider.tolist() == [0, 1]
    wide = {"hours": 1500, "week_hours": 150}
    centre = Provider("PC1", "opened", opens=february, rooms=20, shared=True)
    two = classes({"formed": 5, **wide}, {"formed": 31, **wide})
    alone, _ = run(training_toy(A, PP09=5000.0), two, [[0, 0]] * 2)
    assert alone.started[0] == 5
    assert alone.started[1] == 60, "in the holidays there is room for two"
    fate, _ = run(training_toy(A, centre, PP09=5000.0), two, [[0, 0]] * 2)
    assert (fate.started.tolist(), fate.provider.tolist(), fate.place.tolist()) == ([5, 31], [0, 0], [0, 1])
    data, _ = training_toy(A, centre)
    assert set(ring(data.cities[0], ANY).providers) == {(0, 0, 0)}, "nobody goes to a centre to be taught"


def test_what_is_left_of_a_year_is_lost_and_given_back_hours_stay_in_their_year(training_toy: Toy) -> None:
    months = [(0.0, 11), (30.0, 12), (61.0, 1), (92.0, 2)]
    fate, _ = run(training_toy(A), classes({"formed": 62}, {"formed": 63, "patience": 20}), [[0, 0]] * 2, months=months)
    assert fate.started.tolist() == pytest.approx([62, nan], nan_ok=True)
    stock = Stock(Simulation())
    stock.put(5.0)
    before = stock.year
    stock.lose()
    stock.undo(3.0, before)
    assert stock.free == 0, "hours of a year that is over"
    stock.undo(3.0, stock.year)
    assert stock.free == 3


def test_who_has_left_blocks_nobody() -> None:
    """Two wait for 5 and 2 of 3 hours, the first until day 4: at day 3 the second is behind it, from then on not."""
    for day, wanted in ((3.0, False), (4.5, True)):
        sim = Simulation()
        stock = Stock(sim)
        stock.put(3.0)
        resumed = list[str]()

        def guest(name: str, amount: float, until: float, stock: Stock = stock, seen: list[str] = resumed) -> Steps:
            yield stock, (amount, until)
            seen.append(name)

        sim.start(guest("large", 5.0, 4.0))
        sim.start(guest("small", 2.0, 9.0))
        sim.run(day)
        assert stock.has(1.0) is wanted
        sim.run(day)
        assert resumed == (["large", "small"] if wanted else [])
        assert stock.free == (1.0 if wanted else 3.0)


class Eager(Rooms):
    """Room hours that come back by an event of their own: what :class:`Rooms` has to agree with, to the bit."""

    def back(self, amount: float, day: float) -> None:
        self.sim.at(day, lambda _: Stock.put(self, amount))


@pytest.mark.parametrize("rooms", [0.3, 1.0, 20.0])
def test_room_hours_are_back_when_anybody_looks(
    training_toy: Toy, monkeypatch: pytest.MonkeyPatch, rooms: float
) -> None:
    """400 random classes at three providers, in two windows, with much and little room: the same fate of every class.

    Half of the lengths are whole weeks and half of the days whole days, so that much falls on the same moment.
    """
    u = Streams(3, round(10 * rooms)).uniforms("rooms", "330100", 0, 400 * 6).reshape(400, 6)
    formed = np.sort(np.where(u[:, 0] < 0.5, u[:, 1] * 85, np.floor(u[:, 1] * 85)))
    week = 2 + np.floor(u[:, 2] * 28)
    hours = np.where(u[:, 3] < 0.5, week * np.ceil(u[:, 3] * 8), week * (0.5 + 4 * u[:, 3]))
    asked = classes(
        *(
            {"formed": f, "hours": h, "week_hours": w, "patience": 5 + 50 * x, "evening": float(e < 0.4)}
            for f, h, w, (x, e) in zip(formed.tolist(), hours, week, u[:, 4:], strict=True)
        )
    )
    wishes = [[k % 3, (k + 1) % 3, (k + 2) % 3] for k in range(400)]
    dual = [k % 7 == 0 for k in range(400)]
    places = [Provider(f"P{k}", "college", teachers=3000 + 400 * k, students=300 + 90 * k) for k in range(3)]
    toy = training_toy(*places, TR24=rooms, TR31=0.3)
    fate, _ = run(toy, asked, wishes, dual)
    monkeypatch.setattr(training_yard, "Rooms", Eager)
    wanted, _ = run(toy, asked, wishes, dual)
    assert np.isfinite(fate.started).sum() > 20
    for name in Fate.__slots__:
        assert getattr(fate, name).tobytes() == getattr(wanted, name).tobytes(), name


def test_classes_go_where_their_sector_is_taught() -> None:
    """Sector 1 is taught by two of three; sector 2 by nobody: anyone. Wishes are different providers, all there are."""
    three = tuple(
        Provider(f"P00{k}", "college", teachers=100, students=1, sectors=s) for k, s in enumerate([(1,), (0,), (1,)])
    )
    city = City("330100", three)
    assert {k for row in ring(city, 1).providers for k in row} == {0, 2}
    assert ring(city, 2) is None
    made = replace(classes(*[{"formed": float(k)} for k in range(300)]), sector=np.repeat([1, 2, 0], 100))
    made = replace(made, wish=np.tile(np.linspace(0, 0.999, 100), 3))
    found = wishes_of(city, made, (0,))
    rows = np.array([found.lists[k] for k in found.of])
    assert set(rows[:100, 0]) == {0, 2}
    assert set(rows[100:200, 0]) == set(rows[200:, 0]) == {0, 1, 2}
    assert all(len(set(row)) == 3 for row in rows[200:].tolist())


def test_first_wishes_are_shared_out_by_teachers_and_a_new_provider_takes_only_its_own() -> None:
    sizes = [60, 120, 240, 480]
    city = City("330100", tuple(Provider(f"P{k:03d}", "college", teachers=n, students=1) for k, n in enumerate(sizes)))
    made = replace(classes(*[{"formed": 0.0}] * 20_000), wish=(np.arange(20_000) + 0.5) / 20_000)
    found = wishes_of(city, made, (0,))
    first = np.array([found.lists[k][0] for k in found.of])
    assert np.bincount(first) / 20_000 == pytest.approx(np.array(sizes) / 900, abs=0.05)
    more = replace(city, providers=(*city.providers, Provider("P999", "college", teachers=100, students=1)))
    after = wishes_of(more, made, (0,))
    second = np.array([after.lists[k][0] for k in after.of])
    assert 0.05 < (second == 4).mean() < 0.15
    assert (second[second != 4] == first[second != 4]).all()


class Kept:
    """The classes of each city and what became of them."""

    def __init__(self) -> None:
        self.classes, self.fate = dict[str, Classes](), dict[str, Fate]()

    def enter(self, number: int, city: City, classes: Classes, fate: Fate, offer: Supply) -> None:
        self.classes[city.city_code], self.fate[city.city_code] = classes, fate


@pytest.fixture(scope="module")
def process() -> Process:
    return next(p for p in processes_of(zjsim.load("baseline"), {}) if p.name == "training")


def cities(data: TrainingData, *codes: str) -> TrainingData:
    few = [k for k, c in enumerate(data.cities) if c.city_code in codes]
    return replace(data, cities=tuple(data.cities[k] for k in few), base=tuple(data.base[k] for k in few))


def test_a_provider_added_leaves_all_draws_and_other_cities_as_they_were(process: Process) -> None:
    data = cities(process.data, "330800", "330900")
    (first, second), new = data.cities, Provider("P999", "secondary_school", teachers=150, students=2000)
    kept = Kept(), Kept()
    for found, city in zip(kept, (first, replace(first, providers=(*first.providers, new))), strict=True):
        training_book(replace(data, cities=(city, second)), {}, Streams(7, 1), (found,))
    before, after = kept
    for code in ("330800", "330900"):
        for name in Classes.__slots__:
            assert getattr(before.classes[code], name).tobytes() == getattr(after.classes[code], name).tobytes()
    assert before.fate["330900"].started.tobytes() == after.fate["330900"].started.tobytes()
    assert 0.02 < (after.fate["330800"].provider == len(first.providers)).mean() < 0.6


@pytest.fixture(scope="module")
def small(process: Process) -> TrainingData:
    return cities(process.data, "330800", "330900", "331100")


def test_teachers_of_the_ledger_never_teach_more_than_it_allots(small: TrainingData) -> None:
    """Whatever the draws and inputs. Sharp: with hours that are counted twice the sum breaks somewhere."""
    people, a = small.people, ACTIVITIES.index("training")
    assert people is not None
    here = sorted({p.institution for _, p in small.providers} - {-1})
    for n, values in enumerate(({}, {"PP09": 0.03}, {"PP08": 320.0, "PE06": 600.0}, {"TR03": 2.0, "PP11": 100.0})):
        used = simulate_training(small, values, Streams(5, n))["people/training"]
        allotted = people.allot(values).allotted[:, a]
        assert (used <= allotted * (1 + 1e-9)).all()
        assert (used[here] > 0).any()
        assert used.sum() == pytest.approx(used[here].sum())


def test_double_counting_is_found(small: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    people, a = small.people, ACTIVITIES.index("training")
    assert people is not None
    honest = training.ledger_hours

    def twice(data: TrainingData, values: Any) -> Array:
        return 2 * honest(data, values)

    monkeypatch.setattr(training, "ledger_hours", twice)
    used = simulate_training(small, {"PP09": 0.03}, Streams(5, 1))["people/training"]
    assert (used > people.allot({"PP09": 0.03}).allotted[:, a]).any()


def test_a_part_of_a_year_pays_in_what_the_ledger_has_for_it() -> None:
    """From October 2026 on: three months' hours of the ledger come in three months, whatever their index."""
    data = cities(training_data(zjsim.load("mid_course"), {}), "330800", "331100")
    assert data.as_of == date(2026, 9, 30)
    paid = simulate_training(data, {"PP11": 0.0}, Streams(5, 1))["by_provider/trainer_hours_offered"]
    ledger = data.people.class_hours({})
    for k, (_, p) in enumerate(data.providers):
        if p.institution >= 0:
            assert paid[k] == pytest.approx(ledger[p.institution], rel=1e-9)


def test_the_table_adds_up_to_the_province(process: Process, small: TrainingData) -> None:
    own = replace(process, data=small, resources=training.resources(small))
    base = replicate(Experiment(own.simulate, small), Task("training", base_values(own.inputs), 5, 0, 2))
    table = training_by_provider([Study(own, base, (), ())], zjsim.load("baseline"))
    assert len(table) == 3 * (len(small.providers) + 1)
    for name in ("person_times_all", "person_times_strict", "person_hours", "completed", "lost"):
        sums = table.groupby("year")[name].sum().tolist()
        assert sums == pytest.approx(base[f"training_{name}"].mean(axis=0).tolist())
    rows = table[table["provider_id"] != ""]
    assert rows["trainer_share_used"].between(0, 1).all()
    assert rows.loc[rows["level"] == "technician_college", "person_times_strict"].max() == 0
    assert set(rows.loc[rows["hours_of_ledger"], "level"]) == {"college"}
    assert training_by_provider([], zjsim.load("baseline")).empty
