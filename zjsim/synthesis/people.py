"""Heads of the ledger of people: every teacher of an institution counted once.

Colleges that train the public have their teachers in ``training_providers`` (documented where a document says so, the
others within the published total); the other institutions have those of ``service_teams`` (a provincial total split by
weights). Run ``python -m zjsim.synthesis.people FOLDER`` to write the registry anew; equal input gives equal bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from zjsim.synthesis.services import institution_kind, registry_csv

Tables = Mapping[str, pd.DataFrame]

INPUTS = ("universities", "service_teams", "training_providers")
CLASS_OF = {
    "double_first_class": "research",
    "provincial_key": "research",
    "public_undergraduate": "other_undergraduate",
    "private_undergraduate": "other_undergraduate",
    "sino_foreign": "other_undergraduate",
    "double_high_vocational": "double_high",
    "public_vocational": "other_college",
    "private_vocational": "other_college",
}
"""Kind of institution (weights of staff) → its class in the ledger."""


def institution_staff(tables: Tables) -> pd.DataFrame:
    """Registry ``institution_staff``: a row per institution of ``universities``, by code."""
    providers = tables["training_providers"]
    known = {
        str(r["moe_code"]): (int(r["full_time_teachers"]), str(r["source_id"]), str(r["teachers_basis"]))
        for r in providers[providers["moe_code"] != ""].to_dict("records")
    }
    teachers = dict(zip(tables["service_teams"]["moe_code"], tables["service_teams"]["teachers"], strict=True))
    rows = []
    for u in tables["universities"].sort_values("moe_code").to_dict("records"):
        code = str(u["moe_code"])
        heads, source, basis = known.get(code, (int(teachers[code]), "method_service_teams", "synthetic"))
        source = "method_training_providers" if code in known and basis == "synthetic" else source
        rows.append((code, CLASS_OF[institution_kind(u)], heads, source, basis))
    return pd.DataFrame(rows, columns=["moe_code", "staff_class", "teachers", "source_id", "basis"])


def regenerate(folder: Path) -> dict[str, bytes]:
    """The registry as bytes of CSV, from the registries in ``folder``."""
    from zjsim.tables.reader import read_table
    from zjsim.tables.registries import REGISTRIES

    tables = {name: read_table(folder / f"{name}.csv", REGISTRIES[name]) for name in INPUTS}
    return {"institution_staff": registry_csv(institution_staff(tables))}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for registry, content in regenerate(target).items():
        (target / f"{registry}.csv").write_bytes(content)
