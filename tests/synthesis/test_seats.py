"""The derived seat registries: totals, exactness, and that the committed files are what the method writes."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjsim.scenario import load
from zjsim.synthesis.cohorts import advance, norm, pupils_2020
from zjsim.synthesis.placement import baseline_zones
from zjsim.synthesis.proportional import fit, largest_remainder
from zjsim.synthesis.seats import csv_bytes, eligible_shares, migrants_by_grade, regenerate

PUBLIC = ("counties", "births", "education_statistics", "seat_norms", "admission_rules")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    scenario = load("baseline")
    return {name: scenario.table(name) for name in PUBLIC}


@pytest.fixture(scope="module")
def made(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return regenerate(tables)


def test_committed_files_are_what_the_method_writes(made: dict[str, pd.DataFrame]) -> None:
    folder = files("zjsim.scenarios.baseline.registries")
    for name, table in made.items():
        data = csv_bytes(table)
        assert (folder / f"{name}.csv").read_bytes() == data, name
        assert len(data) < 1_000_000


def test_the_method_does_not_touch_its_inputs(tables: dict[str, pd.DataFrame]) -> None:
    before = {name: table.copy() for name, table in tables.items()}
    regenerate(tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_calibration_equals_the_published_totals_and_names_their_years(made: dict[str, pd.DataFrame]) -> None:
    t = made["migrant_calibration"]
    by_city = t.groupby("city_code")["migrant_children"].sum()
    assert t["migrant_children"].sum() == 1_492_300
    assert by_city["330100"] == 286_300
    assert by_city["330200"] == 287_200
    hangzhou = t[t["city_code"] == "330100"]
    assert hangzhou["migrant_primary"].sum() == 198_400
    assert hangzhou["migrant_junior"].sum() == 87_900
    assert (t["migrant_primary"] + t["migrant_junior"] == t["migrant_children"]).all()
    assert t["in_public_schools"].sum() == 1_109_600
    assert hangzhou["in_public_schools"].sum() == 242_000
    ningbo = t[t["city_code"] == "330200"]
    assert ningbo["in_public_schools"].sum() / 287_200 == pytest.approx(0.8329, abs=5e-5)
    assert set(t["reference_year"]) == {2018, 2019, 2022}
    assert set(t["basis"]) == {"derived"}


def test_pupils_of_2020_equal_the_published_enrolment(made: dict[str, pd.DataFrame]) -> None:
    t = made["seat_demand"]
    t = t[t["year"] == 2020]
    pupils = t["local_children"] + t["migrant_children"]
    assert pupils[t["grade"] <= 6].sum() == 3_727_300
    assert pupils[t["grade"] > 6].sum() == 1_636_400
    assert pupils[t["grade"] == 1].sum() == 645_900
    assert pupils[t["grade"] == 7].sum() == 553_900
    assert t["migrant_children"].sum() == 1_492_300
    cohorts = made["cohorts"].query("year == 2020 and age >= 6")
    assert cohorts["children"].sum() == 5_363_700


def test_cities_come_near_their_published_pupils(
    tables: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]
) -> None:
    city = dict(zip(tables["counties"]["county_code"], tables["counties"]["city_code"], strict=True))
    t = made["seat_demand"].assign(city=lambda x: x["county_code"].map(city))
    total = (t["local_children"] + t["migrant_children"]).groupby([t["city"], t["year"]]).sum()
    for code, year, published in (
        ("330200", 2020, 734_000),
        ("330600", 2020, 400_000),
        ("330100", 2022, 987_900),
        ("330200", 2022, 783_000),
        ("330300", 2022, 928_600),
    ):
        assert total[code, year] == pytest.approx(published, rel=2e-3), (code, year)


def test_children_move_up_one_grade_a_year(made: dict[str, pd.DataFrame]) -> None:
    t = made["seat_demand"].set_index(["county_code", "year", "grade"])["local_children"].unstack()
    for grade in range(2, 10):
        now, before = t[grade].unstack(), t[grade - 1].unstack()
        assert (now[range(2021, 2033)].to_numpy() == before[range(2020, 2032)].to_numpy()).all()


def test_tiers_are_nested_and_the_mean_of_the_eligible_is_as_assumed(
    tables: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]
) -> None:
    t = made["seat_demand"]
    assert (t["eligible_children"] <= t["permit_holders"]).all()
    assert (t["permit_holders"] <= t["migrant_children"]).all()
    assert (t["applicants"] <= t["migrant_children"]).all()
    by_year = t.groupby("year")[["eligible_children", "migrant_children", "applicants"]].sum()
    assert (by_year["eligible_children"] / by_year["migrant_children"]).to_numpy() == pytest.approx(0.71, abs=2e-3)
    assert by_year.loc[[2020, 2021, 2022], "applicants"].between(400_000, 430_000).all()
    months = eligible_shares(tables, 2025, np.ones(90))
    code = list(tables["counties"]["county_code"])
    permit = norm(tables, "model_permit_share")
    assert months[code.index("330102")] == permit  # 杭州 asks for no months of insurance
    assert months[code.index("330203")] == pytest.approx(
        permit - 12 * norm(tables, "model_eligible_per_insurance_month")
    )


def test_a_dated_rule_changes_the_eligible(tables: dict[str, pd.DataFrame]) -> None:
    code = list(tables["counties"]["county_code"]).index("330211")  # 镇海: 12 months in 2022, none from 2026
    early, late = (eligible_shares(tables, year, np.ones(90))[code] for year in (2025, 2026))
    assert early < late == norm(tables, "model_permit_share")


def test_capacity_follows_from_pupils_and_norms(made: dict[str, pd.DataFrame]) -> None:
    t = made["seat_capacity"]
    usable = np.where(t["grade"] <= 6, 42, 47)
    assert (t["public_seats"] == t["public_classes"] * usable).all()
    per_year = t[t["year"] >= 2024].groupby(["county_code", "year"])["public_classes"].sum().unstack()
    assert (per_year.nunique(axis=1) == 1).all()
    options = made["seat_options"].set_index(["county_code", "stage"])
    now = t[t["year"] == 2024].assign(stage=lambda x: np.where(x["grade"] <= 6, "primary", "junior"))
    classes = now.groupby(["county_code", "stage"])["public_classes"].sum()
    assert (options["classrooms"] >= classes.reindex(options.index)).all()
    assert set(t["basis"]) == {"synthetic"}


def test_a_shorter_horizon_leaves_earlier_years_as_they_are(
    tables: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]
) -> None:
    start = migrants_by_grade(tables, made["migrant_calibration"])
    short, full = advance(tables, start, 2026), advance(tables, start)
    for year in range(2020, 2027):
        assert (short.migrant[year] == full.migrant[year]).all()
        assert (short.young[year] == full.young[year]).all()


def test_more_births_mean_more_entrants_six_years_later(
    tables: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]
) -> None:
    births = tables["births"].copy()
    births.loc[births["year"] == 2023, "births_10k"] += 10
    more = advance(tables | {"births": births}, migrants_by_grade(tables, made["migrant_calibration"]))
    base = advance(tables, migrants_by_grade(tables, made["migrant_calibration"]))
    assert more.local[2029][:, 0].sum() > base.local[2029][:, 0].sum()
    assert (more.local[2028] == base.local[2028]).all()


def test_fitted_pupils_are_positive_in_every_county(tables: dict[str, pd.DataFrame]) -> None:
    assert (pupils_2020(tables) > 0).all()


@given(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30), st.integers(0, 10**6))
def test_largest_remainder_keeps_the_total_and_is_fair(weights: list[float], total: int) -> None:
    w = np.array(weights)
    if w.sum() == 0:
        if total:
            with pytest.raises(ValueError, match="all zero"):
                largest_remainder(w, total)
        return
    parts = largest_remainder(w, total)
    assert parts.sum() == total
    assert (np.abs(parts - w / w.sum() * total) < 1 + 1e-6).all()


def test_fit_by_hand_and_contradiction() -> None:
    start = np.ones((2, 2))
    rows = [np.array([[True, True], [False, False]]), np.array([[False, False], [True, True]])]
    columns = [r.T for r in rows]
    fitted = fit(start, [(rows[0], 6.0), (rows[1], 4.0), (columns[0], 5.0), (columns[1], 5.0)])
    assert fitted == pytest.approx(np.array([[3.0, 3.0], [2.0, 2.0]]))
    with pytest.raises(ValueError, match="contradict"):
        fit(start, [(rows[0], 6.0), (rows[1], 4.0), (columns[0], 9.0), (columns[1], 5.0)])


def test_transcribed_registries_are_complete() -> None:
    scenario = load("baseline")
    norms, rules = scenario.table("seat_norms"), scenario.table("admission_rules")
    assert len(scenario.table("education_statistics")) == 214
    assert len(rules) == 43
    assert (rules["insurance_months"] == 0).any()
    costs = norms[norms["topic"] == "cost_per_new_seat"].groupby("stage")["value"]
    assert costs.size().to_dict() == {"junior": 2, "primary": 6}
    assert (costs.min().min(), costs.max().max()) == (74_000, 346_500)
    for stage, median in costs.median().items():
        assert norms.loc[norms["norm_id"] == f"model_seat_cost_{stage}", "value"].item() == median
    used = norms[norms["used_by_model"]]
    assert (used["low"].isna() | (used["low"] <= used["value"])).all()
    assert (used["high"].isna() | (used["high"] >= used["value"])).all()
    assert used.loc[used["basis"] == "assumption", ["low", "high"]].notna().all().all()


def test_committed_zones_are_what_the_method_writes() -> None:
    scenario = load("baseline")
    for name, table in baseline_zones(scenario.tables).items():
        read = scenario.table(name)
        drawn = table.astype({c: "str" for c in read.columns if pd.api.types.is_string_dtype(read[c])})
        pd.testing.assert_frame_equal(read, drawn, check_dtype=False, check_exact=True)
    shares = scenario.table("seat_zones").groupby(["county_code", "stage"])
    for column in ("share_local", "share_migrant", "share_classrooms", "share_extension", "share_sites"):
        assert shares[column].sum().to_numpy() == pytest.approx(1.0, abs=1e-12), column
    assert (shares.size() >= 3).all()
