"""Toys that several tests of the models share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from zjsim.models.training import City, Provider, TrainingData
from zjsim.models.training_classes import CourseType

from zjsim.simulate.inputs import UncertainInput

CONSTANTS = {
    "PP08": 120.0, "PP09": 0.1, "PP10": 2.0, "PP11": 0.0, "PP14": 0.5, "PP16": 0.1, "PP17": 0.8, "TR16": 0.0,
    "TR17": 10.0, "TR18": 4.0, "TR19": 0.0, "TR20": 0.25, "TR21": 0.0, "TR22": 0.0, "TR23": 0.0, "TR24": 5.0,
    "TR25": 2.0, "TR27": 0.25, "TR28": 1.0, "TR31": 0.0, "TR32": 0.0, "TR35": 18.0, "LP17": 0.5, "RATE": 1.0,
    "SIZE": 10.0, "HOURS": 10.0, "EVENING": 0.0, "ONLINE": 0.0,
}  # fmt: skip
COURSE = CourseType(
    "CT01", "RATE", "", "SIZE", "HOURS", False, False, True, True, True, evening_id="EVENING", online_id="ONLINE",
    season_id="PP15",
)  # fmt: skip


@pytest.fixture(scope="session")
def training_toy() -> Callable[..., tuple[TrainingData, dict[str, float]]]:
    """``training_toy(*providers, course=…, **constants)`` → data of one city in 2025 with 120 registrations, values.

    Teachers give 12 class hours a year each (PP08 × PP09), a twelfth every month. A room is free 20 hours a week in
    term, 5 of them in the evening; in July and August 40, 35 of them in the daytime. All numbers are constants.
    """

    def make(
        *providers: Provider, course: CourseType = COURSE, **constants: float
    ) -> tuple[TrainingData, dict[str, float]]:
        values = {**CONSTANTS, **constants}
        inputs = tuple(
            UncertainInput(i, v, v, v, "constant", "", "assumption", i, i) for i, v in sorted(values.items())
        )
        data: Any = TrainingData(
            as_of=date(2024, 12, 31),
            years=(2025,),
            cities=(City("330100", providers),),
            courses=(course,),
            sectors=("TS0", "TS1"),
            general=(0,),
            base=(((0, 0, 120.0),),),
            inputs=inputs,
            seasons=(("PP15", (1.0,) * 12),),
            trainer_index=(1.0,) * 12,
            holiday_months=(7, 8),
        )
        return data, values

    return make
