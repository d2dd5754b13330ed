"""The workbook of a placement: sheets in both languages, codes in words, exactness on every page, equal bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from zjsim.report.placement_book import CODED, SHEETS, code_word, goal_word, in_words, proven, write_placement_book
from zjsim.report.visible import visible
from zjsim.texts import LANGUAGES, Language, catalogue

FACTS = {"title": "t", "scenario": "s", "year": 2025, "children": 3, "counties": 1, "switches": "minimum_section = 5"}
NAMES = {"county": {"330101": "甲县"}, "school": {"330101-P001": "一小"}}


def tables() -> dict[str, pd.DataFrame]:
    front = {"county_code": "330101", "year": 2025}
    goal = front | {"goal_order": 1, "goal": "tier1.public", "unit": "steps"}
    found = {name: pd.DataFrame({"county_code": pd.Series(dtype=str)}) for name in SHEETS}
    coupled = goal | {"part": 1, "grades": "1;2", "children": 3, "value": 2, "bound": 1.0, "gap": 0.5}
    found["placement_coupled"] = pd.DataFrame([coupled | {"without_rules": 1}])
    step = front | {"repair": "seats", "grade": 1, "school_id": "330101-P001", "kind": "public", "rule": ""}
    found["placement_repair_steps"] = pd.DataFrame([step | {"value": 2.0, "before": 0.0}])
    said = {"amount": 2, "unit": "seats", "grades": "1", "unplaced_before": 2, "unplaced_after": 0, "bound": 2}
    found["placement_repairs"] = pd.DataFrame(
        [front | {"repair": "seats", "seats_besides": 0, "zh": "=1+1", "en": "two seats"} | said]
    )
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sheets_with_rows_and_how_exact_they_are(lang: Language, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_placement_book(tmp_path / f"{name}.xlsx", FACTS, tables(), NAMES, lang)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
        assert len(sheets) == 4
        for sheet in sheets:
            inside = book.read(sheet).decode()
            assert "50.00%" in inside.split("<oddFooter>")[1]
            assert "<f>" not in inside
    assert "50.00%" in proven(tables(), lang)
    exact = proven({"placement_coupled": tables()["placement_coupled"].iloc[:0]}, lang)
    assert exact == catalogue()["placement.book.exact"][lang]


def test_codes_and_goals_are_words() -> None:
    assert code_word("tier_3", "en") == "tier 3"
    assert goal_word("tier2.distance", "zh").startswith("第2梯度")
    shown = in_words("placement_repair_steps", tables()["placement_repair_steps"], NAMES, "zh")
    assert shown[["county", "school", "repair", "kind"]].to_numpy().tolist() == [["甲县", "一小", "学位", "公办"]]
    assert set(CODED) & set(shown.columns) == {"repair", "kind", "rule"}
    for sheet in SHEETS:
        assert all(len(catalogue()[f"report.sheet_{sheet}"][lang]) <= 31 for lang in LANGUAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_attacks_stand_in_it_as_text(lang: Language, tmp_path: Path, attack: str) -> None:
    found = tables()
    found["placement_repairs"] = found["placement_repairs"].assign(zh=attack, en=attack)
    facts = {**FACTS, "title": attack, "switches": attack}
    names = {"county": {"330101": attack}, "school": {"330101-P001": attack}}
    write_placement_book(tmp_path / "p.xlsx", facts, found, names, lang)
    book = openpyxl.load_workbook(tmp_path / "p.xlsx")
    said = []
    for sheet in book:
        assert not sheet._hyperlinks
        cells = [c for row in sheet.iter_rows() for c in row if c.value is not None]
        assert not [c.value for c in cells if c.data_type == "f" and not str(c.value).startswith("=SUBTOTAL(109,")]
        said += [str(c.value) for c in cells]
    assert sum(visible(attack, 200)[:60] in s for s in said) >= 3, "county, school and repair"
    assert max(map(len, said)) <= 2_100, "and cut where it is too long to read"
