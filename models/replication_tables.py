"""Every replication of the base ensemble as tables, so that two runs can be compared future by future.

Replication n of two runs with one seed draws the same demand, durations and failures (streams are named by what they
decide, not by the order of drawing): the difference of their values is the scenarios' and not chance's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from zjsim.models.controls import controls_of
from zjsim.models.feasibility import deciding_figure

if TYPE_CHECKING:
    from zjsim.models.throughput import Assessment, Study

TARGET_COLUMNS = ("target_id", "reading", "replication", "figure", "met", "control")
OUTCOME_COLUMNS = ("process", "outcome", "year", "replication", "value")


def replication_targets(assessments: Sequence[Assessment], studies: Sequence[Study] = ()) -> pd.DataFrame:
    """A row per target, reading and replication (from 0 on): the deciding figure (target unit), met or not.

    ``control``: a number of the same future that is 0 in expectation and explains part of the figure
    (:mod:`zjsim.models.controls`); NaN where the process of ``studies`` has none.
    """
    base_of = {s.process.name: s.base for s in studies}
    known = [controls_of(base_of.get(a.process.name, {}), a.target, a.process.years) for a in assessments]
    parts = [
        pd.DataFrame(
            {
                "target_id": a.target.target_id,
                "reading": a.target.reading,
                "replication": np.arange(len(a.margin)),
                "figure": deciding_figure(a.target, a.values, a.process.years),
                "met": a.margin >= 0,
                "control": np.full(len(a.margin), np.nan) if control is None else control[:, 0],
            }
        )
        for a, control in zip(assessments, known, strict=True)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(TARGET_COLUMNS))


def replication_outcomes(studies: Sequence[Study]) -> pd.DataFrame:
    """A row per process, outcome of the province, year and replication (from 0 on); values in the outcome's unit."""
    parts = []
    for study in studies:
        years = np.array(study.process.years)
        for outcome in study.process.outcomes:
            values = study.base[outcome]
            count = len(values)
            parts.append(
                pd.DataFrame(
                    {
                        "process": study.process.name,
                        "outcome": outcome,
                        "year": np.repeat(years, count),
                        "replication": np.tile(np.arange(count), len(years)),
                        "value": values.T.ravel(),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(OUTCOME_COLUMNS))
