"""A run's tables about children for publication: small counts hidden, and with them whatever would give them away.

What columns count is declared in :mod:`zjsim.tables.published`, how counts hang together in
:mod:`zjsim.models.seat_relations`. Counts that follow from the inputs alone are hidden first and alike for every
plan on these inputs, and where a scenario's parents hide one it stays hidden (M108, M110): two runs tell no more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from zjsim.models.seat_relations import (
    DEMAND,
    FALLS,
    PROVINCE,
    SENIOR,
    SHORT,
    Counts,
    Key,
    Tables,
    counts_of,
    demand,
    rounded,
)
from zjsim.models.share_publication import published_shares

from zjsim.solve.disclosure import LEAST_WIDTH, CannotConceal, conceal
from zjsim.tables.published import (
    ABOUT_CHILDREN,
    INPUT_CHANGES,
    SHARES,
    SUPPRESSED,
    TABLES,
    counts_children,
    is_published,
)
from zjsim.texts import LANGUAGES, Language, catalogue, text

_WIDTH = LEAST_WIDTH + 1
"""Wider by one than what is promised: a row that stands although its amount is hidden tells that it is not nought."""
_PLACES = 20
"""Spending on purchases is rounded to at least so many places."""
_MANY_CELLS = 500
"""Sums of changed inputs over fewer cells stay inside."""


NEEDED = frozenset({"seat_expansion", "seat_rooms", "seat_classes"})
"""Tables without which no count of children is published."""


class NotProtected(Exception):  # noqa: N818 - says what is so
    """A small count is told whatever is hidden; ``places``: county code and year of such counts, sorted."""

    def __init__(self, counts: Counts, told: Collection[int]) -> None:
        gone = set(told)
        # A count is named by what it is, county, year (and stage); the repair of a rule has no year.
        found = {k[1:3] if not isinstance(k[2], str) else k[1:2] for k, u in counts.of.items() if u in gone}
        self.places = tuple(sorted(" ".join(map(str, place)).strip() for place in found))
        super().__init__(", ".join(self.places))


@dataclass(frozen=True)
class Hidden:
    """What is hidden of a plan: keys of counts, and cells (table, row, column)."""

    keys: frozenset[Key]
    cells: frozenset[tuple[str, int, str]]


def published_tables(
    tables: Tables,
    *,
    minimum: int,
    prices: Mapping[tuple[str, str], float],
    before: Sequence[Tables] = (),
    no_counts: bool = False,
) -> dict[str, pd.DataFrame]:
    """The tables of a run that go out, in the form in which they do; those about children with what is hidden emptied.

    ``minimum``: smaller counts are hidden. ``prices``: yuan of a purchased place by county and stage. ``before``: the
    demand (:func:`demand_tables`) of every scenario that this one builds on. Raises :class:`NotProtected` where nothing
    that could be hidden protects a small count; with ``no_counts`` no count of children goes out at all.
    """
    shown = {n: t for n, t in tables.items() if is_published(n) and not n.startswith(ABOUT_CHILDREN)}
    if INPUT_CHANGES in shown:
        shown[INPUT_CHANGES] = changes_without_children(shown[INPUT_CHANGES])
    shares = shown.pop(SHARES, None)
    own = {n: t.reset_index(drop=True) for n, t in tables.items() if n in TABLES}
    if not own.keys() >= NEEDED:
        # Not enough to say what counts tell of each other: none of them goes out.
        shown |= {n: t[[c for c in t.columns if c in TABLES[n].plain]] for n, t in own.items()}
    else:
        step = money_step(prices)
        if no_counts:
            # A row of these tables says by itself that somebody is short.
            own |= {n: own[n].iloc[:0] for n in _SENTENCES if n in own}
            hides = everything(own)
        else:
            hides = hidden(own, minimum=minimum, prices=prices, before=before)
        shown |= {n: _published(n, own, hides) for n in own}
        if shares is not None:
            shown[SHARES] = published_shares(shares, own["seat_expansion"], hides.keys, minimum)
        _round_money(shown, own, step)
        _say(shown, own, hides)
    return shown


def money_step(prices: Mapping[tuple[str, str], float]) -> float:
    """What yuan with purchases in them are rounded to: 1, 2 or 5 times a power of ten, worth ten places or more."""
    wanted = _PLACES * max(prices.values(), default=0.0)
    if wanted <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(wanted) + 1e-9)
    return next(size * k for k in (1, 2, 5, 10) if size * k >= wanted * (1 - 1e-9))


def everything(tables: Tables) -> Hidden:
    """Every count hidden. What stays is classes, seats and building, and purchases rounded to twenty places or more:
    without any count beside them they tell none closer than a class or ten places."""
    c = counts_of(tables, {}, 1.0)
    return Hidden(frozenset(c.of), frozenset(c.known.cells))


def hidden(
    tables: Tables, *, minimum: int, prices: Mapping[tuple[str, str], float], before: Sequence[Tables] = ()
) -> Hidden:
    """Every small count, and further ones until none of them can be told closer than promised."""
    c = counts_of(tables, prices, money_step(prices))
    kept = {u for k, u in c.of.items() if k[0] in (*DEMAND, *SENIOR, "not_guaranteed")}
    dark = {c.of[k] for parent in (tables, *before) for k in hidden_demand(parent, minimum) if k in c.of}
    dark |= {u for u in _small(c, minimum) if u not in kept}
    try:
        dark = conceal(c.known, c.values, dark, _order(c), least=_WIDTH, kept=kept, late=_wholes(c), release=True)
    except CannotConceal as told:
        raise NotProtected(c, told.unknowns) from told
    keys = frozenset(k for k, u in c.of.items() if u in dark)
    return Hidden(keys, frozenset(cell for cell, u in c.known.cells.items() if u in dark))


def hidden_demand(tables: Tables, minimum: int) -> set[Key]:
    """Counts of the demand alone that are hidden, whatever the plan: by what, county and year."""
    c = Counts()
    demand(c, tables)
    try:
        dark = conceal(c.known, c.values, _small(c, minimum), _order(c), least=2 * _WIDTH)
    except CannotConceal as told:
        raise NotProtected(c, told.unknowns) from told
    return {k for k, u in c.of.items() if u in dark}


def _small(c: Counts, minimum: int) -> set[int]:
    """Counts below the minimum cell; empty seats are none."""
    seats = {u for k, u in c.of.items() if k[0] == "empty_seats"}
    return {u for u, v in c.values.items() if 0 < v < minimum and u not in seats}


def _wholes(c: Counts) -> set[int]:
    """The province's counts: a second county is hidden rather than a sum that everybody looks for."""
    return {u for k, u in c.of.items() if k[1] == PROVINCE}


def _order(c: Counts) -> Callable[[int], tuple[float, ...]]:
    """What is hidden first to protect another: the smallest, noughts last (they protect little)."""
    return lambda u: (float(c.values[u] == 0), c.values[u])


def demand_tables(scenario_demand: pd.DataFrame, covered: str, years: Collection[int]) -> dict[str, pd.DataFrame]:
    """``seat_expansion`` and ``seat_senior``, as far as they say the demand, from the registry ``seat_demand``.

    ``covered``: column of the children whom the coverage reading guarantees a place.
    """
    names = ["local_children", "migrant_children", "permit_holders", "eligible_children"]
    t = scenario_demand
    whole = t[t["year"].isin(years)].groupby(["county_code", "year"], as_index=False)[names].sum()
    expansion = whole[["county_code", "year"]].assign(
        demand=whole["local_children"] + whole["migrant_children"],
        local=whole["local_children"],
        migrant=whole["migrant_children"],
        guaranteed=whole[covered],
        eligible=whole["eligible_children"],
    )
    left = t[t["grade"] == 9].assign(year=t["year"] + 1).set_index(["county_code", "year"])[names]
    entered = t[t["grade"].isin((1, 7))].groupby(["county_code", "year"])["eligible_children"].sum()
    at = pd.MultiIndex.from_frame(whole[["county_code", "year"]])
    left = left.reindex(at, fill_value=0).reset_index()
    senior = left[["county_code", "year"]].assign(
        leavers_local=left["local_children"],
        leavers_migrant=left["migrant_children"],
        leavers_permit=left["permit_holders"],
        senior_places_wanted=left["local_children"] + left["migrant_children"],
        entrants_eligible=entered.reindex(at, fill_value=0).to_numpy(),
    )
    return {"seat_expansion": expansion, "seat_senior": senior}


def _published(name: str, own: Tables, hides: Hidden) -> pd.DataFrame:
    """A table without what stays inside, hidden cells empty, and in each row the names of the hidden columns."""
    rule, table = TABLES[name], own[name]
    gone: dict[int, list[str]] = {}
    masks: dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for column in rule.hideable:
        if column in rule.follows:
            masks[column] = np.any([masks[k] for k in rule.follows[column]], axis=0)
        else:
            masks[column] = np.array([(name, i, column) in hides.cells for i in range(len(table))], dtype=bool)
        if name == "seat_shortfalls":
            masks[column] = masks[column] | np.array(_falls_hidden(table, hides), dtype=bool)
        if name == "seat_rule_repairs" and column == "amount":
            masks[column] = np.array(_rules_hidden(table, hides), dtype=bool)
        if column == "places_missing":  # what a repair purchases is often just what is short
            masks[column] = masks[column] | masks["still_short" if name == "seat_repairs" else "amount"]
        for i in np.flatnonzero(masks[column]).tolist():
            gone.setdefault(i, []).append(column)
    result: pd.DataFrame = table[[c for c in table.columns if c in rule.declared and c not in rule.withheld]].copy()
    for column, mask in masks.items():
        if mask.any():
            result[column] = result[column].astype("float64").mask(mask)
    if rule.hideable:
        order = {c: k for k, c in enumerate(table.columns)}
        words = [";".join(sorted(gone.get(i, ()), key=order.__getitem__)) for i in range(len(table))]
        result[SUPPRESSED] = pd.Series(words, index=result.index, dtype=object)
    return result


def _falls_hidden(t: pd.DataFrame, hides: Hidden) -> list[bool]:
    """Rows of ``seat_shortfalls`` with an amount computed from counts of which one is hidden."""
    listed = zip(t["county_code"], t["year"], t["rule"], strict=True)
    return [
        any((what, str(code), int(year) - back) in hides.keys for what, back in FALLS.get(str(rule), ()))
        for code, year, rule in listed
    ]


def _rules_hidden(t: pd.DataFrame, hides: Hidden) -> list[bool]:
    """Rows of ``seat_rule_repairs`` with an amount in children: shown only as a sum of counts that are all shown."""
    dark = {(k[0], k[1]) for k in hides.keys if len(k) >= 3}
    listed = zip(t["county_code"], t["rule"], t["unit"], t["amount"], strict=True)
    return [
        unit != "yuan" and bool(amount) and (str(rule) not in SHORT or (SHORT[str(rule)], str(code)) in dark)
        for code, rule, unit, amount in listed
    ]


def _round_money(shown: dict[str, pd.DataFrame], own: Tables, step: float) -> None:
    """Spending on purchases by county and year rounded to ``step``; sums of it and overruns are made from that."""
    t = own["seat_expansion"]
    purchases = t["purchase_cost_yuan"].map(lambda yuan: rounded(yuan, step))
    building = t[["capital_cost_yuan", "equip_cost_yuan", "running_cost_yuan"]].sum(axis=1)
    cost = (building + purchases).round(2)
    money = {
        "purchase_cost_yuan": purchases,
        "cost_yuan": cost,
        "overrun_yuan": (cost - t["budget_yuan"]).clip(lower=0).round(2),
    }
    shown["seat_expansion"] = shown["seat_expansion"].assign(**money)
    if "seat_summary" in shown:
        sums = shown["seat_expansion"].groupby("year")[list(money)].sum()
        years = shown["seat_summary"]["year"]
        shown["seat_summary"] = shown["seat_summary"].assign(**{k: years.map(sums[k]).round(2) for k in money})
    for name in ("seat_repairs", "seat_rule_repairs"):
        if name in shown:
            columns = {c: shown[name][c].map(lambda yuan: rounded(yuan, step)) for c in TABLES[name].rounded}
            shown[name] = shown[name].assign(**columns)
    if "seat_shortfalls" in shown:
        over = shown["seat_expansion"].set_index(["county_code", "year"])["overrun_yuan"]
        t = shown["seat_shortfalls"]
        money_rows = t["rule"] == "budget_overrun"
        amounts = [over[k] for k in zip(t.loc[money_rows, "county_code"], t.loc[money_rows, "year"], strict=True)]
        t = t.assign(amount=t["amount"].astype("float64"))
        t.loc[money_rows, "amount"] = amounts
        shown["seat_shortfalls"] = t


_SENTENCES = {
    "seat_shortfalls": tuple(
        f"seats.short.{rule}"
        for rule in (
            *("local_without_seat", "covered_without_place", "public_share_fall", "budget_overrun"),
            *("bought_with_idle_rooms", "moved_too_far", "extension_too_small", "permit_without_public_seat"),
            *("indicator_short", "private_above_cap"),
        )
    ),
    "seat_repairs": tuple(f"seats.repair.{kind}" for kind in ("met", "left", "without", "stopped")),
    "seat_rule_repairs": tuple(f"seats.rule_repair.{kind}" for kind in ("found", "budget", "none", "stopped")),
}
_FIELDS = {
    "seat_shortfalls": {"amount": "amount", "before": "amount", "share": "amount"},
    "seat_repairs": {
        "before": "short_without_plan", "bought": "placed_purchased", "still": "still_short",
        "places": "places_missing", "money": "repair_yuan",
    },
    "seat_rule_repairs": {
        "amount": "amount", "places": "places_missing", "money": "repair_yuan", "budget": "budget_missing_yuan",
    },
}  # fmt: skip
"""Fields of the sentences that say a column of their row."""


def _say(shown: dict[str, pd.DataFrame], own: Tables, hides: Hidden) -> None:
    """Sentences say what their rows show: hidden numbers become words, rounded ones are rounded."""
    for name in _SENTENCES:
        if name not in shown:
            continue
        table = shown[name]
        if name == "seat_shortfalls":
            # An overrun that rounding makes nought is none.
            table = table[(table["rule"] != "budget_overrun") | (table["amount"] > 0)].reset_index(drop=True)
        rows = table.to_dict("records")
        for lang in LANGUAGES:
            said = [_sentence(name, {str(k): v for k, v in row.items()}, lang) for row in rows]
            table = table.assign(**{f"why_{lang}": pd.Series(said, index=table.index, dtype=object)})
        shown[name] = table


def _sentence(name: str, row: Mapping[str, object], lang: Language) -> str:
    said = str(row[f"why_{lang}"])
    gone = str(row[SUPPRESSED]).split(";")
    for key in _SENTENCES[name]:
        if key not in catalogue() or (name == "seat_shortfalls" and not key.endswith(f".{row['rule']}")):
            continue
        template = text(key, lang, **{f: f"{{{f}}}" for f in _fields(key, lang)})
        found = _pattern(template).fullmatch(said)
        if found is None:
            continue
        values = dict(found.groupdict())
        for field, column in _FIELDS[name].items():
            if field not in values:
                continue
            if column in gone:
                values[field] = text("published.some", lang)
            elif field not in ("before", "share") or name != "seat_shortfalls":
                number = row[column]
                values[field] = f"{float(number):,.0f}" if isinstance(number, int | float) else values[field]
        if "purchase" in values:
            values["purchase"] = text("published.purchases", lang)
        if "zones" in values:
            values["zones"] = re.sub(r" \(\d+\)", "", values["zones"])
        return text(key, lang, **values)
    return text("published.sentence", lang)


def _fields(key: str, lang: Language) -> list[str]:
    """The names of the fields of a text."""
    return re.findall(r"\{(\w+)\}", catalogue()[key][lang])


def _pattern(template: str) -> re.Pattern[str]:
    """What matches the sentences of a template, a group for each field."""
    parts, seen = [], set[str]()
    for piece in re.split(r"(\{\w+\})", template):
        field = piece[1:-1] if re.fullmatch(r"\{\w+\}", piece) else ""
        if not field:
            parts.append(re.escape(piece))
        elif field in seen:
            parts.append(f"(?P={field})")
        else:
            seen.add(field)
            parts.append(f"(?P<{field}>.*?)")
    return re.compile("".join(parts), re.DOTALL)


def changes_without_children(changes: pd.DataFrame) -> pd.DataFrame:
    """Changed inputs: of columns that count children no single value, and sums only over many cells."""
    about = np.array(
        [counts_children(str(r), str(c)) for r, c in zip(changes["registry"], changes["column"], strict=True)],
        dtype=bool,
    )
    if not about.any():
        return changes
    few = about & (changes["cells"].to_numpy() < _MANY_CELLS)
    words = {c: changes[c].mask(about, "") for c in ("old", "new")}
    sums = {c: changes[c].astype("float64").mask(few) for c in ("old_sum", "new_sum")}
    return changes.assign(**words, **sums)
