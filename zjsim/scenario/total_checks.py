"""Checks of derived quantities: remaining capacity, demand that nothing can reach, totals of one table in another.

What no real table can show is an error. What two real tables may well disagree about (a county's own count and the
derived one) is a notice at the row, so that it does not go unseen and does not forbid to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zjsim.scenario.checks import Broken, dated_rule, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zjsim.scenario.parameters import Parameters

Tables = Mapping[str, pd.DataFrame]
_SEATS = ["county_code", "year", "grade"]
_PRIMARY_GRADES = 6
_MOST_NOTICES = 5
"""More rows that differ from another table are told by the first of them and their number."""


def _rows(mask: object) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.asarray(mask))]


def _missing(table: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> list[int]:
    """Rows of ``table`` whose keys no row of ``other`` has."""
    there = pd.MultiIndex.from_frame(other[keys])
    return _rows(~pd.MultiIndex.from_frame(table[keys]).isin(there))


def _partner(registry: str, row: int, keys: list[str], table: pd.DataFrame, other: str) -> Broken:
    key = ", ".join(str(table[k].iloc[row]) for k in keys)
    return Broken(registry, row, keys[0], "no_partner", {"other": other, "row_key": key})


def _stage(grades: pd.Series) -> list[str]:
    return ["primary" if grade <= _PRIMARY_GRADES else "junior" for grade in grades.tolist()]


@rule("seat_demand", "seat_capacity")
def demand_has_capacity(tables: Tables) -> Iterator[Broken]:
    """Every county, year and grade with children has its row of seats, and the other way round."""
    demand, capacity = tables["seat_demand"], tables["seat_capacity"]
    for row in _missing(demand, capacity, _SEATS):
        yield _partner("seat_demand", row, _SEATS, demand, "seat_capacity")
    for row in _missing(capacity, demand, _SEATS):
        yield _partner("seat_capacity", row, _SEATS, capacity, "seat_demand")


@rule("seat_demand", "seat_options")
def demand_has_options(tables: Tables) -> Iterator[Broken]:
    """Every county and stage with children has its row of options."""
    demand = tables["seat_demand"]
    demand = demand.assign(stage=_stage(demand["grade"]))
    for row in _missing(demand, tables["seat_options"], ["county_code", "stage"]):
        if demand["grade"].iloc[row] in (1, _PRIMARY_GRADES + 1):
            yield _partner("seat_demand", row, ["county_code", "stage"], demand, "seat_options")


@dated_rule("seat_demand", "seat_budgets")
def counties_have_budgets(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """A county with children has a budget for every year after the as-of date (it may be 0)."""
    demand, time = tables["seat_demand"], parameters.time
    first = demand.reset_index(names="row").drop_duplicates(["county_code", "year"])
    first = first[(first["year"] > time.as_of.year) & (first["year"] <= time.seat_horizon)]
    for i in _missing(first, tables["seat_budgets"], ["county_code", "year"]):
        yield _partner("seat_demand", int(first["row"].iloc[i]), ["county_code", "year"], demand, "seat_budgets")


@dated_rule("seat_demand", "seat_capacity")
def remaining_seats(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """Up to the as-of date the public seats hold the local children; no grade with children is without any seat.

    Later years may fall short: that is what the seat plan is for.
    """
    demand, capacity = tables["seat_demand"], tables["seat_capacity"]
    both = capacity.reset_index().merge(demand, on=_SEATS, suffixes=("", "_of_demand"))
    past = both[(both["year"] <= parameters.time.as_of.year) & (both["public_seats"] < both["local_children"])]
    for row, seats, taken in zip(past["index"], past["public_seats"], past["local_children"], strict=True):
        words: dict[str, object] = {"taken": int(taken), "left": int(seats - taken)}
        yield Broken("seat_capacity", int(row), "public_seats", "seats_negative", words)
    children = both["local_children"] + both["migrant_children"]
    none = both[(children > 0) & (both["public_seats"] + both["private_places"] == 0)]
    for row, count in zip(none["index"], children[none.index], strict=True):
        if row not in set(past["index"]):
            yield Broken("seat_capacity", int(row), "public_seats", "no_seat", {"children": int(count)})


@rule("seat_capacity", "seat_options")
def seats_of_classes(tables: Tables) -> Iterator[Broken]:
    """A public class has seats, and no more of them than half again the usable seats of a class."""
    capacity = tables["seat_capacity"]
    usable = tables["seat_options"].set_index(["county_code", "stage"])["usable_seats_per_class"]
    keys = pd.MultiIndex.from_arrays([capacity["county_code"], _stage(capacity["grade"])])
    most = capacity["public_classes"].to_numpy() * usable.reindex(keys).to_numpy()
    seats = capacity["public_seats"].to_numpy()
    for row in _rows((seats > 1.5 * most) | ((seats == 0) & (most > 0)) | ((seats > 0) & (most == 0))):
        words: dict[str, object] = {"classes": int(capacity["public_classes"].iloc[row]), "usual": f"{most[row]:g}"}
        yield Broken("seat_capacity", row, "public_seats", "seats_of_classes", words)
    odd = _rows((seats != most) & (seats <= 1.5 * most) & (seats > 0) & (most > 0))
    for row in odd[:_MOST_NOTICES]:
        words = {"classes": int(capacity["public_classes"].iloc[row]), "usual": f"{most[row]:g}"}
        yield Broken("seat_capacity", row, "public_seats", "seats_of_classes", words, "notice")


@dated_rule("seat_capacity", "seat_options")
def rooms_of_classes(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """The classrooms of a county hold its public classes of the as-of year; a class has seats; new schools fit."""
    options, capacity = tables["seat_options"], tables["seat_capacity"]
    now = capacity[capacity["year"] == parameters.time.as_of.year]
    classes = now.groupby(["county_code", _stage(now["grade"])])["public_classes"].sum()
    keys = pd.MultiIndex.from_frame(options[["county_code", "stage"]])
    used = classes.reindex(keys).to_numpy()
    for row in _rows(used > options["classrooms"].to_numpy()):
        words: dict[str, object] = {"taken": int(used[row]), "left": int(options["classrooms"].iloc[row] - used[row])}
        yield Broken("seat_options", row, "classrooms", "rooms_negative", words)
    for row in _rows((options["usable_seats_per_class"] == 0) & (options["classrooms"] > 0)):
        yield Broken("seat_options", row, "usable_seats_per_class", "class_without_seats")
    for row in _rows((options["school_sites"] > 0) & (options["school_rooms_min"] > options["school_rooms_max"])):
        limit: dict[str, object] = {"other": "school_rooms_max", "limit": int(options["school_rooms_max"].iloc[row])}
        yield Broken("seat_options", row, "school_rooms_min", "more_than", limit)


@rule("training_demand", "training_providers")
def demand_has_providers(tables: Tables) -> Iterator[Broken]:
    """A city with training demand has a provider."""
    demand = tables["training_demand"]
    here = set(tables["training_providers"]["city_code"])
    for row in _rows((demand["base"] > 0) & ~demand["city_code"].isin(here)):
        yield Broken("training_demand", row, "city_code", "no_provider", {"city": demand["city_code"].iloc[row]})


@rule("training_demand", "training_providers", "training_sectors")
def sectors_have_providers(tables: Tables) -> Iterator[Broken]:
    """A sector asked for in a city is taught by some provider there."""
    demand, sectors = tables["training_demand"], tables["training_sectors"]
    anyone = set(sectors.loc[sectors["any_provider"], "sector_id"])
    providers = tables["training_providers"]
    taught = {
        (city, sector)
        for city, own in zip(providers["city_code"], providers["sectors"], strict=True)
        for sector in own.split(";")
    }
    here = set(providers["city_code"])
    for row in _rows(demand["base"] > 0):
        city, sector = demand["city_code"].iloc[row], demand["sector_id"].iloc[row]
        if city in here and sector not in anyone and (city, sector) not in taught:
            yield Broken("training_demand", row, "sector_id", "sector_not_taught", {"city": city, "sector": sector})


@rule("enterprises", "team_deployment", "service_teams")
def firms_have_teams(tables: Tables) -> Iterator[Broken]:
    """A city with firms is served by some team; an institution with teams says where they serve."""
    deployed, teams, firms = tables["team_deployment"], tables["service_teams"], tables["enterprises"]
    active = set(teams.loc[teams["teams"] > 0, "moe_code"])
    served = set(deployed.loc[(deployed["share"] > 0) & deployed["moe_code"].isin(active), "city_code"])
    for row in _rows((firms["firms"] > 0) & ~firms["city_code"].isin(served)):
        yield Broken("enterprises", row, "city_code", "no_team", {"city": firms["city_code"].iloc[row]})
    for row in _rows((teams["teams"] > 0) & ~teams["moe_code"].isin(set(deployed["moe_code"]))):
        yield _partner("service_teams", row, ["moe_code"], teams, "team_deployment")


@rule("schools", "school_grades", "child_groups")
def groups_have_seats(tables: Tables) -> Iterator[Broken]:
    """In the county of a group some school has a seat in its grade that is not taken, or the child is at one."""
    groups, grades = tables["child_groups"], tables["school_grades"]
    free = grades["seats"] - grades["taken_local"] - grades["taken_migrant"]
    keys = ["county_code", "year", "grade"]
    open_ = grades[free > 0][keys].drop_duplicates()
    asked = groups[keys].drop_duplicates()
    lost = asked[~pd.MultiIndex.from_frame(asked).isin(pd.MultiIndex.from_frame(open_))]
    for county, year, grade in lost.itertuples(index=False):
        own = (groups["county_code"] == county) & (groups["year"] == year) & (groups["grade"] == grade)
        first = _rows(own & (groups["current_school"] == "") & (groups["children"] > 0))[:1]
        for row in first:
            words: dict[str, object] = {"county": county, "grade": grade, "year": year}
            yield Broken("child_groups", row, "grade", "no_seat_for_group", words)


@rule("location_need", "location_kinds")
def need_has_kinds(tables: Tables) -> Iterator[Broken]:
    """A need belongs to a theme that has a kind of facility."""
    need = tables["location_need"]
    for row in _rows(~need["theme"].isin(set(tables["location_kinds"]["theme"]))):
        words: dict[str, object] = {"other": "location_kinds", "row_key": need["theme"].iloc[row]}
        yield Broken("location_need", row, "theme", "no_partner", words)


@rule("enterprises", "firm_classes")
def firms_add_up(tables: Tables) -> Iterator[Broken]:
    """The firms of a class by city add up to the class's total (a notice)."""
    classes = tables["firm_classes"]
    own = tables["enterprises"].groupby("firm_class")["firms"].sum().reindex(classes["firm_class"]).fillna(0)
    yield from _few(
        classes,
        "firm_classes",
        "firms_total",
        own.to_numpy(float),
        classes["firms_total"].to_numpy(float),
        "enterprises",
    )


@rule("training_demand", "training_bases", "course_types")
def bases_add_up(tables: Tables) -> Iterator[Broken]:
    """The base of a course type by city adds up to the provincial base it stands for (a notice)."""
    types, bases = tables["course_types"], tables["training_bases"]
    wanted = bases.set_index("base_id")["value"].reindex(types["demand_base"]).to_numpy()
    sums = tables["training_demand"].groupby("course_type_id")["base"].sum().reindex(types["course_type_id"]).fillna(0)
    for row in _rows(np.abs(sums.to_numpy() - wanted) > 0.001 * wanted):
        words: dict[str, object] = {
            "other": "training_demand",
            "sum": f"{sums.iloc[row]:.12g}",
            "wanted": f"{wanted[row]:.12g}",
        }
        yield Broken("course_types", row, "demand_base", "total_differs", words, "notice")


@rule("seat_demand", "cohorts")
def cohorts_add_up(tables: Tables) -> Iterator[Broken]:
    """Local and migrant children of a grade are the children of its age in the county (a notice)."""
    demand = tables["seat_demand"]
    cohorts = tables["cohorts"].set_index(["county_code", "year", "age"])["children"]
    keys = pd.MultiIndex.from_arrays([demand["county_code"], demand["year"], demand["grade"] + 5])
    wanted = cohorts.reindex(keys).to_numpy()
    children = (demand["local_children"] + demand["migrant_children"]).to_numpy()
    yield from _few(demand, "seat_demand", "local_children", wanted, children, "cohorts")


@rule("seat_demand", "migrant_calibration")
def calibration_adds_up(tables: Tables) -> Iterator[Broken]:
    """Migrant children of the first school year add up to the county's calibrated number (a notice)."""
    calibration, demand = tables["migrant_calibration"], tables["seat_demand"]
    first = demand[demand["year"] == demand["year"].min()]
    sums = first.groupby("county_code")["migrant_children"].sum().reindex(calibration["county_code"]).to_numpy()
    wanted = calibration["migrant_children"].to_numpy()
    yield from _few(calibration, "migrant_calibration", "migrant_children", sums, wanted, "seat_demand")


def _few(
    table: pd.DataFrame, registry: str, column: str, sums: NDArray[np.float64], wanted: NDArray[np.float64], other: str
) -> Iterator[Broken]:
    """The rows that differ, or, if they are many, the first of them and how many there are."""
    wrong = [row for row in _rows(sums != wanted) if not np.isnan(wanted[row]) and not np.isnan(sums[row])]
    for row in wrong[: 1 if len(wrong) > _MOST_NOTICES else None]:
        words: dict[str, object] = {
            "other": other,
            "sum": f"{sums[row]:.12g}",
            "wanted": f"{wanted[row]:.12g}",
            "count": len(wrong),
        }
        key = "totals_differ" if len(wrong) > _MOST_NOTICES else "total_differs"
        yield Broken(registry, row, column, key, words, "notice")
