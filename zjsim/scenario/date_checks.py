"""Checks of dates and places that belong together: milestones, batches, levers' effect, counties of cities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zjsim.scenario.checks import Broken, dated_rule, rule

if TYPE_CHECKING:
    from zjsim.scenario.parameters import Parameters

Tables = Mapping[str, pd.DataFrame]
_KEYS = ["target_id", "reading"]
_ENDS = {"1": "03-31", "2": "06-30", "3": "09-30", "4": "12-31"}
_ALL_AT_ONCE = ("cumulative", "cumulative_with_stock", "coverage")


def _rows(mask: object) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.asarray(mask))]


def quarter_end(quarter: str) -> str:
    """The last day of a quarter such as ``2025-Q1``."""
    return f"{quarter[:4]}-{_ENDS[quarter[-1]]}"


@rule("milestones", "targets")
def milestones_of_targets(tables: Tables) -> Iterator[Broken]:
    """A milestone has a reading that exists, lies within its target's time, and says rightly whether it ends a year."""
    table, targets = tables["milestones"], tables["targets"]
    known = targets.set_index(_KEYS)[["start", "deadline", "period"]]
    keys = pd.MultiIndex.from_frame(table[_KEYS])
    for row in _rows(~keys.isin(known.index)):
        yield Broken("milestones", row, "reading", "milestone_reading", {"target": table["target_id"].iloc[row]})
    own = known.reindex(keys)
    ends = table["quarter"].map(quarter_end).to_numpy()
    deadline = own["deadline"].fillna("").to_numpy()
    for row in _rows((ends > deadline) & (deadline != "")):
        yield Broken("milestones", row, "quarter", "milestone_late", {"limit": deadline[row]})
    for row in _rows(table["is_year_end"] != table["quarter"].str.endswith("Q4")):
        quarter = str(table["quarter"].iloc[row])
        fix = "yes" if quarter.endswith("Q4") else "no"
        yield Broken("milestones", row, "is_year_end", "milestone_year_end", {"quarter": quarter}, fix=fix)
    yield from _falling(table, own["period"].to_numpy())


def _falling(table: pd.DataFrame, period: np.ndarray) -> Iterator[Broken]:
    """A milestone of what adds up is not below the one before (of a yearly target: within the year)."""
    year = np.where(period == "per_year", table["quarter"].str[:4], "")
    adds = np.isin(period.astype(str), (*_ALL_AT_ONCE, "per_year"))
    rows = table.assign(year=year, row=np.arange(len(table)))[adds].sort_values([*_KEYS, "area_code", "quarter"])
    before = rows.groupby([*_KEYS, "area_code", "year"])["value"].shift()
    for row, value in zip(rows["row"][rows["value"] < before], before[rows["value"] < before], strict=True):
        yield Broken("milestones", int(row), "value", "milestone_falls", {"limit": f"{value:g}"})


@rule("programme_batches")
def batches_approved(tables: Tables) -> Iterator[Broken]:
    """An approval says how many were approved, a call does not."""
    table = tables["programme_batches"]
    approval = table["stage"] == "approval"
    for row in _rows(approval & table["approved"].isna()):
        yield Broken("programme_batches", row, "approved", "batch_number")
    for row in _rows(~approval & (table["approved"] > 0)):
        yield Broken("programme_batches", row, "approved", "batch_call")


@dated_rule("programmes")
def stocks_at_as_of(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """What exists was counted no later than the as-of date."""
    limit = parameters.time.as_of.isoformat()
    for row in _rows(tables["programmes"]["stock_date"] > limit):
        yield Broken("programmes", row, "stock_date", "stock_after_as_of", {"limit": limit})


@dated_rule("programme_batches")
def approvals_before_as_of(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """A batch that was approved lies no later than the as-of date; later ones are for the simulation."""
    limit, table = parameters.time.as_of.isoformat(), tables["programme_batches"]
    for row in _rows((table["date"] > limit) & (table["stage"] == "approval")):
        yield Broken("programme_batches", row, "date", "stock_after_as_of", {"limit": limit})


@dated_rule("levers")
def levers_after_as_of(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """A lever acts only after the as-of date (a notice: with a later as-of date it acts from then on)."""
    limit, levers = parameters.time.as_of.isoformat(), tables["levers"]
    early = _rows(levers["earliest_effect"] <= limit)
    for row in early[: 1 if len(early) > 1 else None]:
        key = "lever_effect_early" if len(early) == 1 else "levers_effect_early"
        yield Broken("levers", row, "earliest_effect", key, {"limit": limit, "count": len(early)}, "notice")


@rule("universities", "counties")
def county_of_university(tables: Tables) -> Iterator[Broken]:
    """The county of an institution's campus lies in its city."""
    yield from _city("universities", tables["universities"], tables["counties"], "county_code")


@rule("cities", "counties")
def seat_of_city(tables: Tables) -> Iterator[Broken]:
    """The county in which a city's government sits is one of the city's (a notice: no model uses it)."""
    cities = tables["cities"].rename(columns={"seat_county_code": "county_code"})
    having = cities["city_code"].isin(set(tables["counties"]["city_code"])).to_numpy()
    for broken in _city("cities", cities, tables["counties"], "county_code"):
        if broken.row is not None and having[broken.row]:
            yield Broken("cities", broken.row, "seat_county_code", broken.rule, broken.words, "notice")


def _city(registry: str, table: pd.DataFrame, counties: pd.DataFrame, column: str) -> Iterator[Broken]:
    city = table[column].map(counties.set_index("county_code")["city_code"])
    for row in _rows(city.notna() & (city != table["city_code"])):
        words: dict[str, object] = {"city": table["city_code"].iloc[row], "found": city.iloc[row]}
        yield Broken(registry, row, column, "county_other_city", words)


@rule("training_providers", "universities")
def city_of_provider(tables: Tables) -> Iterator[Broken]:
    """A provider that is one of the institutions lies in the same city."""
    table = tables["training_providers"]
    city = table["moe_code"].map(tables["universities"].set_index("moe_code")["city_code"])
    for row in _rows(city.notna() & (city != table["city_code"])):
        words: dict[str, object] = {"found": city.iloc[row]}
        yield Broken("training_providers", row, "city_code", "provider_other_city", words, fix=str(city.iloc[row]))


@rule("counties", "cities")
def names_of_cities(tables: Tables) -> Iterator[Broken]:
    """A county repeats the name of its city as the registry of cities has it (a notice)."""
    counties, cities = tables["counties"], tables["cities"].set_index("city_code")
    for lang in ("zh", "en"):
        name = counties["city_code"].map(cities[f"name_{lang}"])
        for row in _rows(name.notna() & (name != counties[f"city_{lang}"])):
            words: dict[str, object] = {"found": name.iloc[row]}
            yield Broken("counties", row, f"city_{lang}", "name_differs", words, "notice", str(name.iloc[row]))


@rule("industries")
def parents_of_industries(tables: Tables) -> Iterator[Broken]:
    """No industry belongs to itself, directly or over others."""
    table = tables["industries"]
    parent = dict(zip(table["industry_id"], table["parent_id"], strict=True))
    for row, name in enumerate(table["industry_id"].tolist()):
        seen, at = {name}, parent.get(name, "")
        while at and at not in seen:
            seen.add(at)
            at = parent.get(at, "")
        if at == name:
            yield Broken("industries", row, "parent_id", "parent_cycle", {"industry": name})
