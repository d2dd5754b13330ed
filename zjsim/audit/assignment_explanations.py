"""Re-check of the tables that explain an assignment: each claim against the plan, the scores and the rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.assignment_tools import POINTS, Scorer, at
from zjsim.audit.finding import Finding

Key = tuple[str, str, str, str]
"""(industry_id, role, moe_code, discipline_code)."""

_PROBLEMS = {"lead": "lead_assignments", "heritage": "heritage_pairs", "support": "support_assignments"}
_CLASSES = (("class_0", 0.0), ("class_1", 0.01), ("class_5", 0.05))
_TABLES = ("explanations", "alternatives", "prices", "margins", "pareto")


def explanations(
    plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer, rules: Any
) -> Iterator[Finding]:
    """Every claim of the explaining tables that does not hold; ``rules`` re-checks a plan by problem."""
    names = [f"assignment_{name}" for name in _TABLES] if p.explain_choices else []
    names += ["assignment_frequencies"] if p.explain_choices and p.explain_draws else []
    yield from (at("table_missing", table=name) for name in names if name not in plan)
    if not names or any(name not in plan for name in names):
        return
    chosen = {problem: _keys(plan[name], problem) for problem, name in _PROBLEMS.items()}
    yield from _classes(plan, p, scorer, chosen)
    yield from _alternatives(plan, tables, p, scorer, rules, chosen)
    yield from _pareto(plan, tables, p, scorer, rules, chosen)
    yield from _prices(plan)
    for r in plan["assignment_margins"].to_dict("records"):
        if r["one_more"] * r["one_less"] > POINTS**2:
            yield at("margin_signs", item=f"{r['rule']} {r['row']}")
    if p.explain_draws:
        yield from _frequencies(plan["assignment_frequencies"], p, chosen)


def _classes(
    plan: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer, chosen: Mapping[str, set[Key]]
) -> Iterator[Finding]:
    t = plan["assignment_explanations"]
    for problem, keys in chosen.items():
        rows = t[t["problem"] == problem]
        yield from (
            at("explained_rows", item=" ".join(k)) for k in sorted(keys ^ _keys(rows[rows["in_plan"]], problem))
        )
        worth = p.support_worth_from if problem == "support" else 0.0
        best = float((plan[_PROBLEMS[problem]]["score"] - worth).sum())
        for r in rows.to_dict("records"):
            who = " ".join(_key(r))
            if abs(float(r["best"]) - best) > POINTS + 0.0006 * len(keys) or float(r["worst"]) > float(r["best"]):
                yield at("value_differs", item=who, column="best", value=r["best"], expected=best)
            if abs(float(r["score"]) - scorer.of(r).points[1]) > POINTS:
                yield at("value_differs", item=who, column="score", value=r["score"], expected=scorer.of(r).points[1])
            yield from (at("class_wrong", item=who, column=c, value=r[c]) for c, e in _CLASSES if not _fits(r, r[c], e))
    regrets = t[t["in_plan"] & (t["problem"] != "support")]
    said = {_key(r): r["loss"] for r in regrets.to_dict("records")}
    for problem in ("lead", "heritage"):
        for r in plan[_PROBLEMS[problem]].assign(problem=problem).to_dict("records"):
            key = _key({"role": "lead", **r})
            regret, loss = float(r["regret"]), float(said.get(key, math.nan))
            if math.isnan(regret) != math.isnan(loss) or abs(regret - loss) > POINTS:
                yield at("value_differs", item=" ".join(key), column="loss", value=loss, expected=regret)


def _fits(row: Mapping[Any, Any], name: str, share: float) -> bool:
    """Whether a class follows from the loss and the span."""
    loss, span = float(row["loss"]), float(row["best"]) - float(row["worst"])
    if name == "unproven":
        return True
    if math.isnan(loss):
        return name == ("forced" if row["in_plan"] else "out")
    close = abs(loss - share * span) <= 1e-6 * max(1.0, span)
    within = loss <= share * span
    return (
        name == ("swappable" if within else "firm" if row["in_plan"] else "out")
        or (close and name in ("swappable", "firm" if row["in_plan"] else "out"))
    )  # fmt: skip


def _alternatives(
    plan: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    p: Any,
    scorer: Scorer,
    rules: Any,
    chosen: Mapping[str, set[Key]],
) -> Iterator[Finding]:
    t = plan["assignment_alternatives"]
    seen = {problem: [keys] for problem, keys in chosen.items()}
    for problem, n in sorted(set(zip(t["problem"], t["alternative"], strict=True))):
        rows = t[(t["problem"] == problem) & (t["alternative"] == n)]
        who = f"{problem} {n}"
        added, dropped = (_keys(rows[rows["change"] == change], problem) for change in ("added", "dropped"))
        if not dropped <= chosen[problem] or added & chosen[problem]:
            yield at("explained_rows", item=who)
            continue
        other = (chosen[problem] - dropped) | added
        nearest = min(len(other ^ before) for before in seen[problem])
        seen[problem].append(other)
        if nearest != int(rows["distance"].iloc[0]) or nearest < 2 * p.alternative_distance:
            yield at("distance_wrong", item=who, value=rows["distance"].iloc[0], expected=nearest)
        worth = p.support_worth_from if problem == "support" else 0.0
        totals = [sum(_points(k, problem, scorer) - worth for k in keys) for keys in (chosen[problem], other)]
        for name, expected in (
            ("loss", totals[0] - totals[1]),
            ("total_score", totals[1] + worth * len(other)),
        ):
            if abs(float(rows[name].iloc[0]) - expected) > POINTS + 0.0006 * (len(other) + len(chosen[problem])):
                yield at("value_differs", item=who, column=name, value=rows[name].iloc[0], expected=expected)
        for broken in rules[problem](_table(other), tables, p):
            yield at("other_plan_breaks", item=who, broken=broken.rule)


def _pareto(
    plan: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    p: Any,
    scorer: Scorer,
    rules: Any,
    chosen: Mapping[str, set[Key]],
) -> Iterator[Finding]:
    city = tables["universities"].set_index("moe_code")["city_code"].to_dict()
    t = plan["assignment_pareto"]
    for problem in sorted(set(t["problem"])):
        points = t[t["problem"] == problem].sort_values("point")
        wider, lower = points["cities"].diff().iloc[1:] > 0, points["score"].diff().iloc[1:] < 0
        if not (wider.all() and lower.all()) or (points["bound"] < points["score"] - POINTS).any():
            yield at("not_efficient", item=problem)
        for r in points.to_dict("records"):
            who, other = f"{problem} {r['point']}", {k[:2]: k for k in chosen[problem]}
            for change in str(r["changes"]).split(";") if r["changes"] else ():
                industry, role, place = change.split(":")
                moe_code, _, code = place.partition("/")
                other[industry, role] = (industry, role, moe_code, code)
            taken = set(other.values())
            for name, expected in (
                ("cities", float(len({city.get(k[2], k[2]) for k in taken}))),
                ("decisions_changed", float(len(chosen[problem] - taken))),
                ("score", sum(_points(k, problem, scorer) for k in taken)),
            ):
                if abs(float(r[name]) - expected) > (POINTS + 0.0006 * len(taken) if name == "score" else 0):
                    yield at("value_differs", item=who, column=name, value=r[name], expected=expected)
            for broken in rules[problem](_table(taken), tables, p):
                yield at("other_plan_breaks", item=who, broken=broken.rule)


def _prices(plan: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    stages = plan["assignment_stages"].set_index("stage")
    for r in plan["assignment_prices"].to_dict("records"):
        who = f"{r['goal']} → {r['later_goal']}"
        if r["later_goal"] not in stages.index:
            yield at("stage_missing", item=r["later_goal"])
            continue
        value, sense = (stages.loc[r["later_goal"], c] for c in ("value", "sense"))
        loss = (1 if sense == "maximise" else -1) * (float(r["value_without"]) - float(value))
        if abs(float(r["value"]) - float(value)) > 1e-6 or abs(float(r["loss"]) - loss) > 1e-6:
            yield at("value_differs", item=who, column="loss", value=r["loss"], expected=loss)


def _frequencies(t: pd.DataFrame, p: Any, chosen: Mapping[str, set[Key]]) -> Iterator[Finding]:
    for r in t.to_dict("records"):
        who, n, k = " ".join(_key(r)), int(r["draws"]), int(r["times"])
        share = k / n
        inside = float(r["frequency_low"]) - 1e-12 <= share <= float(r["frequency_high"]) + 1e-12
        if n > p.explain_draws or not 0 <= k <= n or abs(float(r["frequency"]) - share) > 1e-9 or not inside:
            yield at("frequency_wrong", item=who)
        if bool(r["in_plan"]) != (_key(r) in chosen[r["problem"]]):
            yield at("explained_rows", item=who)
    one_each = t[t["problem"] != "support"].groupby(["problem", "industry_id", "role"])
    for slot, rows in one_each:
        if rows["times"].sum() != rows["draws"].iloc[0]:
            yield at("frequency_wrong", item=" ".join(map(str, slot)))


def _points(key: Key, problem: str, scorer: Scorer) -> float:
    fields = dict(zip(("industry_id", "role", "moe_code", "discipline_code"), key, strict=True))
    return round(scorer.of({"problem": problem, **fields}).points[1], 3)


def _key(row: Mapping[Any, Any]) -> Key:
    return str(row["industry_id"]), str(row["role"]), str(row["moe_code"]), str(row["discipline_code"])


def _keys(t: pd.DataFrame, problem: object) -> set[Key]:
    role = t["role"] if "role" in t else pd.Series("lead", index=t.index)
    return {
        (str(i), str(r), str(u), str(d))
        for i, r, u, d in zip(t["industry_id"], role, t["moe_code"], t["discipline_code"], strict=True)
    }


def _table(keys: set[Key]) -> pd.DataFrame:
    return pd.DataFrame(sorted(keys), columns=["industry_id", "role", "moe_code", "discipline_code"], dtype=object)
