"""Everything a scenario can set that is not a registry: dates, readings of the plan, weights, limits, options.

The file ``scenario.toml`` holds one table per class below; an unknown key is an error with the nearest name.
Names end in their unit. Defaults are the baseline's values; the first reading named is the default one.
"""

from __future__ import annotations

from datetime import date
from math import prod
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

    Supports: between ``min_`` and ``max_supports_per_industry``; one whose score lies below ``support_worth_from``
    (points) is added only where a bound, a city or a county needs it. An institution of which no discipline is listed
    may support by the relevance of its category. ``mountain_island_floor``: how many participants each mountain or
    island county with a place of a main industry has within ``mountain_island_reach_km`` (0: no floor).

    Explanations (tables about how free each choice is): ``explain_choices`` turns them off; ``explain_draws`` draws of
    weights (each within ±``explain_weight_spread`` of its value) and of unknown strengths; ``alternatives`` further
    plans, each at least ``alternative_distance`` decisions away from every other; all within ``explain_time_limit_s``.
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

    min_supports_per_industry: int = Field(2, ge=0)
    max_supports_per_industry: int = Field(6, ge=0)
    min_support_relevance: int = Field(2, ge=0, le=3)
    max_supports_per_discipline: int = Field(2, ge=1)
    max_supports_per_institution: int = Field(6, ge=1)
    support_worth_from: float = Field(45.0, ge=0, le=100)
    mountain_island_floor: int = Field(1, ge=0)
    mountain_island_reach_km: float = Field(80.0, gt=0)

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

    explain_choices: bool = True
    explain_draws: int = Field(1000, ge=0, le=100_000)
    explain_seed: int = Field(20241231, ge=0)
    explain_weight_spread: float = Field(0.5, ge=0, le=1)
    explain_time_limit_s: float = Field(300.0, gt=0)
    alternatives: int = Field(3, ge=0, le=20)
    alternative_distance: int = Field(3, ge=1)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for score in ("lead_weight", "heritage_lead_weight", "heritage_partner_weight"):
            weights = [value for name, value in self if name.startswith(score + "_")]
            if sum(weights) <= 0:
                raise ValueError(f"at least one {score}_* must be above 0")
        if self.min_supports_per_industry > self.max_supports_per_industry:
            raise ValueError("min_supports_per_industry lies above max_supports_per_industry")
        if self.unknown_strength_low > self.unknown_strength_high:
            raise ValueError("unknown_strength_low lies above unknown_strength_high")
        if len(self.strength_by_grade) < 9 or any(not 0 <= v <= 1 for v in self.strength_by_grade.values()):
            raise ValueError("strength_by_grade needs every grade from A+ to C-, each between 0 and 1")
        return self


SeatGoal = Literal[
    "local_without_seat", "covered_without_place", "public_share_fall", "permit_without_public_seat",
    "indicator_short", "private_above_cap", "budget_overrun", "bought_with_idle_rooms",
]  # fmt: skip
"""Goals of the seat plan that are zero or explained, unless a scenario makes them hard."""


class SeatParameters(Section):
    """Readings and limits of the seat models (M004, M106-M113); norms and costs are registries.

    ``coverage_reading`` says which migrant children are guaranteed a place: families with a residence permit, those
    eligible by county rule, or all. ``public_share_reading``: what M112 counts as public. In each county the plan, the
    zones and all repairs have ``county_time_limit_s`` each; ``county_relative_gap``: the gap at which a goal may stop.

    Switches, off by default because the plan does not name them; each becomes an elastic goal. ``indicator_share``: at
    least this share of a county's migrant children in public or purchased places (0: off; 0.85: the national quality
    indicator). ``permit_guarantee_from``: from this school year a public seat for every child of a family with a permit
    (0: off; 2025: the province's commitment of that year). ``private_share_cap``: at most this share of a county's
    pupils in private schools (1: off; 0.05: the national cap).

    ``convert_primary_rooms``: idle primary classrooms may become junior ones in nine-year schools, at most
    ``conversion_share_max`` of a county's, at ``conversion_yuan_per_room`` (assumptions). ``primary_move_km`` and
    ``junior_move_km``: how far from the home zone's centre a seat should be (judgement); beyond it a child is counted
    and explained, never dropped: the county rule remains. ``hard_goals``: goals that must be zero in every county and
    year instead of zero or explained; where they cannot be, there is no plan, and the conflict is named.
    """

    coverage_reading: Literal["permit_holders", "county_rule", "all_residents"] = "permit_holders"
    public_share_reading: Literal["public_only", "with_purchased"] = "public_only"
    indicator_share: float = Field(0.0, ge=0, le=1)
    permit_guarantee_from: int = Field(0, ge=0, le=2040)
    private_share_cap: float = Field(1.0, ge=0, le=1)
    convert_primary_rooms: bool = False
    conversion_share_max: float = Field(0.15, ge=0, le=1)
    conversion_yuan_per_room: float = Field(200_000.0, ge=0)
    primary_move_km: float = Field(15.0, gt=0)
    junior_move_km: float = Field(25.0, gt=0)
    hard_goals: tuple[SeatGoal, ...] = ()
    county_time_limit_s: float = Field(300.0, gt=0)
    county_relative_gap: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _switched_on(self) -> Self:
        for goal, is_on, switch in (
            ("permit_without_public_seat", self.permit_guarantee_from > 0, "permit_guarantee_from"),
            ("indicator_short", self.indicator_share > 0, "indicator_share"),
            ("private_above_cap", self.private_share_cap < 1, "private_share_cap"),
        ):
            if goal in self.hard_goals and not is_on:
                raise ValueError(f"hard_goals names {goal}, but {switch} is off")
        return self


class HedgeParameters(Section):
    """Seat expansion under uncertainty (``zjsim hedge``): the tree of scenarios, prices of what is missing, limits.

    ``branching``: branches at each yearly review (their product is the number of scenarios); ``fresh_scenarios`` are
    drawn anew to evaluate the plans. Prices in yuan per child and school year: a local child without a seat, a
    guaranteed migrant child without any place, a child by which the public share falls (M112); ``overrun_price`` is
    yuan per yuan beyond a year's budget. The plan minimises (1 − ``risk_weight``) × expected cost + ``risk_weight`` ×
    CVaR at level ``cvar_level``. ``start_budget_yuan`` caps what all areas together begin to build now (0: no cap).
    Each area is solved within ``area_time_limit_s`` to ``relative_gap``.
    """

    branching: tuple[int, ...] = (8, 2)
    seed: int = Field(20241231, ge=0)
    fresh_scenarios: int = Field(20, ge=2, le=10_000)
    local_price_yuan: float = Field(500_000.0, gt=0)
    place_price_yuan: float = Field(200_000.0, gt=0)
    share_price_yuan: float = Field(60_000.0, ge=0)
    overrun_price: float = Field(1.0, ge=0)
    risk_weight: float = Field(0.0, ge=0, le=1)
    cvar_level: float = Field(0.9, gt=0, lt=1)
    start_budget_yuan: float = Field(0.0, ge=0)
    area_time_limit_s: float = Field(300.0, gt=0)
    relative_gap: float = Field(0.0005, ge=0, lt=1)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.branching or min(self.branching) < 1 or not 2 <= prod(self.branching) <= 200:
            raise ValueError("branching needs whole numbers of at least 1 whose product is between 2 and 200")
        if self.local_price_yuan < self.place_price_yuan:
            raise ValueError("local_price_yuan lies below place_price_yuan: children with local hukou come first")
        return self


class PlacementParameters(Section):
    """Readings and limits of one year's placement (M106-M112); ``year`` 0 is the first school year after ``as_of``.

    ``sibling_reading``: the school of an elder sibling who is still enrolled and where the grade is taught comes first,
    with a claim before others of the tier (together), with the own claim, before equals (soft), with a claim before all
    tiers (absolute), or the rule is ignored (off). ``sibling_scope``: only where the county's rule is in force, or
    everywhere. A school is open to a child within the cap of its stage (or in its zone); the ``nearest_kept`` nearest
    are always. Tiers after ``last_tier`` are not placed. ``goals``, ``tier_goals``: order of the utilitarian mode.
    ``lottery_seed`` is published; ``minimum_cell``: smaller counts are not shown in tables for publication.
    Rules that couple children, all off by default, apply to the utilitarian mode, after the places, all grades of a
    county together: a school's grade that takes any applicant has at least ``minimum_section`` children, those already
    there counted or not (``minimum_reading``); at least ``public_floor`` of all placed sit in public schools; siblings
    who arrive together get one school (``newcomers_reading`` together; follow: the younger softly follows the elder).
    ``goal_prices``: by placing again, what one unit of each goal costs the later ones (off by default: it takes long).
    ``extra_seats``: in a county that collects choices, where so many public seats more in a grade would help most
    (searched and proven for ``extra_time_limit_s`` at most); 0: not asked.
    """

    year: int = Field(0, ge=0, le=2040)
    candidates: Literal["distance", "zone"] = "distance"
    primary_cap_km: float = Field(8.0, gt=0)
    junior_cap_km: float = Field(12.0, gt=0)
    nearest_kept: int = Field(3, ge=0, le=50)
    self_paid_places: bool = True
    last_tier: int = Field(9, ge=1, le=9)
    sibling_reading: Literal["together", "soft", "absolute", "off"] = "together"
    sibling_scope: Literal["in_force", "everywhere"] = "in_force"
    joint_newcomers: bool = True
    newcomers_reading: Literal["follow", "together"] = "follow"
    minimum_section: int = Field(0, ge=0, le=500)
    minimum_reading: Literal["all", "newcomers"] = "all"
    public_floor: float = Field(0.0, ge=0, le=1)
    goals: tuple[Literal["placed", "tiers", "siblings", "change"], ...] = ("placed", "tiers", "siblings", "change")
    tier_goals: tuple[Literal["placed", "public", "distance"], ...] = ("placed", "public", "distance")
    lottery_seed: int = Field(20250601, ge=0)
    minimum_cell: int = Field(10, ge=1)
    goal_prices: bool = False
    extra_seats: int = Field(45, ge=0)
    extra_time_limit_s: float = Field(60.0, gt=0)

    @model_validator(mode="after")
    def _placed_first(self) -> Self:
        for name, values in (("goals", self.goals), ("tier_goals", self.tier_goals)):
            if not values or values[0] != "placed" or len(set(values)) < len(values):
                raise ValueError(f"{name} must begin with placed and name no goal twice: a goal is never an excuse")
        return self


class PatentParameters(Section):
    """Readings of the non-use clock (M024): two years (plan) or three (provincial regulation), and its start."""

    non_use_reading: Literal["plan_2_years", "regulation_3_years"] = "plan_2_years"
    non_use_start: Literal["grant", "filing"] = "grant"


class SimulationParameters(Section):
    """Options of the simulation and of the statement on the targets.

    ``p_worst`` and ``p_best`` come from ``design_points`` space-filling points and, with ``single_input_points``, both
    ends of each input alone (without them a run is quicker, but names no deciding input and no break-even value).

    ``stopping``: ``fixed`` makes as many ``replications`` as asked; ``sequential`` at most so many, and looks at each
    of ``looks`` below whether every headline target of a process can be judged. Then ``stopping_error`` is spent over
    looks and targets: the intervals of all looks hold together with the rest, and a wrong verdict is rarer than half
    of it.

    ``marginal_replications`` (times those of one replication asked for) are made of every resource that could be added,
    to say what one more unit buys; 0 or 1 leaves these tables empty. From eight on a gain is freed of the chance that
    the year's demand explains, which in training narrows its interval several times over.
    """

    p_required: float = Field(0.9, gt=0, lt=1)
    replications: int = Field(100, ge=2)
    seed: int = Field(20241231, ge=0)
    design_points: int = Field(24, ge=0, le=4096)
    single_input_points: bool = True
    stopping: Literal["fixed", "sequential"] = "fixed"
    looks: tuple[int, ...] = (25, 50, 100, 200)
    stopping_error: float = Field(0.05, gt=0, lt=1)
    marginal_replications: int = Field(8, ge=0)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.looks or self.looks[0] < 2 or list(self.looks) != sorted(set(self.looks)):
            raise ValueError("looks must be whole numbers of at least 2, each above the one before")
        return self


class SolverParameters(Section):
    """Limits given to the solver; a plan not proven optimal shows its bound and gap everywhere.

    ``node_limit`` (0: none) ends a search; unlike the clock it strikes at the same place on every machine.
    """

    time_limit_s: float = Field(300.0, gt=0)
    relative_gap: float = Field(0.0, ge=0)
    threads: int = Field(1, ge=1)
    node_limit: int = Field(0, ge=0)


class LocationParameters(Section):
    """Readings, limits and equity bounds of what is opened where (M009, M013-M015, M049, M060, M104, M105).

    ``purpose``: ``need_first`` meets need where it is least met yet; ``how_far`` opens as many as the limits allow,
    each still worth it. What a target wants begun never constrains the plan: ``target_goal`` makes it a goal after the
    need, before it, or only reports it. The
    factors scale the registries of starts, staff and cost points (what-ifs). ``planned_setup``: which set-up time the
    dates assume. Projects begin once a year, in ``start_month``. Shares are of the openings of one theme. ``steps`` are
    the weights of the first, second, … equal part of the need of a place, falling so that need is met evenly; for
    platforms a county reached at all counts ``platform_county_points`` more (0: a goal of its own, as elsewhere).
    Every goal of the platform plan may stop within ``platform_relative_gap`` of its proven bound (0: prove it, which
    takes minutes); the other themes are proven. ``campus_standing``: colleges of the Double-High plan only (M060), or
    every public college; ``campus_counties``: counties and county-level cities only, or districts as well.
    """

    purpose: Literal["need_first", "how_far"] = "need_first"
    target_goal: Literal["after_need", "first", "off"] = "after_need"
    planned_setup: Literal["mode", "high"] = "mode"
    start_month: int = Field(3, ge=1, le=12)
    steps: tuple[int, ...] = (3, 2, 1)

    starts_factor: float = Field(1.0, ge=0)
    staff_factor: float = Field(1.0, ge=0)
    cost_factor: float = Field(1.0, ge=0)

    mountain_island_share: float = Field(0.2, ge=0, le=1)
    largest_city_share: float = Field(0.35, gt=0, le=1)
    platforms_per_city: int = Field(3, ge=0)
    practice_centres_per_city: int = Field(1, ge=0)
    campuses_per_city: int = Field(0, ge=0)
    kindergartens_per_city: int = Field(0, ge=0)

    platform_reach_km: float = Field(40.0, ge=0)
    platform_hosts_per_place: int = Field(8, ge=1)
    platform_places_per_host: int = Field(12, ge=0)
    platform_county_points: int = Field(3, ge=0)
    platform_relative_gap: float = Field(0.002, ge=0, lt=1)
    platform_host_km: float = Field(250.0, gt=0)
    institutes_per_county: int = Field(1, ge=0)
    weight_relevance: float = Field(0.35, ge=0)
    weight_strength: float = Field(0.25, ge=0)
    weight_proximity: float = Field(0.25, ge=0)
    weight_assigned: float = Field(0.15, ge=0)
    distance_decay_km: float = Field(100.0, gt=0)

    campus_standing: Literal["double_high", "public"] = "double_high"
    campus_counties: Literal["counties_and_cities", "with_districts"] = "counties_and_cities"
    campus_reach_km: float = Field(40.0, ge=0)
    campus_host_km: float = Field(200.0, gt=0)
    campuses_per_county: int = Field(1, ge=0)
    minimum_concentration: float = Field(0.6, ge=0)

    practice_reach_km: float = Field(30.0, ge=0)
    practice_centres_per_county: int = Field(2, ge=0)

    park_threshold_employees: int = Field(10_000, ge=1)

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if not self.steps or list(self.steps) != sorted(set(self.steps), reverse=True) or self.steps[-1] < 1:
            raise ValueError("steps must be whole numbers of at least 1, each below the one before")
        weights = (self.weight_relevance, self.weight_strength, self.weight_proximity, self.weight_assigned)
        if sum(weights) <= 0:
            raise ValueError("at least one weight_* of locations must be above 0")
        return self


class TalentParameters(Section):
    """Limits and weights of talent supply (M037-M046, M050-M053, M058-M060).

    Intake can be changed from the admission that is ``lead_cycles`` after the next one, at the one after it and then
    every ``review_years``, until ``last_year``. Shares:
    ``yearly_change`` of a group's intake (at least ``least_step`` students; × ``lead_factor`` for what a lead
    discipline of the assignment teaches), ``hire_share`` of a host's teachers and ``build_share`` of its places a year,
    built ones usable after ``build_years``; a teacher who moves to a county campus brings ``campus_students`` places.
    ``growth_*``: what the state adds to a level's intake a year (assumption). ``opening_cap``: students of a new group
    a year; ``minimum_size`` makes a class. A shortage up to ``mild_share`` of demand is mild, beyond it weighs
    ``severe_weight``. ``joint_*``: share of graduate students in engineering trained jointly now, at least in the first
    year, more each year, at most, and the teachers' time that it saves. ``scarce_index`` and ``scarce_least``: share
    of need unmet and graduates missing from which a class enters the catalogue. ``prices`` and ``value_of_cases``: tell
    also what one more teacher or place buys, and what planning for several cases is worth (both only cost time).
    """

    lead_cycles: int = Field(1, ge=0, le=3)
    last_year: int = Field(2034, ge=2027, le=2040)
    review_years: int = Field(3, ge=1, le=6)
    yearly_change: float = Field(0.15, ge=0, le=1)
    least_step: float = Field(20, ge=0)
    lead_factor: float = Field(1.5, ge=1)
    hire_share: float = Field(0.04, ge=0, le=1)
    build_share: float = Field(0.03, ge=0, le=1)
    build_years: int = Field(2, ge=0, le=6)
    campus_students: float = Field(18, ge=0)
    growth_secondary: float = Field(-0.01, ge=-0.2, le=0.2)
    growth_higher_vocational: float = Field(0.0, ge=-0.2, le=0.2)
    growth_undergraduate: float = Field(0.01, ge=-0.2, le=0.2)
    growth_master: float = Field(0.03, ge=-0.2, le=0.2)
    growth_doctoral: float = Field(0.04, ge=-0.2, le=0.2)
    minimum_size: float = Field(40, ge=0)
    opening_cap: float = Field(120, ge=0)
    openings_per_host: int = Field(1, ge=0)
    mild_share: float = Field(0.15, ge=0, le=1)
    severe_weight: int = Field(4, ge=1)
    share_not_falling: bool = True
    joint_now: float = Field(0.1, ge=0, le=1)
    joint_first: float = Field(0.12, ge=0, le=1)
    joint_step: float = Field(0.02, ge=0, le=1)
    joint_most: float = Field(0.4, ge=0, le=1)
    joint_relief: float = Field(0.3, ge=0, le=1)
    scarce_index: float = Field(0.1, ge=0, le=1)
    scarce_least: float = Field(50, ge=0)
    prices: bool = True
    value_of_cases: bool = True


class Parameters(Section):
    """All sections of ``scenario.toml``."""

    header: Header
    time: Time = Time()
    assignment: AssignmentParameters = AssignmentParameters()
    seats: SeatParameters = SeatParameters()
    hedge: HedgeParameters = HedgeParameters()
    placement: PlacementParameters = PlacementParameters()
    locations: LocationParameters = LocationParameters()
    talent: TalentParameters = TalentParameters()
    patents: PatentParameters = PatentParameters()
    simulation: SimulationParameters = SimulationParameters()
    solver: SolverParameters = SolverParameters()
