from __future__ import annotations

import re

import pandas as pd

OUTCOMES = {
    "enterprise_services": ["services_completed", "services_completed", "services_with_outreach"],
    "technology_transfer": ["patents_transferred", "result_contracts", "patents_transferred_or_trialled"],
    "training": ["training_person_times_all", "training_person_times_social", "training_person_times_strict"],
    "patent_inventory": ["inventory_share_stock_at_plan", "inventory_share_rolling"],
    "joint_platforms": ["platforms_opened", "platforms_operating"],
    "sector_communities": ["communities_provincial_new", "communities_any_level"],
    "municipal_consortia": ["consortia_with_national", "consortia_provincial"],
    "practice_centres": ["practice_centres_recognised"],
    "ai_college": ["ai_college_opened"],
    "entrepreneurship_mentors": ["mentors_trained"],
    "silk_road_colleges": ["silk_road_operating", "silk_road_ever_opened", "silk_road_operating"],
    "key_enterprises": ["key_firms_served", "key_firms_contacted"],
    "sibling_rule": ["sibling_counties", "sibling_counties"],
    "migrant_enrolment": ["place_share_permit_holders", "place_share_county_rule", "place_share_all_residents"],
    "public_share": ["public_share_public_only", "public_share_with_purchased"],
    "permit_seat_guarantee": ["permit_public_place_share"],
    "stem_agri_med_share": [
        "stem_share_admissions",
        "stem_share_admissions_all_levels",
        "stem_share_enrolment",
    ],
}


def test_measures_are_numbered_without_gaps_and_their_texts_differ(tables: dict[str, pd.DataFrame]) -> None:
    measures = tables["measures"]
    assert measures["measure_id"].tolist() == [f"M{n:03d}" for n in range(1, 152)]
    for column in ("text_zh", "indicator_zh", "indicator_en"):
        assert measures[column].is_unique, column
    assert measures["kind"].value_counts().to_dict() == {
        "mechanism": 103,
        "quantified_target": 18,
        "unquantified_target": 12,
        "priority_rule": 12,
        "registry": 6,
    }


def test_clauses_with_a_bound_are_the_quantified_ones(tables: dict[str, pd.DataFrame]) -> None:
    measures = tables["measures"].set_index("measure_id")
    assert measures.loc["M010", "handled_by"] == "lead_discipline"
    assert measures.loc["M012", "handled_by"] == "heritage"
    quantified = measures[measures["kind"] == "quantified_target"]
    assert (quantified["target_value"] != "").all()
    assert not quantified["handled_by"].isin(["context", "tracking"]).any()


def test_every_reading_is_there_once_with_its_outcome(tables: dict[str, pd.DataFrame]) -> None:
    targets = tables["targets"]
    found = {t: g["outcome"].tolist() for t, g in targets.groupby("target_id", sort=False)}
    assert found == OUTCOMES


def test_each_target_of_the_plan_has_one_default_reading(tables: dict[str, pd.DataFrame]) -> None:
    defaults = tables["targets"].groupby("target_id")["is_default"].sum()
    assert defaults.drop("permit_seat_guarantee").eq(1).all()
    assert defaults["permit_seat_guarantee"] == 0  # a promise made outside the plan


def test_bounds_baselines_and_dates_are_consistent(tables: dict[str, pd.DataFrame]) -> None:
    targets = tables["targets"]
    assert (targets["bound"].isna() == (targets["comparator"] == "not_falling")).all()
    assert (targets["has_baseline"] == targets["baseline"].notna()).all()
    assert (targets["has_baseline"] == targets["baseline_year"].notna()).all()
    assert (targets["has_baseline"] == (targets["baseline_basis"] != "")).all()
    assert (targets["start"] < targets["deadline"]).all()
    shares = targets[targets["unit"] == "share"]
    assert shares[["bound", "baseline"]].max().le(1).all()


def test_every_quantified_clause_is_a_target(tables: dict[str, pd.DataFrame]) -> None:
    measures = tables["measures"]
    named = {m for cell in tables["targets"]["measures"] for m in cell.split(";")}
    quantified = set(measures.loc[measures["kind"] == "quantified_target", "measure_id"])
    assert quantified <= named


def test_known_figures_that_decide_feasibility(tables: dict[str, pd.DataFrame]) -> None:
    targets = tables["targets"].set_index(["target_id", "reading"])
    assert targets.loc[("silk_road_colleges", "seventy_operating"), "baseline"] == 39
    assert targets.loc[("patent_inventory", "stock_at_plan"), "baseline"] == 0.504
    assert targets.loc[("public_share", "public_only"), "baseline"] == 0.7436
    observed = tables["observations"].set_index("observation_id")["value"]
    assert observed["O001"] == 39
    giants = tables["observations"].query("indicator_en == 'National little giants of batch 6'")
    province = giants["area_en"] == "Zhejiang"
    assert giants.loc[~province, "value"].sum() == giants.loc[province, "value"].sum() == 400


def test_goals_and_projections_are_not_results(tables: dict[str, pd.DataFrame]) -> None:
    observations = tables["observations"]
    goals = observations[observations["indicator_en"].str.contains("aimed at|goal|planned", case=False)]
    assert (goals["nature"] == "goal").all()
    assert (observations["nature"] == "projection").sum() == 1


def test_sources_name_a_document(tables: dict[str, pd.DataFrame]) -> None:
    sources = tables["sources"]
    ours = {s for n in tables if n != "sources" for s in tables[n]["source_id"]}
    cited = sources[sources["source_id"].isin(ours)]
    assert (cited["title_en"] != "").all()
    assert all(re.fullmatch(r"(src|method)_[a-z0-9_]+", s) for s in cited["source_id"])
    hosts = sources["url"].str.extract(r"^https?://([^/:]+)")[0].dropna()
    assert not hosts.str.contains("localhost|127.0.0.1").any()
