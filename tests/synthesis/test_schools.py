from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from zjsim.scenario import Scenario
from zjsim.synthesis.placement import Source, source_of, synthesize_county
from zjsim.synthesis.school_counts import split
from zjsim.synthesis.schools import grade_table, schools_of
from zjsim.synthesis.zones import County, zones_of
from zjsim.tables.registries import REGISTRIES

Tables = dict[str, pd.DataFrame]
KEYS = ["county_code", "grade"]
KM_PER_DEGREE = 111.195


def of_year(baseline: Scenario, name: str, year: int) -> pd.DataFrame:
    table = baseline.table(name)
    return table[table["year"] == year].set_index(KEYS).sort_index()


@pytest.fixture(scope="module")
def grades(province: Tables) -> pd.DataFrame:
    return province["school_grades"].merge(province["schools"].drop(columns=["county_code"]), on="school_id")


def sums(grades: pd.DataFrame, ownership: str, column: str) -> pd.Series:
    return grades[grades["ownership"] == ownership].groupby(KEYS)[column].sum()


def test_every_parameter_is_used_and_in_order(baseline: Scenario, source: Source) -> None:
    table = baseline.table("placement_parameters")
    fields = dataclasses.fields(source.settings)
    assert table["parameter_id"].tolist() == [f"CP{n:02d}" for n in range(1, len(fields) + 1)]
    assert (table["low"] <= table["mode"]).all()
    assert (table["mode"] <= table["high"]).all()
    assert set(table["basis"]) <= {"assumption", "judgement"}
    assert not table[["name_en", "unit", "reason_en"]].agg("".join, axis=1).str.contains("[\u4e00-\u9fff]").any()


def test_there_are_as_many_schools_as_published_for_2020(province: Tables, baseline: Scenario) -> None:
    kinds = province["schools"]["stage"].value_counts()
    statistics = baseline.table("education_statistics").query("area_code == '330000' and year == 2020")
    published = statistics.set_index("indicator")["value"]
    assert kinds["primary"] == published["primary_schools"] == 3308
    assert kinds["junior"] + kinds["nine_year"] == published["junior_schools"] == 1748
    assert len(province["schools"]) == published["compulsory_schools"]


def test_cities_with_a_published_count_keep_it(province: Tables) -> None:
    schools = province["schools"]
    primary = (schools["stage"] == "primary").groupby(schools["county_code"].str[:4]).agg(["sum", "size"])
    known = {"3301": (507, 305), "3302": (427, 224), "3303": (562, 339), "3306": (321, 140), "3311": (196, 79)}
    for city, (of_primary, of_junior) in known.items():
        assert primary.loc[city].tolist() == [of_primary, of_primary + of_junior]


def test_every_county_has_public_schools_of_both_stages(province: Tables) -> None:
    public = province["schools"].query("ownership == 'public'")
    assert public.query("stage == 'primary'")["county_code"].nunique() == 90
    assert public.query("stage != 'primary'")["county_code"].nunique() == 90


@pytest.mark.parametrize(
    ("ownership", "column", "registry", "total"),
    [
        ("public", "classes", "seat_capacity", "public_classes"),
        ("public", "seats", "seat_capacity", "public_seats"),
        ("private", "seats", "seat_capacity", "private_places"),
        ("public", "taken_local", "seat_demand", "local_children"),
    ],
)
def test_schools_add_up_to_their_county(
    grades: pd.DataFrame, baseline: Scenario, ownership: str, column: str, registry: str, total: str
) -> None:
    county = of_year(baseline, registry, 2025)[total]
    assert sums(grades, ownership, column).reindex(county.index, fill_value=0).tolist() == county.tolist()


def test_children_there_are_those_who_do_not_apply(grades: pd.DataFrame, baseline: Scenario) -> None:
    demand = of_year(baseline, "seat_demand", 2025)
    stay = demand["migrant_children"] - demand["applicants"]
    assert grades.groupby(KEYS)["taken_migrant"].sum().tolist() == stay.tolist()
    assert (grades.loc[grades["ownership"] == "private", "taken_local"] == 0).all()
    assert (grades.loc[grades["grade"].isin([1, 7]), "taken_migrant"] == 0).all()


def test_no_school_is_over_its_seats_where_no_county_is(grades: pd.DataFrame) -> None:
    assert (grades["taken_local"] + grades["taken_migrant"] <= grades["seats"]).all()
    assert (grades["purchased_seats"] <= grades["seats"]).all()
    assert (grades["taken_purchased"] <= grades[["purchased_seats", "taken_migrant"]].min(axis=1)).all()


def test_classes_are_within_the_norm_of_45_and_50(grades: pd.DataFrame) -> None:
    norm = np.where(grades["grade"] <= 6, 45, 50)
    assert (grades["seats"] <= grades["classes"] * norm).all()


def test_purchases_stay_within_what_a_county_can_buy(grades: pd.DataFrame, baseline: Scenario) -> None:
    stage = np.where(grades["grade"] <= 6, "primary", "junior")
    bought = grades.groupby([grades["county_code"], stage])["purchased_seats"].sum()
    most = baseline.table("seat_options").set_index(["county_code", "stage"])["purchase_places_max"]
    assert (bought <= most.reindex(bought.index)).all()
    assert 0 < bought.sum() < most.sum()
    assert (grades.loc[grades["ownership"] == "public", "purchased_seats"] == 0).all()


def test_a_school_teaches_the_grades_of_its_stage(grades: pd.DataFrame) -> None:
    taught = grades.groupby("stage")["grade"].agg(["min", "max"])
    assert taught.loc["primary"].tolist() == [1, 6]
    assert taught.loc["junior"].tolist() == [7, 9]
    assert taught.loc["nine_year"].tolist() == [1, 9]
    years = grades.groupby(["stage", "school_id"]).size().groupby("stage").unique()
    assert {k: v.tolist() for k, v in years.items()} == {"junior": [3], "nine_year": [9], "primary": [6]}


def distance_km(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Between rows of the same index, on the plane used for the drawing."""
    east = (a["lon"] - b["lon"]) * np.cos(np.radians(b["lat"])) * KM_PER_DEGREE
    return pd.Series(np.hypot(east, (a["lat"] - b["lat"]) * KM_PER_DEGREE), index=a.index)


def test_zones_lie_in_the_neighbourhood_of_their_county(province: Tables, baseline: Scenario) -> None:
    zones = province["planning_zones"]
    county = baseline.table("counties").set_index("county_code").loc[zones["county_code"]].set_index(zones.index)
    radius = np.sqrt(county["area_km2"] / np.pi)
    assert (distance_km(zones, county) + zones["radius_km"] <= radius + 0.02).all()
    count = zones.groupby("county_code").size()
    assert count.between(3, 12).all()
    assert len(count) == 90


@pytest.mark.parametrize("name", ["schools", "residence_cells"])
def test_schools_and_cells_lie_in_their_zone(province: Tables, name: str) -> None:
    table = province[name]
    zone = province["planning_zones"].set_index("zone_id").loc[table["zone_id"]].set_index(table.index)
    assert (zone["county_code"] == table["county_code"]).all()
    # The eastward scale is that of the county's point: at the zone's it differs by less than 1 %.
    assert (distance_km(table, zone) <= zone["radius_km"] * 1.01 + 0.02).all()


def test_shares_of_zones_add_up_to_one(province: Tables) -> None:
    totals = province["planning_zones"].groupby("county_code")[["share_local", "share_migrant"]].sum()
    assert np.allclose(totals, 1, atol=1e-9)


def test_schools_are_larger_in_urban_zones(grades: pd.DataFrame, province: Tables) -> None:
    size = grades.groupby("school_id")["classes"].sum()
    schools = province["schools"].merge(province["planning_zones"][["zone_id", "kind"]], on="zone_id")
    schools["classes"] = schools["school_id"].map(size)
    mean = schools[schools["ownership"] == "public"].groupby(["stage", "kind"])["classes"].mean().unstack()
    assert (mean["urban"] > mean["town"]).all()
    assert (mean["town"] > mean["rural"]).all()


def test_every_cell_has_a_school_within_reach(province: Tables) -> None:
    cells = province["residence_cells"].groupby("county_code")
    for code, schools in province["schools"].groupby("county_code"):
        own = cells.get_group(code)
        for stage in ("primary", "junior"):
            there = schools[schools["stage"].isin([stage, "nine_year"])]
            east = (own["lon"].to_numpy()[:, None] - there["lon"].to_numpy()) * 0.875
            nearest = KM_PER_DEGREE * np.hypot(east, own["lat"].to_numpy()[:, None] - there["lat"].to_numpy()).min(1)
            assert np.median(nearest) < 6, code
            assert nearest.max() < 35, code


def test_everything_is_labelled_synthetic(province: Tables) -> None:
    for name, table in province.items():
        assert set(table["basis"]) == {"synthetic"}, name
        assert table["source_id"].str.startswith("method_").all(), name
        assert table.columns.tolist() == [c.name for c in REGISTRIES[name].columns], name
        for column in ("label_zh", "label_en"):
            if column in table:
                assert table[column].str.contains("合成|synthetic").all()
                assert table[column].is_unique, name


def test_ids_are_unique_and_in_order(province: Tables) -> None:
    for name, table in province.items():
        key = list(REGISTRIES[name].key)
        assert not table.duplicated(key).any(), name
        assert table[key].equals(table[key].sort_values(key, ignore_index=True)), name


def test_a_county_alone_has_the_rows_it_has_in_the_province(source: Source, province: Tables) -> None:
    for code in ("330102", "330782", "331127"):
        for name, rows in synthesize_county(source, code).items():
            table = province[name]
            pd.testing.assert_frame_equal(rows, table[table["county_code"] == code].reset_index(drop=True))


def test_another_county_s_real_tables_change_nothing_here(baseline: Scenario, province: Tables) -> None:
    tables = dict(baseline.tables)
    for name in ("seat_demand", "seat_capacity", "seat_options", "migrant_calibration"):
        changed = tables[name].copy()
        numbers = [c for c in changed.columns if changed[c].dtype == np.int64 and c not in ("year", "grade")]
        changed.loc[changed["county_code"] == "330105", numbers] *= 2
        tables[name] = changed
    moved = source_of(tables, 2025, 20241231)
    for name, rows in synthesize_county(moved, "330102").items():
        table = province[name]
        pd.testing.assert_frame_equal(rows, table[table["county_code"] == "330102"].reset_index(drop=True))
    assert (
        len(synthesize_county(moved, "330105")["child_groups"])
        > 1.5 * (province["child_groups"]["county_code"] == "330105").sum()
    )


def test_another_seed_gives_another_draw_with_the_same_totals(baseline: Scenario, province: Tables) -> None:
    other = synthesize_county(source_of(baseline.tables, 2025, 7), "330402")
    before = {n: t[t["county_code"] == "330402"].reset_index(drop=True) for n, t in province.items()}
    assert not other["residence_cells"].equals(before["residence_cells"])
    for column in ("seats", "taken_local", "taken_migrant"):
        now, then = (t["school_grades"].groupby("grade")[column].sum().tolist() for t in (other, before))
        assert now == then


def test_an_unknown_school_year_is_refused(baseline: Scenario) -> None:
    with pytest.raises(ValueError, match="2050"):
        source_of(baseline.tables, 2050, 1)


def drawn(source: Source, **changes: object) -> pd.DataFrame:
    """The places of a small county after changes to what is known of it."""
    county: County = dataclasses.replace(source.counties["331127"], **changes)  # type: ignore[arg-type]
    zones = zones_of(county, source.settings, 1)
    counts = split(county, 11, 6, source.settings)
    return grade_table(county, schools_of(county, zones, counts, source.settings, 1), 2025)


def test_an_overfull_county_is_overfull_in_its_schools_too(source: Source) -> None:
    seats = source.counties["331127"].seats
    table = drawn(source, local=seats + 100).groupby("grade")[["taken_local", "seats"]].sum()
    assert (table["taken_local"] - seats == 100).all()


def test_more_children_than_places_go_to_private_schools_last(source: Source) -> None:
    county = source.counties["331127"]
    stay = np.array([0, 5000, 0, 0, 0, 0, 0, 0, 0])
    table = drawn(source, migrant=county.applicants + stay)
    over = table[table["grade"] == 2]
    assert over["taken_migrant"].sum() == 5000
    public = over[over["taken_local"] > 0]
    assert (public["taken_local"] + public["taken_migrant"] == public["seats"]).all()


def test_corner_cases_keep_their_totals(source: Source) -> None:
    none = np.zeros(9, dtype=np.int64)
    table = drawn(source, private_places=none, local=none, migrant=none, applicants=none)
    assert table[["taken_local", "taken_migrant", "purchased_seats"]].to_numpy().sum() == 0
    assert table["seats"].sum() == source.counties["331127"].seats.sum()
    empty = drawn(source, classes=none, seats=none, private_places=none)
    assert empty["taken_local"].sum() == source.counties["331127"].local.sum()
    assert empty[["classes", "seats"]].to_numpy().sum() == 0
    few = drawn(source, applicants=source.counties["331127"].migrant + 5)
    assert few["taken_migrant"].sum() == 0
