from __future__ import annotations

import pandas as pd
import pytest

THREE = ("low", "mode", "high")


def test_every_parameter_is_there(tables: dict[str, pd.DataFrame]) -> None:
    ids = tables["process_parameters"]["parameter_id"]
    assert sorted({i[:4] for i in ids}) == [f"PP{n:02d}" for n in range(1, 71)]
    assert [i for i in ids if len(i) > 4] == ["PP32a", "PP32b", "PP32c"]


def test_ranges_are_in_order(tables: dict[str, pd.DataFrame]) -> None:
    p = tables["process_parameters"]
    assert (p["low"] <= p["mode"]).all()
    assert (p["mode"] <= p["high"]).all()
    assert ((p["low"] == p["high"]) == (p["distribution"] == "constant")).all()
    bounded = p["unit"].isin(["share", "probability", "share of stock", "share per year"])
    assert p.loc[bounded, "high"].max() <= 1
    assert (p.loc[p["distribution"] == "lognormal", "low"] > 0).all()
    assert p.loc[p["distribution"] == "beta", "high"].max() <= 1


def test_a_range_is_public_only_if_all_of_it_was_read(tables: dict[str, pd.DataFrame]) -> None:
    p = tables["process_parameters"].set_index("parameter_id")
    for name, row in p.iterrows():
        seen = [v for v in row["value_seen"].split(";") if v]
        if row["basis"] in ("official", "press"):
            assert len(seen) == 3, name
            assert not row["value_computed"], name
            assert row["region"] != "abroad", name
        if row["basis"] == "derived":
            rest = [v for v in THREE if v not in seen]
            middle = (row["low"] + row["high"]) / 2
            assert not rest or row[rest[0]] in [row[v] for v in seen] or row[rest[0]] == pytest.approx(middle), name
            assert len(rest) <= 1, name
        if row["source_id"] == "src_project_assumption":
            assert not seen, name
        assert bool(seen) == (row["region"] != ""), name
    public = p[p["basis"].isin(["official", "press"])]
    assert public.index.tolist() == ["PP29", "PP50", "PP51"]
    assert (public["distribution"] == "constant").all()


def test_paces_that_a_target_asks_for_are_marked(tables: dict[str, pd.DataFrame]) -> None:
    p = tables["process_parameters"].set_index("parameter_id")
    assert p.index[p["role"] == "required_pace"].tolist() == ["PP35", "PP57"]
    assert p.index[p["role"] == "derived_check"].tolist() == ["PP22", "PP36"]
    assert ((p["distribution"] == "derived") == (p["role"] == "derived_check")).all()


def test_months_add_up_to_twelve_within_the_range(tables: dict[str, pd.DataFrame]) -> None:
    p = tables["process_parameters"].set_index("parameter_id")
    months = tables["monthly_indices"]
    months = months[months["index_id"].str.startswith("PP")]
    assert set(months["index_id"]) == set(p.index[p["distribution"] == "monthly_index"])
    for name, group in months.groupby("index_id"):
        assert group["month"].tolist() == list(range(1, 13))
        assert group["value"].sum() == pytest.approx(12)
        assert group["value"].min() == p.loc[name, "low"]
        assert group["value"].max() <= p.loc[name, "high"]


def test_engagement_kinds_share_the_whole(tables: dict[str, pd.DataFrame]) -> None:
    p = tables["process_parameters"].set_index("parameter_id")
    split = p.loc[["PP32a", "PP32b", "PP32c"]]
    assert split["mode"].sum() == pytest.approx(1)
    assert split["low"].sum() <= 1 <= split["high"].sum()
