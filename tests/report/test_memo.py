"""The memo: conclusion first, every number from the tables, official layout, the same bytes, nothing that acts."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt

from zjsim.report.likelihood import likelihood, statement
from zjsim.report.memo import Office, chinese_number, date_said, memo_bytes
from zjsim.report.story import change_lines, run_story
from zjsim.report.visible import visible
from zjsim.report.words import column_title
from zjsim.report.workbook import write_workbook
from zjsim.tables.errors import InputErrors
from zjsim.texts import LANGUAGES, Language, text

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]


def _document(run: tuple[dict[str, Any], dict[str, pd.DataFrame]], lang: Language = "zh", **more: Any) -> Any:
    return Document(io.BytesIO(memo_bytes(*run, lang, pictures={}, **more)))


def _said(document: Any) -> str:
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


def test_the_page_is_that_of_an_official_document(made_run: MakeRun) -> None:
    document = _document(made_run(), office=Office("省教育厅", "规划处", "2025-01-06"))
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(m.mm) for m in margins] == [37, 35, 28, 26]
    styles = {s.name: s for s in document.styles}
    body = styles["Memo Body"]
    assert body.font.size == Pt(16)
    assert body.element.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia")) == "仿宋_GB2312"
    lines = round(section.page_height.pt - section.top_margin.pt - section.bottom_margin.pt, 1)
    assert int(lines / body.paragraph_format.line_spacing.pt) == 22
    squeeze = int(body.element.rPr.find(qn("w:spacing")).get(qn("w:val"))) / 20
    width = section.page_width.pt - section.left_margin.pt - section.right_margin.pt
    assert int(width / (16 + squeeze)) == 28
    fonts = {
        n: styles[f"Memo {n}"].element.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia")) for n in ("Title", "Heading 1")
    }
    assert fonts == {"Title": "方正小标宋简体", "Heading 1": "黑体"}
    words = [p.text for p in document.paragraphs]
    assert words[2] == "省教育厅："
    assert words[3] == "一、主要结论"
    assert words[4].startswith("（一）目标。")
    assert words[-2:] == ["规划处", "2025年1月6日"]


def test_short_tables_stay_on_one_page(made_run: MakeRun) -> None:
    for table in _document(made_run()).tables:
        kept = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in table.rows]
        assert kept[-1] is None
        assert len(kept) > 11 or all(kept[1:-1]), "its rows hold together, the last one ends it"


def test_every_page_has_the_label_and_its_number(made_run: MakeRun) -> None:
    for lang in LANGUAGES:
        section = (document := _document(made_run(), lang)).sections[0]
        sides = [(section.header, section.footer)]
        if document.settings.odd_and_even_pages_header_footer:
            sides.append((section.even_page_header, section.even_page_footer))
        for header, footer in sides:
            assert "75%" in header.paragraphs[0].text
            assert "PAGE" in footer.paragraphs[0]._p.xml
        assert len(sides) == (2 if lang == "zh" else 1)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_headline_numbers_come_from_the_workbook_alone(made_run: MakeRun, tmp_path: Path, lang: Language) -> None:
    manifest, tables = made_run()
    write_workbook(tmp_path / "plan.xlsx", manifest, tables, lang)
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "plan.xlsx").read_bytes()))

    def sheet(name: str) -> pd.DataFrame:
        rows = [[c.value for c in r] for r in book[text(f"report.sheet_{name}", lang)].iter_rows()]
        heads = dict(zip(rows[0], range(len(rows[0])), strict=True))
        columns = [c for c in tables[name].columns if column_title(c, lang, name) in heads]
        total = text("report.total_shown", lang)
        body = [r for r in rows[1:] if r[0] != total]
        return pd.DataFrame({c: [r[heads[column_title(c, lang, name)]] for r in body] for c in columns})

    targets = sheet("target_feasibility")
    own = targets[(targets["is_default"] == text("report.yes", lang)) & targets["p_meet"].notna()]
    found = [likelihood({**r, "verdict": "met", "p_required": 0.9, "deciding_input": "PP01", "break_even": 26.0})
             for r in own.to_dict("records")]  # fmt: skip
    leads, pairs, seats, sources = (
        sheet(n) for n in ("lead_assignments", "heritage_pairs", "seat_expansion", "input_sources")
    )
    total = sources[sources["registry_zh" if lang == "zh" else "registry_en"] == text("report.total", lang)]
    open_values = total.loc[total["public"] == text("report.no", lang), "values"].sum() / total["values"].sum()
    wanted = {
        "targets_n": str(len(own)),
        "targets_probable": str(sum(f.probable for f in found if f)),
        "targets_improbable": str(sum(f.improbable for f in found if f)),
        "targets_fragile": str(sum(f.fragile for f in found if f)),
        "industries": str(leads["industry_id"].nunique()),
        "universities": str(leads["moe_code"].nunique()),
        "heritage": str(pairs["industry_id"].nunique()),
        "rooms": f"{seats['rooms_added'].sum() + seats['new_school_rooms'].sum():,.0f}",
        "purchased": f"{seats['placed_purchased'].sum():,.0f}",
        "unplaced": f"{seats['unplaced'].sum() + seats['local_unplaced'].sum():,.0f}",
        "cost": f"{seats['cost_yuan'].sum() / 1e8:,.1f}" if lang == "zh" else f"{seats['cost_yuan'].sum() / 1e9:,.2f}",
        "facilities": f"{sheet('location_targets')['planned'].sum():,.0f}",
        "placeholder_share": f"{100 * open_values:.1f}%",
    }
    story = run_story(manifest, tables, lang)
    assert {k: story.headline[k] for k in wanted} == wanted
    said = _said(_document((manifest, tables), lang))
    for key in ("targets_n", "facilities", "rooms", "purchased", "cost", "placeholder_share"):
        assert wanted[key] in said, key
    for p in own["p_meet"]:
        assert f"{p:.2f}".rstrip("0") in said


@pytest.mark.parametrize(
    ("p", "sim", "inputs", "turned", "grade", "zh"),
    [
        (0.93, (0.91, 0.95), (0.2, 1.0), 26.0, "very_likely", "很可能达成（约0.93；若筹建周期低于26个月则否）"),
        (0.995, (0.99, 1.0), (0.0, 1.0), 40.0, "very_likely", "很可能达成（大于0.99；若筹建周期高于40个月则否）"),
        (0.995, (0.992, 1.0), (0.992, 1.0), None, "certain", "几乎肯定达成（大于0.99）"),
        (0.97, (0.9, 0.99), (0.2, 1.0), None, "likely", "有可能达成（约0.97，范围0.2—1）"),
        (0.995, (0.99, 1.0), (0.6, 1.0), None, "likely", "有可能达成（大于0.99，范围0.6—1）"),
        (0.45, (0.4, 0.5), (0.0, 0.7), None, "even", "能否达成难以断定（约0.45，范围0—0.7）"),
        (0.002, (0.0, 0.01), (0.0, 0.05), None, "very_unlikely", "很不可能达成（小于0.01，范围0—0.05）"),
        (0.0, (0.0, 0.004), (0.0, 0.0), None, "impossible", "几乎不可能达成（小于0.01）"),
        (0.3, (0.2, 0.4), (0.0, 1.0), 26.0, "unlikely", "不大可能达成（约0.3；若筹建周期低于26个月则可达要求概率）"),
    ],
)
def test_words_follow_the_wider_range(
    p: float, sim: tuple[float, float], inputs: tuple[float, float], turned: float | None, grade: str, zh: str
) -> None:
    row = {
        "verdict": "met", "p_meet": p, "p_low": sim[0], "p_high": sim[1], "p_worst": inputs[0], "p_best": inputs[1],
        "p_required": 0.9, "deciding_input": "" if turned is None else "PP01", "deciding_input_zh": "筹建周期",
        "break_even": float("nan") if turned is None else turned, "break_even_unit": "months",
        "break_even_unit_zh": "个月",
    }  # fmt: skip
    found = likelihood(row)
    assert found is not None
    assert found.grade == grade
    assert statement(row, "zh", float("nan") if turned is None else 30.0) == zh


def test_a_target_without_a_model_gets_no_word(made_run: MakeRun) -> None:
    row = made_run()[1]["target_feasibility"].iloc[-1]
    assert likelihood(row) is None
    assert statement(row, "en") == text("memo.grade.not_modelled", "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_two_memos_are_byte_equal(made_run: MakeRun, lang: Language) -> None:
    first, second = (memo_bytes(*made_run(), lang, pictures={}) for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as parts:
        assert {i.date_time for i in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "w:altName" in parts.read("word/fontTable.xml").decode()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_attacks_stand_in_the_memo_as_text(made_run: MakeRun, attack: str, lang: Language) -> None:
    data = memo_bytes(*made_run(attack), lang, pictures={})
    shown = visible(attack, 200)[:120]
    assert shown in _said(Document(io.BytesIO(data))).replace("\n", " ")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        for name in parts.namelist():
            part = parts.read(name)
            assert b"<script>" not in part
            assert b"TargetMode" not in part, "no link leaves the file"
            codes = re.findall(rb"<w:instrText[^>]*>([^<]*)<", part)
            assert all(code.strip() == b"PAGE" for code in codes), "no field but the page's number"


def test_what_was_changed_is_told_in_words(made_run: MakeRun) -> None:
    changes = made_run("缩短")[1]["input_changes"]
    one = changes.assign(cells=1)
    mixed = changes.assign(new_sum=float("nan"))
    parameter = changes.assign(
        registry="scenario.toml", column_zh="simulation.p_required", old="0.9", new="0.8", reason=""
    )
    added = changes.assign(change="row_added", reason="甲 / A")
    said = [change_lines(c, "zh")[0] for c in (changes, one, mixed, parameter, added)]
    assert said == [
        "学位需求“本地户籍学生”改动3个数，合计由30变为27。理由：缩短",
        "学位需求“本地户籍学生”（330110, 2026, 1）由10改为9。理由：缩短",
        "学位需求“本地户籍学生”改动3处。理由：缩短",
        "参数simulation.p_required由0.9改为0.8",
        "学位需求新增“本地户籍学生”3处。理由：甲",
    ]


def test_another_run_is_compared_target_by_target(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    old = tables["target_feasibility"].assign(p_meet=[0.5, 0.1, 0.6, 0.9, float("nan")])
    story = run_story(manifest, tables, "en", (manifest, {**tables, "target_feasibility": old}))
    grids = [b for b in story.blocks if hasattr(b, "rows")]
    assert [row[1:4] for row in grids[0].rows] == [
        ("0.5", "0.97", "+0.47"),
        ("0.6", "0.4", "−0.20"),
        ("0.9", "0.9", "±0"),
    ]


def _template(path: Path, *paragraphs: str) -> Path:
    document = Document()
    for words in paragraphs:
        document.add_paragraph(words)
    document.save(str(path))
    return path


def test_an_office_may_use_its_own_template(made_run: MakeRun, tmp_path: Path) -> None:
    path = _template(tmp_path / "own.docx", "{{ office }}文件 {{ run_id }}", "{{ memo }}", "抄送：{{ to }}")
    run = made_run("{{ 7 * 7 }}")
    words = [p.text for p in _document(run, office=Office("{{ 7*7 }}", "省厅"), template=path).paragraphs]
    assert words[0].endswith("（75% 的输入值不是官方或媒体公开数据）"), "the label stands even where nobody asks for it"
    assert words[1] == "省厅文件 0123456789ab"
    assert words[2] == "一、主要结论"
    assert words[-1] == "抄送：{{ 7*7 }}", "what is filled in is no template"
    assert not any("49" in w for w in words if "7" in w and "{{" in w)


@pytest.mark.parametrize(
    "attack",
    ["{{ title.__class__.__mro__ }}", "{{ nobody }}", "{% for i in range(10**9) %}{% endfor %}", "{{ 1/0 }}", "{{"],
)
def test_a_template_reaches_nothing_but_its_words(made_run: MakeRun, tmp_path: Path, attack: str) -> None:
    with pytest.raises(InputErrors):
        _document(made_run(), template=_template(tmp_path / "bad.docx", attack))


def test_a_template_that_is_no_document_is_refused(made_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_bytes(b"PK")
    with pytest.raises(InputErrors):
        _document(made_run(), template=tmp_path / "x.docx")


def test_numerals_and_dates() -> None:
    assert [chinese_number(n) for n in (1, 10, 11, 20, 21)] == ["一", "十", "十一", "二十", "二十一"]
    assert date_said("2027-12-03", "zh") == "2027年12月3日"
    assert date_said("2027-12-03", "en") == "2027-12-03"
    assert date_said("soon", "en") == "soon"
