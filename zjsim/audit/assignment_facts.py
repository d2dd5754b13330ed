"""Re-check of what stands beside the scores of an assignment: facts from the registries, runner-ups, proofs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.assignment_tools import POINTS, Scorer, at
from zjsim.audit.finding import Finding

Row = Mapping[Any, Any]
_TABLES = {
    "lead_assignments": ("lead", "lead_score"),
    "heritage_pairs": ("heritage", "heritage_score"),
    "support_assignments": ("support", "support_score"),
}


def facts(
    plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer
) -> Iterator[Finding]:
    """Every cell beside a score that does not follow from the registries, the rest of the row or the stages."""
    stages = {str(r["stage"]): r for r in plan["assignment_stages"].to_dict("records")}
    expected = _Expected(plan, tables, p, scorer)
    for name, (problem, stage) in _TABLES.items():
        for r in plan[name].to_dict("records"):
            row = {"role": "lead", **r, "problem": problem}
            who = " ".join(str(row[c]) for c in ("industry_id", "role", "moe_code", "discipline_code"))
            wanted = expected.of(row)
            if stage in stages:
                wanted |= {"bound": float(stages[stage]["bound"]) / 1000, "gap": float(stages[stage]["gap"])}
            for column, value in wanted.items():
                if not _same(row[column], value, 1e-9 if column == "gap" else POINTS):
                    yield at("value_differs", item=who, column=column, value=row[column], expected=value)
    for stage, said in stages.items():
        value, bound = float(said["value"]), float(said["bound"])
        gap = 0.0 if value == bound else abs(value - bound) / max(abs(value), abs(bound))
        gap = math.inf if math.isinf(bound) else gap
        for column, right in (("gap", gap), ("status", "optimal" if gap == 0 else "feasible")):
            if not _same(said[column], right, 1e-9):
                yield at("value_differs", item=stage, column=column, value=said[column], expected=right)
    for r in plan["support_coverage"].to_dict("records"):
        floor = float(p.mountain_island_floor) if r["kind"] == "county" else math.nan
        if not _same(r["required"], floor) or r["candidates"] < r["participants"]:
            yield at("value_differs", item=r["place_code"], column="required", value=r["required"], expected=floor)


class _Expected:
    """What the registries say should stand in a row."""

    def __init__(
        self, plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer
    ) -> None:
        self._p, self._scorer = p, scorer
        self._discipline = {(r["moe_code"], r["discipline_code"]): r for r in tables["disciplines"].to_dict("records")}
        self._university = {r["moe_code"]: r for r in tables["universities"].to_dict("records")}
        self._pins = [r for r in tables["rules"].to_dict("records") if r["kind"] == "pinned"]
        places = tables["industry_places"]
        self._places = set(zip(places["industry_id"], places["place_code"], places["role"], strict=True))
        self._link = tables["craft_links"].set_index(["industry_id", "moe_code"])["link"].to_dict()
        self._relevance = tables["relevance"].set_index(["industry_id", "discipline_code"])["relevance"].to_dict()
        explained = plan.get("assignment_explanations", pd.DataFrame(columns=["in_plan"]))
        self._instead = {
            (r["industry_id"], r["role"]): r
            for r in explained[explained["in_plan"].astype(bool)].to_dict("records")
            if r["problem"] != "support"
        }

    def of(self, r: Row) -> dict[str, object]:
        """Column → value of the row ``r``."""
        own, university = self._discipline.get((r["moe_code"], r["discipline_code"])), self._university[r["moe_code"]]
        found: dict[str, object] = {
            "grade": own["grade"] if own else "",
            "strength_known": bool(own and (own["grade"] or own["double_first_class"])),
            "pinned": any(self._meant(rule, r) for rule in self._pins),
        }
        if (r["industry_id"], r["nearest_place_code"], r["nearest_place_role"]) not in self._places:
            found |= {"nearest_place_code": "" if not r["nearest_place_role"] else "?"}
        if r["problem"] != "lead":
            vocational = university["level"] == "vocational" or bool(university["vocational_undergraduate"])
            found |= {"level": university["level"], "is_vocational": vocational}
        if r["problem"] == "heritage":
            own_link = float(self._link.get((r["industry_id"], r["moe_code"]), 0)) / 3
            level = float(self._relevance.get((r["industry_id"], r["discipline_code"]), 0))
            helped = self._p.craft_from_discipline * level / 3
            best = max(own_link, helped)
            found["craft_source"] = "" if best == 0 else "craft_link" if own_link >= helped else "discipline"
        return found | (self._runner_up(r) if r["problem"] != "support" else {})

    def _runner_up(self, r: Row) -> dict[str, object]:
        """A forced choice has no runner-up; any other is a candidate with its own score, as the explanation says."""
        code = str(r.get("runner_up_discipline_code", ""))
        if not r["runner_up_moe_code"]:
            said = self._instead.get((r["industry_id"], r["role"]))
            forced = bool(r["forced"]) if said is None else said["class_0"] == "forced"
            return {"runner_up_score": math.nan, "regret": math.nan, "forced": forced}
        found: dict[str, object] = {"forced": False}
        said = self._instead.get((r["industry_id"], r["role"]))
        others = [k.partition("/")[0::2] for k in str(said["instead"]).split(";")] if said and said["instead"] else []
        if others and (r["runner_up_moe_code"] not in {u for u, _ in others}):
            found["runner_up_moe_code"] = others[0][0]
        elif others and r["problem"] == "lead" and (r["runner_up_moe_code"], code) not in others:
            found["runner_up_discipline_code"] = others[0][1]
        elif r["runner_up_moe_code"] in self._university and (
            r["problem"] != "lead" or (r["runner_up_moe_code"], code) in self._discipline
        ):
            other = {**r, "moe_code": r["runner_up_moe_code"], "discipline_code": code}
            points = self._scorer.of(other).points[1]
            found["runner_up_score"] = points
        else:
            found["runner_up_moe_code"] = "?"
        return found

    def _meant(self, rule: Row, r: Row) -> bool:
        """Whether a pinned rule names the row; without a role it names who leads, or either of a heritage pair."""
        roles = (rule["role"],) if rule["role"] else ("lead", "partner")
        return r["role"] in roles and all(
            rule[c] in ("", r[c])
            for c in ("industry_id", "moe_code", *(("discipline_code",) if r["problem"] != "heritage" else ()))
        )


def _same(said: Any, right: Any, within: float = POINTS) -> bool:
    if isinstance(right, str) or isinstance(said, str):
        return str(said) == str(right)
    if isinstance(right, bool):
        return bool(said) == right
    said, right = float(said), float(right)
    if math.isnan(right) or math.isinf(right):
        return math.isnan(said) if math.isnan(right) else said == right
    return bool(abs(said - right) <= within)
