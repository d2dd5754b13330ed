"""Checks of ranges, shares and ids in every registry that holds numbers of a process: nothing a draw could not use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from zjsim.scenario.checks import Broken, rule
from zjsim.tables.registries import REGISTRIES

Tables = Mapping[str, pd.DataFrame]

PARAMETERS = tuple(n for n, r in REGISTRIES.items() if r.key == ("parameter_id",) and "mode" in r.by_name)
"""Registries of parameters with a range, in declared order."""
SHARES = ("share", "probability")
"""First words of the units of numbers that cannot exceed 1."""
SUM_TOLERANCE = 1e-6
INDEX_TOLERANCE = 0.01
MONTHS = 12


def _rows(mask: object) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.asarray(mask))]


def in_order(table: pd.DataFrame, registry: str, columns: tuple[str, str, str]) -> Iterator[Broken]:
    """The low end does not exceed the middle, and neither the high end (told at the lower of the two that differ)."""
    low, mode, high = columns
    for below, above in ((low, mode), (mode, high), (low, high)):
        wrong = table[below] > table[above]
        if (below, above) == (low, high):
            wrong &= table[mode].isna()
        for row in _rows(wrong):
            words: dict[str, object] = {"other": above, "limit": f"{table[above].iloc[row]:g}"}
            yield Broken(registry, row, below, "range_order", words)


def _of_parameters(registry: str) -> None:
    """The checks of one registry of parameters."""

    def range_of_parameters(tables: Tables) -> Iterator[Broken]:
        """low ≤ mode ≤ high; a lognormal shape needs a positive low end, a constant one value, a share at most 1."""
        table = tables[registry]
        yield from in_order(table, registry, ("low", "mode", "high"))
        for row in _rows((table["distribution"] == "lognormal") & (table["low"] <= 0)):
            yield Broken(registry, row, "low", "lognormal_positive")
        constant = table["distribution"] == "constant"
        for column in ("low", "high"):
            for row in _rows(constant & (table[column] != table["mode"])):
                wanted = f"{table['mode'].iloc[row]:g}"
                yield Broken(registry, row, column, "constant_range", {"limit": wanted}, fix=wanted)
        bounded = (table["distribution"] == "beta") | table["unit"].str.split().str[0].isin(SHARES)
        for row in _rows(bounded & (table["high"] > 1)):
            yield Broken(registry, row, "high", "share_above_one")

    rule(registry)(range_of_parameters)


for _name in PARAMETERS:
    _of_parameters(_name)


@rule(*PARAMETERS)
def ids_of_parameters(tables: Tables) -> Iterator[Broken]:
    """An id names one parameter: no two registries of parameters share one."""
    home: dict[str, str] = {}
    for registry in PARAMETERS:
        for row, name in enumerate(tables[registry]["parameter_id"].tolist()):
            if home.setdefault(name, registry) != registry:
                yield Broken(registry, row, "parameter_id", "parameter_twice", {"other": home[name]})


def _of_mix(registry: str) -> None:
    def mix_of_parameters(tables: Tables) -> Iterator[Broken]:
        """The modes of a multinomial group (PP32a, PP32b, …) add up to 1, and so can values within the ranges."""
        table = tables[registry]
        mix = table[table["distribution"] == "multinomial"]
        stems = mix["parameter_id"].map(lambda name: re.sub(r"[a-z]$", "", name))
        for stem, rows in mix.groupby(stems, sort=True):
            last = int(np.flatnonzero(table["parameter_id"] == rows["parameter_id"].iloc[-1])[0])
            total = float(rows["mode"].sum())
            words: dict[str, object] = {"group": stem, "total": f"{total:.6g}"}
            if abs(total - 1) > SUM_TOLERANCE:
                fix = _remainder(float(table["mode"].iloc[last]), total, 1)
                yield Broken(registry, last, "mode", "group_shares", words, fix=fix)

    rule(registry)(mix_of_parameters)


_of_mix("process_parameters")


@rule("seat_norms")
def norms_in_order(tables: Tables) -> Iterator[Broken]:
    """low ≤ value ≤ high; a range has both ends, a number the models use has a value, a share is at most 1."""
    norms = tables["seat_norms"]
    yield from in_order(norms, "seat_norms", ("low", "value", "high"))
    ranged = norms["comparator"] == "range"
    for column in ("low", "high"):
        for row in _rows(ranged & norms[column].isna()):
            yield Broken("seat_norms", row, column, "range_end")
    for row in _rows(norms["used_by_model"] & norms["value"].isna() & ~ranged):
        yield Broken("seat_norms", row, "value", "norm_value")
    share = norms["unit"].isin(("share", "share per year", "share per month", "share of private places"))
    for row in _rows(share & (norms["high"] > 1)):
        yield Broken("seat_norms", row, "high", "share_above_one")
    for row in _rows(share & (norms["value"] > 1)):
        yield Broken("seat_norms", row, "value", "share_above_one")


@rule("births")
def births_in_order(tables: Tables) -> Iterator[Broken]:
    """low ≤ births ≤ high; a year without a figure has both ends of its range."""
    births = tables["births"]
    yield from in_order(births, "births", ("low_10k", "births_10k", "high_10k"))
    for column in ("low_10k", "high_10k"):
        for row in _rows(births["births_10k"].isna() & births[column].isna()):
            yield Broken("births", row, column, "range_end")


@rule("uncertainties")
def uncertain_in_order(tables: Tables) -> Iterator[Broken]:
    """low ≤ mode ≤ high where a range stands in the registry of uncertainties itself."""
    yield from in_order(tables["uncertainties"], "uncertainties", ("low", "mode", "high"))


def adds_up(
    table: pd.DataFrame, registry: str, key: str, column: str, wanted: float = 1, tolerance: float = SUM_TOLERANCE
) -> Iterator[Broken]:
    """The values of each ``key`` add up to ``wanted`` (told at the last row of the group)."""
    for name, total in table.groupby(key, sort=True)[column].sum().items():
        if abs(total - wanted) > tolerance:
            last = int(np.flatnonzero(table[key] == name)[-1])
            words: dict[str, object] = {"group": name, "total": f"{total:.6g}", "wanted": f"{wanted:g}"}
            fix = _remainder(float(table[column].iloc[last]), float(total), wanted)
            yield Broken(registry, last, column, "shares_total", words, fix=fix)


def _remainder(value: float, total: float, wanted: float) -> str:
    """What the last value of a group would have to be ("" if that is below 0)."""
    rest = value + wanted - total
    return f"{rest:.6g}" if rest >= 0 else ""


@rule("team_deployment", "service_teams")
def deployment_adds_up(tables: Tables) -> Iterator[Broken]:
    """The shares of an institution's services over the cities add up to 1 (or are all 0 where it has no teams)."""
    table, teams = tables["team_deployment"], tables["service_teams"]
    idle = set(teams.loc[teams["teams"] == 0, "moe_code"]) - set(table.loc[table["share"] > 0, "moe_code"])
    for broken in adds_up(table, "team_deployment", "moe_code", "share"):
        if broken.words["group"] not in idle:
            yield broken


@rule("monthly_indices")
def months_of_indices(tables: Tables) -> Iterator[Broken]:
    """An index has twelve months with the mean 1."""
    table = tables["monthly_indices"]
    yield from _all_months(table.groupby("index_id", sort=True)["month"].nunique(), table, "index_id")
    yield from adds_up(table, "monthly_indices", "index_id", "value", MONTHS, INDEX_TOLERANCE)


def _all_months(counts: pd.Series, table: pd.DataFrame, key: str) -> Iterator[Broken]:
    for name, count in counts.items():
        if count != MONTHS:
            last = int(np.flatnonzero(table[key] == name)[-1])
            yield Broken("monthly_indices", last, "month", "months_missing", {"group": name, "count": int(count)})


@rule("training_calendar")
def months_of_calendar(tables: Tables) -> Iterator[Broken]:
    """The calendar has twelve months, and the trainers' index has the mean 1."""
    table = tables["training_calendar"]
    if len(table) != MONTHS:
        words: dict[str, object] = {"group": "training_calendar", "count": len(table)}
        yield Broken("training_calendar", None, "month", "months_missing", words)
    total = float(table["trainer_index"].sum())
    if len(table) == MONTHS and abs(total - MONTHS) > INDEX_TOLERANCE:
        words = {"group": "training_calendar", "total": f"{total:.6g}", "wanted": f"{MONTHS}"}
        last = float(table["trainer_index"].iloc[-1])
        fix = _remainder(last, total, MONTHS)
        yield Broken("training_calendar", MONTHS - 1, "trainer_index", "shares_total", words, fix=fix)


@rule("counties")
def shares_of_residents(tables: Tables) -> Iterator[Broken]:
    """The shares of residents with a hukou elsewhere do not exceed 1 together; age groups are those of 0 to 14."""
    table = tables["counties"]
    parts = ["share_hukou_other_township", "share_hukou_other_county", "share_hukou_other_province"]
    total = table[parts].sum(axis=1)
    for row in _rows(total > 1 + SUM_TOLERANCE):
        yield Broken("counties", row, parts[-1], "shares_exceed", {"total": f"{total.iloc[row]:.6g}"})
    ages = table[["age_0", "age_1_4", "age_5_9", "age_10_14"]].sum(axis=1)
    for row in _rows((ages - table["age_0_14"]).abs() > 0.005 * table["age_0_14"]):
        found = f"{ages.iloc[row]:g}"
        yield Broken("counties", row, "age_0_14", "ages_differ", {"total": found}, fix=found)


@rule("migrant_calibration")
def parts_of_calibration(tables: Tables) -> Iterator[Broken]:
    """Pupils of both stages add up to the migrant children, and the public share is that of the numbers beside it."""
    table = tables["migrant_calibration"]
    total = table["migrant_primary"] + table["migrant_junior"]
    for row in _rows((total - table["migrant_children"]).abs() > 1):
        found = f"{total.iloc[row]:g}"
        yield Broken("migrant_calibration", row, "migrant_children", "parts_total", {"total": found}, fix=found)
    share = table["in_public_schools"] / table["migrant_children"].where(table["migrant_children"] > 0)
    for row in _rows((share - table["public_share"]).abs() > 5e-4):
        found = f"{share.iloc[row]:.6g}"
        yield Broken("migrant_calibration", row, "public_share", "share_differs", {"found": found}, fix=found)


@rule("patents")
def parts_of_patents(tables: Tables) -> Iterator[Broken]:
    """Patents inventoried or on trial lists are among the stock of their institution."""
    table = tables["patents"]
    for column in ("inventoried", "listed"):
        for row in _rows(table[column] > table["stock"]):
            yield Broken("patents", row, column, "part_exceeds", {"limit": f"{table['stock'].iloc[row]:g}"})


@rule("tier_rules")
def tiers_in_order(tables: Tables) -> Iterator[Broken]:
    """The lower line of a tier lies below its upper line."""
    table = tables["tier_rules"]
    for row in _rows(table["minimum_points"] >= table["below_points"]):
        words: dict[str, object] = {"other": "below_points", "limit": f"{table['below_points'].iloc[row]:g}"}
        yield Broken("tier_rules", row, "minimum_points", "not_below", words)


@rule("location_kinds")
def capacity_of_kinds(tables: Tables) -> Iterator[Broken]:
    """What a facility must serve at least is within its capacity."""
    table = tables["location_kinds"]
    for row in _rows(table["minimum_served"] > table["capacity"]):
        words: dict[str, object] = {"other": "capacity", "limit": f"{table['capacity'].iloc[row]:g}"}
        yield Broken("location_kinds", row, "minimum_served", "more_than", words)
