"""The tables of the assignment: one row per lead or role, every component of every score beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from zjsim.models.assignment_scores import POINT, Candidate

from zjsim.solve.results import Feasible, Optimal, Stage

SUPPORT_COLUMNS = [
    *("industry_id", "industry_zh", "industry_en", "role", "moe_code", "university_zh", "university_en", "level"),
    *("is_vocational", "discipline_code", "discipline_zh", "discipline_en", "candidate", "score", "score_low"),
    *("score_high", "relevance", "strength", "strength_known", "strength_low", "strength_high", "grade", "proximity"),
    *("distance_km", "nearest_place_code", "nearest_place_zh", "nearest_place_en", "nearest_place_role"),
    *("cooperation", "contribution_strength", "contribution_proximity", "contribution_cooperation", "pinned"),
    *("status", "bound", "gap"),
]
"""Columns of ``support_assignments``, also when no industry has a support."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A chosen candidate, who would take its place, and what the whole plan would lose (points).

    ``regret`` is None where the choice is ``forced`` or where a limit left it open.
    """

    candidate: Candidate
    runner_up: Candidate | None = None
    regret: float | None = None
    pinned: bool = False
    forced: bool = False


def lead_table(
    assigned: Sequence[Assigned], tables: Mapping[str, pd.DataFrame], result: Optimal[Any] | Feasible[Any]
) -> pd.DataFrame:
    """Table ``lead_assignments``: a row per main industry.

    Scores, contributions and regret are points (0-100); strength, proximity and cooperation lie between 0 and 1 (NaN
    unknown); ``bound`` is the proven bound of the total score in points, ``gap`` relative (0: proven optimal).
    """
    names = PlanNames(tables)
    rows = []
    for a in assigned:
        c, other = a.candidate, a.runner_up
        rows.append(
            {
                **names.industry(c.industry_id),
                **names.university(c.moe_code),
                **names.discipline(c.moe_code, c.discipline_code),
                **_score(c),
                "relevance": c.relevance,
                **_strength(c),
                **names.nearness(c),
                "cooperation": c.components["cooperation"],
                **{f"contribution_{part}": round(value, 6) for part, value in c.contributions.items()},
                **names.runner_up(other, with_discipline=True),
                "regret": math.nan if a.regret is None else a.regret,
                "forced": a.forced,
                "pinned": a.pinned,
                **_proof(result),
            }
        )
    return pd.DataFrame(rows)


def heritage_table(
    assigned: Sequence[Assigned], tables: Mapping[str, pd.DataFrame], result: Optimal[Any] | Feasible[Any]
) -> pd.DataFrame:
    """Table ``heritage_pairs``: a row per heritage industry and role.

    ``craft`` (0-1) comes from the institution's own link or from the discipline named (``craft_source``); units as in
    :func:`lead_table`.
    """
    names = PlanNames(tables)
    rows = []
    for a in assigned:
        c, other = a.candidate, a.runner_up
        rows.append(
            {
                **names.industry(c.industry_id),
                "role": c.role,
                **names.university(c.moe_code),
                **names.level(c.moe_code),
                **names.discipline(c.moe_code, c.discipline_code),
                **_score(c),
                "craft": round(c.components["craft"], 6),
                "craft_source": c.basis_of_craft,
                "relevance": c.relevance,
                **_strength(c),
                **names.nearness(c),
                **{f"contribution_{part}": round(value, 6) for part, value in c.contributions.items()},
                **names.runner_up(other, with_discipline=False),
                "regret": math.nan if a.regret is None else a.regret,
                "forced": a.forced,
                "pinned": a.pinned,
                **_proof(result),
            }
        )
    return pd.DataFrame(rows)


def support_table(
    assigned: Sequence[Assigned], tables: Mapping[str, pd.DataFrame], result: Optimal[Any] | Feasible[Any]
) -> pd.DataFrame:
    """Table ``support_assignments``: a row per support of a main industry.

    ``candidate`` says whether a discipline or an institution as a whole supports; columns and units as in
    :func:`lead_table`; ``bound`` is that of the score goal (points above ``support_worth_from``, summed).
    """
    names = PlanNames(tables)
    rows = []
    for a in assigned:
        c = a.candidate
        rows.append(
            {
                **names.industry(c.industry_id),
                "role": "support",
                **names.university(c.moe_code),
                **names.level(c.moe_code),
                **names.discipline(c.moe_code, c.discipline_code),
                "candidate": "discipline" if c.discipline_code else "institution",
                **_score(c),
                "relevance": c.relevance,
                **_strength(c),
                **names.nearness(c),
                "cooperation": c.components["cooperation"],
                **{f"contribution_{part}": round(value, 6) for part, value in c.contributions.items()},
                "pinned": a.pinned,
                **_proof(result, 1),
            }
        )
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else SUPPORT_COLUMNS)


def stage_table(stages: Iterable[Stage]) -> pd.DataFrame:
    """Table ``assignment_stages``: a row per goal, in order; ``gap`` is relative, ``tolerance`` in ``unit``."""
    return pd.DataFrame(
        [
            {
                "stage": s.name,
                "sense": s.sense,
                "value": s.value,
                "bound": s.bound,
                "gap": s.gap,
                "status": "optimal" if s.gap == 0 else "feasible",
                "unit": s.unit,
                "tolerance": s.tolerance,
            }
            for s in stages
        ]
    )


def _score(c: Candidate) -> dict[str, float]:
    return {
        "score": c.score_units / POINT,
        "score_low": round(c.score_low, 3),
        "score_high": round(c.score_high, 3),
    }


def _strength(c: Candidate) -> dict[str, object]:
    s = c.strength
    return {
        "strength": round(s.value, 6),
        "strength_known": s.known,
        "strength_low": round(s.low, 6),
        "strength_high": round(s.high, 6),
        "grade": s.grade,
    }


def _proof(result: Optimal[Any] | Feasible[Any], goal: int = 0) -> dict[str, object]:
    first = result.stages[goal]
    return {"status": "optimal" if first.gap == 0 else "feasible", "bound": first.bound / POINT, "gap": first.gap}


class PlanNames:
    """Names beside every code of a plan's tables, as columns."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._industry = _by(tables["industries"], ["industry_id"])
        self._university = _by(tables["universities"], ["moe_code"])
        self._discipline = _by(tables["disciplines"], ["moe_code", "discipline_code"])
        self._place = _by(tables["counties"], ["county_code"]) | _by(tables["cities"], ["city_code"])

    def industry(self, industry_id: str) -> dict[str, str]:
        """Id and names of an industry."""
        row = self._industry[industry_id]
        return {"industry_id": industry_id, "industry_zh": row["name_zh"], "industry_en": row["name_en"]}

    def university(self, moe_code: str) -> dict[str, str]:
        """Code and names of an institution."""
        row = self._university[moe_code]
        return {"moe_code": moe_code, "university_zh": row["name_zh"], "university_en": row["name_en"]}

    def level(self, moe_code: str) -> dict[str, object]:
        """Level of an institution, and whether it is a vocational one."""
        row = self._university[moe_code]
        vocational = row["level"] == "vocational" or bool(row["vocational_undergraduate"])
        return {"level": row["level"], "is_vocational": vocational}

    def discipline(self, moe_code: str, code: str) -> dict[str, str]:
        """Code and names of a discipline (empty for an institution as a whole)."""
        row = self._discipline.get((moe_code, code), {"name_zh": "", "name_en": ""})
        return {"discipline_code": code, "discipline_zh": row["name_zh"], "discipline_en": row["name_en"]}

    def place(self, code: str) -> dict[str, str]:
        """Code and names of a county or city."""
        row = self._place[code]
        return {"place_code": code, "place_zh": row["name_zh"], "place_en": row["name_en"]}

    def nearness(self, c: Candidate) -> dict[str, object]:
        """Proximity, distance and the place they refer to."""
        near = c.nearness
        place = self._place.get(near.place_code, {"name_zh": "", "name_en": ""})
        return {
            "proximity": round(near.proximity, 6),
            "distance_km": round(near.distance_km, 3),
            "nearest_place_code": near.place_code,
            "nearest_place_zh": place["name_zh"],
            "nearest_place_en": place["name_en"],
            "nearest_place_role": near.role,
        }

    def runner_up(self, c: Candidate | None, *, with_discipline: bool) -> dict[str, object]:
        """Who would take the place, with the score."""
        told: dict[str, object] = {"runner_up_moe_code": c.moe_code if c else ""}
        if with_discipline:
            told["runner_up_discipline_code"] = c.discipline_code if c else ""
        told["runner_up_zh"] = self._university[c.moe_code]["name_zh"] if c else ""
        told["runner_up_en"] = self._university[c.moe_code]["name_en"] if c else ""
        told["runner_up_score"] = c.score_units / POINT if c else math.nan
        return told


def _by(table: pd.DataFrame, key: Sequence[str]) -> dict[Any, dict[str, Any]]:
    records: list[dict[str, Any]] = [{str(k): v for k, v in r.items()} for r in table.to_dict("records")]
    return {(r[key[0]] if len(key) == 1 else tuple(r[k] for k in key)): r for r in records}
