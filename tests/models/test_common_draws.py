"""Common random numbers and growth on the real processes: what must not change stays bit by bit, pairs share noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from zjsim.models.throughput import Process, processes_of
from zjsim.models.training import City, TrainingData, controls, simulate_training, training_book
from zjsim.models.training_classes import Classes
from zjsim.models.training_supply import Supply
from zjsim.models.training_yard import Fate

import zjsim
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches, stack
from zjsim.simulate.inputs import base_values
from zjsim.simulate.paired import pairs
from zjsim.simulate.statistics import controlled, mean_interval
from zjsim.simulate.streams import Streams


@pytest.fixture(scope="module")
def processes() -> dict[str, Process]:
    return {p.name: p for p in processes_of(zjsim.load("baseline"), {})}


def cities(data: TrainingData, *codes: str) -> TrainingData:
    """``data`` with these cities alone."""
    few = [k for k, c in enumerate(data.cities) if c.city_code in codes]
    return replace(data, cities=tuple(data.cities[k] for k in few), base=tuple(data.base[k] for k in few))


def test_growing_from_50_to_500_leaves_the_first_50_bit_by_bit(processes: dict[str, Process]) -> None:
    process = processes["programmes"]
    values = base_values(process.inputs)
    found = []
    with Ensemble({"p": Experiment(process.simulate, process.data)}) as ensemble:
        for count, size in ((50, 20), (500, 70)):
            found.append(stack(ensemble.run(batches(Task("p", values, 7, 0, count), size))))
    few, many = found
    assert few["platforms_opened"].std() > 0
    assert all(few[name].tobytes() == many[name][:50].tobytes() for name in few)
    assert len(many["platforms_opened"]) == 500


class Kept:
    """The classes of each city, and what became of them."""

    def __init__(self) -> None:
        self.of = dict[str, list[bytes]]()

    def enter(self, number: int, city: City, classes: Classes, fate: Fate, offer: Supply) -> None:
        fields = [getattr(classes, name).tobytes() for name in Classes.__slots__]
        self.of[city.city_code] = [*fields, *(getattr(fate, name).tobytes() for name in Fate.__slots__)]


def test_a_city_added_leaves_the_training_of_others_as_it_was(processes: dict[str, Process]) -> None:
    values = base_values(processes["training"].inputs)
    found = []
    for codes in (("330900",), ("330800", "330900", "331100")):
        data = cities(processes["training"].data, *codes)
        kept = Kept()
        training_book(data, values, Streams(7, 1), (kept,))
        found.append(kept.of)
    assert set(found[1]) == {"330800", "330900", "331100"}
    assert found[0]["330900"] == found[1]["330900"]


def test_training_volume_under_another_release_share_is_compared_without_noise(processes: dict[str, Process]) -> None:
    """Pairs share all draws. Where trainers run short on one side only, what demand does is no part of both: it is
    taken off with the help of the demand factors, whose expectation is known (the same runs, no further ones).
    """
    data = cities(processes["training"].data, "330900", "331100")
    values = base_values(processes["training"].inputs)
    name, sums, demand = "training_person_times_all", [], []
    for n in range(14):
        found = [simulate_training(data, {**values, "PP09": values["PP09"] * f}, Streams(7, n)) for f in (1, 1.1, 0.8)]
        sums.append([float(one[name].sum()) for one in found])
        demand.append(found[0]["control/training_demand"].mean())
    base, more, less = np.array(sums).T
    assert less.mean() < base.mean() < more.mean()
    for other in (more, less):
        assert pairs(other, base, demand).reduction >= 10, "what a run and a comparison of runs report"


def test_the_control_has_no_bias(processes: dict[str, Process]) -> None:
    """Its mean over many replications is 0, and the difference freed of it is that of many more replications."""
    data, values = processes["training"].data, base_values(processes["training"].inputs)
    found = [controls(data, values, Streams(3, n))["control/training_demand"].mean() for n in range(400)]
    _, low, high = mean_interval(found, 0.999)
    assert low <= 0 <= high
    z = np.array(found)
    a = 5.0 + 3.0 * z + np.tile([0.01, -0.01], 200)
    mean, variance, gain = controlled(a, np.zeros(400), z)
    assert mean == pytest.approx(5.0, abs=1e-3)
    assert variance == pytest.approx(1e-4, rel=0.01)
    assert gain > 10
