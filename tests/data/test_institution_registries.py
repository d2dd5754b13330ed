from __future__ import annotations

import pandas as pd


def test_the_list_of_the_plan_year(tables: dict[str, pd.DataFrame]) -> None:
    universities = tables["universities"]
    assert universities["level"].value_counts().to_dict() == {"undergraduate": 62, "vocational": 47}
    assert universities["name_zh"].is_unique
    assert universities["name_en"].is_unique
    assert universities["double_first_class"].sum() == 3
    assert universities["provincial_key_university"].sum() == 12
    assert universities["double_high_plan"].sum() == 15


def test_renamed_institutions_keep_their_code_and_bear_the_name_of_2024(tables: dict[str, pd.DataFrame]) -> None:
    universities = tables["universities"].set_index("moe_code")
    renamed = universities[universities["name_zh"] != universities["name_zh_newest"]]
    assert len(renamed) == 6
    assert universities.loc["10347", "name_zh"] == "湖州师范学院"
    assert universities.loc["10863", "level"] == "vocational"
    upgraded = universities[universities["vocational_undergraduate"]]
    assert (upgraded["level"] == "undergraduate").all()
    assert len(upgraded) == 4


def test_a_campus_lies_in_a_county_of_its_city(tables: dict[str, pd.DataFrame]) -> None:
    universities = tables["universities"]
    assert (universities["county_code"].str[:4] + "00" == universities["city_code"]).all()
    assumed = universities[universities["county_basis"] == "assumption"]
    seats = tables["cities"].set_index("city_code")["seat_county_code"]
    assert (assumed["county_code"] == assumed["city_code"].map(seats)).all()
    assert len(assumed) == 4
    assert set(universities["county_basis"]) == {"unverified", "assumption"}


def test_disciplines_of_the_fourth_round(tables: dict[str, pd.DataFrame]) -> None:
    disciplines = tables["disciplines"]
    graded = disciplines[disciplines["grade"] != ""]
    assert len(graded) == 211
    assert graded["moe_code"].nunique() == 16
    assert disciplines["moe_code"].nunique() == 33
    assert (graded["basis"] == "press").all()
    assert (disciplines.loc[disciplines["grade"] == "", "basis"] == "unverified").all()
    names = disciplines.groupby("discipline_code")[["name_zh", "name_en"]].nunique()
    assert (names == 1).all(axis=None)


def test_integrated_circuits_were_never_graded(tables: dict[str, pd.DataFrame]) -> None:
    rows = tables["disciplines"].query("discipline_code == '1401'")
    assert len(rows) > 0
    assert (rows["grade"] == "").all()


def test_double_first_class_disciplines_belong_to_such_universities(tables: dict[str, pd.DataFrame]) -> None:
    chosen = tables["disciplines"].query("double_first_class")
    assert len(chosen) == 23
    flagged = tables["universities"].query("double_first_class")["moe_code"]
    assert set(chosen["moe_code"]) == set(flagged)
    assert chosen["moe_code"].value_counts().to_dict() == {"10335": 21, "11646": 1, "10355": 1}
