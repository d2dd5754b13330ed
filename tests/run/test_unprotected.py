"""A run whose small counts cannot be protected: published without counts of children, said in both languages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from zjsim.models import seat_publication

from zjsim.publishing import published
from zjsim.report.cover import unprotected_said
from zjsim.scenario.parameters import SolverParameters
from zjsim.solve.options import Options
from zjsim.texts import LANGUAGES


def test_the_run_goes_on_without_counts_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def told(results: Any, *, no_counts: bool = False, **_: Any) -> dict[str, pd.DataFrame]:
        asked.append(no_counts)
        if not no_counts:
            counts = seat_publication.Counts()
            gone = [counts.unknown("eligible", "330102", 2026), counts.unknown("rule_places", "330105", "indicator")]
            raise seat_publication.NotProtected(counts, gone)
        return dict(results)

    monkeypatch.setattr(seat_publication, "published_tables", told)
    options = pd.DataFrame({"county_code": ["330102"], "stage": ["primary"], "purchase_yuan_per_place": [8_000]})
    tables = {"seat_options": options, "seat_demand": pd.DataFrame()}
    parameters = SimpleNamespace(placement=SimpleNamespace(minimum_cell=10))
    scenario: Any = SimpleNamespace(parameters=parameters, table=tables.__getitem__, levels=(), sets=())
    results = {n: pd.DataFrame({"year": [2026]}) for n in ("seat_expansion", "seat_rooms", "seat_classes")}
    shown, places = published(scenario, results)
    assert asked == [False, True]
    assert sorted(shown) == sorted(results)
    assert places == ("330102 2026", "330105"), "the repair of a rule has no year"


def test_both_languages_say_where_and_what_to_do() -> None:
    manifest = {"unprotected": [f"33010{k} 2026" for k in range(7)]}
    for lang in LANGUAGES:
        said = unprotected_said(manifest, lang)
        assert "330100 2026" in said
        assert "330104 2026 …" in said
        assert "330105" not in said
        assert "placement.minimum_cell" in said
        assert unprotected_said({"unprotected": []}, lang) == ""


def test_a_scenario_may_limit_searches_by_nodes() -> None:
    assert Options.of(SolverParameters(node_limit=7)).node_limit == 7
    assert Options.of(SolverParameters()).node_limit is None
