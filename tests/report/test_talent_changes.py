"""Two runs' catalogues compared in words: every change with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zjsim.report.talent import talent_lines
from zjsim.report.talent_changes import catalogue_moves, change_sentences
from zjsim.texts import LANGUAGES, Language

YEAR = 2030


def tables(scarcity: dict[str, float], announced: dict[str, float], graduates: dict[str, float], demand: float) -> Any:
    names = {"K01": ("智能", "AI"), "K02": ("材料", "Materials"), "K03": ("机械", "Machinery")}
    level = {"level": "undergraduate"}

    def named(k: str) -> dict[str, str]:
        return {"class_id": k, "class_zh": names[k][0], "class_en": names[k][1], **level}

    catalogue = [
        {"year": YEAR, "rank": n, **named(k), "scarcity": s, "sectors": f"S{k[1:]}"}
        for n, (k, s) in enumerate(scarcity.items(), 1)
    ]
    return {
        "talent_catalogue": pd.DataFrame(catalogue),
        "talent_mismatch": pd.DataFrame(
            [{**named(k), "year": YEAR, "graduates": n, "idle": n / 10} for k, n in graduates.items()]
        ),
        "talent_programmes": pd.DataFrame(
            [
                {**named(k), "year": 2026, "intake_announced": n, "action": "kept", "host_id": "1"}
                for k, n in announced.items()
            ]
        ),
        "talent_shortfalls": pd.DataFrame(
            [
                {"sector_id": s, **level, "year": YEAR, "demand": d, "unmet": d / 2}
                for s, d in (("S01", 100.0), ("S02", 100.0), ("S03", demand))
            ]
        ),
        "talent_field_share": pd.DataFrame([{"year": YEAR, "share": 0.6}]),
    }


BEFORE = tables(
    {"K01": 0.5, "K02": 0.4, "K03": 0.2}, {"K01": 50, "K02": 40, "K03": 30}, {"K01": 50, "K02": 40, "K03": 30}, 100
)
AFTER = tables({"K02": 0.3, "K03": 0.3}, {"K01": 100, "K02": 40, "K03": 30}, {"K01": 100, "K02": 40, "K03": 30}, 150)


def test_each_change_has_its_kind_and_its_reason() -> None:
    moves = {m.class_id: (m.kind, m.why) for m in catalogue_moves(BEFORE, AFTER, YEAR)}
    assert moves == {"K01": ("left", "announced"), "K02": ("easier", "others"), "K03": ("scarcer", "demand")}
    back = {m.class_id: m.kind for m in catalogue_moves(AFTER, BEFORE, YEAR)}
    assert back["K01"] == "entered"
    assert catalogue_moves(BEFORE, BEFORE, YEAR) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_words_hold_the_numbers(lang: Language) -> None:
    said = change_sentences(BEFORE, AFTER, YEAR, lang)
    assert "150" in said[0]
    assert "50" in said[1]
    assert "100" in said[1], "the class whose announced intake changed comes first"
    assert len(said) == 2 + 3
    assert len(change_sentences(BEFORE, BEFORE, YEAR, lang)) == 2
    assert "1" in change_sentences(BEFORE, AFTER, YEAR, lang, most=2)[-1]
    assert any("60.00%" in line for line in talent_lines(BEFORE, lang))


def test_the_command_tells_a_run_and_a_comparison(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from types import SimpleNamespace

    import zjsim.report.finished
    from zjsim.cli import main

    for made in (BEFORE, AFTER):
        made["talent_catalogue"]["reason_zh"] = "因为"
        made["talent_catalogue"]["reason_en"] = "because"
    runs = {Path("a"): BEFORE, Path("b"): AFTER, Path("c"): {}}
    monkeypatch.setattr(zjsim.report.finished, "read_run", lambda folder: SimpleNamespace(tables=runs[folder]))

    def code(*arguments: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main(["talent", *arguments])
        return ended.value.code

    assert code("b", "--lang", "zh") == 0
    assert "因为" in capfd.readouterr().out
    assert code("b", "--against", "a", "--lang", "en") == 0
    assert "leaves the catalogue" in capfd.readouterr().out
    assert code("c", "--lang", "zh") == 2
