"""The location registries are what their methods give, byte by byte, and add up to what they are split from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zjsim.scenarios

from zjsim.synthesis import locations
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES

FOLDER = Path(next(iter(zjsim.scenarios.__path__))) / "baseline" / "registries"
DERIVED = ("county_industry", "location_need", "location_hosts", "location_starts", "location_budgets")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return {name: read_table(FOLDER / f"{name}.csv", REGISTRIES[name]) for name in (*locations.INPUTS, *DERIVED)}


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    return locations.regenerate(FOLDER)


@pytest.mark.parametrize("name", DERIVED)
def test_the_file_is_what_the_method_gives(written: dict[str, bytes], name: str) -> None:
    assert written[name] == (FOLDER / f"{name}.csv").read_bytes()


def test_campus_capacities_follow_from_their_staff(tables: dict[str, pd.DataFrame]) -> None:
    kinds = tables["location_kinds"].query("theme == 'campuses'")
    for k in kinds.to_dict("records"):
        assert locations.campus_capacity(k["staff"], tables) == k["capacity"]


def test_starts_are_the_pace_of_the_past(tables: dict[str, pd.DataFrame]) -> None:
    starts = tables["location_starts"].set_index(["kind", "year"])["starts"]
    platforms = (16.2 + 0.03 * 1622) / 0.85
    assert [starts["joint_platform", y] for y in locations.YEARS] == [int(platforms)] * 3
    assert sum(starts["practice_centre", y] for y in locations.YEARS) == 3 * 20 * 12 // 18
    roles = pd.concat([tables["process_parameters"], tables["programme_parameters"]]).set_index("parameter_id")["role"]
    used = tables["programmes"][["pace_parameter", "failure_parameter", "closure_parameter"]].to_numpy().ravel()
    assert {roles[p] for p in [*used, "PP65", "GP09"] if p} == {"input"}


def test_need_adds_up(tables: dict[str, pd.DataFrame]) -> None:
    need = tables["location_need"]
    firms = tables["enterprises"]
    share = tables["location_parameters"].set_index("parameter_id")["mode"]["LP04"]
    by_city = need[need["theme"] == "platforms"]
    main = by_city[by_city["group"].str.startswith("C")]
    main_total = main.groupby(main["county_code"].str[:4] + "00")["amount"].sum()
    keyed = firms[firms["firm_class"].isin(locations.KEY_CLASSES)].groupby("city_code")["firms"].sum()
    assert (main_total == np.floor(keyed * share + 0.5)).all()
    per_county = main.groupby("county_code")["group"].nunique()
    assert per_county.max() <= locations.INDUSTRIES_PER_COUNTY
    employees = tables["county_industry"]["park_employees"].sum()
    assert employees == pytest.approx(firms.query("firm_class == 'other'")["firms"].sum() * 130 * 0.4, abs=11)


def test_budgets_add_up_to_the_cost_of_the_starts(tables: dict[str, pd.DataFrame]) -> None:
    kinds = tables["location_kinds"].set_index("kind")
    s = tables["location_starts"]
    s = s.assign(theme=s["kind"].map(kinds["theme"]), points=s["starts"] * s["kind"].map(kinds["cost_points"]))
    given = tables["location_budgets"].groupby(["theme", "year"])["cost_points"].sum()
    assert (given == s.groupby(["theme", "year"])["points"].sum()).all()
    assert (tables["location_budgets"]["cost_points"] >= 0).all()


def test_a_county_without_a_place_takes_the_industries_of_its_city() -> None:
    grid = np.array([[1.0, 0.6, 0.0, 0.2], [0.0, 0.0, 0.0, 0.0]])
    shares = locations._weightiest(grid)
    assert shares[0] == pytest.approx(np.array([1.0, 0.6, 0.0, 0.2]) / 1.8)
    assert shares[1] == pytest.approx(shares[0])
    assert locations._weightiest(np.array([[4.0, 3.0, 2.0, 1.0]]))[0] == pytest.approx([4 / 9, 3 / 9, 2 / 9, 0])
