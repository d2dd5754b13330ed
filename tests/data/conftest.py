"""The baseline's registries of the plan, places, institutions, industries and parameters, read by the strict reader."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from zjsim.tables.reader import check_tables, read_raw
from zjsim.tables.schema import Registry

THEMES = ("plan", "places", "institutions", "industries", "parameters")


def declared() -> dict[str, Registry]:
    return {r.name: r for t in THEMES for r in import_module(f"zjsim.tables.registries.{t}").REGISTRIES}


@pytest.fixture(scope="session")
def registries() -> dict[str, Registry]:
    return declared()


@pytest.fixture(scope="session")
def tables(registries: dict[str, Registry]) -> dict[str, pd.DataFrame]:
    folder = Path(str(files("zjsim.scenarios"))) / "baseline"
    raws, findings = {}, []
    for name in registries:
        raw, _, found = read_raw(folder / "registries" / f"{name}.csv", folder, name, f"{name}.csv")
        findings += found
        if raw is not None:
            raws[name] = raw
    read = check_tables(raws, registries)
    findings += read.findings
    assert not findings, "\n".join(f.sentence("en") for f in findings)
    return read.tables
