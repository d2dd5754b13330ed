"""Whether the tables of a placement agree with each other and with the registries, without looking at any one claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
_KEY = "placement.audit."


def keyed(table: pd.DataFrame, keys: list[str], value: str = "children") -> dict[tuple[Any, ...], int]:
    """Whole numbers of a column by key."""
    return dict(zip(table[keys].itertuples(index=False, name=None), table[value].astype(int).tolist(), strict=True))


def sums(plan: Tables, tables: Tables, year: int, codes: set[str]) -> Iterator[Finding]:
    """The tables agree with the groups: by school and tier, by county and tier, by grade; local children untouched."""
    groups = plan["placement_groups"]
    placed = groups[groups["school_id"] != ""]
    keys = ["mode", "county_code", "school_id", "kind", "grade", "tier"]
    counts = placed.groupby(keys)["children"].sum()
    if counts.to_dict() != plan["placement"].set_index(keys)["children"].to_dict():
        yield finding("placement_sums", _KEY + "sums", table="placement")
    keys = ["mode", "county_code", "grade"]
    without = groups.assign(n=groups["children"].where(groups["school_id"] == "", 0)).groupby(keys)["n"].sum()
    table = plan["placement_unplaced"].set_index(keys)
    # A grade whose groups are all empty has a row, but no group got anything.
    same = set(without.index) <= set(table.index)
    if not same or (without.reindex(table.index, fill_value=0) != table["unplaced"]).any():
        yield finding("placement_sums", _KEY + "sums", table="placement_unplaced")
    modes = table.index.get_level_values("mode")
    if "utilitarian" in modes:
        best = table.xs("utilitarian")
        needed = best["unplaced"] - best["without_school"]
        if any((table.xs(m)["seats_needed"] != needed).any() for m in set(modes)):
            yield finding("placement_sums", _KEY + "sums", table="placement_unplaced")
    yield from _needed(plan)
    yield from _difference(groups, plan["placement_difference"])
    fair = plan["placement_fairness"].set_index(["mode", "county_code", "who"])
    expected: Counter[tuple[Any, ...]] = Counter()
    what = groups["kind"].where(groups["kind"] != "", "unplaced")
    by = [groups["mode"], groups["county_code"], groups["tier"], what]
    key: Any
    for key, n in groups["children"].groupby(by).sum().items():
        mode, code, tier, kind = key
        for who in ("migrant", f"tier_{tier}"):
            for k in ("public", "purchased", "self_paid", "unplaced"):
                expected[mode, code, who, k] += 0
            expected[mode, code, who, kind] += int(n)
            expected[mode, code, who, "children"] += int(n)
    grades = tables["school_grades"]
    grades = grades[(grades["year"] == year) & grades["county_code"].isin(codes)]
    for code, n in grades.groupby("county_code")["taken_local"].sum().items():
        for mode in dict.fromkeys(groups["mode"]):
            expected[mode, code, "local", "public"] = int(n)
    wrong = {key[:3] for key, value in expected.items() if _cell(fair, key) != value}
    for mode, code, who in sorted(wrong):
        yield finding("placement_fairness", _KEY + "fairness", mode=mode, county=code, who=who)


def _needed(plan: Tables) -> Iterator[Finding]:
    """The seats needed, school by school, are as many as the smallest number of each grade."""
    keys = ["county_code", "grade"]
    table = plan["placement_unplaced"]
    best = table[table["mode"] == "utilitarian"].set_index(keys)["seats_needed"]
    told = plan["placement_seats_needed"].groupby(keys)["seats"].sum().reindex(best.index, fill_value=0)
    if (told != best).any():
        yield finding("placement_sums", _KEY + "sums", table="placement_seats_needed")


def _difference(groups: pd.DataFrame, told: pd.DataFrame) -> Iterator[Finding]:
    """Who does better by claims and who by goals, child by child in the order of each group, is as stated."""
    choices: dict[str, dict[str, list[float]]] = {}
    columns = ["mode", "group_id", "choice", "children"]
    for mode, name, choice, n in groups[columns].itertuples(index=False, name=None):
        choices.setdefault(name, {}).setdefault(mode, []).extend([choice or float("inf")] * n)
    counted: Counter[tuple[Any, ...]] = Counter()
    keys = groups[["group_id", "county_code", "grade", "tier"]].drop_duplicates("group_id")
    if groups["mode"].nunique() == 2:
        for name, *front in keys.itertuples(index=False, name=None):
            pair = (sorted(choices[name].get(m, [])) for m in ("priority", "utilitarian"))
            for a, b in zip(*pair, strict=False):
                kind = "equal" if a == b else "better_by_claims" if a < b else "better_by_goals"
                counted[(*front, kind)] += 1
    kinds = ("better_by_claims", "equal", "better_by_goals")
    stated = {(*key, k): n for k in kinds for key, n in keyed(told, ["county_code", "grade", "tier"], k).items() if n}
    if stated != dict(counted):
        yield finding("placement_sums", _KEY + "sums", table="placement_difference")


def _cell(table: Any, key: tuple[Any, ...]) -> int | None:
    return int(table.at[key[:3], key[3]]) if key[:3] in table.index else None


def newcomers(groups: pd.DataFrame, tables: Tables, year: int, parameters: Any) -> Iterator[Finding]:
    """A younger newcomer follows the school where the eldest of its family was placed, where the rule is in force."""
    p = parameters.placement
    registry = tables["child_groups"]
    registry = registry[(registry["year"] == year) & (registry["family_id"] != "")]
    force = tables["sibling_rule"]
    asked = set(force.loc[force["in_force"].astype(bool), "county_code"])
    family = dict(zip(registry["group_id"], registry["family_id"], strict=True))
    for mode, rows in groups[groups["group_id"].isin(family) | (groups["follows_school"] != "")].groupby("mode"):
        rows = rows.assign(left=rows["choice"] == 0)
        rows = rows.sort_values(["grade", "group_id", "left", "choice"], ascending=[False, True, True, True])
        eldest: dict[str, tuple[int, str]] = {}
        for r in rows.to_dict("records"):
            name = family.get(r["group_id"], "")
            on = p.joint_newcomers and p.sibling_reading != "off"
            on = on and (p.sibling_scope == "everywhere" or r["county_code"] in asked)
            grade, school = eldest.get(name, (r["grade"], ""))
            expected = school if on and name and grade > r["grade"] else ""
            if r["follows_school"] not in ("", expected):
                yield finding("placement_newcomers", _KEY + "newcomers", mode=mode, group=r["group_id"])
            if name and r["school_id"]:
                eldest.setdefault(name, (r["grade"], r["school_id"]))
