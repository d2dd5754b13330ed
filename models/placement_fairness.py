"""What a placement means for fairness, as tables: envy, cutoffs, shares by tier, the unplaced, values of the goals.

Everything is counted from the outcome (children per arc), nothing from how it was found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_data import KINDS, NONE, County
from zjsim.models.placement_matrix import IntArray
from zjsim.models.placement_modes import Placed
from zjsim.models.placement_rules import UNITS, base_claim, favour

_NOBODY = -1
ENVY_RULES = ("free_seat", "none", "stay", "sibling", "family")
"""Why a stronger claim was passed over: a seat was left free, no named rule, the rule to stay, the sibling rule, the
family's own wish to be together."""


def envy(placed: Placed) -> dict[str, Any]:
    """Per arc: how many children of the group would rather have its section, and by what rule they don't (or none).

    A child *envies* a section that it prefers to its own place where a seat is free, or where a child with a weaker
    claim by tier and points was admitted. If all such children are there by a named hard rule, that rule forced it.
    """
    grade, arcs = placed.grade, placed.arcs
    claim = base_claim(grade)
    worse = _worse_off(placed)
    plain, stay, sibling = (np.full(len(grade.school), _NOBODY, np.int64) for _ in range(3))
    there = placed.sent > 0
    favoured = favour(arcs, placed.reading)
    for weakest, which in ((plain, ~favoured), (stay, arcs.stays), (sibling, favoured & ~arcs.stays)):
        on = there & which
        np.maximum.at(weakest, arcs.section[on], claim[arcs.group[on]])
    s, own = arcs.section, claim[arcs.group]
    rule = np.full(len(s), _NOBODY, np.int64)
    # The strongest reason is named last and stays.
    for number, holds in (
        (ENVY_RULES.index("stay"), stay[s] > own),
        (ENVY_RULES.index("sibling"), sibling[s] > own),
        (ENVY_RULES.index("none"), plain[s] > own),
        (ENVY_RULES.index("free_seat"), placed.load[s] < grade.seats[s]),
    ):
        rule[holds & (worse > 0)] = number
    if placed.joint is not None:
        rule[(rule != _NOBODY) & placed.joint[arcs.group]] = ENVY_RULES.index("family")
    return {"children": worse, "rule": rule}


def _worse_off(placed: Placed) -> IntArray:
    """Per arc: children of its group who got a place they like less, or none."""
    arcs = placed.arcs
    through = np.concatenate([[0], np.cumsum(placed.sent)])
    total = placed.sent.astype(np.int64)
    after = through[arcs.start[arcs.group + 1]] - through[np.arange(len(total)) + 1]
    result: IntArray = (after + placed.unplaced[arcs.group]).astype(np.int64)
    return result


def envy_table(county: County, placed: Placed) -> pd.DataFrame:
    """Envy by tier of the child, section and rule (to be added up); a child counts once for each section it envies."""
    found = envy(placed)
    on = np.flatnonzero(found["rule"] != _NOBODY)
    grade, arcs = placed.grade, placed.arcs
    return pd.DataFrame(
        {
            "mode": placed.mode,
            "county_code": county.code,
            "year": county.year,
            "grade": grade.grade,
            **_section_columns(county, placed, arcs.section[on]),
            "tier": grade.tier[arcs.group[on]],
            "rule": np.array(ENVY_RULES, dtype=object)[found["rule"][on]],
            "children": found["children"][on],
        }
    )


def added(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that agree in all but their children together, sorted."""
    keys = [c for c in table.columns if c != "children"]
    return table.groupby(keys, as_index=False, sort=True)[["children"]].sum()


def _section_columns(county: County, placed: Placed, section: IntArray) -> dict[str, Any]:
    grade = placed.grade
    return {
        "school_id": county.schools.ids[grade.school[section]],
        "kind": np.array(KINDS, dtype=object)[grade.kind[section]],
    }


def placement_table(county: County, placed: Placed) -> pd.DataFrame:
    """Children placed by school, kind of seat, grade and tier (to be added up)."""
    arcs = placed.arcs
    on = np.flatnonzero(placed.sent)
    return pd.DataFrame(
        {
            "mode": placed.mode,
            "county_code": county.code,
            "year": county.year,
            **_section_columns(county, placed, arcs.section[on]),
            "grade": placed.grade.grade,
            "tier": placed.grade.tier[arcs.group[on]],
            "children": placed.sent[on],
        }
    )


def cutoff_table(county: County, placed: Placed) -> pd.DataFrame:
    """Cutoffs by section and tier: seats, admitted, the weakest points admitted by claim alone, and those turned away.

    ``points`` is empty where the tier has no order, or only children with a rule of their own (to stay, siblings) came
    in; ``turned_away`` counts children of the tier who liked the section better than what they got.
    """
    grade, arcs = placed.grade, placed.arcs
    turned_away = _worse_off(placed)
    on = np.flatnonzero((placed.sent > 0) | (turned_away > 0))
    section, group = arcs.section[on], arcs.group[on]
    plain = (placed.sent[on] > 0) & ~favour(arcs, placed.reading)[on] & (grade.points[group] != NONE)
    return pd.DataFrame(
        {
            "mode": placed.mode,
            "county_code": county.code,
            "year": county.year,
            "grade": grade.grade,
            **_section_columns(county, placed, section),
            "seats": grade.seats[section],
            "filled": placed.load[section],
            "tier": grade.tier[group],
            "admitted": placed.sent[on],
            "points": np.where(plain, grade.raw_points[group], np.nan),
            "turned_away": turned_away[on],
        }
    )


def cutoffs_together(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of :func:`cutoff_table` of one section and tier together: counts added up, the weakest points."""
    counted = {"admitted": "sum", "points": "min", "turned_away": "sum"}
    keys = [c for c in table.columns if c not in counted]
    return table.groupby(keys, as_index=False, sort=True).agg(counted)


def fairness_table(county: County, all_placed: list[Placed]) -> pd.DataFrame:
    """What local and migrant children get, migrant ones also by tier (M146).

    Local children are in the public schools before anyone is placed. ``own_first`` counts children at the school they
    like best, ``siblings`` those whose elder sibling's school was open to them, ``siblings_together`` those who got it.
    """
    tiers = sorted({t for placed in all_placed for t in placed.grade.tier.tolist()})
    rows: dict[str, dict[str, int]] = {f"tier_{t}": dict.fromkeys(_COUNTS, 0) for t in tiers}
    for placed in all_placed:
        for name, per_group in _counts_of_groups(placed).items():
            for tier in tiers:
                rows[f"tier_{tier}"][name] += int(per_group[placed.grade.tier == tier].sum())
    migrant = {name: sum(row[name] for row in rows.values()) for name in _COUNTS}
    here = dict.fromkeys(("children", "placed", "public"), county.local_children)
    local = dict.fromkeys(_COUNTS, 0) | here
    table = pd.DataFrame.from_dict({"local": local, "migrant": migrant, **rows}, orient="index")
    metres = table.pop("metres10")
    done = table["placed"].where(table["placed"] > 0)
    table["public_share"] = (table["public"] / done).round(6)
    table["mean_distance_km"] = (metres / 100 / done).where(table.index != "local").round(4)
    table = table.rename_axis("who").reset_index()
    front = {"mode": all_placed[0].mode, "county_code": county.code, "year": county.year}
    return pd.concat([pd.DataFrame(front, index=table.index), table], axis=1)


_COUNTS = ("children", "placed", "unplaced", *KINDS, "own_first", "siblings", "siblings_together", "metres10")


def _counts_of_groups(placed: Placed) -> dict[str, IntArray]:
    """Per group: its children, those placed by kind of seat, at their first choice, with siblings, and their way."""
    arcs, grade = placed.arcs, placed.grade
    kind = grade.kind[arcs.section]

    def per_group(values: IntArray) -> IntArray:
        total = np.zeros(len(grade.ids), np.int64)
        np.add.at(total, arcs.group, values)
        return total

    return {
        "children": grade.children,
        "placed": grade.children - placed.unplaced,
        "unplaced": placed.unplaced,
        **{name: per_group(placed.sent * (kind == k)) for k, name in enumerate(KINDS)},
        "own_first": per_group(placed.sent * (arcs.position == 0)),
        "siblings": grade.children * arcs.elder,
        "siblings_together": per_group(placed.sent * arcs.together),
        "metres10": per_group(placed.sent * arcs.distance),
    }


def unplaced_table(county: County, all_placed: list[Placed]) -> pd.DataFrame:
    """Children without a place by grade, and those of them to whom no school is open (no seat would help them).

    ``seats_needed`` is the smallest number of further seats that would place everyone to whom a school is open: no
    seat places more than one child, so it is the number unplaced when as many as possible are placed (utilitarian).
    """
    rows = []
    for placed in all_placed:
        closed = np.diff(placed.arcs.start) == 0
        unplaced, without = int(placed.unplaced.sum()), int(placed.unplaced[closed].sum())
        children = int(placed.grade.children.sum())
        free = int((placed.grade.seats - placed.load).sum())
        rows.append((placed.mode, county.code, county.year, placed.grade.grade, children, unplaced, without, free))
    columns = ["mode", "county_code", "year", "grade", "children", "unplaced", "without_school", "seats_left"]
    return pd.DataFrame(rows, columns=columns)


def goal_table(county: County, all_placed: list[Placed]) -> pd.DataFrame:
    """Value of every goal by grade, in the order of the goals."""
    rows = [
        (p.mode, county.code, county.year, p.grade.grade, k + 1, n, UNITS.get(n.split(".")[-1], "children"), v)
        for p in all_placed
        for k, (n, v) in enumerate(zip(p.goals, p.values, strict=True))
    ]
    columns = ["mode", "county_code", "year", "grade", "goal_order", "goal", "unit", "value"]
    return pd.DataFrame(rows, columns=columns)


def dual_table(county: County, all_placed: list[Placed]) -> pd.DataFrame:
    """What one more seat of a section adds to a goal (its unit), where that is not 0; these prices prove optimality."""
    parts = []
    for placed in all_placed:
        goal, section = np.nonzero(placed.section_price)
        parts.append(
            pd.DataFrame(
                {
                    "county_code": county.code,
                    "year": county.year,
                    "grade": placed.grade.grade,
                    **_section_columns(county, placed, section),
                    "goal_order": goal + 1,
                    "goal": np.array(placed.goals, dtype=object)[goal],
                    "price": placed.section_price[goal, section],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
