"""Why this plan: how free each choice is, how often it stands, what the goals cost each other, what else there is.

Tables (all optional: ``assignment.explain_choices``), within ``assignment.explain_time_limit_s`` together:

``assignment_explanations``  every choice of the plan, and every other that some plan within 5 % takes: what turning
                             it the other way loses and what then comes ``instead``; its class within
                             ε = 0, 1 and 5 % of (best − worst feasible) of the goal concerned: *forced* (no plan
                             without it), *firm* (in all plans within ε), *swappable* (in some), *out* (in none),
                             *unproven* (a limit left it open)
``assignment_frequencies``   how often a choice is made over draws (:mod:`zjsim.models.assignment_draws`)
``assignment_pareto``        score against spread over cities (:mod:`zjsim.models.assignment_pareto`)
``assignment_alternatives``  the best other plans that differ in at least ``alternative_distance`` decisions
``assignment_prices``        what each goal costs the goals after it
``assignment_margins``       what one more, or one less, on each rule that binds does to the score: solved again
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
from zjsim.models.assignment_draws import frequency_table
from zjsim.models.assignment_pareto import pareto_table
from zjsim.models.assignment_problems import Key, Problem
from zjsim.models.assignment_rules import SPECIAL
from zjsim.models.assignment_scores import POINT
from zjsim.models.assignment_tables import PlanNames

from zjsim.scenario.parameters import AssignmentParameters
from zjsim.solve.alternatives import alternatives
from zjsim.solve.choices import Choice, Span, span_of, weigh
from zjsim.solve.prices import goal_prices
from zjsim.solve.resolve import Resolver
from zjsim.solve.results import Feasible, Infeasible, Optimal

SHARES = (0.0, 0.01, 0.05)
"""The ε of the classes, as shares of (best − worst feasible)."""

_WHO = (
    *("problem", "industry_id", "industry_zh", "industry_en", "role", "moe_code", "university_zh", "university_en"),
    *("discipline_code", "discipline_zh", "discipline_en"),
)
EXPLANATION_COLUMNS = [
    *_WHO,
    *("in_plan", "score", "loss", "loss_share", "class_0", "class_1", "class_5", "instead", "best", "worst"),
]
ALTERNATIVE_COLUMNS = [
    *("problem", "alternative", "total_score", "loss", "distance", "proven", "change"),
    *_WHO[1:],
    "score",
]
PRICE_COLUMNS = ["problem", "goal", "later_goal", "value", "value_without", "loss", "unit", "proven"]
MARGIN_COLUMNS = ["problem", "rule", "row", "requirement_zh", "requirement_en", "one_more", "one_less", "unit"]


def explain_assignment(
    problems: tuple[Problem, ...], tables: Mapping[str, pd.DataFrame], p: AssignmentParameters, deadline: float
) -> dict[str, pd.DataFrame]:
    """All tables of this module for these problems; ``deadline`` is a time of :func:`time.monotonic`."""

    def left() -> float:
        return max(deadline - time.monotonic(), 0.0)

    spans = {problem.name: span_of(problem.prepared, problem.stages[0], left()) for problem in problems}
    found = {
        "assignment_explanations": _explanations(problems, spans, tables, left()),
        "assignment_alternatives": _alternatives(problems, tables, p, left()),
        "assignment_prices": _prices(problems, left()),
        "assignment_margins": _margins(problems, left()),
        # The support assignment already spreads over cities by its first goal: that price is in assignment_prices.
        "assignment_pareto": pareto_table(tuple(q for q in problems if q.name != "support"), tables, left()),
    }
    if p.explain_draws:
        found["assignment_frequencies"] = frequency_table(problems, tables, p, left())
    return found


def choices_of(problem: Problem, span: Span, seconds: float) -> dict[Key, Choice]:
    """Every decision of the problem turned the other way."""
    resolver = Resolver(problem.prepared, seconds)
    widest = max(SHARES)
    variables = list(problem.decisions.values())
    found = weigh(resolver, problem.stages[0], span, problem.plan, variables, widest_share=widest)
    return dict(zip(problem.decisions, found, strict=True))


def _explanations(
    problems: tuple[Problem, ...], spans: Mapping[str, Span], tables: Mapping[str, pd.DataFrame], seconds: float
) -> pd.DataFrame:
    names, rows = PlanNames(tables), list[dict[str, object]]()
    end = time.monotonic() + seconds
    for problem in problems:
        span = spans[problem.name]
        for key, choice in choices_of(problem, span, max(end - time.monotonic(), 0.0)).items():
            classes = [choice.standing(share, span) for share in SHARES]
            if not choice.in_plan and classes[-1] in ("out", "impossible"):
                continue
            loss = choice.loss_low if np.isfinite(choice.loss_low) and choice.loss_low == choice.loss_high else np.nan
            rows.append(
                {
                    "problem": problem.name,
                    **_named(names, key),
                    "in_plan": choice.in_plan,
                    "score": problem.candidates[key].score_units / POINT,
                    "loss": loss / POINT,
                    "loss_share": loss / span.least if span.least > 0 else np.nan if np.isnan(loss) else 0.0,
                    **{f"class_{100 * share:g}": name for share, name in zip(SHARES, classes, strict=True)},
                    "instead": _instead(problem, key, choice),
                    "best": span.best / POINT,
                    "worst": span.worst / POINT,
                }
            )
    return pd.DataFrame(rows, columns=EXPLANATION_COLUMNS)


def _instead(problem: Problem, key: Key, choice: Choice) -> str:
    """What the best plan without this choice takes for the same industry and role that the plan does not."""
    if not choice.in_plan or choice.other is None:
        return ""
    new = sorted(k for k in problem.taken(choice.other) - problem.chosen if k[:2] == key[:2])
    return ";".join(f"{u}/{d}" if d else u for _, _, u, d in new)


def _alternatives(
    problems: tuple[Problem, ...], tables: Mapping[str, pd.DataFrame], p: AssignmentParameters, seconds: float
) -> pd.DataFrame:
    """A row per decision added or dropped by each alternative against the plan.

    ``distance`` is the smallest number of decisions in which it differs from the plan and from the alternatives before
    it, counting added and dropped ones (a changed lead counts two).
    """
    names, rows = PlanNames(tables), list[dict[str, object]]()
    for problem in problems:
        found = alternatives(
            problem.prepared,
            list(problem.decisions.values()),
            problem.plan,
            problem.stages[0],
            count=p.alternatives,
            distance=2 * p.alternative_distance,
            time_limit_s=seconds / max(len(problems) * p.alternatives, 1),
        )
        for n, other in enumerate(found, 1):
            taken = problem.taken(other.plan)
            changes = [(key, "added") for key in taken - problem.chosen]
            changes += [(key, "dropped") for key in problem.chosen - taken]
            for key, change in sorted(changes):
                rows.append(
                    {
                        "problem": problem.name,
                        "alternative": n,
                        "total_score": sum(problem.candidates[k].score_units for k in taken) / POINT,
                        "loss": other.loss / POINT,
                        "distance": other.distance,
                        "proven": other.proven,
                        "change": change,
                        **_named(names, key),
                        "score": problem.candidates[key].score_units / POINT,
                    }
                )
    return pd.DataFrame(rows, columns=ALTERNATIVE_COLUMNS)


def _prices(problems: tuple[Problem, ...], seconds: float) -> pd.DataFrame:
    rows = [
        {
            "problem": problem.name,
            "goal": price.goal,
            "later_goal": price.later,
            "value": price.value,
            "value_without": price.without,
            "loss": price.loss,
            "unit": price.unit,
            "proven": price.proven,
        }
        for problem in problems
        for price in goal_prices(
            problem.whole, Optimal(problem.plan, problem.all_stages), time_limit_s=seconds / (3 * len(problems))
        )
    ]
    return pd.DataFrame(rows, columns=PRICE_COLUMNS)


def _margins(problems: tuple[Problem, ...], seconds: float) -> pd.DataFrame:
    """A row per bound that binds: points won by one more on its right side, and by one less (NaN: no plan is left)."""
    rows, end = list[dict[str, object]](), time.monotonic() + seconds
    for problem in problems:
        matrix, base = problem.prepared.matrix, problem.stages[0].value
        resolver = Resolver(problem.prepared, max(end - time.monotonic(), 0.0))
        for requirement in problem.requirements:
            rule, _, row = requirement.name.partition("[")
            i = matrix.row_of[id(requirement.rows[0])]
            low, high = float(matrix.row_lower[i]), float(matrix.row_upper[i])
            at = slice(matrix.start[i], matrix.start[i + 1])
            activity = float(matrix.coefficient[at] @ problem.plan.values[matrix.index[at]])
            bound = high if np.isfinite(high) else low
            if low == high or rule in SPECIAL or bound < 1 or abs(activity - bound) > 1e-9:
                continue
            values = [_margin(resolver, requirement.rows[0], low + by, high + by, base) for by in (1, -1)]
            rows.append(
                {
                    "problem": problem.name,
                    "rule": rule,
                    "row": row.rstrip("]"),
                    "requirement_zh": requirement.zh,
                    "requirement_en": requirement.en,
                    "one_more": values[0],
                    "one_less": values[1],
                    "unit": "point",
                }
            )
    return pd.DataFrame(rows, columns=MARGIN_COLUMNS)


def _margin(resolver: Resolver, row: object, low: float, high: float, base: float) -> float:
    result = resolver.solve(rows=[(row, low, high)], goals=1)
    if isinstance(result, Infeasible) or not isinstance(result, Optimal | Feasible) or result.stages[0].gap > 0:
        return float("nan")
    return (result.stages[0].value - base) / POINT


def _named(names: PlanNames, key: Key) -> dict[str, object]:
    industry, role, moe_code, code = key
    return {
        **names.industry(industry),
        "role": role,
        **names.university(moe_code),
        **names.discipline(moe_code, code),
    }
