"""How the numbers of a seat plan are known: every table says for each county the weakest basis that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from zjsim.models.seat_data import HasTables

from zjsim.tables.schema import BASES, PUBLIC_BASES
from zjsim.texts import LANGUAGES, text

RESTS_ON = ("seat_demand", "seat_capacity", "seat_options", "seat_budgets", "seat_zones")
"""Registries by county that a seat plan is made of."""


def county_basis(scenario: HasTables, names: Sequence[str] = RESTS_ON, *more: pd.DataFrame) -> dict[str, str]:
    """The weakest basis of a county's rows in the registries ``names`` and in tables ``more``, by county code."""
    rank = {basis: k for k, basis in enumerate(BASES)}
    found: dict[str, int] = {}
    for table in (*(scenario.table(name) for name in names), *more):
        if "basis" in table:
            worst = table["basis"].map(rank).groupby(table["county_code"]).max()
            for code, k in worst.dropna().astype(int).items():
                found[str(code)] = max(found.get(str(code), 0), k)
    return {code: BASES[k] for code, k in sorted(found.items())}


def with_basis(tables: Mapping[str, pd.DataFrame], scenario: HasTables) -> dict[str, pd.DataFrame]:
    """``tables`` with the column ``basis`` set row by row (a table of the province: the weakest of all counties).

    Columns ``note_zh``, ``note_en`` say it in words where a county's numbers are not public ones. A basis that a table
    states itself stands where it is weaker (later in :data:`zjsim.tables.schema.BASES`).
    """
    known, rank = county_basis(scenario), {basis: k for k, basis in enumerate(BASES)}
    weakest = max(known.values(), key=rank.__getitem__, default="synthetic")
    done = {}
    for name, table in tables.items():
        basis = pd.Series(weakest, index=table.index)
        if "county_code" in table:
            basis = table["county_code"].map(known).fillna("synthetic")
        if "basis" in table:
            own = table["basis"].astype(str)
            basis = basis.where(basis.map(rank).fillna(-1) >= own.map(rank).fillna(-1), own)
        words = {f"note_{lang}": basis.map(_note(lang)) for lang in LANGUAGES if f"note_{lang}" in table}
        done[name] = table.assign(basis=basis.astype(str), **words)
    return done


def _note(lang: str) -> dict[str, str]:
    said = text("seats.basis_note", "zh" if lang == "zh" else "en")
    return {basis: "" if basis in PUBLIC_BASES else said for basis in BASES}
