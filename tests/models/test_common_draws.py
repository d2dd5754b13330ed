"""Common random numbers and growth on the real processes: what must not change stays bit by bit, pairs share noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from zjsim.models.throughput import Process, processes_of
from zjsim.models.training import TrainingData, simulate_training, training_book
from zjsim.models.training_classes import Array, Classes

import zjsim
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches, stack
from zjsim.simulate.inputs import base_values
from zjsim.simulate.statistics import variance_reduction
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
    """The classes of each city and the days on which they started."""

    def __init__(self, data: TrainingData) -> None:
        self.data, self.of = data, dict[str, list[bytes]]()

    def enter(self, city: int, classes: Classes, trainers: Array, started: Array, capacity: object) -> None:
        fields = [getattr(classes, name).tobytes() for name in Classes.__slots__]
        self.of[self.data.cities[city].city_code] = [*fields, trainers.tobytes(), started.tobytes()]


def test_a_city_added_leaves_the_training_of_others_as_it_was(processes: dict[str, Process]) -> None:
    values = base_values(processes["training"].inputs)
    found = []
    for codes in (("330900",), ("330800", "330900", "331100")):
        data = cities(processes["training"].data, *codes)
        kept = Kept(data)
        training_book(data, values, Streams(7, 1), (kept,))
        found.append(kept.of)
    assert set(found[1]) == {"330800", "330900", "331100"}
    assert found[0]["330900"] == found[1]["330900"]


def test_training_volume_under_another_release_share_is_compared_without_noise(processes: dict[str, Process]) -> None:
    data = cities(processes["training"].data, "330900", "331100")
    values = base_values(processes["training"].inputs)
    more = {**values, "PP09": values["PP09"] * 1.1}
    name = "training_person_times_all"
    sums = [[float(simulate_training(data, v, Streams(7, n))[name].sum()) for n in range(12)] for v in (values, more)]
    assert np.mean(sums[1]) > np.mean(sums[0])
    assert variance_reduction(*sums)[2] >= 10
