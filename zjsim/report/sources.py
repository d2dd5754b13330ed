"""How much of a run's inputs is public, derived or synthetic: the table ``input_sources``."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import BASES, PUBLIC_BASES
from zjsim.texts import text

TOTAL = "total"
UNSTATED = "unstated"
_ORDER = (*BASES, UNSTATED)
_NOT_INPUTS = ("sources",)


def input_sources(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows and values of every registry by basis, and their shares; the last rows (``registry`` = total) add them up.

    A value is a filled cell with a number, a yes or no, a date or a choice, outside the row's key. Columns: registry,
    registry_zh, registry_en, basis, basis_zh, basis_en, public (official or press), rows, values, share_of_rows,
    share_of_values (both within the registry, or within the total).
    """
    counts: list[tuple[str, str, int, int]] = []
    for name in sorted(set(tables) - set(_NOT_INPUTS)):
        table = tables[name]
        if table.empty:
            continue
        filled = _filled(name, table)
        basis = table["basis"].replace("", UNSTATED) if "basis" in table else pd.Series(UNSTATED, index=table.index)
        by_basis = filled.groupby(basis.astype(str)).agg(["size", "sum"])
        counts += [(name, str(b), int(row["size"]), int(row["sum"])) for b, row in by_basis.iterrows()]
    frame = pd.DataFrame(counts, columns=["registry", "basis", "rows", "values"])
    whole = frame.groupby("basis", as_index=False)[["rows", "values"]].sum()
    frame = pd.concat([frame, whole.assign(registry=TOTAL)], ignore_index=True)
    return _titled(frame)


def _filled(name: str, table: pd.DataFrame) -> pd.Series:
    """Values per row: filled cells that are numbers, yes / no, dates or choices; names and codes do not count."""
    declared = REGISTRIES.get(name)
    key = declared.key if declared else ()
    kinds = {c.name: c.kind for c in declared.columns} if declared else {}
    columns = [
        c
        for c in table.columns
        if c not in (*key, "source_id", "basis")
        and kinds.get(c, "text" if pd.api.types.is_string_dtype(table[c]) else "number") not in ("text", "code")
    ]
    part = table[columns]
    return (part.notna() & (part != "")).sum(axis=1)


def _titled(frame: pd.DataFrame) -> pd.DataFrame:
    rank = {b: i for i, b in enumerate(_ORDER)}
    frame = frame.assign(last=frame["registry"] == TOTAL, rank=frame["basis"].map(lambda b: rank.get(b, len(rank))))
    frame = frame.sort_values(["last", "registry", "rank", "basis"], ignore_index=True)
    totals = frame.groupby("registry")[["rows", "values"]].transform("sum")
    return pd.DataFrame(
        {
            "registry": frame["registry"],
            "registry_zh": frame["registry"].map(lambda r: _title(r, "zh")),
            "registry_en": frame["registry"].map(lambda r: _title(r, "en")),
            "basis": frame["basis"],
            "basis_zh": frame["basis"].map(lambda b: text(f"report.basis_{b}", "zh") if b in _ORDER else b),
            "basis_en": frame["basis"].map(lambda b: text(f"report.basis_{b}", "en") if b in _ORDER else b),
            "public": frame["basis"].isin(PUBLIC_BASES),
            "rows": frame["rows"],
            "values": frame["values"],
            "share_of_rows": (frame["rows"] / totals["rows"]).fillna(0.0),
            "share_of_values": (frame["values"] / totals["values"].replace(0, 1)).fillna(0.0),
        }
    )


def _title(registry: str, lang: str) -> str:
    if registry == TOTAL:
        return text("report.total", "zh" if lang == "zh" else "en")
    declared = REGISTRIES.get(registry)
    return registry if declared is None else (declared.zh if lang == "zh" else declared.en)


def placeholder_share(sources: pd.DataFrame) -> float | None:
    """Share of all input values whose basis is neither official nor press; ``None`` without inputs."""
    total = sources[sources["registry"] == TOTAL]
    if total.empty or not total["values"].sum():
        return None
    return float(total.loc[~total["public"].astype(bool), "values"].sum() / total["values"].sum())
