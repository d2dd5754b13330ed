"""Nothing in a workbook stands under its bare name: columns, sheets, codes and readings have words."""

from __future__ import annotations

import csv
import typing
from pathlib import Path

import pytest
from zjsim.models import (
    assignment_draws,
    assignment_explanations,
    assignment_pareto,
    bottlenecks,
    location_tables,
    marginal_values,
    outcomes_by_city,
    outcomes_by_county,
    outcomes_by_provider,
    people_tables,
    plan_value,
    replication_tables,
    seat_shortfalls,
    shortfalls,
)
from zjsim.models.location_openings import PLAN_TABLES

from zjsim.report.sheets import ESSENTIAL, SHEETS
from zjsim.report.words import code_word, column_title
from zjsim.scenario.parameters import Parameters
from zjsim.texts import LANGUAGES, catalogue

with (Path(__file__).parent / "headers.csv").open(encoding="utf-8", newline="") as f:
    HEADERS = {row["table"]: row["columns"].split(";") for row in csv.DictReader(f)}
"""The columns of every table of a run."""

DECLARED = {
    "assignment_explanations": assignment_explanations.EXPLANATION_COLUMNS,
    "assignment_alternatives": assignment_explanations.ALTERNATIVE_COLUMNS,
    "assignment_prices": assignment_explanations.PRICE_COLUMNS,
    "assignment_margins": assignment_explanations.MARGIN_COLUMNS,
    "assignment_frequencies": assignment_draws.FREQUENCY_COLUMNS,
    "assignment_pareto": assignment_pareto.PARETO_COLUMNS,
    "seat_shortfalls": seat_shortfalls.SHORTFALL_COLUMNS,
    "plan_value": plan_value.COLUMNS,
    "replication_targets": replication_tables.TARGET_COLUMNS,
    "replication_outcomes": replication_tables.OUTCOME_COLUMNS,
    "marginal_values": marginal_values.MARGINAL_COLUMNS,
    "bottlenecks": bottlenecks.BOTTLENECK_COLUMNS,
    "shortfall_distribution": shortfalls.SHORTFALL_DISTRIBUTION_COLUMNS,
    "earliest_certainty": shortfalls.CERTAINTY_COLUMNS,
    "outcomes_by_city": outcomes_by_city.CITY_COLUMNS,
    "outcomes_by_county": outcomes_by_county.COUNTY_COLUMNS,
    "people_ledger": people_tables.LEDGER_COLUMNS,
    "people_summary": people_tables.SUMMARY_COLUMNS,
    "training_by_provider": outcomes_by_provider.PROVIDER_COLUMNS,
    **dict.fromkeys(PLAN_TABLES.values(), location_tables.PLAN_COLUMNS),
}

CODES = {
    "standing of a choice": ("forced", "firm", "swappable", "out", "impossible", "unproven"),
    "change": ("added", "dropped"),
    "candidate": ("discipline", "institution"),
    "place": ("city", "county"),
    "role": ("lead", "partner", "support"),
    "goal": (
        "lead_score", "lead_specialised", "lead_tie_break", "heritage_score", "heritage_tie_break", "support_cities",
        "support_score", "support_few", "support_tie_break",
    ),
    "unit": ("cities", "supports", "0.001 point", "point", "industries", "places"),
}  # fmt: skip


@pytest.mark.parametrize("table", sorted(HEADERS))
def test_every_column_of_a_result_table_has_titles(table: str) -> None:
    for lang in LANGUAGES:
        assert [c for c in HEADERS[table] if column_title(c, lang, table) == c] == [], lang


@pytest.mark.parametrize("table", sorted(DECLARED))
def test_the_register_is_what_the_models_declare(table: str) -> None:
    assert HEADERS[table] == list(DECLARED[table])


def test_every_sheet_has_a_name_and_shows_columns_that_exist() -> None:
    assert set(SHEETS) <= set(HEADERS)
    assert set(ESSENTIAL) <= {*SHEETS, "tasks"}
    for sheet in SHEETS:
        words = catalogue()[f"report.sheet_{sheet}"]
        assert all(len(words[lang]) <= 31 for lang in LANGUAGES), "Excel's limit"
        stems = {c.removesuffix("_zh").removesuffix("_en") for c in HEADERS[sheet]}
        added = {
            "deciding_inputs": {"indicator"},
            "assignment_explanations": {"frequency"},
        }.get(sheet, set())
        assert set(ESSENTIAL.get(sheet, ())) <= stems | added, sheet


@pytest.mark.parametrize("what", sorted(CODES))
def test_codes_have_words(what: str) -> None:
    for code in CODES[what]:
        assert code_word(code, "zh") != code
        assert any(f"{k}.{code}" in catalogue() for k in ("report.code", "unit")), code


def test_every_reading_a_scenario_may_choose_has_words() -> None:
    found = 0
    for section, declared in Parameters.model_fields.items():
        for name, field in getattr(declared.annotation, "model_fields", {}).items():
            if name.endswith("_reading"):
                for value in ("name", *typing.get_args(field.annotation)):
                    assert f"readings.{section}.{name}.{value}" in catalogue()
                    found += 1
    assert found > len(LANGUAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_two_sheets_share_a_title(lang: str) -> None:
    """Excel refuses a workbook with two sheets of one title (case ignored, 31 characters), and so stops a run."""
    texts = catalogue()
    titles = [texts[key][lang][:31].lower() for key in texts if key.startswith("report.sheet_")]
    assert len(titles) > 40
    assert len(set(titles)) == len(titles)
