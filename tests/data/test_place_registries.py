from __future__ import annotations

import numpy as np
import pandas as pd


def test_residents_of_the_counties_add_up_to_the_census(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["counties"]["population_2020"].sum() == 64_567_588


def test_age_bands_miss_the_total_by_little(tables: dict[str, pd.DataFrame]) -> None:
    counties = tables["counties"]
    gap = counties["age_0_14"] - counties[["age_0", "age_1_4", "age_5_9", "age_10_14"]].sum(axis=1)
    assert gap.abs().max() <= 300
    assert (counties["age_0_14"] < 0.3 * counties["population_2020"]).all()
    assert (counties["ages_basis"] == "derived").all()


def test_hukou_shares_leave_room_for_locals(tables: dict[str, pd.DataFrame]) -> None:
    shares = tables["counties"].filter(like="share_hukou_")
    assert shares.shape[1] == 3
    assert shares.sum(axis=1).lt(0.9).all()


def test_five_hangzhou_districts_are_estimates(tables: dict[str, pd.DataFrame]) -> None:
    counties = tables["counties"]
    estimated = counties[counties["estimated_from_old_districts"]]
    assert set(estimated["name_zh"]) == {"上城区", "钱塘区", "萧山区", "余杭区", "临平区"}
    assert (estimated["shares_basis"] == "derived").all()
    assert (counties.loc[~counties["estimated_from_old_districts"], "shares_basis"] == "press").all()


def test_flags_count_as_published(tables: dict[str, pd.DataFrame]) -> None:
    counties = tables["counties"]
    assert counties["is_mountain"].sum() == 26
    assert counties["is_island"].sum() == 6
    assert counties["is_mountain_island_25"].sum() == 25
    assert (counties["flags_basis"] == "unverified").all()
    assert counties["kind"].value_counts().to_dict() == {"district": 37, "county": 33, "city": 20}


def test_a_county_belongs_to_the_city_of_its_code(tables: dict[str, pd.DataFrame]) -> None:
    counties, cities = tables["counties"], tables["cities"].set_index("city_code")
    assert (counties["county_code"].str[:4] + "00" == counties["city_code"]).all()
    for column in ("zh", "en"):
        names = counties["city_code"].map(cities[f"name_{column}"])
        assert (names == counties[f"city_{column}"]).all()
    seats = cities["seat_county_code"]
    assert (seats.str[:4] + "00" == seats.index).all()


def test_city_points_are_the_weighted_mean_of_their_counties(tables: dict[str, pd.DataFrame]) -> None:
    cities = tables["cities"].set_index("city_code")
    for code, group in tables["counties"].groupby("city_code"):
        for axis in ("lon", "lat"):
            mean = np.average(group[axis], weights=group["population_2020"])
            assert abs(mean - cities.loc[code, axis]) < 1e-4
    assert not tables["counties"].duplicated(["lon", "lat"]).any()


def test_latest_residents_come_with_year_and_source(tables: dict[str, pd.DataFrame]) -> None:
    counties = tables["counties"]
    for what in ("resident_latest", "hukou_population"):
        known = counties[f"{what}_10k"].notna()
        assert (known == counties[f"{what}_year"].notna()).all()
        assert (known == (counties[f"{what}_source_id"] != "")).all()


def test_births_have_a_value_or_a_range(tables: dict[str, pd.DataFrame]) -> None:
    births = tables["births"].set_index("year")
    assert births.index.tolist() == list(range(2013, 2027))
    unknown = births[births["births_10k"].isna()]
    assert unknown.index.tolist() == [2024, 2025, 2026]
    assert (unknown["low_10k"] < unknown["high_10k"]).all()
    assert (unknown["basis"] == "assumption").all()
    assert births.loc[2017, "births_10k"] == births["births_10k"].max()


def test_residents_of_the_province_grow(tables: dict[str, pd.DataFrame]) -> None:
    population = tables["population"]
    assert population["year"].tolist() == list(range(2019, 2025))
    assert population["resident_10k"].is_monotonic_increasing
