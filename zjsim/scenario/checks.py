"""Checks across registries, and of quantities derived from them. Each rule is one small function.

A rule sees the typed tables it names and yields ``(registry, row, column, rule key, words)``; it is not run while one
of its tables has errors of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zjsim.scenario.quarters import is_quarter_end, quarter_end, quarter_of
from zjsim.tables.errors import Finding, Severity, finding

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from zjsim.scenario.parameters import Parameters
    from zjsim.tables.raw import RawTable

MOST_ROWS = 50
"""Rows that break one rule and are told one by one."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule broken at a row of a registry (row None: by the table as a whole); a ``notice`` forbids nothing.

    ``fix`` is the value that the cell probably should have.
    """

    registry: str
    row: int | None
    column: str
    rule: str
    words: dict[str, object] = field(default_factory=dict)
    severity: Severity = "error"
    fix: str = ""


Rule = Callable[[Mapping[str, "pd.DataFrame"]], Iterator[Broken]]
DatedRule = Callable[[Mapping[str, "pd.DataFrame"], "Parameters"], Iterator[Broken]]
_RULES: list[tuple[tuple[str, ...], Rule]] = []
_DATED: list[tuple[tuple[str, ...], DatedRule]] = []


def rule(*registries: str) -> Callable[[Rule], Rule]:
    """Register a check that needs the ``registries`` named."""

    def register(function: Rule) -> Rule:
        _RULES.append((registries, function))
        return function

    return register


def dated_rule(*registries: str) -> Callable[[DatedRule], DatedRule]:
    """Register a check that needs the ``registries`` named and the parameters (their as-of date, say)."""

    def register(function: DatedRule) -> DatedRule:
        _DATED.append((registries, function))
        return function

    return register


def registered_rules() -> Iterator[tuple[tuple[str, ...], str]]:
    """The registries and the name of every rule, those that need the parameters last."""
    for registries, function in (*_RULES, *_DATED):
        yield registries, str(getattr(function, "__name__", ""))


def check_scenario(
    tables: Mapping[str, pd.DataFrame],
    lines: Mapping[str, NDArray[np.int64]],
    files: Mapping[str, str],
    parameters: Parameters | None,
    raws: Mapping[str, RawTable] | None = None,
) -> list[Finding]:
    """Run every rule whose tables are there; ``files`` gives the name of each registry's file for the messages.

    With ``raws`` a cell that an override set is told where it was set.
    """
    found: list[Finding] = []
    chosen = [(registries, partial(function, tables)) for registries, function in _RULES]
    if parameters is not None:
        chosen += [(registries, partial(function, tables, parameters)) for registries, function in _DATED]
    for registries, check in chosen:
        if not all(name in tables for name in registries):
            continue
        for number, broken in enumerate(check()):
            if number == MOST_ROWS:
                more = files.get(broken.registry, broken.registry)
                found.append(finding("more_rows", more, severity=broken.severity, theme="scenario.rule"))
                break
            file = files.get(broken.registry, f"{broken.registry}.csv")
            line: int | None = None if broken.row is None else int(lines[broken.registry][broken.row])
            if raws is not None and broken.row is not None and broken.registry in raws:
                file, line = raws[broken.registry].place(broken.row, broken.column)
            value = _shown(tables[broken.registry], broken)
            found.append(
                finding(
                    broken.rule,
                    file,
                    line=line,
                    column=broken.column,
                    value=value,
                    fix=broken.fix,
                    severity=broken.severity,
                    theme="scenario.rule",
                    words=broken.words,
                )
            )
    if parameters is not None:
        found += _dates(parameters)
    return found


def _shown(table: pd.DataFrame, broken: Broken) -> str:
    if broken.row is None or broken.column not in table:
        return ""
    value: Any = table[broken.column].iloc[broken.row]
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _dates(parameters: Parameters) -> list[Finding]:
    time = parameters.time
    found: list[Finding] = []

    def late(rule: str, column: str, value: object, limit: object) -> None:
        found.append(
            finding(rule, "scenario.toml", column=column, value=str(value), theme="scenario.rule", limit=limit)
        )

    if time.as_of >= time.horizon:
        late("as_of_after_horizon", "time.as_of", time.as_of, time.horizon)
    elif not is_quarter_end(time.as_of):
        late("as_of_not_quarter_end", "time.as_of", time.as_of, quarter_end(quarter_of(time.as_of)))
    if time.seat_horizon < time.horizon.year:
        late("seat_horizon_early", "time.seat_horizon", time.seat_horizon, time.horizon.year)
    return found


def _has(table: pd.DataFrame, *columns: str) -> bool:
    return set(columns) <= set(table.columns)


def _rows(mask: Any) -> Sequence[int]:
    return [int(i) for i in np.flatnonzero(np.asarray(mask))]


@rule("targets")
def targets_in_order(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """A target begins no later than its deadline."""
    targets = tables["targets"]
    if _has(targets, "start", "deadline"):
        late = (targets["start"] > targets["deadline"]) & (targets["start"] != "") & (targets["deadline"] != "")
        for row in _rows(late):
            yield Broken("targets", row, "start", "start_after_deadline", {"limit": targets["deadline"].iloc[row]})


@rule("targets", "measures")
def one_default_reading(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """A target of the action plan has exactly one default reading; one that only another document sets has none."""
    targets, measures = tables["targets"], tables["measures"]
    if not _has(targets, "target_id", "is_default", "source_id") or not _has(measures, "source_id"):
        return
    of_plan = targets["source_id"].isin(set(measures["source_id"]))
    for target, readings in targets.groupby("target_id", sort=True):
        wanted, count = int(of_plan[readings.index].any()), int(readings["is_default"].sum())
        if count != wanted:
            words: dict[str, object] = {"target": target, "count": count, "wanted": wanted}
            yield Broken("targets", int(readings.index[-1]), "is_default", "default_readings", words)


@rule("demand_uncertainties")
def demand_uncertainties_add_up(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """low ≤ mode ≤ high; province and city have no more than the whole variance; births name their year."""
    table, name = tables["demand_uncertainties"], "demand_uncertainties"
    parts = ("share_province", "share_city")
    if not _has(table, "low", "mode", "high", "acts_on", "birth_year", *parts):
        return
    for below, above in (("low", "mode"), ("mode", "high")):
        for row in _rows(table[below] > table[above]):
            words: dict[str, object] = {"other": above, "limit": f"{table[above].iloc[row]:g}"}
            yield Broken(name, row, below, "range_order", words)
    total = table[list(parts)].sum(axis=1)
    for row in _rows(total > 1 + 1e-9):
        yield Broken(name, row, "share_city", "uncertainty_parts", {"total": f"{total.iloc[row]:g}"})
    for row in _rows((table["acts_on"] == "births") != table["birth_year"].notna()):
        yield Broken(name, row, "birth_year", "uncertainty_birth_year")


@rule("counties", "cities")
def city_of_county(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """A county's city exists, and both codes begin with the same four digits."""
    counties, cities = tables["counties"], tables["cities"]
    if not _has(counties, "county_code", "city_code") or not _has(cities, "city_code"):
        return
    prefixes = counties["county_code"].str[:4] != counties["city_code"].str[:4]
    for row in _rows(prefixes):
        yield Broken("counties", row, "city_code", "county_city_prefix", {"county": counties["county_code"].iloc[row]})


@rule("counties")
def ages_within_population(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """The age groups of a county do not exceed its population."""
    counties = tables["counties"]
    ages = [c for c in ("age_0", "age_1_4", "age_5_9", "age_10_14") if c in counties]
    if ages and "population_2020" in counties:
        total = counties[ages].sum(axis=1)
        for row in _rows(total > counties["population_2020"]):
            yield Broken("counties", row, "population_2020", "ages_exceed", {"total": f"{total.iloc[row]:g}"})


@rule("seat_demand")
def groups_within_migrant(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """Permit holders, eligible children and applicants are among the migrant children of their county and grade."""
    yield from _within(tables["seat_demand"], "seat_demand", ("permit_holders", "eligible_children", "applicants"))


@rule("migrant_calibration")
def parts_within_migrant(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """Pupils of each stage, and those in public schools, are among all migrant children of the county."""
    parts = ("migrant_primary", "migrant_junior", "in_public_schools")
    yield from _within(tables["migrant_calibration"], "migrant_calibration", parts)


def _within(table: pd.DataFrame, registry: str, parts: Sequence[str]) -> Iterator[Broken]:
    for column in parts:
        if _has(table, column, "migrant_children"):
            for row in _rows(table[column] > table["migrant_children"] + 1e-6):
                limit = f"{table['migrant_children'].iloc[row]:g}"
                yield Broken(registry, row, column, "part_exceeds", {"limit": limit})


@rule("rules", "industries")
def special_rules_complete(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """A special rule names what its kind needs, among industries that are assigned, and nothing that it ignores."""
    rules, industries = tables["rules"], tables["industries"]
    columns = ("kind", "industry_id", "moe_code", "discipline_code", "role", "paired_industry_id")
    if not _has(rules, *columns) or not _has(industries, "industry_id", "kind"):
        return
    assigned = industries[industries["kind"].isin(["provincial_cluster", "heritage"])]
    kind_of = dict(zip(assigned["industry_id"], assigned["kind"], strict=True))
    needed = {"pinned": ("industry_id", "moe_code"), "forbidden": (), "paired": ("industry_id", "paired_industry_id")}
    ignored = {"pinned": ("paired_industry_id",), "forbidden": ("paired_industry_id",), "paired": columns[2:5]}
    for row, values in enumerate(rules.loc[:, list(columns)].to_dict("records")):
        kind, industry, other = str(values["kind"]), values["industry_id"], values["paired_industry_id"]
        for column in needed.get(kind, ()):
            if not values[column]:
                yield Broken("rules", row, column, "special_needed", {"kind": kind})
        for column in ignored.get(kind, ()):
            if values[column]:
                yield Broken("rules", row, column, "special_ignored", {"kind": kind})
        if industry and industry not in kind_of:
            yield Broken("rules", row, "industry_id", "special_industry")
        elif kind == "paired" and other and (other == industry or kind_of.get(other) != kind_of.get(industry)):
            yield Broken("rules", row, "paired_industry_id", "special_pair")
        elif kind_of.get(industry) == "provincial_cluster" and values["role"] == "partner":
            yield Broken("rules", row, "role", "special_partner")
        elif kind_of.get(industry) == "heritage" and values["role"] == "support":
            yield Broken("rules", row, "role", "special_support")
        elif kind_of.get(industry) == "heritage" and values["discipline_code"]:
            yield Broken("rules", row, "discipline_code", "special_ignored", {"kind": kind})
