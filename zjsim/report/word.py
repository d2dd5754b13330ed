"""Word's page and type for a memo: the layout of GB/T 9704-2012 in Chinese, plain business style in English.

Fonts are named and not shipped; where they are missing, Word takes the ones named beside them.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from zjsim.texts import Language

VERMILLION = RGBColor(0xD5, 0x5E, 0x00)
BODY_MM = 156
"""Width of the text block: 210 less 28 and 26."""
LINES, CHARACTERS = 22, 28
LINE_PT = 28.95
"""225 mm of text in 22 lines."""
SQUEEZE = -8
"""Twentieths of a point between characters, so that 28 of 16 pt fit into 156 mm (442.2 pt).

With 5 they fit too, but LibreOffice then loses some marks that hang over the edge of a full line.
"""
DATE_IN_ZIP = (1980, 1, 1, 0, 0, 0)

FALLBACKS = {
    "仿宋_GB2312": ("仿宋;FangSong;STFangsong;Noto Serif CJK SC", "modern"),
    "楷体_GB2312": ("楷体;KaiTi;STKaiti;Noto Serif CJK SC", "modern"),
    "黑体": ("SimHei;STHeiti;Noto Sans CJK SC", "swiss"),
    "方正小标宋简体": ("方正小标宋_GBK;华文中宋;STZhongsong;Noto Serif CJK SC", "roman"),
    "宋体": ("SimSun;STSong;Noto Serif CJK SC", "roman"),
}
"""Fonts of an official document, each with what stands in for it."""


@dataclass(frozen=True)
class Kind:
    """A kind of paragraph: fonts for Chinese and Latin, size (pt), line (pt, 0 for single), indent in characters;
    without ``grid`` its lines stand closer than the page's 22."""

    chinese: str
    latin: str
    size: float
    line: float = 0.0
    indent: float = 0.0
    align: Any = WD_ALIGN_PARAGRAPH.JUSTIFY
    bold: bool = False
    before: float = 0.0
    after: float = 0.0
    keep: bool = False
    level: int = 0
    grid: bool = True


_LATIN, _CENTRE, _LEFT = "Times New Roman", WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT
_RIGHT = WD_ALIGN_PARAGRAPH.RIGHT
_ZH = {
    "Title": Kind("方正小标宋简体", _LATIN, 22, 33, align=_CENTRE, after=0, keep=True, grid=False),
    "Subject": Kind("楷体_GB2312", _LATIN, 16, LINE_PT, align=_CENTRE, after=LINE_PT),
    "To": Kind("仿宋_GB2312", _LATIN, 16, LINE_PT, align=_LEFT),
    "Body": Kind("仿宋_GB2312", _LATIN, 16, LINE_PT, 2),
    "Heading 1": Kind("黑体", _LATIN, 16, LINE_PT, 2, keep=True, level=1),
    "Heading 2": Kind("楷体_GB2312", _LATIN, 16, LINE_PT, 2, keep=True, level=2),
    "Lead": Kind("楷体_GB2312", _LATIN, 16),
    "Caption": Kind("黑体", _LATIN, 12, 0, align=_CENTRE, before=6, after=3, keep=True, grid=False),
    "Under": Kind("黑体", _LATIN, 12, 0, align=_CENTRE, before=3, after=9, grid=False),
    "Picture": Kind("仿宋_GB2312", _LATIN, 12, 0, align=_CENTRE, before=6, keep=True, grid=False),
    "Cell": Kind("仿宋_GB2312", _LATIN, 10.5, 0, align=_LEFT, grid=False),
    "Head": Kind("黑体", _LATIN, 10.5, 0, align=_CENTRE, keep=True, grid=False),
    "Label": Kind("楷体_GB2312", _LATIN, 10.5, 0, align=_RIGHT),
    "Page": Kind("宋体", "SimSun", 14, 0, align=_RIGHT),
    "Sign": Kind("仿宋_GB2312", _LATIN, 16, LINE_PT, align=_RIGHT),
}
_SANS = "Arial"
_EN = {
    "Title": Kind("微软雅黑", _SANS, 20, 0, align=_LEFT, bold=True, after=2, keep=True),
    "Subject": Kind("微软雅黑", _SANS, 12, 0, align=_LEFT, after=12),
    "To": Kind("微软雅黑", _SANS, 11, 0, align=_LEFT, after=6),
    "Body": Kind("微软雅黑", _SANS, 11, 14.5, align=_LEFT, after=6),
    "Heading 1": Kind("微软雅黑", _SANS, 14, 0, align=_LEFT, bold=True, before=14, after=4, keep=True, level=1),
    "Heading 2": Kind("微软雅黑", _SANS, 12, 0, align=_LEFT, bold=True, before=8, after=3, keep=True, level=2),
    "Lead": Kind("微软雅黑", _SANS, 11, bold=True),
    "Caption": Kind("微软雅黑", _SANS, 10, 0, align=_LEFT, bold=True, before=8, after=3, keep=True),
    "Under": Kind("微软雅黑", _SANS, 10, 0, align=_LEFT, bold=True, before=3, after=10),
    "Picture": Kind("微软雅黑", _SANS, 10, 0, align=_CENTRE, before=6, keep=True),
    "Cell": Kind("微软雅黑", _SANS, 8.5, 0, align=_LEFT),
    "Head": Kind("微软雅黑", _SANS, 8.5, 0, align=_LEFT, bold=True, keep=True),
    "Label": Kind("微软雅黑", _SANS, 8, 0, align=_RIGHT),
    "Page": Kind("微软雅黑", _SANS, 9, 0, align=_RIGHT),
    "Sign": Kind("微软雅黑", _SANS, 11, 0, align=_LEFT, before=12),
}
KINDS: dict[str, dict[str, Kind]] = {"zh": _ZH, "en": _EN}
PREFIX = "Memo "
"""Names of the styles begin with it; a template that has a style of such a name keeps its own."""


def style_name(kind: str) -> str:
    """The name of the style of a kind of paragraph."""
    return PREFIX + kind


def new_document(lang: Language) -> Any:
    """An empty document with page, styles and properties of the language."""
    document = Document()
    body = document.element.body
    for child in list(body)[:-1]:
        body.remove(child)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    if lang == "zh":
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.header_distance, section.footer_distance = Mm(22), Mm(25)
        grid = section._sectPr.find(qn("w:docGrid"))
        grid = section._sectPr.makeelement(qn("w:docGrid"), {}) if grid is None else grid
        grid.set(qn("w:type"), "lines")
        grid.set(qn("w:linePitch"), str(round(LINE_PT * 20)))
        if grid.getparent() is None:
            section._sectPr.append(grid)
    else:
        section.top_margin = section.bottom_margin = Mm(25)
        section.left_margin = section.right_margin = Mm(27)
    return document


def add_styles(document: Any, lang: Language) -> None:
    """The styles of a memo, where the document has none of their names."""
    there = {s.name for s in document.styles}
    for name, kind in KINDS[lang].items():
        if style_name(name) in there:
            continue
        style = document.styles.add_style(style_name(name), WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = None
        style.font.size = Pt(kind.size)
        style.font.bold = kind.bold
        set_fonts(style.element.get_or_add_rPr(), kind, lang)
        if name == "Label":
            style.font.color.rgb = VERMILLION
        layout = style.paragraph_format
        layout.alignment = kind.align
        layout.space_before, layout.space_after = Pt(kind.before), Pt(kind.after)
        layout.keep_with_next = kind.keep or None
        layout.widow_control = lang == "en"
        if kind.line:
            layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(kind.line)
        properties = style.element.get_or_add_pPr()
        if kind.indent:
            indent = OxmlElement("w:ind")
            indent.set(qn("w:firstLineChars"), str(round(100 * kind.indent)))
            indent.set(qn("w:firstLine"), str(round(20 * kind.size * kind.indent)))
            properties.append(indent)
        if not kind.grid:
            snap = OxmlElement("w:snapToGrid")
            snap.set(qn("w:val"), "0")
            properties.append(snap)
        if kind.level:
            outline = OxmlElement("w:outlineLvl")
            outline.set(qn("w:val"), str(kind.level - 1))
            properties.append(outline)
        _in_order(properties, _PARAGRAPH_ORDER)


def set_fonts(properties: Any, kind: Kind, lang: Language) -> None:
    """Fonts of ``w:rPr`` for Chinese and Latin, without the theme's; the body's characters a little closer."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for where, font in (("ascii", kind.latin), ("hAnsi", kind.latin), ("cs", kind.latin), ("eastAsia", kind.chinese)):
        fonts.set(qn(f"w:{where}"), font)
    if lang == "zh":
        fonts.set(qn("w:hint"), "eastAsia")
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-GB")
    language.set(qn("w:eastAsia"), "zh-CN")
    properties.append(language)
    if lang == "zh" and kind.size == 16:
        spacing = OxmlElement("w:spacing")
        spacing.set(qn("w:val"), str(SQUEEZE))
        properties.append(spacing)
    _in_order(properties, _RUN_ORDER)


_RUN_ORDER = ("rStyle", "rFonts", "b", "bCs", "i", "color", "spacing", "sz", "szCs", "shd", "lang")
_PARAGRAPH_ORDER = (
    "pStyle", "keepNext", "keepLines", "pageBreakBefore", "widowControl", "pBdr", "shd", "tabs", "snapToGrid",
    "spacing", "ind", "jc", "outlineLvl", "rPr",
)  # fmt: skip


def _in_order(properties: Any, order: tuple[str, ...]) -> None:
    """Sort properties as the schema wants them: Word refuses some files that have them in another order."""
    rank = {qn(f"w:{name}"): i for i, name in enumerate(order)}
    properties[:] = sorted(properties, key=lambda e: rank.get(e.tag, len(rank)))


def field(paragraph: Any, instruction: str) -> None:
    """A field such as the page number at the end of a paragraph."""
    for kind, words in (("begin", ""), ("", instruction), ("end", "")):
        run = paragraph.add_run()
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            mark.text = f" {words} "
        run._r.append(mark)


def font_table() -> bytes:
    """``word/fontTable.xml``: the fonts of an official document and what stands in for each."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/><w:family w:val="{family}"/>'
        "</w:font>"
        for name, (other, family) in FALLBACKS.items()
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<w:fonts xmlns:w="{space}">{fonts}</w:fonts>'.encode()


def saved(document: Any, *, own_fonts: bool) -> bytes:
    """The document's bytes: equal content gives equal bytes, as no date of the day is inside."""
    stream = io.BytesIO()
    document.save(stream)
    out = io.BytesIO()
    with zipfile.ZipFile(stream) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in parts.namelist():
            data = parts.read(name)
            if name == "word/fontTable.xml" and own_fonts:
                data = font_table()
            info = zipfile.ZipInfo(name, DATE_IN_ZIP)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            archive.writestr(info, data)
    return out.getvalue()
