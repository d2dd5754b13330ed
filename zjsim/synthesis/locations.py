"""What the location plans start from, county by county: none of it is published, all of it is derived here.

* Industry by county: roles of its places, colleges that sit there, employees in parks and larger firms.
* Need: key firms that would join a platform, training that needs a college or practice places nearby, children of
  employees and of neighbours. City figures go to counties by residents × (1 + concentration).
* Hosts: members of service teams free for platforms, teachers free for counties.
* Limits: the starts a year that past openings imply, and cost points by city that these starts would have taken.

Run ``python -m zjsim.synthesis.locations FOLDER`` to write the registries anew; equal input gives equal bytes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.synthesis.proportional import largest_remainder, seats_of
from zjsim.synthesis.services import modes, registry_csv

Tables = Mapping[str, pd.DataFrame]

YEARS = (2025, 2026, 2027)
INPUTS = (
    *("counties", "cities", "universities", "industries", "industry_places", "enterprises", "service_teams"),
    *("training_providers", "training_demand", "course_types", "training_parameters", "births"),
    *("programmes", "programme_parameters", "process_parameters", "location_parameters", "location_kinds"),
)
ROLE_WEIGHT = {"core_area": 1.0, "coordination_area": 0.8, "known_location": 0.6}
"""The same weights of places as in the assignment of lead disciplines."""
INDUSTRIES_PER_COUNTY = 3
"""Main industries whose firms are told apart in a county: its weightiest ones (judgement)."""
KEY_CLASSES = ("little_giant", "chain_leader", "specialised_sme")
PRACTICE_INTERVAL, PRACTICE_BATCH = "PP65", "GP09"
PERSONS_PER_PLATFORM = 2
"""A platform's own staff: the members of all teams (3,456) over the platforms in existence (1,622) give 2.1."""
HIRED_PER_MOVED = 1.5
"""Trainers hired locally for each teacher who moves (judgement): a campus stands on both."""

PERSONS_PER_TEAM = "PP28"
JOIN, TEAMS, TEACHERS, COLLEGE, PRACTICE = "LP04", "LP05", "LP06", "LP07", "LP08"
STAFF_PER_FIRM, IN_PARKS, CHILDREN, AT_WORK, NEIGHBOURS = "LP09", "LP10", "LP11", "LP12", "LP13"
CAMPUS_STARTS, COLLEGE_STARTS, EQUAL_SHARE, SOCIAL_HOURS, STARTS_PER_PERSON = "LP14", "LP15", "LP16", "LP17", "LP18"
TEACHER_HOURS, COURSE_HOURS, CLASS_SIZE = "PP08", "PP03", "PP02"


def derive(tables: Tables) -> dict[str, pd.DataFrame]:
    """The derived registries of theme ``locations`` by name."""
    counties = county_industry(tables)
    need = location_need(tables, counties)
    starts = location_starts(tables)
    return {
        "county_industry": counties,
        "location_need": need,
        "location_hosts": location_hosts(tables),
        "location_starts": starts,
        "location_budgets": location_budgets(tables, need, starts),
    }


def campus_capacity(staff: int, tables: Tables) -> int:
    """Person-times a year of a county campus to which ``staff`` teachers move, in whole hundreds.

    Trainers (moved and hired) × hours of a teacher × share for social training ÷ hours of a course × class size.
    """
    value = _values(tables)
    trainers = staff * (1 + HIRED_PER_MOVED)
    hours = trainers * value[TEACHER_HOURS] * value[SOCIAL_HOURS]
    return int(hours / value[COURSE_HOURS] * value[CLASS_SIZE] // 100 * 100)


def county_industry(tables: Tables) -> pd.DataFrame:
    """Registry ``county_industry``: concentration, colleges, and employees in parks and larger firms."""
    counties = tables["counties"].sort_values("county_code", ignore_index=True)
    main = set(tables["industries"].query("kind == 'provincial_cluster'")["industry_id"])
    weight = _place_weights(tables, counties)
    concentration = np.array([math.fsum(w for i, w in sorted(weight[c].items()) if i in main) for c in weight])
    u = tables["universities"]
    trade = u[(u["level"] == "vocational") | u["vocational_undergraduate"]]
    value = _values(tables)
    firms = tables["enterprises"].query("firm_class == 'other'").set_index("city_code")["firms"]
    employees = np.zeros(len(counties), dtype=np.int64)
    for city, rows in counties.groupby("city_code", sort=True):
        share = rows["population_2020"].to_numpy(dtype=float) * (1 + concentration[rows.index])
        total = round(float(firms[city]) * value[STAFF_PER_FIRM] * value[IN_PARKS])
        employees[rows.index] = largest_remainder(share, total)
    return pd.DataFrame(
        {
            "county_code": counties["county_code"],
            "concentration": concentration.round(4),
            "has_vocational_college": counties["county_code"].isin(trade["county_code"]),
            "park_employees": employees,
            "source_id": "method_county_industry",
            "basis": "synthetic",
        }
    )


def location_need(tables: Tables, industry: pd.DataFrame) -> pd.DataFrame:
    """Registry ``location_need``: what each county needs of each theme (``industry`` = :func:`county_industry`)."""
    counties = tables["counties"].sort_values("county_code", ignore_index=True)
    concentration = industry["concentration"].to_numpy()
    share = counties["population_2020"].to_numpy(dtype=float) * (1 + concentration)
    value = _values(tables)
    rows: list[tuple[str, str, str, int, str, str]] = []
    training = _training(tables)
    kept = [
        ("campuses", "training", training * value[COLLEGE], "person-times per year", "人次/年"),
        ("practice_centres", "practice", training * value[PRACTICE], "person-times per year", "人次/年"),
    ]
    for theme, group, by_city, unit, unit_zh in kept:
        for city, part in counties.groupby("city_code", sort=True):
            amounts = largest_remainder(share[part.index], round(float(by_city[city])))
            rows += [
                (theme, c, group, int(a), unit, unit_zh) for c, a in zip(part["county_code"], amounts, strict=True)
            ]
    rows += _firms(tables, counties, share, value[JOIN])
    births = tables["births"].dropna(subset=["births_10k"]).sort_values("year")
    young = float(births["births_10k"].tail(3).sum()) * 1e4
    residents = counties["population_2020"].to_numpy(dtype=float)
    own = np.rint(industry["park_employees"].to_numpy() * value[CHILDREN] * value[AT_WORK])
    others = np.rint(young * residents / residents.sum() * value[NEIGHBOURS])
    for group, amounts in (("employees", own), ("residents", others)):
        found = zip(counties["county_code"], amounts, strict=True)
        rows += [("kindergartens", c, group, int(a), "children", "名儿童") for c, a in found]
    table = pd.DataFrame(rows, columns=["theme", "county_code", "group", "amount", "unit", "unit_zh"])
    table = table[table["amount"] > 0].assign(source_id="method_location_need", basis="synthetic")
    return table.sort_values(["theme", "county_code", "group"], ignore_index=True)


def location_hosts(tables: Tables) -> pd.DataFrame:
    """Registry ``location_hosts``: team members free for platforms, teachers of vocational colleges free for counties.

    The unit of platforms is a pair of persons.
    """
    value = _values(tables)
    u = tables["universities"].sort_values("moe_code", ignore_index=True)
    teams = tables["service_teams"].set_index("moe_code")["teams"]
    known = tables["training_providers"]
    teachers = known[known["moe_code"] != ""].groupby("moe_code")["full_time_teachers"].sum()
    rows = []
    for r in u.to_dict("records"):
        code = r["moe_code"]
        free = int(teams[code] * value[PERSONS_PER_TEAM] * value[TEAMS] / PERSONS_PER_PLATFORM + 0.5)
        if free:
            each = max(1, int(free * value[STARTS_PER_PERSON] + 0.5))
            rows.append(
                ("platforms", code, free, each, bool(r["double_first_class"] or r["provincial_key_university"]))
            )
        if (r["level"] == "vocational" or r["vocational_undergraduate"]) and code in teachers:
            rows.append(("campuses", code, int(teachers[code] * value[TEACHERS]), 1, False))
    table = pd.DataFrame(rows, columns=["theme", "moe_code", "staff", "starts_per_year", "may_host_branches"])
    table = table.assign(source_id="method_location_hosts", basis="synthetic")
    return table.sort_values(["theme", "moe_code"], ignore_index=True)


def location_starts(tables: Tables) -> pd.DataFrame:
    """Registry ``location_starts``: how many of each kind are begun a year at the pace of the past.

    A pipeline's pace is that of the simulation: (net openings + closures) ÷ chance of opening. Practice centres come
    in batches: the size over the interval. Yearly whole numbers add up to the rounded-down total.
    """
    value = _values(tables)
    programmes = tables["programmes"].set_index("programme_id")
    rows = []
    for k in tables["location_kinds"].sort_values("kind").to_dict("records"):
        if k["kind"] == "county_campus":
            pace = value[CAMPUS_STARTS]
        elif k["kind"] == "county_industry_college":
            pace = value[COLLEGE_STARTS]
        elif k["kind"] == "practice_centre":
            pace = value[PRACTICE_BATCH] * 12 / value[PRACTICE_INTERVAL]
        else:
            p: Any = programmes.loc[k["programme_id"]]
            closures = value[p["closure_parameter"]] * float(p["historic_mean_stock"])
            pace = (value[p["pace_parameter"]] + closures) / (1 - value[p["failure_parameter"]])
        for n, year in enumerate(YEARS):
            rows.append((k["kind"], year, int(pace * (n + 1) + 1e-9) - int(pace * n + 1e-9)))
    table = pd.DataFrame(rows, columns=["kind", "year", "starts"])
    return table.assign(source_id="method_location_starts", basis="derived")


def location_budgets(tables: Tables, need: pd.DataFrame, starts: pd.DataFrame) -> pd.DataFrame:
    """Registry ``location_budgets``: the cost of a year's starts, part shared equally by the cities, part by need.

    Shared out in whole facilities (the common divisor of a theme's costs) and over the years together: points that no
    city could use would be lost in the rounding.
    """
    value = _values(tables)
    kinds = tables["location_kinds"].set_index("kind")
    cities = sorted(tables["cities"]["city_code"])
    starts = starts.assign(
        theme=starts["kind"].map(kinds["theme"]), points=starts["starts"] * starts["kind"].map(kinds["cost_points"])
    )
    totals = starts.groupby(["theme", "year"])["points"].sum()
    rows = []
    for theme, part in need.groupby("theme", sort=True):
        by_city = part["amount"].groupby(part["county_code"].str[:4] + "00").sum()
        wanted = np.array([float(by_city.get(c, 0)) for c in cities])
        weight = value[EQUAL_SHARE] / len(cities) + (1 - value[EQUAL_SHARE]) * wanted / wanted.sum()
        whole = math.gcd(*kinds.loc[kinds["theme"] == theme, "cost_points"].tolist())
        given, points = np.zeros(len(cities), dtype=np.int64), 0
        for year in YEARS:
            points += int(totals[theme, year])
            held = seats_of(weight, points // whole) * whole
            rows += [(theme, c, year, int(p)) for c, p in zip(cities, held - given, strict=True)]
            given = held
    table = pd.DataFrame(rows, columns=["theme", "city_code", "year", "cost_points"])
    table = table.assign(source_id="method_location_budgets", basis="assumption")
    return table.sort_values(["theme", "city_code", "year"], ignore_index=True)


def _values(tables: Tables) -> dict[str, float]:
    names = ("process_parameters", "programme_parameters", "training_parameters", "location_parameters")
    return {i: v for name in names for i, v in modes(tables[name]).items()}


def _place_weights(tables: Tables, counties: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Weight of every industry in every county: its own place's role; a city's place is shared by its counties."""
    found: dict[str, dict[str, float]] = {c: {} for c in counties["county_code"]}
    size = counties["city_code"].value_counts()
    members = counties.groupby("city_code")["county_code"].apply(list)
    for r in tables["industry_places"].sort_values(["industry_id", "place_code"]).to_dict("records"):
        city = r["place_level"] == "city"
        each = ROLE_WEIGHT[r["role"]] / (int(size[r["place_code"]]) if city else 1)
        for county in members[r["place_code"]] if city else [r["place_code"]]:
            found[county][r["industry_id"]] = max(found[county].get(r["industry_id"], 0.0), each)
    return found


def _training(tables: Tables) -> pd.Series:
    """Person-times of social training asked for in each city and year (not online)."""
    value = _values(tables)
    types = tables["course_types"]
    types = types[types["counts_social"] & ~types["is_online"]]
    value[""] = 1.0
    rate = {
        r["course_type_id"]: value[r["rate_parameter_id"]] * value[r["share_parameter_id"]]
        for r in types.to_dict("records")
    }
    demand = tables["training_demand"]
    demand = demand[demand["course_type_id"].isin(rate)]
    wanted: pd.Series = (demand["base"] * demand["course_type_id"].map(rate)).groupby(demand["city_code"]).sum()
    return wanted


def _firms(
    tables: Tables, counties: pd.DataFrame, share: NDArray[np.float64], join: float
) -> list[tuple[str, str, str, int, str, str]]:
    """Key firms that would join a platform, by county and industry.

    A county's firms go to its weightiest main industries by role; a county without any place takes the industries that
    its city's other counties have. Heritage firms go to the places of the heritage industries.
    """
    firms = tables["enterprises"].set_index(["city_code", "firm_class"])["firms"]
    kinds = dict(zip(tables["industries"]["industry_id"], tables["industries"]["kind"], strict=True))
    weights = _place_weights(tables, counties)
    rows = []
    for city, part in counties.groupby("city_code", sort=True):
        codes = list(part["county_code"])
        here = sorted({i for c in codes for i in weights[c]})
        for kind, classes in (("provincial_cluster", KEY_CLASSES), ("heritage", ("heritage",))):
            industries = [i for i in here if kinds[i] == kind]
            if not industries:
                continue
            grid = np.array([[weights[c].get(i, 0.0) for i in industries] for c in codes])
            if kind == "provincial_cluster":
                grid = _weightiest(grid)
            grid = grid * share[part.index][:, None]
            amounts = largest_remainder(grid, int(sum(int(firms[city, k]) for k in classes) * join + 0.5))
            rows += [
                ("platforms", c, i, int(amounts[a, b]), "firms", "家企业")
                for a, c in enumerate(codes)
                for b, i in enumerate(industries)
            ]
    return rows


def _weightiest(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of each county's weightiest industries (rows add up to 1); the city's mean where it has none."""
    filled = np.where(grid.sum(axis=1, keepdims=True) > 0, grid, grid.mean(axis=0, keepdims=True))
    rank = np.argsort(np.argsort(-filled, axis=1, kind="stable"), axis=1, kind="stable")
    kept = np.where(rank < INDUSTRIES_PER_COUNTY, filled, 0.0)
    shares: NDArray[np.float64] = kept / kept.sum(axis=1, keepdims=True)
    return shares


def regenerate(folder: Path) -> dict[str, bytes]:
    """The derived registries as bytes of CSV, from the registries in ``folder``."""
    from zjsim.tables.reader import read_table
    from zjsim.tables.registries import REGISTRIES

    tables = {name: read_table(folder / f"{name}.csv", REGISTRIES[name]) for name in INPUTS}
    return {name: registry_csv(table) for name, table in derive(tables).items()}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for registry, content in regenerate(target).items():
        (target / f"{registry}.csv").write_bytes(content)
