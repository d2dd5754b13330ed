from __future__ import annotations

import pandas as pd

MAIN = [f"C{n:02d}" for n in range(1, 16)]
HERITAGE = [f"H{n:02d}" for n in range(1, 11)]


def test_one_programme_four_groups_fifteen_clusters_ten_heritage(tables: dict[str, pd.DataFrame]) -> None:
    industries = tables["industries"].set_index("industry_id")
    assert industries.index.tolist() == ["X415", "W1", "W2", "W3", "W4", *MAIN, *HERITAGE]
    assert (industries.loc[MAIN, "kind"] == "provincial_cluster").all()
    assert (industries.loc[HERITAGE, "kind"] == "heritage").all()
    assert industries.loc[MAIN, "parent_id"].str.fullmatch("W[1-4]").all()
    assert (industries.loc[MAIN, "parent_basis"] == "unverified").all()
    assert industries["revenue_2027_trillion_yuan"].dropna().to_dict() == {"X415": 12}


def test_every_industry_is_somewhere(tables: dict[str, pd.DataFrame]) -> None:
    places = tables["industry_places"]
    assert set(places["industry_id"]) == {*MAIN, *HERITAGE}
    cities = places["place_code"].str.endswith("00")
    assert (cities == (places["place_level"] == "city")).all()
    known = places["role"] == "known_location"
    assert (places.loc[known, "basis"] == "unverified").all()
    assert (places.loc[~known, "basis"] == "press").all()
    assert places["role"].value_counts().to_dict() == {"known_location": 89, "core_area": 22, "coordination_area": 4}


def test_every_industry_has_a_discipline_at_its_core(tables: dict[str, pd.DataFrame]) -> None:
    best = tables["relevance"].groupby("industry_id")["relevance"].max()
    assert set(best.index) == {*MAIN, *HERITAGE}
    assert best.min() >= 2
    assert (tables["relevance"]["relevance"] > 0).all()


def test_totals_agree_with_the_registries(tables: dict[str, pd.DataFrame]) -> None:
    totals = tables["industry_totals"].set_index("total_id")["value"]
    assert totals["415x_goal_2027"] == tables["industries"]["revenue_2027_trillion_yuan"].max()
    assert totals["heritage_industries_2015"] == len(HERITAGE)
    assert totals["double_first_class_disciplines_2022"] == tables["disciplines"]["double_first_class"].sum()
    assert totals["provincial_key_universities_2017"] == tables["universities"]["provincial_key_university"].sum()
    jinhua = tables["universities"].query("city_code == '330700'")
    assert totals["jinhua_institutions_2024"] == len(jinhua)
