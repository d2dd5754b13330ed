"""Everything a scenario can set that is not a registry: dates, readings of the plan, weights, limits, options.

The file ``scenario.toml`` holds one table per class below; an unknown key is an error with the nearest name.
Names end in their unit. Defaults are the baseline's values; the first reading named is the default one.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


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
    """Readings and weights of the assignment of universities to industries (M010, M012, M018, M038, M041).

    Weights of one score are shares of their sum. ``strength_by_grade`` maps the published grade to a strength between
    0 and 1: one minus the middle of the grade's percentile band (A+ is the top 2 %, A 2-5 %, A- 5-10 %, then tenths),
    a judgement on a public scale. A discipline without a grade has an unknown strength between ``unknown_strength_low``
    and ``unknown_strength_high`` (the list shows the top 70 %), and the middle stands in for it. A Double First-Class
    discipline has at least ``double_first_class_strength``: the list of 2022 is newer than the grades of 2017.
    """

    lead_reading: Literal["one_industry_per_discipline", "several_within_capacity"] = "one_industry_per_discipline"
    heritage_reading: Literal["lead_and_partner", "one_university"] = "lead_and_partner"

    max_leads_per_university: int = Field(3, ge=1)
    industries_per_discipline: int = Field(2, ge=1)
    minimum_relevance: int = Field(3, ge=0, le=3)
    lead_weight_strength: float = Field(0.7, ge=0)
    lead_weight_proximity: float = Field(0.3, ge=0)
    lead_weight_cooperation: float = Field(0.0, ge=0)
    lead_distance_decay_km: float = Field(100.0, gt=0)

    max_heritage_roles_per_institution: int = Field(3, ge=1)
    vocational_may_lead: bool = False
    max_vocational_per_pair: int = Field(1, ge=0, le=2)
    minimum_craft: float = Field(0.2, ge=0, le=1)
    craft_from_discipline: float = Field(0.6, ge=0, le=1)
    heritage_lead_weight_craft: float = Field(0.5, ge=0)
    heritage_lead_weight_proximity: float = Field(0.25, ge=0)
    heritage_lead_weight_strength: float = Field(0.25, ge=0)
    heritage_partner_weight_craft: float = Field(0.5, ge=0)
    heritage_partner_weight_proximity: float = Field(0.5, ge=0)
    heritage_partner_weight_strength: float = Field(0.0, ge=0)
    heritage_distance_decay_km: float = Field(80.0, gt=0)

    place_weight_core_area: float = Field(1.0, ge=0, le=1)
    place_weight_coordination_area: float = Field(0.8, ge=0, le=1)
    place_weight_known_location: float = Field(0.6, ge=0, le=1)

    strength_by_grade: dict[Literal["A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-"], float] = {
        "A+": 0.99,
        "A": 0.965,
        "A-": 0.925,
        "B+": 0.85,
        "B": 0.75,
        "B-": 0.65,
        "C+": 0.55,
        "C": 0.45,
        "C-": 0.35,
    }
    unknown_strength_low: float = Field(0.0, ge=0, le=1)
    unknown_strength_high: float = Field(0.7, ge=0, le=1)
    double_first_class_strength: float = Field(0.9, ge=0, le=1)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for score in ("lead_weight", "heritage_lead_weight", "heritage_partner_weight"):
            weights = [value for name, value in self if name.startswith(score + "_")]
            if sum(weights) <= 0:
                raise ValueError(f"at least one {score}_* must be above 0")
        if self.unknown_strength_low > self.unknown_strength_high:
            raise ValueError("unknown_strength_low lies above unknown_strength_high")
        if len(self.strength_by_grade) < 9 or any(not 0 <= v <= 1 for v in self.strength_by_grade.values()):
            raise ValueError("strength_by_grade needs every grade from A+ to C-, each between 0 and 1")
        return self


class SeatParameters(Section):
    """Readings and limits of the seat models (M004, M106-M113); norms and costs are registries.

    ``coverage_reading`` says which migrant children are guaranteed a place: families with a residence permit, those
    eligible by county rule, or all. ``public_share_reading``: what M112 counts as public. Each county is planned on its
    own within ``county_time_limit_s``; ``county_relative_gap`` is the gap at which a goal of a county may stop.
    """

    coverage_reading: Literal["permit_holders", "county_rule", "all_residents"] = "permit_holders"
    public_share_reading: Literal["public_only", "with_purchased"] = "public_only"
    county_time_limit_s: float = Field(60.0, gt=0)
    county_relative_gap: float = Field(0.0, ge=0)


class PatentParameters(Section):
    """Readings of the non-use clock (M024): two years (plan) or three (provincial regulation), and its start."""

    non_use_reading: Literal["plan_2_years", "regulation_3_years"] = "plan_2_years"
    non_use_start: Literal["grant", "filing"] = "grant"


class SimulationParameters(Section):
    """Options of the simulation and of the statement on the targets."""

    p_required: float = Field(0.9, gt=0, lt=1)
    replications: int = Field(100, ge=2)
    seed: int = Field(20241231, ge=0)
    design_points: int = Field(24, ge=0, le=4096)


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
    patents: PatentParameters = PatentParameters()
    simulation: SimulationParameters = SimulationParameters()
    solver: SolverParameters = SolverParameters()
