from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zjsim.synthesis import training

FOLDER = Path(str(files("zjsim.scenarios.baseline") / "registries"))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "training_providers.csv", dtype=str, keep_default_na=False)


def test_both_registries_are_regenerated_byte_for_byte() -> None:
    for name, content in training.regenerate(FOLDER).items():
        assert content.encode() == (FOLDER / f"{name}.csv").read_bytes(), name


def test_published_totals_hold(table: pd.DataFrame) -> None:
    sums = table[["full_time_teachers", "full_time_students"]].astype(int).groupby(table["level"]).sum()
    assert sums.loc["college"].tolist() == [15_100, 353_300]
    assert sums.loc["secondary_school"].tolist() == [34_400, 679_800]
    assert (table["level"] == "secondary_school").sum() == 323
    assert table["provider_id"].is_unique


def test_documented_numbers_are_kept_and_drawn_ones_are_labelled(table: pd.DataFrame) -> None:
    known = table.set_index("provider_id")
    assert known.loc["P059", ["full_time_teachers", "teachers_basis"]].tolist() == ["231", "press"]
    assert known.loc["P040", ["full_time_students", "students_basis"]].tolist() == ["22000", "press"]
    drawn = table[table["name_basis"] == "synthetic"]
    assert set(drawn["teachers_basis"]) | set(drawn["students_basis"]) | set(drawn["basis"]) == {"synthetic"}


def test_demand_of_the_cities_adds_up_to_the_provincial_bases() -> None:
    demand = pd.read_csv(FOLDER / "training_demand.csv")
    bases = pd.read_csv(FOLDER / "training_bases.csv").set_index("base_id")["value"]
    courses = pd.read_csv(FOLDER / "course_types.csv")
    sums = demand.groupby("course_type_id")["base"].sum()
    for course in courses.itertuples():
        assert sums[course.course_type_id] == pytest.approx(bases[course.demand_base], abs=11)


def test_demand_at_its_modes_is_near_what_two_providers_that_publish_volumes_imply() -> None:
    """A check of the order of magnitude (within a third), not an input.

    Jinhua: 262,000 person-days of 7 hours at courses of 30 hours, with 22,000 of 353,300 college students; Wucheng:
    about 2,000 person-times a year, times 323 schools; grown with the stock of skilled workers (10.13 to 13.551 million
    in 4.7 years) over the five and a half years to 2025.
    """
    colleges = 262_000 * 7 / 30 / (22_000 / 353_300)
    implied = (colleges + 2_000 * 323) * (13.551 / 10.13) ** (5.5 / 4.7)
    demand = pd.read_csv(FOLDER / "training_demand.csv").groupby("course_type_id")["base"].sum()
    courses = pd.read_csv(FOLDER / "course_types.csv", keep_default_na=False)
    modes = pd.read_csv(FOLDER / "training_parameters.csv").set_index("parameter_id")["mode"]
    share = {"PP21": 0.674, "": 1.0}
    total = sum(
        demand[c.course_type_id] * modes[c.rate_parameter_id] * share[c.share_parameter_id]
        for c in courses.itertuples()
        if c.is_online == "no" and c.counts_all == "yes"
    )
    assert implied / 1.33 < total < implied * 1.33


def test_largest_remainder_is_exact_and_breaks_ties_by_order() -> None:
    assert training.largest_remainder(10, np.array([1.0, 1.0, 1.0])).tolist() == [4, 3, 3]
    assert training.largest_remainder(7, np.array([0.5, 0.25, 0.25])).tolist() == [3, 2, 2]


def test_one_more_provider_leaves_the_weights_of_the_others_unchanged(table: pd.DataFrame) -> None:
    drawn = [training._normal(p, "full_time_teachers") for p in ("P001", "P085")]
    assert drawn == [training._normal(p, "full_time_teachers") for p in ("P001", "P085")]
    assert len({training._normal(p, "full_time_teachers") for p in table["provider_id"]}) == len(table)


def test_seats_of_order_classes_are_those_of_the_registry_and_the_same_share_of_schools(table: pd.DataFrame) -> None:
    """Colleges: what order_classes lists (M044); schools: 8 % of a third of their students, rounded to hundreds."""
    seats = pd.read_csv(FOLDER / "order_classes.csv")["seats"].sum()
    students = table.loc[table["level"] == "secondary_school", "full_time_students"].astype(int).sum()
    base = pd.read_csv(FOLDER / "training_bases.csv").set_index("base_id")["value"]
    assert base["order_seats"] == pytest.approx(seats + 0.08 * students / 3, abs=50)


def test_every_sector_is_taught_in_every_city_and_says_how_it_is_known(table: pd.DataFrame) -> None:
    sectors = {f"TS{n}" for n in range(1, 7)}
    for _, rows in table.groupby("city_code"):
        assert set(";".join(rows["sectors"]).split(";")) == sectors
    named = table.set_index("name_zh")
    assert "TS5" in named.loc["浙江旅游职业学院", "sectors"]
    drawn = table["sectors"].str.count(";") + 1
    assert drawn.between(1, 6).all()
    assert set(table["sectors_basis"]) <= {"derived", "synthetic"}
