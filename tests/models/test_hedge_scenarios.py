"""Demand scenarios: what is known stays, what is not varies as declared, draws do not disturb each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from zjsim.models.hedge_data import Area, Tree, areas
from zjsim.models.hedge_scenarios import KINDS, Futures, Uncertainty, quantile, uncertainties

from zjsim.scenario import load
from zjsim.scenario.checks import demand_uncertainties_add_up

SEED = 20241231


@pytest.fixture(scope="module")
def baseline() -> tuple[list[Area], tuple[Uncertainty, ...]]:
    scenario = load("baseline")
    return areas(scenario), uncertainties(scenario.table("demand_uncertainties"))


def test_the_registry_covers_every_kind_and_adds_up(baseline: tuple[list[Area], tuple[Uncertainty, ...]]) -> None:
    numbers = baseline[1]
    assert {n.acts_on for n in numbers} == set(KINDS)
    assert all(sum(n.parts) == pytest.approx(1) and n.low <= n.mode <= n.high for n in numbers)


def test_the_births_agree_with_their_registry() -> None:
    scenario = load("baseline")
    births = scenario.table("births").set_index("year")
    for number in uncertainties(scenario.table("demand_uncertainties")):
        if number.acts_on == "births":
            row = births.loc[number.birth_year]
            middle = (row["low_10k"] + row["high_10k"]) / 2
            assert number.low == pytest.approx(row["low_10k"] / middle, abs=6e-4)
            assert number.high == pytest.approx(row["high_10k"] / middle, abs=6e-4)


def test_broken_rows_are_told() -> None:
    tables = dict(load("baseline").tables)
    t = tables["demand_uncertainties"].copy()
    t.loc[0, "share_city"] = 0.9
    t.loc[1, "birth_year"] = np.nan
    t.loc[2, "low"] = 9.0
    tables["demand_uncertainties"] = t
    found = {(b.row, b.rule) for b in demand_uncertainties_add_up(tables)}
    assert found == {(0, "uncertainty_parts"), (1, "uncertainty_birth_year"), (2, "range_order")}


def test_known_children_stay_and_nodes_share_what_is_known(
    baseline: tuple[list[Area], tuple[Uncertainty, ...]],
) -> None:
    places, numbers = baseline
    tree = Tree((3, 2))
    d = Futures(numbers, 2024, SEED, tree=tree).demand(places[5])
    for g in range(9):
        for j in range(len(places[5].years)):
            if j - g < 0:
                assert (d.local[:, g, j] == places[5].local[g, j]).all()
    # The first year is known at the first review, the second at the second.
    for name in ("local", "migrant", "covered"):
        values = getattr(d, name)
        assert (values[0::2, :, 0] == values[1::2, :, 0]).all()
        assert (values[0::2, :, 1] != values[1::2, :, 1]).any() or name == "local"
    assert (d.covered <= d.migrant).all()


def test_later_births_move_only_their_entrants(baseline: tuple[list[Area], tuple[Uncertainty, ...]]) -> None:
    places, numbers = baseline
    only = [n for n in numbers if n.name == "births_2025"]
    d = Futures(only, 2024, SEED, tree=Tree((50,)), fresh=True).demand(places[0])
    moved = d.local.std(axis=0) > 0
    years = places[0].years
    expected = np.array([[y - g == 2031 for y in years] for g in range(9)])
    assert (moved == expected).all()


def test_one_more_future_or_county_leaves_the_others(baseline: tuple[list[Area], tuple[Uncertainty, ...]]) -> None:
    places, numbers = baseline
    few, many = (
        Futures(numbers, 2024, SEED, tree=Tree((5,)), fresh=True),
        Futures(numbers, 2024, SEED, tree=Tree((9,)), fresh=True),
    )
    many.demand(places[1])
    assert (few.demand(places[0]).migrant == many.demand(places[0]).migrant[:5]).all()
    assert (
        few.demand(places[0]).migrant
        != Futures(numbers, 2024, SEED + 1, tree=Tree((5,)), fresh=True).demand(places[0]).migrant
    ).any()


def test_strata_are_met_once_and_counties_move_together_as_declared(
    baseline: tuple[list[Area], tuple[Uncertainty, ...]],
) -> None:
    places, numbers = baseline
    stock = next(n for n in numbers if n.name == "migrant_stock")
    tree = Tree((40,))
    province = Futures([stock], 2024, SEED, tree=tree).province(stock, 1)
    from scipy.special import ndtr

    assert sorted((ndtr(province) * 40).astype(int)) == list(range(40))
    fresh = Futures([stock], 2024, SEED, tree=Tree((4000,)), fresh=True)
    here = fresh.normals(stock, places[0], 1)
    same_city = fresh.normals(stock, places[1], 1)
    elsewhere = fresh.normals(stock, next(a for a in places if a.city_code != places[0].city_code), 1)
    assert np.corrcoef(here, same_city)[0, 1] == pytest.approx(0.7, abs=0.03)
    assert np.corrcoef(here, elsewhere)[0, 1] == pytest.approx(0.5, abs=0.04)
    values = quantile(stock, here)
    assert values.min() >= stock.low
    assert values.max() <= stock.high
    assert values.mean() == pytest.approx((stock.low + stock.mode + stock.high) / 3, abs=0.005)


def test_a_yearly_number_remembers(baseline: tuple[list[Area], tuple[Uncertainty, ...]]) -> None:
    places, numbers = baseline
    growth = next(n for n in numbers if n.name == "migrant_growth")
    values = Futures([growth], 2024, SEED, tree=Tree((4000,)), fresh=True).values(growth, places[0], 3)
    assert np.corrcoef(values[:, 0], values[:, 1])[0, 1] == pytest.approx(growth.persistence, abs=0.05)
    still = replace(growth, low=1.0, mode=1.0, high=1.0)
    assert (Futures([still], 2024, SEED, tree=Tree((3,)), fresh=True).values(still, places[0], 2) == 1).all()
