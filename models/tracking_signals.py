"""Are we on course? Pace, early warning and traffic light of a target at the as-of date (M121, M124).

The action plan asks for progress reports, regular review and corrections in time, and names no statistic. Four are
used: the probability of meeting the target (the simulation, conditioned on what was counted), the pace now needed
against the pace so far, the standardised deviation of what came about from what the report before had forecast, and
the cumulative sum (CUSUM) of those deviations, which finds a small lag that no single report shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf, isnan, nan
from typing import Literal

import numpy as np
from scipy.stats import norm

Light = Literal["green", "amber", "red", "grey"]
LIGHTS: tuple[Light, ...] = ("red", "amber", "grey", "green")
"""Worst first: of several lights the first in this order stands for all. Grey stands before green: where something is
not known, the whole is not known to be on course."""

SLACK = 0.5
"""Allowance κ of the CUSUM, in standard deviations: a lag of 2κ = 1 is found soonest."""
LIMIT = 2.0
"""Decision limit h of the CUSUM. On course, a false alarm comes after 38 reports on average; with a lag of one
standard deviation per report the alarm comes after 4.4 (:func:`average_run_length`)."""
MOST = 4.0
"""A single deviation counts in the CUSUM as no more than this: one wild quarter, or one off a forecast without spread,
must not keep the alarm for ever."""
FAR_BEHIND = -2.0
"""A single deviation below this is a warning by itself."""
TOLERANCE = 1e-9
_STATES = 400


@dataclass(frozen=True, slots=True)
class Pace:
    """What has been achieved, and the pace (unit of the target per quarter) so far and from now on.

    ``goal`` is what must be reached at the end of the ``quarters_left`` (NaN: nothing can be said); ``lost``: a year
    that is over has missed what each year asks for, and no pace can mend it.
    """

    achieved: float
    goal: float
    so_far: float
    needed: float
    quarters_done: int
    quarters_left: int
    lost: bool = False


def pace_of_sum(bound: float, values: Mapping[str, float], quarters: Sequence[str], last: str) -> Pace:
    """Pace of an amount counted from start to deadline (M001, M002, M121): so far A / n, needed (B - A)⁺ / m.

    A = Σ of the n quarters up to ``last``, B = ``bound``, m quarters are left; NaN where a quarter is not given.
    """
    done, left = _split(quarters, last)
    achieved = _sum(values, done)
    return _pace(achieved, bound, achieved / len(done) if done else nan, len(done), len(left))


def pace_of_year(bound: float, values: Mapping[str, float], quarters: Sequence[str], last: str) -> Pace:
    """Pace of an amount asked of every year (M003, M074, M121): as :func:`pace_of_sum` within the year under way.

    After the last quarter of a year it is the next one's, and the pace so far that of the year just over. ``lost`` if
    a whole year stayed below the bound.
    """
    done, left = _split(quarters, last)
    year = left[0][:4] if left else (done[-1][:4] if done else "")
    over = sorted({q[:4] for q in done} - ({year} if left else set()))
    lost = any(_sum(values, [q for q in done if q[:4] == y]) < bound * (1 - TOLERANCE) for y in over)
    own, own_left = [q for q in done if q[:4] == year], [q for q in left if q[:4] == year]
    achieved = _sum(values, own)
    shown = own or [q for q in done if over and q[:4] == over[-1]]
    so_far = _sum(values, shown) / len(shown) if shown else nan
    return _pace(achieved, bound, so_far, len(own), len(own_left), lost)


def pace_of_level(
    bound: float, values: Mapping[str, float], quarters: Sequence[str], last: str, start: float, *, every_year: bool
) -> Pace:
    """Pace of a level (M083, M107, M112, M121): so far (L - L₀) / n, needed (B - L)⁺ / m, L the level at ``last``.

    L₀ = ``start``, the level before the first quarter; NaN where it is not known: then from the first level given, over
    one quarter less. With ``every_year`` the bound must hold at the end of each year: m ends with the year under way,
    and ``lost`` says that it did not at the end of one.
    """
    done, left = _split(quarters, last)
    level = values.get(last, nan) if done else start
    if done and done[-1] != last:  # the deadline is over
        level = values.get(done[-1], nan)
    given = [q for q in done if not isnan(values.get(q, nan))]
    first, n = start, len(done)
    if isnan(first) and given:
        first, n = values[given[0]], done.index(given[-1]) - done.index(given[0])
    ends = [q for q in done if q.endswith("Q4")]
    lost = every_year and any(values.get(q, nan) < bound - TOLERANCE * max(1.0, abs(bound)) for q in ends)
    if every_year and left:
        left = [q for q in left if q[:4] == left[0][:4]]
    return _pace(level, bound, (level - first) / n if n else nan, len(done), len(left), lost)


def _split(quarters: Sequence[str], last: str) -> tuple[list[str], list[str]]:
    return [q for q in quarters if q <= last], [q for q in quarters if q > last]


def _sum(values: Mapping[str, float], quarters: Sequence[str]) -> float:
    return float(fsum(values.get(q, nan) for q in quarters))


def _pace(achieved: float, goal: float, so_far: float, done: int, left: int, lost: bool = False) -> Pace:
    needed = max(goal - achieved, 0.0) / left if left else nan
    return Pace(achieved, goal, so_far, needed, done, left, lost)


def deviation(actual: float, mean: float, sd: float) -> float:
    """Standardised deviation of what came about from what the report before had forecast (M121, M124).

    z = (x - m) / s: x the amount since the report before, or the level now; m and s mean and standard deviation of the
    replications of that report for the same quarters. Where all futures agreed (s = 0), 0 if x is what they said and
    an infinity with the sign of x - m if not. NaN where anything is not known.
    """
    if isnan(actual) or isnan(mean) or isnan(sd):
        return nan
    apart = actual - mean
    if abs(apart) <= TOLERANCE * max(1.0, abs(mean)):
        return 0.0
    return apart / sd if sd > TOLERANCE * max(1.0, abs(mean)) else inf * np.sign(apart)


def cusum(before: float, z: float) -> float:
    """One-sided CUSUM of a lag, one step per report (Page 1954; M124): S = max(0, S₋ - z - κ), alarm where S ≥ h.

    κ = :data:`SLACK`, h = :data:`LIMIT`, z within ± :data:`MOST`. Each z is standardised by the forecast of the report
    just before, so that on course the steps are independent with mean 0 and variance 1. ``before`` NaN (first report):
    0; z NaN: unchanged.
    """
    start = 0.0 if isnan(before) else before
    return start if isnan(z) else max(0.0, start - min(max(z, -MOST), MOST) - SLACK)


def average_run_length(shift: float, slack: float = SLACK, limit: float = LIMIT) -> float:
    """Reports until the CUSUM raises the alarm, on average, if every z is normal with mean ``shift``, variance 1.

    By the Markov chain of Brook and Evans (1972) with 400 states; it gives what :data:`LIMIT` is chosen by.
    """
    width = 2 * limit / (2 * _STATES - 1)
    centres = width * np.arange(_STATES)
    steps = centres[None, :] - centres[:, None]  # S grows by -(z + κ), normal with mean -shift - κ
    upper, lower = (norm.cdf(steps + side * width / 2 + shift + slack) for side in (1, -1))
    chain = upper - lower
    chain[:, 0] = upper[:, 0]
    return float(np.linalg.solve(np.eye(_STATES) - chain, np.ones(_STATES))[0])


def warned(z: float, sum_of_lags: float) -> bool:
    """Early warning (M124): a single z below :data:`FAR_BEHIND`, or the CUSUM at its limit."""
    return z < FAR_BEHIND or sum_of_lags >= LIMIT


def light_of_forecast(verdict: str, early_warning: bool, *, known: bool) -> Light:
    """The light of what is simulated (M121, M124).

    Grey where nothing was counted, else red where the target is not met with the probability required, beyond
    simulation error and for every value of the inputs; green where it is, likewise, and no early warning stands;
    amber in every other case.
    """
    if not known:
        return "grey"
    if verdict == "not met":
        return "red"
    return "green" if verdict == "met" and not early_warning else "amber"


NEAR = 0.9
"""Share of its milestone that a place without a forecast must have reached for amber."""


def light_of_pace(achieved: float, milestone: float, *, lost: bool = False) -> Light:
    """The light of a place that is not simulated, by its milestone alone (M123).

    Green at the milestone, amber from 90 % of it, red below or where a year is lost; grey where either is not known.
    """
    if isnan(achieved) or isnan(milestone):
        return "grey"
    if lost or achieved < NEAR * milestone:
        return "red"
    return "green" if achieved >= milestone * (1 - TOLERANCE) else "amber"


def worst_light(lights: Sequence[Light]) -> Light:
    """The light of several together: the worst, with nothing known worse than green; grey for none."""
    return next((light for light in LIGHTS if light in lights), "grey")
