"""The simulated processes of a scenario, each ready to run: its data, its inputs, its outcomes, what came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from zjsim.models import (
    enrolment,
    enterprise_service,
    patent_transfer,
    programmes,
    seat_outcomes,
    talent_admissions,
    training,
)
from zjsim.models.past import Past, past, with_past

from zjsim.simulate.ensemble import Outcome
from zjsim.simulate.inputs import UncertainInput, Values
from zjsim.simulate.resources import Resource
from zjsim.simulate.streams import Streams


@dataclass(frozen=True)
class Process:
    """A simulated process, ready to run: its data, its uncertain inputs and what comes out of it.

    ``repeat`` × the replications asked for are made at the base point, ``design_replications`` at each design point;
    ``batch`` is how many replications one task of a worker takes. ``years`` are all years of the plan, ``simulated``
    those that are at least partly simulated (None: all); ``past`` says what came before; ``cities`` are those by which
    outcomes are told.
    """

    name: str
    data: Any
    years: tuple[int, ...]
    inputs: tuple[UncertainInput, ...]
    simulate: Callable[[Any, Values, Streams], Outcome]
    outcomes: Mapping[str, tuple[str, str]]
    resources: tuple[Resource, ...] = ()
    repeat: int = 1
    design_replications: int = 3
    batch: int = 4
    past: Past | None = None
    simulated: tuple[int, ...] | None = None
    cities: tuple[str, ...] = ()

    @property
    def first_day(self) -> date:
        """The first simulated day."""
        as_of: date = getattr(self.data, "as_of", None) or self.data.horizon.first_day - timedelta(days=1)
        return as_of + timedelta(days=1)

    @property
    def end(self) -> float:
        """Days from the first simulated one to the end of the last year."""
        return float((date(self.years[-1] + 1, 1, 1) - self.first_day).days)


def processes_of(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> list[Process]:
    """The processes of ``scenario`` with what ``plan`` opens, the dearest first."""
    found = []
    before = past(scenario)
    for name, module, data_of, run, repeat, design_replications, batch in (
        ("training", training, training.training_data, training.simulate_training, 1, 2, 4),
        (
            "enterprise_service",
            enterprise_service,
            enterprise_service.enterprise_service_data,
            enterprise_service.simulate_enterprise_service,
            1,
            2,
            4,
        ),
        (
            "patent_transfer",
            patent_transfer,
            patent_transfer.patent_transfer_data,
            patent_transfer.simulate_patent_transfer,
            2,
            4,
            10,
        ),
        ("programmes", programmes, programmes.programmes_data, programmes.simulate_programmes, 10, 40, 200),
        ("enrolment", enrolment, enrolment.enrolment_data, enrolment.simulate_enrolment, 1, 4, 20),
        ("seats", seat_outcomes, seat_outcomes.seat_data, seat_outcomes.simulate_seats, 10, 40, 200),
        (
            talent_admissions.PROCESS,
            talent_admissions,
            talent_admissions.admissions_data,
            talent_admissions.simulate_admissions,
            10,
            40,
            200,
        ),
    ):
        data = data_of(scenario, plan)
        inputs = tuple(module.uncertain_inputs(data))
        whole = with_past(run, module.OUTCOMES, before, data.years)
        resources = module.resources(data) if hasattr(module, "resources") else ()
        cities = module.cities(data) if hasattr(module, "cities") else ()
        numbers = (repeat, design_replications, batch, before, data.years, cities)
        found.append(Process(name, data, before.years, inputs, whole, module.OUTCOMES, resources, *numbers))
    return found
