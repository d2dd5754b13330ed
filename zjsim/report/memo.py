"""``memo.docx``: the memo of a run, for those who decide. From the run's folder alone; equal runs give equal bytes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from zjsim.report.blocks import Block, Figure, Grid, Heading, Item, Paragraph, Story
from zjsim.report.memo_template import fill_template, open_template
from zjsim.report.pictures import pictures_of
from zjsim.report.story import run_story
from zjsim.report.story_comparison import comparison_story
from zjsim.report.visible import VisibleTables, visible_values
from zjsim.report.word import BODY_MM, KINDS, add_styles, field, new_document, saved, set_fonts, style_name
from zjsim.report.workbook import CREATED
from zjsim.texts import Language, text

_NUMERALS = "零一二三四五六七八九十"
HIGHEST_MM = {"zh": 186.0, "en": 200.0}
"""A figure no higher than a page with its caption."""
_TOGETHER = 10
"""A table of no more rows is not broken over pages."""
_TINTS = {"probable": "E3F3EC", "even": "FBF3DC", "improbable": "FBE6DB"}


@dataclass(frozen=True)
class Office:
    """Who the memo goes to and comes from, and its date (ISO); empty parts are left out."""

    to: str = ""
    sender: str = ""
    date: str = ""


def memo_bytes(
    manifest: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    lang: Language,
    *,
    pictures: Mapping[str, bytes],
    office: Office = Office(),
    before: tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]] | None = None,
    template: Path | None = None,
) -> bytes:
    """The memo as a Word file; ``pictures`` are PNG files by the name of the figure, ``before`` a run to compare with.

    ``template``: an office's own document; see :mod:`zjsim.report.memo_template`. Raises ``InputErrors`` if it cannot
    be used.
    """
    manifest = visible_values(manifest)
    if before is not None:
        before = (visible_values(before[0]), VisibleTables(before[1]))
    story = run_story(manifest, VisibleTables(tables), lang, before)
    date = date_said(office.date or str(manifest["header"].get("date", "")), lang)
    words = {name: str(manifest[key]) for name, key in _WORDS.items()}
    return story_bytes(story, words, lang, pictures=pictures, office=office, date=date, template=template)


_WORDS = {"run_id": "run_id", "scenario": "scenario", "as_of": "as_of", "seed": "seed", "version": "zjsim"}
"""What a template may ask for, and where the manifest has it."""


def comparison_memo_bytes(
    manifest: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    lang: Language,
    *,
    pictures: Mapping[str, bytes],
    office: Office = Office(),
    template: Path | None = None,
) -> bytes:
    """The memo of a comparison of runs as a Word file; otherwise as :func:`memo_bytes`."""
    manifest, tables = visible_values(manifest), VisibleTables(tables)
    story = comparison_story(manifest, tables, lang)
    base = tables["compared_runs"].iloc[0]
    words = {name: str(base[key]) for name, key in _WORDS.items()} | {"run_id": str(manifest["run_id"])}
    date = date_said(office.date, lang)
    return story_bytes(story, words, lang, pictures=pictures, office=office, date=date, template=template)


def story_bytes(
    story: Story,
    words: Mapping[str, str],
    lang: Language,
    *,
    pictures: Mapping[str, bytes],
    office: Office,
    date: str,
    template: Path | None,
) -> bytes:
    """A story as a Word file; ``words`` are what a template may ask for beside title, label, office and date."""
    document = new_document(lang) if template is None else open_template(template)
    add_styles(document, lang)
    document.core_properties.title = one_line(story.title, lang)
    for name in ("author", "last_modified_by"):
        setattr(document.core_properties, name, "zjsim")
    document.core_properties.created = document.core_properties.modified = CREATED
    document.core_properties.comments = ""
    writer = _Writer(document, lang, pictures)
    if template is None:
        _head(writer, story, office)
        _blocks(writer, story)
        _sign(writer, office, date)
        _every_page(writer, story.label)
    else:
        told = {
            "title": one_line(story.title, lang), "subject": story.subject, "label": story.label, "date": date,
            "to": office.to, "office": office.sender,
        }  # fmt: skip
        writer.anchor = fill_template(document, {**words, **told}, template)
        _blocks(writer, story)
        writer.close()
    return saved(document, own_fonts=template is None)


def date_said(date: str, lang: Language) -> str:
    """An ISO date as an official document writes it; a text that is none comes back as it is."""
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        return date or text("memo.no_date", lang)
    return text("memo.date", lang, year=day.year, month=day.month, day=day.day)


def one_line(title: str, lang: Language) -> str:
    """A title without the break that a first page wants."""
    return title.replace("\n", "" if lang == "zh" else " ")


def pictures_and_memo(
    folder: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, **more: Any
) -> bytes:
    """The memo of a run or comparison with the figures of its folder, drawn anew if it has none in this language."""
    made = comparison_memo_bytes if manifest.get("kind") == "comparison" else memo_bytes
    return made(manifest, tables, lang, pictures=pictures_of(folder, manifest, tables, lang), **more)


class _Writer:
    """Puts paragraphs, tables and pictures at the end of a document, or before an anchor of a template."""

    def __init__(self, document: Any, lang: Language, pictures: Mapping[str, bytes]) -> None:
        self.document, self.lang, self.pictures = document, lang, pictures
        self.anchor: Any = None

    def paragraph(self, kind: str, words: str = "") -> Any:
        made = self.document.add_paragraph(words, style=style_name(kind))
        return self._placed(made)

    def table(self, rows: int, columns: int) -> Any:
        made = self.document.add_table(rows=rows, cols=columns)
        self._placed(made)
        return made

    def _placed(self, made: Any) -> Any:
        if self.anchor is not None:
            self.anchor.addprevious(made._element)
        return made

    def close(self) -> None:
        if self.anchor is not None:
            self.anchor.getparent().remove(self.anchor)


def chinese_number(n: int) -> str:
    """1 … 99 in Chinese numerals."""
    if n <= 10:
        return _NUMERALS[n]
    tens, ones = divmod(n, 10)
    return (_NUMERALS[tens] if tens > 1 else "") + "十" + (_NUMERALS[ones] if ones else "")


def _head(writer: _Writer, story: Story, office: Office) -> None:
    writer.paragraph("Title", story.title)
    writer.paragraph("Subject", story.subject)
    if office.to:
        writer.paragraph("To", text("memo.to", writer.lang, office=office.to))


def _sign(writer: _Writer, office: Office, date: str) -> None:
    """Sender and date at the right, four characters from the edge."""
    said = writer.document.paragraphs
    if said:  # a page with nothing but the signature is not allowed
        said[-1].paragraph_format.keep_with_next = True
    if writer.lang == "zh":
        writer.paragraph("Body").paragraph_format.keep_with_next = True
    for words in (text("memo.from", writer.lang, office=office.sender) if office.sender else "", date):
        if words:
            made = writer.paragraph("Sign", words)
            made.paragraph_format.keep_together = True
            made.paragraph_format.keep_with_next = words != date
            if writer.lang == "zh":
                indent = OxmlElement("w:ind")
                indent.set(qn("w:rightChars"), "400")
                indent.set(qn("w:right"), "1280")
                made._p.get_or_add_pPr().append(indent)


def _every_page(writer: _Writer, label: str) -> None:
    """The label of synthetic data above, the number below each page: at the outer edge, 4号宋体 between dashes."""
    document, lang = writer.document, writer.lang
    section = document.sections[0]
    document.settings.odd_and_even_pages_header_footer = lang == "zh"
    sides = [(section.header, section.footer, "right")]
    if lang == "zh":
        sides.append((section.even_page_header, section.even_page_footer, "left"))
    for header, footer, side in sides:
        header.is_linked_to_previous = footer.is_linked_to_previous = False
        header.paragraphs[0].style = document.styles[style_name("Label")]
        header.paragraphs[0].add_run(label)
        number = footer.paragraphs[0]
        number.style = document.styles[style_name("Page")]
        before, after = text("memo.page", lang, n="\0").split("\0")
        number.add_run(before)
        field(number, "PAGE")
        number.add_run(after)
        if lang == "zh":
            indent = OxmlElement("w:ind")
            indent.set(qn(f"w:{side}Chars"), "100")
            indent.set(qn(f"w:{side}"), "280")
            number._p.get_or_add_pPr().append(indent)
            number.alignment = 2 if side == "right" else 0


def _blocks(writer: _Writer, story: Story) -> None:
    counts = {"1": 0, "2": 0, "item": 0, "table": 0, "figure": 0, "lead": 0}
    for block in story.blocks:
        if isinstance(block, Heading):
            _heading(writer, block, counts)
        elif isinstance(block, Item):
            counts["item"] += 1
            made = writer.paragraph("Body")
            made.add_run((f"{counts['item']}." if writer.lang == "zh" else f"{counts['item']}. ") + block.words)
        elif isinstance(block, Paragraph):
            _paragraph(writer, block, counts)
        elif isinstance(block, Grid):
            counts["table"] += 1
            _table(writer, block, counts["table"])
        else:
            _figure(writer, block, counts)


def _heading(writer: _Writer, block: Heading, counts: dict[str, int]) -> None:
    counts[str(block.level)] += 1
    counts["item"] = counts["lead"] = 0
    if block.level == 1:
        counts["2"] = 0
    if writer.lang == "zh":
        number = f"{chinese_number(counts['1'])}、" if block.level == 1 else f"（{chinese_number(counts['2'])}）"
    else:
        number = f"{counts['1']}  " if block.level == 1 else f"{counts['1']}.{counts['2']}  "
    writer.paragraph(f"Heading {block.level}", number + block.words)


def _paragraph(writer: _Writer, block: Paragraph, counts: dict[str, int]) -> None:
    made = writer.paragraph("Body")
    if block.lead:
        counts["lead"] += 1
        number = f"（{chinese_number(counts['lead'])}）" if writer.lang == "zh" else ""
        run = made.add_run(number + text("memo.colon", writer.lang, name=block.lead))
        kind = KINDS[writer.lang]["Lead"]
        run.bold = kind.bold
        set_fonts(run._r.get_or_add_rPr(), kind, writer.lang)
    made.add_run(block.words)


def _table(writer: _Writer, grid: Grid, number: int) -> None:
    writer.paragraph("Caption", text("memo.table", writer.lang, n=number, title=grid.title))
    table = writer.table(1 + len(grid.rows), len(grid.heads))
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    _borders(table)
    total = sum(grid.widths)
    widths = [Mm(BODY_MM * w / total) for w in grid.widths]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    styles = writer.document.styles
    cells = list(table._cells)
    for i, row in enumerate((grid.heads, *grid.rows)):
        tint = _TINTS.get(grid.tints[i - 1], "") if i and grid.tints else ""
        for j, words in enumerate(row):
            cell = cells[i * len(grid.heads) + j]
            cell.width = widths[j]
            paragraph = cell.paragraphs[0]
            paragraph.style = styles[style_name("Cell" if i else "Head")]
            paragraph.add_run(words)
            if i and grid.numeric[j]:
                paragraph.alignment = 2
            if len(grid.rows) <= _TOGETHER and i < len(grid.rows):
                paragraph.paragraph_format.keep_with_next = True
            if not i or (tint and grid.heads[j] == text("memo.column.statement", writer.lang)):
                _shade(cell, tint if i else "EEF3F8")
    for row in table.rows:
        _row_property(row, "w:cantSplit")
    _row_property(table.rows[0], "w:tblHeader")
    spacer = writer.paragraph("Under")
    spacer.paragraph_format.space_after = Pt(0)


def _borders(table: Any) -> None:
    """Thin lines, and cells with a little room."""
    properties = table._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "8C8C8C")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    properties.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for side, twips in (("top", 28), ("left", 70), ("bottom", 28), ("right", 70)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.append(margins)


def _shade(cell: Any, colour: str) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _row_property(row: Any, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _figure(writer: _Writer, block: Block, counts: dict[str, int]) -> None:
    assert isinstance(block, Figure)
    if block.name not in writer.pictures:
        return
    counts["figure"] += 1
    made = writer.paragraph("Picture")
    wide, high = _png_size(writer.pictures[block.name])
    width = min(float(BODY_MM), HIGHEST_MM[writer.lang] * wide / high)
    shape = made.add_run().add_picture(io.BytesIO(writer.pictures[block.name]), width=Mm(width))
    caption = text("memo.figure", writer.lang, n=counts["figure"], title=block.title)
    shape._inline.docPr.set("descr", caption)
    writer.paragraph("Under", caption)


def _png_size(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
