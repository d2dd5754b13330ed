"""How the published counts of a seat plan hang together: what anybody knows who reads its tables side by side.

Children of a county and year are local or migrant, placed or not; stages add up to counties, counties to the province;
a row that a table leaves out says nought; money is a price times a count; classes are children divided by their size.
:mod:`zjsim.models.seat_publication` gives these relations to a reader with a solver and hides what he would find.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from zjsim.solve.disclosure import Relations
from zjsim.tables.published import TABLES

Key = tuple[Any, ...]
Tables = Mapping[str, pd.DataFrame]

DEMAND = ("demand", "local", "migrant", "guaranteed", "eligible")
"""Counts that follow from the inputs alone: hidden alike whatever the plan, so that two plans tell no more than one."""
SENIOR = ("leavers_local", "leavers_migrant", "leavers_permit", "senior_places_wanted", "entrants_eligible")
SHORT = {"local_without_seat": "local_unplaced", "covered_without_place": "unplaced"}
"""Rules of ``seat_shortfalls`` whose amounts add up to a column of ``seat_expansion``."""
PROVINCE = ""
"""Stands for the county in keys of the province."""


class Counts:
    """The counts of a plan: an unknown for each, its exact value, the cells that show it, and the relations.

    A count with a value and without a cell is known to readers of other tables unless it is hidden.
    """

    def __init__(self) -> None:
        self.known = Relations()
        self.values: dict[int, float] = {}
        self.of: dict[Key, int] = {}

    def unknown(self, *key: Any) -> int:
        """The unknown of a count, by what it is, county, year and stage."""
        if key not in self.of:
            self.of[key] = self.known.unknown()
        return self.of[key]

    def show(self, table: str, row: int, column: str, value: float, *key: Any) -> int:
        """A cell shows the count ``key``."""
        u = self.unknown(*key)
        self.known.cells[table, row, column] = u
        self.values[u] = float(value)
        return u

    def within(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Parts that are at most their wholes, if that holds for all of them (then a reader knows the rule)."""
        listed = list(pairs)
        if all(self.values[a] <= self.values[b] for a, b in listed):
            for part, whole in listed:
                self.known.within(part, whole)


def counts_of(tables: Tables, prices: Mapping[tuple[str, str], float], step: float) -> Counts:
    """Every count of the published tables with what is known of them together.

    ``prices``: yuan of a purchased place by county and stage; ``step``: what spending on purchases is rounded to.
    """
    c = Counts()
    demand(c, tables)
    _plan(c, tables["seat_expansion"])
    stages = _stages(c, tables, prices, step)
    if "seat_shortfalls" in tables:
        _shortfalls(c, tables["seat_shortfalls"], stages)
    if "seat_repairs" in tables:
        _repairs(c, tables, stages)
    if "seat_rule_repairs" in tables:
        t = tables["seat_rule_repairs"]
        for row, code, rule, places in zip(t.index, t["county_code"], t["rule"], t["places_missing"], strict=True):
            c.show("seat_rule_repairs", row, "places_missing", places, "rule_places", code, rule)
    if "seat_summary" in tables:
        _province(c, tables["seat_summary"])
    return c


def demand(c: Counts, tables: Tables) -> None:
    """Children by county and year as the inputs have them, and those who leave or enter."""
    t: Any = tables["seat_expansion"]
    for row, code, year in _rows(t):
        for column in DEMAND:
            c.show("seat_expansion", row, column, t.at[row, column], column, code, year)
        c.known.adds_up(c.of["demand", code, year], [c.of["local", code, year], c.of["migrant", code, year]])
        # Those without a guarantee stand in no cell, but every plan says where they are: one plan or another tells
        # their number unless it is hidden, and what it tells then holds for all plans.
        others = c.unknown("not_guaranteed", code, year)
        c.values[others] = float(t.at[row, "migrant"] - t.at[row, "guaranteed"])
        c.known.adds_up(c.of["migrant", code, year], [c.of["guaranteed", code, year], others])
    at = [(code, year) for _, code, year in _rows(t)]
    for column in DEMAND:
        for each in sorted({y for _, y in at}):
            parts = [c.of[column, code, y] for code, y in at if y == each]
            whole = c.unknown(column, PROVINCE, each)
            c.values[whole] = math.fsum(c.values[u] for u in parts)
            c.known.adds_up(whole, parts)
    for part, of in (("guaranteed", "migrant"), ("eligible", "migrant"), ("eligible", "guaranteed")):
        c.within((c.of[part, *k], c.of[of, *k]) for k in at)
    c.within((c.of["guaranteed", *k], c.of["eligible", *k]) for k in at)
    if "seat_senior" not in tables:
        return
    t = tables["seat_senior"]
    for row, code, year in _rows(t):
        for column in SENIOR:
            c.show("seat_senior", row, column, t.at[row, column], column, code, year)
        parts = [c.of["leavers_local", code, year], c.of["leavers_migrant", code, year]]
        c.known.adds_up(c.of["senior_places_wanted", code, year], parts)
    at = [(code, year) for _, code, year in _rows(t)]
    c.within((c.of["leavers_permit", *k], c.of["leavers_migrant", *k]) for k in at)
    # Leavers of a year are children of the year before.
    for part, of, back in (
        ("leavers_local", "local", 1),
        ("leavers_migrant", "migrant", 1),
        ("leavers_permit", "guaranteed", 1),
        ("entrants_eligible", "eligible", 0),
    ):
        pairs = [(c.of[part, code, y], c.of.get((of, code, y - back))) for code, y in at]
        c.within((a, b) for a, b in pairs if b is not None)


def _rows(t: Any) -> list[tuple[int, str, int]]:
    return [(int(i), str(k), int(y)) for i, k, y in zip(t.index, t["county_code"], t["year"], strict=True)]


def _plan(c: Counts, t: Any) -> None:
    """Where the children of a county and year are: in public seats, purchased places, elsewhere, nowhere."""
    columns = [k for k in (*TABLES["seat_expansion"].counts, *TABLES["seat_expansion"].beside) if k not in DEMAND]
    for row, code, year in _rows(t):
        own = {k: c.show("seat_expansion", row, k, t.at[row, k], k, code, year) for k in columns}
        local, migrant, covered = (c.of[k, code, year] for k in ("local", "migrant", "guaranteed"))
        c.known.adds_up(local, [own["placed_local"], own["local_unplaced"]])
        c.known.adds_up(covered, [own["placed_public"], own["placed_purchased"], own["unplaced"]])
        c.known.adds_up(migrant, [covered, own["placed_public_other"], own["others_outside_public"]])
        seats = float(t.at[row, "public_seats"])
        filled = ("placed_local", "placed_public", "placed_public_other", "empty_seats")
        c.known.between(((own[k], 1.0) for k in filled), seats, seats)


def _stages(
    c: Counts, tables: Tables, prices: Mapping[tuple[str, str], float], step: float
) -> dict[tuple[str, int], list[str]]:
    """Purchased places of a county and year by stage, and what they cost: the price times the places, rounded."""
    found: dict[tuple[str, int], list[str]] = {}
    t: Any = tables["seat_rooms"]
    spent: dict[tuple[str, int], float] = {}
    for (row, code, year), stage in zip(_rows(t), t["stage"].astype(str), strict=True):
        c.show("seat_rooms", row, "purchased", t.at[row, "purchased"], "placed_purchased", code, year, stage)
        found.setdefault((code, year), []).append(stage)
        spent[code, year] = spent.get((code, year), 0.0) + float(t.at[row, "purchase_cost_yuan"])
    for (code, year), stages in found.items():
        bought = [c.of["placed_purchased", code, year, s] for s in stages]
        c.known.adds_up(c.of["placed_purchased", code, year], bought)
        price = [prices.get((code, s), 0.0) for s in stages]
        if most := max(price):
            told = rounded(spent[code, year], step)
            terms = [(u, p / most) for u, p in zip(bought, price, strict=True)]
            c.known.between(terms, (told - step / 2) / most, (told + step / 2) / most)
    return found


def rounded(yuan: float, step: float) -> float:
    """The nearest multiple of ``step``."""
    return math.floor(yuan / step + 0.5) * step


def _shortfalls(c: Counts, t: Any, stages: Mapping[tuple[str, int], list[str]]) -> None:
    """Amounts by stage add up to the county's; where a rule has no row for a stage there is nothing."""
    listed = zip(_rows(t), t["stage"].astype(str), t["rule"].astype(str), t["unit"].astype(str), strict=True)
    for (row, code, year), stage, rule, unit in listed:
        if unit != "children" or rule in FALLS:
            continue
        what = SHORT.get(rule, "placed_purchased" if rule == "bought_with_idle_rooms" else rule)
        u = c.show("seat_shortfalls", row, "amount", t.at[row, "amount"], what, code, year, stage)
        c.known.between([(u, 1.0)], 1.0, math.inf)
        if rule == "moved_too_far":
            c.within([(u, c.of["demand", code, year])])
    for (code, year), own in stages.items():
        for what in SHORT.values():
            parts = []
            for s in own:
                if (what, code, year, s) not in c.of:
                    c.known.nothing(c.unknown(what, code, year, s))
                parts.append(c.of[what, code, year, s])
            c.known.adds_up(c.of[what, code, year], parts)


FALLS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "public_share_fall": tuple(
        (k, back) for k in ("placed_public", "placed_public_other", "migrant") for back in (0, 1)
    ),
    "indicator_short": tuple((k, 0) for k in ("placed_public", "placed_public_other", "placed_purchased", "migrant")),
    "private_above_cap": tuple((k, 0) for k in ("placed_public", "placed_public_other", "unplaced", "demand")),
}
"""Rules whose amounts are no count but a share times children: the counts (and years back) they are computed from."""


def _repairs(c: Counts, tables: Tables, stages: Mapping[tuple[str, int], list[str]]) -> None:
    """What is short without the plan, with it, and what a repair purchases, by stage; no row says nothing is short."""
    t: Any = tables["seat_repairs"]
    for (row, code, year), stage in zip(_rows(t), t["stage"].astype(str), strict=True):
        k = (code, year, stage)
        c.show("seat_repairs", row, "short_without_plan", t.at[row, "short_without_plan"], "without_plan", *k)
        c.show("seat_repairs", row, "placed_purchased", t.at[row, "placed_purchased"], "placed_purchased", *k)
        c.show("seat_repairs", row, "places_missing", t.at[row, "places_missing"], "repair_places", *k)
        still = c.show("seat_repairs", row, "still_short", t.at[row, "still_short"], "still_short", *k)
        c.known.adds_up(still, [c.unknown(what, *k) for what in SHORT.values()])
    usable = _seats_per_class(tables)
    base = tables["seat_classes"].groupby(["county_code", "year", "stage"])["classes_base"].sum()
    for (code, year), own in stages.items():
        parts = [(c.unknown("without_plan", code, year, s), -1.0) for s in own]
        for u, _ in parts:
            if u not in c.values:
                c.known.nothing(u)
        if all((code, s) in usable for s in own):
            # Children beyond today's classes are short, in whatever grade.
            seats = math.fsum(float(base[code, year, s]) * usable[code, s] for s in own)
            children = [(c.of[k, code, year], 1.0) for k in ("local", "guaranteed")]
            c.known.between([*children, *parts], -math.inf, seats)


def _seats_per_class(tables: Tables) -> dict[tuple[str, str], float]:
    """Seats of a class by county and stage, which seats and classes of the tables give away."""
    t: Any = tables["seat_classes"]
    open_ = t[t["classes"] > 0]
    per = (open_["public_seats"] / open_["classes"]).groupby([open_["county_code"], open_["stage"]]).max()
    return {(str(code), str(stage)): float(v) for (code, stage), v in per.to_dict().items()}


def _province(c: Counts, t: Any) -> None:
    """Counties add up to the province."""
    rule = TABLES["seat_summary"]
    codes: dict[int, list[str]] = {}
    for code, year in [k[1:] for k in c.of if len(k) == 3 and k[0] == "demand" and k[1] != PROVINCE]:
        codes.setdefault(year, []).append(code)
    for row, year in zip(t.index, t["year"], strict=True):
        for column in (*rule.counts, *rule.beside):
            whole = c.show("seat_summary", int(row), column, t.at[row, column], column, PROVINCE, int(year))
            if column not in DEMAND:
                c.known.adds_up(whole, [c.of[column, code, int(year)] for code in codes[int(year)]])
