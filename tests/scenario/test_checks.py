"""Checks across tables: one broken row each, told at its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from zjsim.scenario import load
from zjsim.tables.errors import InputErrors

WriteScenario = Callable[..., Path]
LOGNORMAL_FROM_ZERO = {"low": "0", "mode": "2", "high": "4", "distribution": "lognormal"}
ToyTable = Callable[[str], tuple[dict[str, str], ...]]


def with_row(rows: tuple[dict[str, str], ...], **changes: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{**rows[0], **changes}, *rows[1:]])
    return stream.getvalue()


@pytest.mark.parametrize(
    ("registry", "changes", "rule", "column"),
    [
        ("targets", {"start": "2026-01-01", "deadline": "2025-12-31"}, "start_after_deadline", "start"),
        ("targets", {"is_default": "no"}, "default_readings", "is_default"),
        ("process_parameters", {"low": "3", "mode": "2", "high": "4"}, "range_order", "low"),
        ("process_parameters", {"low": "1", "mode": "5", "high": "4"}, "range_order", "mode"),
        (
            "process_parameters",
            LOGNORMAL_FROM_ZERO,
            "lognormal_positive",
            "low",
        ),
        ("counties", {"city_code": "330100"}, "county_city_prefix", "city_code"),
        ("seat_demand", {"migrant_children": "3", "permit_holders": "4"}, "part_exceeds", "permit_holders"),
        (
            "migrant_calibration",
            {"migrant_children": "3", "in_public_schools": "4"},
            "part_exceeds",
            "in_public_schools",
        ),
        ("counties", {"age_5_9": "999999"}, "ages_exceed", "population_2020"),
    ],
)
def test_each_rule(
    write_scenario: WriteScenario, toy_table: ToyTable, registry: str, changes: dict[str, str], rule: str, column: str
) -> None:
    folder = write_scenario({f"registries/{registry}.csv": with_row(toy_table(registry), **changes)})
    with pytest.raises(InputErrors) as caught:
        load(folder)
    found = [f for f in caught.value.errors if f.rule == rule]
    assert [(f.file, f.line, f.column) for f in found] == [(f"{registry}.csv", 2, column)]
