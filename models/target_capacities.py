"""What each county can do, needs and does anyway, target by target - and which targets cannot be broken down (M123).

A target can be broken down if it is an amount that places add up to, and something says how much a place can do at
most. Capacities come from the registries, and where these hold hours and not amounts, from the simulation. All of it is
derived or assumed; every row of the result says by what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.feasibility import Array, Target, deciding_figure
from zjsim.models.outcomes_by_city import city_years
from zjsim.models.outcomes_by_provider import training_by_provider
from zjsim.models.past import Past, past
from zjsim.models.resource_use import resource_use
from zjsim.models.service_use import DESK
from zjsim.models.target_allocation import Places, merged
from zjsim.models.throughput import target_of

from zjsim.scenario.actual_checks import outcome_kinds
from zjsim.synthesis.proportional import largest_remainder

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

Frame = pd.DataFrame
"""Index county_code; columns ``capacity`` and ``need``."""
COLLEGES_PER_INSTITUTION = 2
"""Silk Road Colleges that an institution can run at most: an assumption, stated with every figure it makes."""
WHY_NOT = {
    "patent_inventory": "rate", "migrant_enrolment": "rate", "public_share": "rate", "permit_seat_guarantee": "rate",
    "stem_agri_med_share": "rate", "sector_communities": "award", "municipal_consortia": "award",
    "ai_college": "single",
}  # fmt: skip
"""Targets that are not broken down, and why: a rate holds in every place as it is; an award is made by the province on
application and belongs to no place; a single thing stands in one place."""


@dataclass(frozen=True)
class Case:
    """A target ready to be divided: its row, total, the counties of each city, the cities, and the futures of each.

    ``figures``: by (replication, city) what decides the target there, None where the simulation does not tell cities;
    ``capacity_key`` and ``need_key`` name the sentences that say where the numbers come from.
    """

    row: pd.Series
    target: Target
    total: int
    counties: Mapping[str, Places]
    cities: Places
    figures: Array | None
    capacity_key: str
    need_key: str


def why_not(row: pd.Series) -> str:
    """Why a target is not broken down ("" if it can be): the key of a sentence."""
    if row["target_id"] in RECIPES:
        return "" if row["outcome"] else "not_modelled"
    return WHY_NOT.get(row["target_id"], "no_capacity" if row["unit"] != "share" else "rate")


def case_of(scenario: Any, row: pd.Series, studies: Sequence[Study]) -> Case:
    """The case of a target that :func:`why_not` lets pass."""
    recipe, capacity_key, need_key = RECIPES[row["target_id"]]
    target = target_of(row)
    years = target.last_year - target.first_year + 1 if row["period"] != "per_year" else 1
    frame = recipe(scenario, row, studies, years)
    before, study = past(scenario), _study(studies, row["outcome"])
    kind = outcome_kinds(scenario.table("targets"))[row["outcome"]]
    registry = scenario.table("counties").sort_values("county_code")
    cities = sorted(set(registry["city_code"]))
    counties = {}
    for city in cities:
        codes = tuple(registry.loc[registry["city_code"] == city, "county_code"])
        upper = np.floor(frame["capacity"].reindex(codes).fillna(0.0).to_numpy() + 1e-9).astype(np.int64)
        lower = np.array([_done(before, row, kind, c) for c in codes], dtype=np.int64)
        need = frame["need"].reindex(codes).fillna(0.0).to_numpy(dtype=float)
        counties[city] = Places(codes, np.minimum(lower, upper), upper, need, np.zeros(len(codes)))
    figures = None if study is None else city_figures(study, target, kind, before, cities)
    present = np.zeros(len(cities)) if figures is None else np.maximum(figures.mean(axis=0), 0.0)
    joined = merged(counties, present)
    done = np.array([_done(before, row, kind, c) for c in cities], dtype=np.int64)
    joined = Places(
        joined.codes, np.minimum(np.maximum(joined.lower, done), joined.upper), joined.upper, joined.need, present
    )
    total = round(float(row["bound"]))
    return Case(row, target, total, counties, joined, figures, capacity_key, need_key)


def _done(before: Past, row: pd.Series, kind: str, area: str) -> int:
    """What an area has already counted towards a sum over the years; 0 for yearly targets and levels."""
    if kind != "flow" or row["period"] == "per_year" or not before.quarters:
        return 0
    value = before.flow(row["outcome"], area=area)
    return 0 if isnan(value) else int(value)


def _study(studies: Sequence[Study], outcome: str) -> Study | None:
    return next((s for s in studies if f"by_city/{outcome}" in s.base and outcome in s.process.outcomes), None)


def city_figures(study: Study, target: Target, kind: str, before: Past, cities: Sequence[str]) -> Array | None:
    """What decides the target in each city, by (replication, city); None where a city's past was not counted."""
    by_city = study.base[f"by_city/{target.outcome}"]
    found = []
    for city in cities:
        if city not in study.process.cities:
            return None
        k = study.process.cities.index(city)
        values = city_years(by_city[:, k], study.process.years, kind, before, target.outcome, city)
        try:
            found.append(deciding_figure(target, values, study.process.years))
        except ValueError:  # a past year of the city is not known
            return None
    return np.column_stack(found)


def _training(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Person-times a year that the trainers of a city can teach (M003): offered hours x person-times per used hour.

    At least what is taught anyway; the lowest year counts. A city's capacity lies in its counties as the full-time
    teachers of its providers do (colleges at their campus; schools, whose county is not known, by residents). Need:
    residents.
    """
    table = training_by_provider(studies, scenario)
    by_year = table.groupby(["city_code", "year"])[
        ["person_times_all", "trainer_hours_used", "trainer_hours_offered"]
    ].sum()
    more = (by_year["trainer_hours_offered"] / by_year["trainer_hours_used"]).clip(lower=1.0).fillna(1.0)
    by_year = by_year.assign(can=by_year["person_times_all"] * more)
    city = _at_least(by_year["can"].groupby(level="city_code").min(), _study(studies, row["outcome"]), row, lowest=True)
    people = scenario.table("counties").set_index("county_code")["population_2020"].astype(float)
    return _spread(scenario, city, _teachers(scenario, people), people)


def _teachers(scenario: Any, people: pd.Series) -> pd.Series:
    """Full-time teachers of training providers by county."""
    providers, universities = scenario.table("training_providers"), scenario.table("universities")
    county = dict(zip(universities["moe_code"], universities["county_code"], strict=True))
    found = pd.Series(0.0, index=people.index)
    city_of = {c: c[:4] + "00" for c in people.index}
    for r in providers.to_dict("records"):
        home = county.get(r["moe_code"], "")
        if home in found.index:
            found[home] += float(r["full_time_teachers"])
            continue
        own = people[[c for c in people.index if city_of[c] == r["city_code"]]]
        found[own.index] += float(r["full_time_teachers"]) * own / own.sum()
    return found


def _services(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Services that firms ask for (M001): requests met and given up, by city; in counties by employees of parks."""
    study = _study(studies, row["outcome"])
    names: dict[str, tuple[str, str]] = {}
    use = resource_use(studies, names)
    use = use[use["resource"] == DESK]
    came = (use["served"].fillna(0.0) + use["left"].fillna(0.0)).groupby(use["place_code"]).sum()
    if row["period"] == "per_year":
        came = came / use["year"].nunique()
    came = _at_least(came, study, row, lowest=row["period"] == "per_year")
    firms = _firms(scenario)
    need = _spread(scenario, firms, _parks(scenario), None, whole=False)["capacity"]
    return _spread(scenario, came, _parks(scenario), need)


def _at_least(capacity: pd.Series, study: Study | None, row: pd.Series, *, lowest: bool) -> pd.Series:
    """The capacity of each city, never below what it does anyway in the mean of the futures (lowest year, or sum)."""
    if study is None:
        return capacity
    mean = study.base[f"by_city/{row['outcome']}"].mean(axis=0)
    anyway = pd.Series(mean.min(axis=1) if lowest else mean.sum(axis=1), index=list(study.process.cities))
    found: pd.Series = pd.concat([capacity.reindex(anyway.index).fillna(0.0), anyway.apply(np.ceil)], axis=1).max(
        axis=1
    )
    return found


def _firms(scenario: Any, key_only: bool = False) -> pd.Series:
    """Requests a year (or the number of key firms) by city."""
    table, classes = scenario.table("enterprises"), scenario.table("firm_classes")
    if key_only:
        table = table[table["firm_class"].isin(set(classes.loc[classes["is_key_firm"], "firm_class"]))]
        firms: pd.Series = table.groupby("city_code")["firms"].sum().astype(float)
        return firms
    asked: pd.Series = (table["firms"] * table["requests_per_firm_year"]).groupby(table["city_code"]).sum()
    return asked


def _parks(scenario: Any) -> pd.Series:
    employees: pd.Series = scenario.table("county_industry").set_index("county_code")["park_employees"].astype(float)
    return employees


def _key_firms(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Key firms of a city (M095), in its counties by employees of parks; each counts once, so they are the limit."""
    firms, parks = _firms(scenario, key_only=True), _parks(scenario)
    counted: dict[str, float] = {}
    for city, number in firms.items():
        own = parks[[c for c in sorted(parks.index) if c[:4] == str(city)[:4]]]
        counted |= dict(zip(own.index, largest_remainder(own.to_numpy(), round(float(number))), strict=True))
    found = pd.Series(counted, dtype=float)
    return pd.DataFrame({"capacity": found, "need": found})


def _patents(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Patents that the institutions of a county can transfer (M002): officers x contracts a year x patents, at most
    the stock. Need: the stock that lies idle."""
    value = _values(scenario)
    table = scenario.table("patents")
    staff = table["transfer_staff"] * value["PP39"] * value["TP09"] * value["TP10"] * years
    county = _county_of(scenario, table["moe_code"])
    capacity = np.minimum(staff, table["stock"]).groupby(county).sum()
    return pd.DataFrame({"capacity": capacity, "need": table["stock"].groupby(county).sum().astype(float)})


def _platforms(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Platforms that the institutions of a county can begin (M015): starts a year x years. Need: firms to be served."""
    hosts, need = scenario.table("location_hosts"), scenario.table("location_need")
    own = hosts[hosts["theme"] == "platforms"]
    capacity = (own["starts_per_year"] * years).groupby(_county_of(scenario, own["moe_code"])).sum()
    firms = need[need["theme"] == "platforms"].groupby("county_code")["amount"].sum()
    return pd.DataFrame({"capacity": capacity.astype(float), "need": firms.astype(float)}).fillna(0.0)


def _centres(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Practice centres that a county's need can fill (M049): need / the least that a centre must serve, cut."""
    need, kinds = scenario.table("location_need"), scenario.table("location_kinds")
    least = float(kinds.loc[kinds["kind"] == "practice_centre", "minimum_served"].iloc[0])
    own = need[need["theme"] == "practice_centres"].groupby("county_code")["amount"].sum().astype(float)
    return pd.DataFrame({"capacity": np.floor(own / least), "need": own})


def _mentors(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Mentors whom the institutions of a county can send a year (M074): the high end of TR10 for each. Need: alike."""
    high = float(scenario.table("training_parameters").set_index("parameter_id").loc["TR10", "high"])
    number = _institutions(scenario)
    return pd.DataFrame({"capacity": number * high, "need": number})


def _silk_road(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """Silk Road Colleges that the institutions of a county can run (M083): at most two each (assumption)."""
    number = _institutions(scenario)
    return pd.DataFrame({"capacity": number * COLLEGES_PER_INSTITUTION, "need": number})


def _sibling(scenario: Any, row: pd.Series, studies: Sequence[Study], years: int) -> Frame:
    """The sibling rule (M107): every county adopts it or not; a target of all of them leaves no choice."""
    one = pd.Series(1.0, index=scenario.table("counties")["county_code"])
    return pd.DataFrame({"capacity": one, "need": one})


def _institutions(scenario: Any) -> pd.Series:
    table = scenario.table("universities")
    return _county_of(scenario, table["moe_code"]).value_counts().astype(float)


def _county_of(scenario: Any, codes: pd.Series) -> pd.Series:
    """The county of each institution; where it is not known, the seat of its city's government."""
    table, seats = scenario.table("universities"), scenario.table("cities").set_index("city_code")["seat_county_code"]
    home = {r["moe_code"]: r["county_code"] or seats[r["city_code"]] for r in table.to_dict("records")}
    return codes.map(home)


def _values(scenario: Any) -> dict[str, float]:
    tables = [scenario.table(n) for n in ("process_parameters", "patent_parameters")]
    return {r["parameter_id"]: float(r["mode"]) for t in tables for r in t.to_dict("records")}


def _spread(
    scenario: Any, of_city: pd.Series, weight: pd.Series, need: pd.Series | None, *, whole: bool = True
) -> Frame:
    """An amount of each city over its counties in proportion to ``weight`` (evenly where all are 0).

    In whole units, so that those of the counties add up to the city's, or exactly.
    """
    counties = scenario.table("counties").sort_values("county_code")
    found: dict[str, float] = {}
    for city, codes in counties.groupby("city_code")["county_code"]:
        own = weight.reindex(codes).fillna(0.0)
        own = own if own.sum() > 0 else own + 1.0
        amount = float(of_city.get(city, 0.0))
        if whole:
            parts = largest_remainder(own.to_numpy(), int(amount + 1e-9)).astype(float)
        else:
            parts = own.to_numpy() / own.sum() * amount
        found |= dict(zip(own.index, parts, strict=True))
    frame = pd.DataFrame({"capacity": pd.Series(found)})
    frame["need"] = frame["capacity"] if need is None else need.reindex(frame.index).fillna(0.0)
    return frame


Recipe = Callable[[Any, pd.Series, Sequence[Any], int], Frame]
RECIPES: dict[str, tuple[Recipe, str, str]] = {
    "training": (_training, "training", "residents"),
    "enterprise_services": (_services, "services", "requests"),
    "key_enterprises": (_key_firms, "key_firms", "key_firms"),
    "technology_transfer": (_patents, "patents", "stock"),
    "joint_platforms": (_platforms, "platforms", "firms"),
    "practice_centres": (_centres, "centres", "practice"),
    "entrepreneurship_mentors": (_mentors, "mentors", "institutions"),
    "silk_road_colleges": (_silk_road, "silk_road", "institutions"),
    "sibling_rule": (_sibling, "sibling", "counties"),
}
"""Target → what makes its capacities and needs, and the sentences that say how."""
