"""Outcomes by year and county: ``outcomes_by_county`` (M004, M110, M112, M123), where a county is judged by itself.

The seat targets are shares over the province; a county that cannot place its children is hidden in them. Told are the
shares of every county, from the same futures as the province's, and in how many futures nobody is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from zjsim.models.feasibility_tables import outcome_name
from zjsim.models.seat_outcomes import SeatData

from zjsim.simulate.statistics import quantiles

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

ALL = 1 - 1e-9
"""A share from which on it is everybody."""

COUNTY_COLUMNS = (
    *("year", "process", "outcome", "indicator_zh", "indicator_en", "kind", "unit", "place_code", "place_zh"),
    *("place_en", "mean", "p05", "p50", "p95", "p_all", "replications"),
)


def outcomes_by_county(studies: Sequence[Study], names: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """A row per outcome, simulated year and county, with :data:`COUNTY_COLUMNS`; empty without the seats.

    ``mean`` to ``p95`` are of the county's share over the base replications (a share without children is 1);
    ``p_all``: share of the futures in which it is 1. Shares of a county are no parts of the province's: they do not add
    up.
    """
    rows = []
    for study in studies:
        data = study.process.data
        if not isinstance(data, SeatData):
            continue
        for outcome, (kind, unit) in study.process.outcomes.items():
            of = study.base.get(f"by_county/{outcome}")
            if of is None:
                continue
            said = {f"indicator_{lang}": outcome_name(outcome, lang) for lang in ("zh", "en")}
            what = {"process": study.process.name, "outcome": outcome, **said, "kind": kind, "unit": unit}
            for t, year in enumerate(data.years):
                for c, county in enumerate(data.county_codes):
                    share = of[:, c, t]
                    p05, p50, p95 = quantiles(share)
                    zh, en = names.get(county, (county, county))
                    place = {"place_code": county, "place_zh": zh, "place_en": en}
                    figures = {"mean": float(share.mean()), "p05": p05, "p50": p50, "p95": p95}
                    chance = {"p_all": float(np.mean(share >= ALL)), "replications": len(share)}
                    rows.append({"year": year, **what, **place, **figures, **chance})
    return pd.DataFrame(rows, columns=list(COUNTY_COLUMNS))
