"""The targets of a run as every document shows them: those judged, then those not modelled yet."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zjsim.report.words import is_true

NOT_MODELLED = "not modelled yet"


def stated_targets(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """``target_feasibility`` with a row for each of ``targets_not_modelled``: no numbers, a verdict that says so."""
    judged = tables["target_feasibility"]
    missing = tables.get("targets_not_modelled")
    if missing is None or missing.empty:
        return judged
    extra = [{**dict.fromkeys(judged.columns, _EMPTY), **_known(row, judged)} for _, row in missing.iterrows()]
    rows = [*judged.to_dict("records"), *extra]
    stated = pd.DataFrame(rows, columns=judged.columns, index=range(len(rows)))
    return stated.assign(is_default=is_true(stated["is_default"]))


_EMPTY = float("nan")


def _known(row: pd.Series, judged: pd.DataFrame) -> dict[str, object]:
    known = {c: row[c] for c in judged.columns if c in row}
    texts = {c: "" for c in judged.columns if c not in known and pd.api.types.is_string_dtype(judged[c])}
    said = {"indicator": row.get("indicator_en", row["target_id"]), "is_default": True, "verdict": NOT_MODELLED}
    return {**texts, **known, **said, "has_baseline": False}
