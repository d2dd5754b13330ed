"""How often each choice is made when weights and unknown strengths are drawn rather than assumed.

Every draw multiplies each weight by a factor uniform on 1 ± ``explain_weight_spread`` (a weight of 0 stays 0; weights
count as shares of their sum), and takes each unknown strength, cooperation and relevance of a category uniform on its
range. What is known keeps its value. A discipline's strength is one draw for all industries. Draws are keyed by name,
so that one more discipline leaves all others unchanged. The rules hold in every draw; each draw is solved exactly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from zjsim.models.assignment_problems import Key, Problem
from zjsim.models.assignment_scores import POINT, Candidate
from zjsim.models.assignment_tables import PlanNames

from zjsim.scenario.parameters import AssignmentParameters
from zjsim.simulate.streams import Streams
from zjsim.solve.matrix import Floats
from zjsim.solve.resolve import Resolver
from zjsim.solve.results import Feasible, Optimal

_PROCESS = "assignment"
_Z95 = 1.959963984540054

FREQUENCY_COLUMNS = [
    *("problem", "industry_id", "industry_zh", "industry_en", "role", "moe_code", "university_zh", "university_en"),
    *("discipline_code", "discipline_zh", "discipline_en", "in_plan", "draws", "times", "frequency"),
    *("frequency_low", "frequency_high"),
]


def frequency_table(
    problems: tuple[Problem, ...], tables: Mapping[str, pd.DataFrame], p: AssignmentParameters, seconds: float
) -> pd.DataFrame:
    """Table ``assignment_frequencies``: a row per choice that the plan or any draw makes.

    ``frequency`` = ``times`` / ``draws`` with its 95 % Wilson interval, which is simulation error alone. Fewer draws
    than asked for mean that the ``seconds`` for all problems together ran out.
    """
    names, rows = PlanNames(tables), list[dict[str, object]]()
    for n, problem in enumerate(problems):
        resolver = Resolver(problem.prepared, seconds / (len(problems) - n))
        before = resolver.left_s()
        draws, times = frequencies(problem, p, resolver)
        seconds -= before - resolver.left_s()
        for key in sorted(problem.chosen | times.keys()) if draws else ():
            industry, role, moe_code, code = key
            low, high = wilson(times[key], draws)
            rows.append(
                {
                    "problem": problem.name,
                    **names.industry(industry),
                    "role": role,
                    **names.university(moe_code),
                    **names.discipline(moe_code, code),
                    "in_plan": key in problem.chosen,
                    "draws": draws,
                    "times": times[key],
                    "frequency": times[key] / draws,
                    "frequency_low": low,
                    "frequency_high": high,
                }
            )
    return pd.DataFrame(rows, columns=FREQUENCY_COLUMNS)


def frequencies(problem: Problem, p: AssignmentParameters, resolver: Resolver) -> tuple[int, Counter[Key]]:
    """Number of draws solved, and how often each decision is in the best plan."""
    times: Counter[Key] = Counter()
    done, count = 0, p.explain_draws
    if not problem.decisions:
        return 0, times
    scores = drawn_scores(tuple(problem.candidates.values()), p, count)
    columns = np.array([problem.prepared.matrix.column_of[id(v)] for v in problem.decisions.values()])
    keys = tuple(problem.decisions)
    for draw in range(count):
        cost = np.zeros(len(problem.prepared.matrix.columns))
        cost[columns] = scores[draw] - problem.worth_from
        result = resolver.solve(costs={0: cost})
        if not isinstance(result, Optimal | Feasible):
            break
        times.update(keys[n] for n in np.flatnonzero(result.plan.values[columns] > 0.5))
        done += 1
    return done, times


def drawn_scores(candidates: tuple[Candidate, ...], p: AssignmentParameters, draws: int) -> Floats:
    """Scores in whole units, one row per draw and one column per candidate."""
    streams = Streams(p.explain_seed, 0)
    spread = p.explain_weight_spread
    drawn: dict[tuple[str, str], Floats] = {}

    def uniform(what: str, name: str) -> Floats:
        if (what, name) not in drawn:
            drawn[what, name] = streams.uniforms(_PROCESS, name, "", draws, what)
        return drawn[what, name]

    scores = np.empty((draws, len(candidates)))
    for n, c in enumerate(candidates):
        score, total = np.zeros(draws), np.zeros(draws)
        who = f"{c.moe_code}/{c.discipline_code}"
        # Leads and supports are scored by the same weights; each heritage role has its own.
        family = c.role if "craft" in c.weights else "main"
        for part, weight in c.weights.items():
            w = weight * (1 + spread * (2 * uniform("weight", f"{family}/{part}") - 1))
            if part == "strength" and c.strength.low < c.strength.high:
                value = c.strength.low + (c.strength.high - c.strength.low) * uniform("strength", who)
            elif math.isnan(c.components[part]):
                value = uniform(part, f"{c.industry_id}/{c.moe_code}")
            else:
                value = np.full(draws, c.strength.value if part == "strength" else c.components[part])
            score += w * value
            total += w
        factor = np.full(draws, c.factor)
        if c.factor_low < c.factor_high:
            share = uniform("relevance", f"{c.industry_id}/{who}")
            factor = c.factor_low + (c.factor_high - c.factor_low) * share
        # All weights at 0 in a draw is possible only at a spread of 1: then nothing counts.
        scores[:, n] = np.rint(100 * POINT * factor * score / np.where(total > 0, total, 1.0))
    return scores


def wilson(times: int, draws: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's formula."""
    share, z2 = times / draws, _Z95**2 / draws
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z95 * math.sqrt(share * (1 - share) / draws + z2 / (4 * draws)) / (1 + z2)
    return max(middle - half, 0.0), min(middle + half, 1.0)
