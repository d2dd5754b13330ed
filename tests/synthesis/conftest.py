"""The baseline, and the school tables drawn from it once for all tests."""

from __future__ import annotations

import pandas as pd
import pytest

from zjsim.scenario import Scenario, load
from zjsim.synthesis.placement import Source, source_of, synthesize_tables

SEED, YEAR = 20241231, 2025


@pytest.fixture(scope="session")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="session")
def source(baseline: Scenario) -> Source:
    return source_of(baseline.tables, YEAR, SEED)


@pytest.fixture(scope="session")
def province(source: Source) -> dict[str, pd.DataFrame]:
    return synthesize_tables(source, source.counties)
