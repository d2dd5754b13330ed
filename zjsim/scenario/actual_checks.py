"""Checks of the registry ``actuals`` against the as-of date, the targets and the areas: nothing of the past is guessed.

What must be there, for the province: of a target's outcome that is a flow every quarter from the target's start to the
as-of date; of one that is a level the last quarter of each year that is over, and the quarter of the as-of date.
Cities and counties may be given as well and must agree with the province.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from zjsim.scenario.checks import Broken, dated_rule, rule
from zjsim.scenario.quarters import PLAN_START, PROVINCE, is_quarter_end, quarters_until

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario.parameters import Parameters

    Tables = Mapping[str, pd.DataFrame]

_FLOW_PERIODS = ("cumulative", "per_year")
_SHARE = "share"
TOLERANCE = 1e-6

NEVER_ABOVE = (
    ("services_completed", "services_with_outreach"),
    ("patents_transferred", "patents_transferred_or_trialled"),
    ("training_person_times_strict", "training_person_times_all"),
    ("training_person_times_social", "training_person_times_all"),
    ("key_firms_served", "key_firms_contacted"),
    ("consortia_provincial", "consortia_with_national"),
    ("silk_road_operating", "silk_road_ever_opened"),
    ("public_share_public_only", "public_share_with_purchased"),
    ("public_share_with_purchased", "place_share_all_residents"),
)
"""Pairs of outcomes of which the first is a part of the second: flows since the plan's start, levels as they are."""


def outcome_kinds(targets: pd.DataFrame) -> dict[str, str]:
    """``flow`` or ``level`` of every outcome that a target names, from the target's period and unit.

    Amounts that are summed, in total or within each year, are flows; shares, stocks and coverages are levels.
    """
    found: dict[str, str] = {}
    for row in targets[targets["outcome"] != ""].itertuples():
        summed = row.period in _FLOW_PERIODS and row.unit != _SHARE and row.comparator == ">="
        found.setdefault(str(row.outcome), "flow" if summed else "level")
    return dict(sorted(found.items()))


def required(targets: pd.DataFrame, parameters: Parameters) -> dict[str, tuple[str, ...]]:
    """Quarters of which the province's value must be given, by outcome; none where nothing is over yet."""
    over = quarters_until(parameters.time.as_of)
    if not over:
        return {}
    first = targets[targets["outcome"] != ""].groupby("outcome")["start"].min()
    found = {}
    for outcome, kind in outcome_kinds(targets).items():
        own = [q for q in over if q[:4] >= first[outcome][:4]]
        found[outcome] = tuple(q for q in own if kind == "flow" or q.endswith("Q4") or q == over[-1])
    return found


@dated_rule("actuals", "targets")
def actuals_complete(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """Of every target's outcome the past is given (M121, M124): what a target is judged on is never guessed."""
    if not is_quarter_end(parameters.time.as_of):
        return  # told by as_of_not_quarter_end
    actuals = tables["actuals"]
    province = actuals[actuals["area_code"] == PROVINCE]
    for outcome, wanted in required(tables["targets"], parameters).items():
        own = province[province["outcome"] == outcome]
        missing = [q for q in wanted if q not in set(own["quarter"])]
        if missing:
            words: dict[str, object] = {"outcome": outcome, "quarters": ", ".join(missing)}
            earlier = own[own["quarter"] < missing[0]].sort_values("quarter")  # the missing row comes after the last
            yield Broken(
                "actuals", int(earlier.index[-1]) if len(earlier) else None, "quarter", "actual_missing", words
            )


@dated_rule("actuals")
def actuals_over(tables: Tables, parameters: Parameters) -> Iterator[Broken]:
    """Rows of quarters that are not over at the as-of date are not used (a notice); the plan begins in 2025."""
    over = set(quarters_until(parameters.time.as_of))
    for row, quarter in enumerate(tables["actuals"]["quarter"]):
        if str(quarter) < f"{PLAN_START.year}-Q1":
            yield Broken("actuals", row, "quarter", "actual_before_plan", {"start": PLAN_START}, "notice")
        elif quarter not in over:
            yield Broken("actuals", row, "quarter", "actual_later", {"as_of": parameters.time.as_of}, "notice")


@rule("actuals", "cities", "counties")
def actual_areas(tables: Tables) -> Iterator[Broken]:
    """An area is the province, a city or a county."""
    known = {PROVINCE, *tables["cities"]["city_code"], *tables["counties"]["county_code"]}
    for row, code in enumerate(tables["actuals"]["area_code"]):
        if code not in known:
            yield Broken("actuals", row, "area_code", "actual_area")


@rule("actuals", "targets")
def actual_shares(tables: Tables) -> Iterator[Broken]:
    """A share is at most 1, an amount is a whole number."""
    actuals, targets = tables["actuals"], tables["targets"]
    shares = set(targets.loc[targets["unit"] == _SHARE, "outcome"])
    for row, (outcome, value) in enumerate(zip(actuals["outcome"], actuals["value"], strict=True)):
        if outcome in shares and value > 1 + TOLERANCE:
            yield Broken("actuals", row, "value", "actual_share")
        elif outcome not in shares and abs(value - round(value)) > TOLERANCE:
            yield Broken("actuals", row, "value", "actual_whole")


@rule("actuals", "targets", "cities", "counties")
def actuals_by_area(tables: Tables) -> Iterator[Broken]:
    """Cities and counties agree with what they are parts of: a sum not above the whole, all parts together equal to it.

    Shares of the parts, where all are given, lie on both sides of the whole.
    """
    targets, cities, counties = tables["targets"], tables["cities"], tables["counties"]
    shares = set(targets.loc[targets["unit"] == _SHARE, "outcome"])
    parts_of = {PROVINCE: tuple(cities["city_code"])}
    parts_of |= {str(c): tuple(g["county_code"]) for c, g in counties.groupby("city_code", sort=True)}
    for (outcome, quarter), rows in tables["actuals"].groupby(["outcome", "quarter"], sort=True):
        value = dict(zip(rows["area_code"], rows["value"], strict=True))
        row_of = dict(zip(rows["area_code"], rows.index, strict=True))
        every = {**parts_of, "all counties": tuple(counties["county_code"])}
        for whole, parts in every.items():
            area = PROVINCE if whole == "all counties" else whole
            given = [p for p in parts if p in value]
            if area not in value or not given:
                continue
            amounts, complete = [value[p] for p in given], len(given) == len(parts)
            words: dict[str, object] = {
                "outcome": outcome,
                "quarter": quarter,
                "whole": f"{value[area]:.12g}",
                "parts": f"{sum(amounts):.12g}",
                "count": len(given),
            }
            if outcome in shares:
                inside = min(amounts) - TOLERANCE <= value[area] <= max(amounts) + TOLERANCE
                if complete and not inside:
                    words["parts"] = f"{min(amounts):.12g}–{max(amounts):.12g}"
                    yield Broken("actuals", int(row_of[area]), "value", "actual_parts_share", words)
            elif sum(amounts) > value[area] + TOLERANCE:
                yield Broken("actuals", int(row_of[area]), "value", "actual_parts_above", words)
            elif complete and sum(amounts) < value[area] - TOLERANCE:
                yield Broken("actuals", int(row_of[area]), "value", "actual_parts_below", words)


@rule("actuals", "targets")
def actuals_within(tables: Tables) -> Iterator[Broken]:
    """A part never exceeds its whole: see :data:`NEVER_ABOVE`; flows are added up from the plan's start."""
    kinds, actuals = outcome_kinds(tables["targets"]), tables["actuals"]
    wide = actuals.pivot_table(index=["area_code", "quarter"], columns="outcome", values="value", sort=True)
    for part, whole in NEVER_ABOVE:
        if part not in wide or whole not in wide:
            continue
        both = wide[[part, whole]].copy()
        for name in (part, whole):
            if kinds.get(name) == "flow":
                both[name] = both[name].groupby(level="area_code").cumsum()
        both = both.dropna()
        for area, quarter in both.index[both[part] > both[whole] + TOLERANCE]:
            here = (actuals["area_code"] == area) & (actuals["quarter"] == quarter) & (actuals["outcome"] == part)
            words: dict[str, object] = {
                "part": f"{both.loc[(area, quarter), part]:.12g}",
                "other": whole,
                "whole": f"{both.loc[(area, quarter), whole]:.12g}",
            }
            yield Broken("actuals", int(here.to_numpy().argmax()), "value", "actual_exceeds", words)
