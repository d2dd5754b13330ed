from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from zjsim.scenario import Scenario, school_checks
from zjsim.synthesis.children import claims
from zjsim.synthesis.placement import Source, synthesize_county
from zjsim.synthesis.tiers import TierLines, band, lines_of
from zjsim.synthesis.zones import County

Tables = dict[str, pd.DataFrame]
KEYS = ["county_code", "grade"]


@pytest.fixture(scope="module")
def groups(province: Tables) -> pd.DataFrame:
    return province["child_groups"]


def demand(baseline: Scenario) -> pd.DataFrame:
    table = baseline.table("seat_demand")
    return table[table["year"] == 2025].set_index(KEYS).sort_index()


def test_children_add_up_to_the_applicants_of_every_county_and_grade(groups: pd.DataFrame, baseline: Scenario) -> None:
    applicants = demand(baseline)["applicants"]
    assert groups.groupby(KEYS)["children"].sum().reindex(applicants.index, fill_value=0).equals(applicants)
    assert (groups["children"] > 0).all()


def test_entrants_with_a_permit_and_eligible_ones_are_those_of_the_county_table(
    groups: pd.DataFrame, baseline: Scenario
) -> None:
    table = demand(baseline).loc[(slice(None), [1, 7]), :]
    entrants = groups[~groups["is_transfer"]]
    assert set(entrants["grade"]) == {1, 7}
    for flag, column in (("has_permit", "permit_holders"), ("is_eligible", "eligible_children")):
        assert entrants[entrants[flag]].groupby(KEYS)["children"].sum().tolist() == table[column].tolist()


def test_about_three_hundred_thousand_are_eligible(groups: pd.DataFrame) -> None:
    assert groups.loc[groups["is_eligible"], "children"].sum() == pytest.approx(300_000, rel=0.1)
    assert groups["children"].sum() == pytest.approx(420_000, rel=0.1)


def test_transfers_keep_the_shares_of_their_grade(source: Source) -> None:
    for county in source.counties.values():
        permit, eligible = claims(county)
        assert (eligible <= permit).all()
        assert (permit <= county.applicants).all()
        expected = county.applicants * county.eligible / np.maximum(county.migrant, 1)
        assert np.abs(eligible - expected).max() <= 0.5


def test_no_check_of_the_scenario_finds_anything(province: Tables, baseline: Scenario) -> None:
    tables = {**baseline.tables, **province}
    rules = (
        school_checks.groups_have_schools,
        school_checks.shares_of_zones,
        school_checks.zone_of_county,
        school_checks.cell_of_zone,
        school_checks.grades_of_schools,
        school_checks.purchased_places,
        school_checks.taken_within_seats,
        school_checks.schools_of_groups,
        school_checks.siblings_of_groups,
        school_checks.tiers_of_groups,
        school_checks.groups_add_up,
        school_checks.schools_add_up,
    )
    for check in rules:
        assert list(check(tables)) == [], check.__name__


def test_groups_differ_from_each_other(groups: pd.DataFrame) -> None:
    same = groups.duplicated([c for c in groups.columns if c not in ("group_id", "children")])
    assert not same.any()


def test_points_are_exact_to_the_step_and_tie_often(groups: pd.DataFrame, province: Tables) -> None:
    eligible = groups[groups["is_eligible"]]
    assert eligible["points"].notna().all()
    assert groups.loc[~groups["is_eligible"], "points"].isna().all()
    steps = province["tier_rules"].query("order_by != 'none'").groupby("county_code")["points_step"].first()
    assert set(steps) == {1.0, 0.5, 0.1}
    parts = (1 / eligible["county_code"].map(steps)).round()
    whole = (eligible["points"] * parts).round()
    assert (whole / parts == eligible["points"]).all()
    queue = eligible.groupby([*KEYS, "tier", "points"])["children"].sum()
    assert (queue[queue > 1].sum() / queue.sum()) > 0.5


def test_tiers_of_the_eligible_have_their_shares(groups: pd.DataFrame, source: Source) -> None:
    eligible = groups[groups["is_eligible"]]
    shares = eligible.groupby("tier")["children"].sum() / eligible["children"].sum()
    own = source.settings
    wanted = [own.home_or_talent_share, own.upper_band_share, own.middle_band_share]
    assert shares.tolist() == pytest.approx([*wanted, 1 - sum(wanted)], abs=0.005)


def test_elder_siblings_have_the_share_asked_for_and_sit_near(
    groups: pd.DataFrame, province: Tables, source: Source
) -> None:
    holders = groups[groups["has_permit"] & groups["grade"].isin([1, 2, 3, 4, 5, 7])]
    siblings = holders[holders["sibling_school"] != ""]
    share = siblings["children"].sum() / holders["children"].sum()
    assert share == pytest.approx(source.settings.sibling_share, abs=0.01)
    assert (groups.loc[groups["grade"] == 9, "sibling_school"] == "").all()
    assert (groups.loc[~groups["has_permit"], "sibling_school"] == "").all()
    cell = province["residence_cells"].set_index("cell_id").loc[siblings["cell_id"], ["lon", "lat"]].to_numpy()
    school = province["schools"].set_index("school_id").loc[siblings["sibling_school"], ["lon", "lat"]].to_numpy()
    km = 111.195 * np.hypot((cell[:, 0] - school[:, 0]) * 0.875, cell[:, 1] - school[:, 1])
    assert np.median(km) < 4


def test_an_elder_sibling_s_school_holds_migrant_children_in_a_higher_grade(
    groups: pd.DataFrame, province: Tables
) -> None:
    there = province["school_grades"].query("taken_migrant > 0").groupby("school_id")["grade"].max()
    named = groups[groups["sibling_school"] != ""]
    assert (named["sibling_school"].map(there) > named["grade"]).all()


def test_families_apply_for_two_grades_with_the_same_points(groups: pd.DataFrame, source: Source) -> None:
    named = groups[groups["family_id"] != ""]
    families = named.groupby("family_id")
    assert (families["children"].sum() == 2).all()
    assert (families["grade"].nunique() == 2).all()
    for column in ("cell_id", "tier", "county_code"):
        assert (families[column].nunique() == 1).all(), column
    assert (families["points"].nunique(dropna=False) == 1).all()
    holders = groups.loc[groups["has_permit"], "children"].sum()
    assert named["children"].sum() / holders == pytest.approx(source.settings.together_share, abs=0.01)


def test_transfers_already_at_a_school_fit_into_it(groups: pd.DataFrame, province: Tables, source: Source) -> None:
    named = groups[groups["current_school"] != ""]
    assert named["is_transfer"].all()
    grades = province["school_grades"].set_index(["school_id", "grade"])
    free = grades["seats"] - grades["taken_local"] - grades["taken_migrant"]
    sitting = named.groupby(["current_school", "grade"])["children"].sum()
    assert (sitting <= free.reindex(sitting.index)).all()
    share = named["children"].sum() / groups.loc[groups["is_transfer"], "children"].sum()
    assert 0.6 * source.settings.current_school_share < share <= 1.05 * source.settings.current_school_share


def test_residence_follows_the_zones(groups: pd.DataFrame, province: Tables) -> None:
    zones = province["planning_zones"].set_index("zone_id")
    children = groups.groupby("zone_id")["children"].sum().reindex(zones.index, fill_value=0)
    share = children / children.groupby(zones["county_code"]).transform("sum")
    large = children.groupby(zones["county_code"]).transform("sum") > 2000
    assert (share - zones["share_migrant"])[large].abs().max() < 0.03


def test_nothing_names_a_person(province: Tables) -> None:
    forbidden = ("name", "identity", "身份证", "姓名", "phone", "birth")
    for column in province["child_groups"].columns:
        assert not any(word in column for word in forbidden), column
    for column in ("group_id", "family_id", "cell_id"):
        assert province["child_groups"][column].str.fullmatch(r"(33\d{4}-[GFC]\d{4,5})?").all()


def test_known_lines_come_from_the_county_s_rule(source: Source) -> None:
    rules = source.tables["admission_rules"]
    yongkang = lines_of("330784", rules, source.settings, 2025, 1)
    assert yongkang.upper == 120 * yongkang.parts
    yiwu = lines_of("330782", rules, source.settings, 2025, 1)
    assert yiwu.by_months
    assert yiwu.parts == 1


def test_bands_do_not_overlap() -> None:
    lines = TierLines(200, 240, 440, 2, False)
    assert [band(lines, t) for t in (1, 2, 3, 4)] == [(0, 440), (240, 440), (200, 239), (0, 199)]


def changed(source: Source, **changes: object) -> Tables:
    county: County = dataclasses.replace(source.counties["331127"], **changes)  # type: ignore[arg-type]
    return synthesize_county(dataclasses.replace(source, counties={"331127": county}), "331127")


def test_a_county_without_applicants_has_no_groups(source: Source) -> None:
    none = np.zeros(9, dtype=np.int64)
    assert changed(source, applicants=none)["child_groups"].empty


def test_one_child_is_one_group(source: Source) -> None:
    one = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0])
    table = changed(source, applicants=one, migrant=one, permit=one, eligible=one)["child_groups"]
    assert table[["grade", "children"]].to_numpy().tolist() == [[1, 1]]
    assert table["is_eligible"].tolist() == [True]
