"""The registries of talent supply are what their methods give, byte by byte, and add up to what they are split from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import zjsim.scenarios

from zjsim.synthesis import talent
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES

FOLDER = Path(next(iter(zjsim.scenarios.__path__))) / "baseline" / "registries"
DERIVED = ("programme_groups", "programme_relevance", "graduate_demand", "demand_cases", "order_classes")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return {name: read_table(FOLDER / f"{name}.csv", REGISTRIES[name]) for name in (*talent.INPUTS, *DERIVED)}


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    return talent.regenerate(FOLDER)


@pytest.mark.parametrize("name", DERIVED)
def test_the_file_is_what_the_method_gives(written: dict[str, bytes], name: str) -> None:
    assert written[name] == (FOLDER / f"{name}.csv").read_bytes()


def test_students_in_stock_are_the_totals_of_their_levels(tables: dict[str, pd.DataFrame]) -> None:
    """Intake is whole, so a level's stock misses its total by at most half a student a group and year of the cohort."""
    groups = tables["programme_groups"]
    mode = tables["talent_parameters"].set_index("parameter_id")["mode"]
    for level, parameter in talent.STUDENTS.items():
        part = groups[groups["level"] == level]
        stock = 0.0
        for g in part.to_dict("records"):
            kept = 1 - g["dropout_per_year"]
            stock += g["intake"] * sum(kept**k for k in range(g["years_elsewhere"], g["duration_years"]))
        assert abs(stock - mode[parameter]) <= 0.5 * part["duration_years"].sum()


def test_every_institution_and_city_teaches_and_has_room_for_those_it_teaches(tables: dict[str, pd.DataFrame]) -> None:
    groups = tables["programme_groups"]
    hosts = set(tables["universities"]["moe_code"]) | set(tables["cities"]["city_code"])
    assert set(groups.loc[groups["intake"] > 0, "host_id"]) == hosts
    norm = tables["programme_classes"].set_index("class_id")["students_per_teacher"]
    mode = tables["talent_parameters"].set_index("parameter_id")["mode"]
    weight = {"master": mode["TL11"], "doctoral": mode["TL12"]}
    for g in groups.to_dict("records"):
        kept = 1 - g["dropout_per_year"]
        stock = g["intake"] * sum(kept**k for k in range(g["years_elsewhere"], g["duration_years"]))
        assert stock <= g["places"]
        assert stock * weight.get(g["level"], 1) / norm[g["class_id"]] <= g["teachers"] + 0.1
        assert g["may_open"] == (g["intake"] == 0)


def test_a_class_is_as_relevant_as_its_most_relevant_discipline(tables: dict[str, pd.DataFrame]) -> None:
    relevance = tables["programme_relevance"].set_index(["class_id", "sector_id"])["relevance"]
    assert relevance["K02", "C02"] == 3
    assert relevance["K12", "S01"] == 3
    assert talent.class_of("1401", tables["programme_classes"]) == "K02"
    assert talent.class_of("1305", tables["programme_classes"]) == "K16"
    assert talent.class_of("0812", tables["programme_classes"]) == "K01"
    assert {talent.class_of(c, tables["programme_classes"]) for c in tables["disciplines"]["discipline_code"]} <= set(
        tables["programme_classes"]["class_id"]
    )


def test_demand_has_its_range_and_cases_their_probability(tables: dict[str, pd.DataFrame]) -> None:
    demand = tables["graduate_demand"]
    assert ((demand["low"] <= demand["mode"]) & (demand["mode"] <= demand["high"])).all()
    cases = tables["demand_cases"]
    assert cases.groupby("case_id")["probability"].first().sum() == pytest.approx(1)
    mean = (cases["probability"] * cases["position"]).groupby(cases["sector_id"]).sum()
    assert mean.abs().max() < 1e-12
    assert set(cases["sector_id"]) == set(tables["talent_sectors"]["sector_id"])
