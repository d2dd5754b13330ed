"""Firms, teams, patents, sibling rule: the files are what the methods give, the totals are the published ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import zjsim.scenarios

from zjsim.synthesis import patents, programmes, services
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES

FOLDER = Path(next(iter(zjsim.scenarios.__path__))) / "baseline" / "registries"
INPUTS = (
    *("cities", "counties", "universities", "disciplines", "firm_classes", "institution_weights"),
    *("service_parameters", "patent_parameters", "programme_parameters", "process_parameters", "admission_rules"),
)


@pytest.fixture(scope="module")
def derived() -> dict[str, pd.DataFrame]:
    tables = {name: read_table(FOLDER / f"{name}.csv", REGISTRIES[name]) for name in INPUTS}
    found = services.derive(tables)
    return found | {
        "patents": patents.patents(tables, found["service_teams"]),
        "sibling_rule": programmes.sibling_rule(tables),
        "points_rule": programmes.points_rule(tables),
    }


@pytest.mark.parametrize(
    "name", ["enterprises", "service_teams", "team_deployment", "patents", "sibling_rule", "points_rule"]
)
def test_the_file_is_what_the_method_gives(derived: dict[str, pd.DataFrame], name: str) -> None:
    assert services.registry_csv(derived[name]) == (FOLDER / f"{name}.csv").read_bytes()


@pytest.mark.parametrize("name", ["service_parameters", "patent_parameters", "programme_parameters", "programmes"])
def test_the_written_registries_pass_their_checks(name: str) -> None:
    table = read_table(FOLDER / f"{name}.csv", REGISTRIES[name])
    assert len(table) > 0
    if "mode" in table:
        assert (table["low"] <= table["mode"]).all()
        assert (table["mode"] <= table["high"]).all()


def test_published_totals(derived: dict[str, pd.DataFrame]) -> None:
    firms = derived["enterprises"].groupby("firm_class")["firms"].sum()
    assert firms["little_giant"] == 1832
    assert firms["heritage"] == 124
    hangzhou = derived["enterprises"].query("city_code == '330100'").set_index("firm_class")["firms"]
    assert hangzhou["specialised_sme"] == 1583  # the provincial total was derived from this one
    assert hangzhou["heritage"] == 44
    assert sum(services.BATCH6_LITTLE_GIANTS.values()) == 400
    assert len(derived["service_teams"]) == len(derived["patents"]) == 109
    assert derived["service_teams"]["teachers"].sum() == 55_000 + 15_100
    assert derived["patents"]["stock"].sum() == 91_270
    assert derived["patents"]["transfer_staff"].sum() == pytest.approx(109 * 18_248 / 4_059, abs=0.6)
    assert len(derived["sibling_rule"]) == 90


def test_shares_of_every_institution_add_up_to_one(derived: dict[str, pd.DataFrame]) -> None:
    assert derived["team_deployment"].groupby("moe_code")["share"].sum().to_numpy() == pytest.approx(1.0)


def test_requests_follow_the_national_contracts_not_the_target(derived: dict[str, pd.DataFrame]) -> None:
    """109 × 162.8 contracts × 0.95 × 0.75 firms × 0.7 in the province × 1.25, less repeats of 0.4."""
    firms = derived["enterprises"]
    requests = (firms["firms"] * firms["requests_per_firm_year"]).sum()
    assert requests == pytest.approx(109 * 162.8 * 0.95 * 0.75 * 0.7 * 1.25 * 0.6, rel=1e-3)
