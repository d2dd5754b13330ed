"""The tables of the assignment: one row per lead or role, every component of every score beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from zjsim.models.assignment_scores import POINT, Candidate

from zjsim.solve.results import Feasible, Optimal, Stage


@dataclass(frozen=True, slots=True)
class Assigned:
    """A chosen candidate, who would take its place, and what the whole plan would lose (points; None: forced)."""

    candidate: Candidate
    runner_up: Candidate | None
    regret: float | None
    pinned: bool


def lead_table(
    assigned: Sequence[Assigned], tables: Mapping[str, pd.DataFrame], result: Optimal[Any] | Feasible[Any]
) -> pd.DataFrame:
    """Table ``lead_assignments``: a row per main industry.

    Scores, contributions and regret are points (0-100); strength, proximity and cooperation lie between 0 and 1 (NaN
    unknown); ``bound`` is the proven bound of the total score in points, ``gap`` relative (0: proven optimal).
    """
    names = _Names(tables)
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
                "forced": a.regret is None,
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
    names = _Names(tables)
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
                "forced": a.regret is None,
                "pinned": a.pinned,
                **_proof(result),
            }
        )
    return pd.DataFrame(rows)


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


def _proof(result: Optimal[Any] | Feasible[Any]) -> dict[str, object]:
    first = result.stages[0]
    return {"status": "optimal" if first.gap == 0 else "feasible", "bound": first.bound / POINT, "gap": first.gap}


class _Names:
    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._industry = _by(tables["industries"], ["industry_id"])
        self._university = _by(tables["universities"], ["moe_code"])
        self._discipline = _by(tables["disciplines"], ["moe_code", "discipline_code"])
        self._place = _by(tables["counties"], ["county_code"]) | _by(tables["cities"], ["city_code"])

    def industry(self, industry_id: str) -> dict[str, str]:
        row = self._industry[industry_id]
        return {"industry_id": industry_id, "industry_zh": row["name_zh"], "industry_en": row["name_en"]}

    def university(self, moe_code: str) -> dict[str, str]:
        row = self._university[moe_code]
        return {"moe_code": moe_code, "university_zh": row["name_zh"], "university_en": row["name_en"]}

    def level(self, moe_code: str) -> dict[str, object]:
        row = self._university[moe_code]
        vocational = row["level"] == "vocational" or bool(row["vocational_undergraduate"])
        return {"level": row["level"], "is_vocational": vocational}

    def discipline(self, moe_code: str, code: str) -> dict[str, str]:
        row = self._discipline.get((moe_code, code), {"name_zh": "", "name_en": ""})
        return {"discipline_code": code, "discipline_zh": row["name_zh"], "discipline_en": row["name_en"]}

    def nearness(self, c: Candidate) -> dict[str, object]:
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
