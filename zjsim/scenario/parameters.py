"""Everything a scenario can set that is not a registry: dates, readings of the plan, weights, limits, options.

The file ``scenario.toml`` holds one table per class below; an unknown key is an error with the nearest name.
Names end in their unit. Defaults are the baseline's values; the first reading named is the default one.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of ``scenario.toml``: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(Section):
    """What the scenario is: printed first in every export."""

    title_zh: str
    title_en: str
    author: str = ""
    date: date
    reference: str = ""
    description_zh: str = ""
    description_en: str = ""


class Time(Section):
    """Dates of a scenario. Levers act only after ``as_of``; seats look ahead to ``seat_horizon``."""

    as_of: date = date(2024, 12, 31)
    horizon: date = date(2027, 12, 31)
    seat_horizon: int = Field(2032, ge=2027, le=2040)


class AssignmentParameters(Section):
    """Readings and weights of the assignment of universities to industries (M010, M012, M018)."""

    lead_reading: Literal["one_industry_per_discipline", "several_within_capacity"] = "one_industry_per_discipline"
    heritage_reading: Literal["lead_and_partner", "one_university"] = "lead_and_partner"


class SeatParameters(Section):
    """Readings, norms and options of the seat models (M004, M106-M113)."""

    public_share_reading: Literal["public_only", "with_purchased"] = "public_only"


class SimulationParameters(Section):
    """Options of the simulation and of the statement on the targets."""

    p_required: float = Field(0.9, gt=0, lt=1)
    replications: int = Field(100, ge=2)
    seed: int = Field(20241231, ge=0)


class SolverParameters(Section):
    """Limits given to the solver; a plan not proven optimal shows its bound and gap everywhere."""

    time_limit_s: float = Field(300.0, gt=0)
    relative_gap: float = Field(0.0, ge=0)
    threads: int = Field(1, ge=1)


class Parameters(Section):
    """All sections of ``scenario.toml``."""

    header: Header
    time: Time = Time()
    assignment: AssignmentParameters = AssignmentParameters()
    seats: SeatParameters = SeatParameters()
    simulation: SimulationParameters = SimulationParameters()
    solver: SolverParameters = SolverParameters()
