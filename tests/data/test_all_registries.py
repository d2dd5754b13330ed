from __future__ import annotations

import re

import pandas as pd
import pytest

from zjsim.tables.schema import Registry

ROWS = {
    "measures": 151,
    "targets": 36,
    "observations": 102,
    "counties": 90,
    "cities": 11,
    "population": 6,
    "births": 14,
    "universities": 109,
    "disciplines": 273,
    "industries": 30,
    "industry_places": 115,
    "relevance": 175,
    "industry_totals": 14,
    "process_parameters": 72,
    "monthly_indices": 36,
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(("name", "rows"), ROWS.items())
def test_every_registry_has_the_rows_it_should(tables: dict[str, pd.DataFrame], name: str, rows: int) -> None:
    assert len(tables[name]) == rows


def test_rows_lie_in_the_order_of_their_keys(tables: dict[str, pd.DataFrame], registries: dict[str, Registry]) -> None:
    free = {"targets", "industries"}  # these follow the order of the plan
    for name in ROWS:
        if name in free:
            continue
        keys = tables[name][list(registries[name].key)]
        assert keys.equals(keys.sort_values(list(keys.columns), ignore_index=True)), name


def test_sources_are_sorted(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["sources"]["source_id"].is_monotonic_increasing


def test_english_cells_hold_no_chinese_and_chinese_cells_do(
    tables: dict[str, pd.DataFrame], registries: dict[str, Registry]
) -> None:
    for name, registry in registries.items():
        frame = tables[name]
        for column in registry.columns:
            if column.name.endswith("_en") or column.name == "unit":
                odd = frame.loc[frame[column.name].str.contains(CHINESE), column.name]
                assert odd.empty, (name, column.name, odd.tolist())
            if column.name.endswith("_zh") and column.name not in {"unit_zh", "title_zh", "note_zh"}:
                cells = frame.loc[frame[column.name] != "", column.name]
                odd = cells[~cells.str.contains(CHINESE)]
                assert odd.empty, (name, column.name, odd.tolist())


def test_both_languages_are_given_together(tables: dict[str, pd.DataFrame], registries: dict[str, Registry]) -> None:
    for name, registry in registries.items():
        for column in registry.columns:
            twin = column.name.removesuffix("_zh") + "_en"
            if name != "sources" and column.name.endswith("_zh") and twin in registry.by_name:
                assert ((tables[name][column.name] == "") == (tables[name][twin] == "")).all(), (name, column.name)
            if column.name == "unit_zh":
                assert ((tables[name]["unit_zh"] == "") == (tables[name]["unit"] == "")).all(), name


def test_a_basis_agrees_with_what_its_source_is(tables: dict[str, pd.DataFrame]) -> None:
    allowed = {
        "src_general_knowledge": {"unverified"},
        "src_project_assumption": {"assumption"},
        "src_project_judgement": {"judgement"},
    }
    for name in ROWS:
        frame = tables[name]
        for source, bases in allowed.items():
            assert set(frame.loc[frame["source_id"] == source, "basis"]) <= bases, (name, source)
        methods = frame["source_id"].str.startswith("method_")
        assert not frame.loc[methods, "basis"].isin(["official", "press"]).any(), name


def test_no_byline_has_come_along(tables: dict[str, pd.DataFrame]) -> None:
    """Documents are cited by title and publisher: no reporters or authors, as in "(names, names)" or "et al."."""
    byline = re.compile(
        r"(?:记者|作者)[：:]|[（(][一-鿿]{2,3}[,，]\s*[一-鿿]{2,3}[）)]|\bet al\b|\b(?:Prof|Dr|Mr|Ms)\."
    )
    for name in ROWS.keys() | {"sources"}:
        for column in tables[name].columns:
            if pd.api.types.is_string_dtype(tables[name][column]):
                odd = tables[name][column][tables[name][column].str.contains(byline)]
                assert odd.empty, (name, column, odd.tolist())
