"""The house style of all figures: type, colours, the label of synthetic data, and byte-equal files.

Figures are drawn without ``pyplot``, so nothing global changes and nothing needs a display. Colours are those of Okabe
and Ito, told apart with every common kind of colour blindness; no figure tells anything by colour alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from zjsim.texts import Language, text

BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
INK, GREY, PALE, GRID = "#222222", "#6B6B6B", "#B8B8B8", "#E4E4E4"
VERDICT_COLOURS = {"met": GREEN, "not met": VERMILLION, "undecided": ORANGE, "depends on": BLUE}
VERDICT_TINTS = {"met": "#CDEBE1", "not met": "#F9DCC9", "undecided": "#FBEBC6", "depends on": "#CFE4F2"}
FAMILY = "zjsim Sans SC"
FALLBACK = "DejaVu Sans"
FONT_FILE = "zjsim-sans-sc-regular.otf"
LONGEST_LABEL = 200
"""Longer names are cut, visibly, before they are laid out."""
WIDTH_IN, DPI = 156 / 25.4, 220
"""Width of the memo's text, in which figures are drawn so that type is printed in its own size; pixels an inch."""
MARGIN_IN = 0.1
"""Left and right of the words of a figure that is drawn for the memo."""

_RC: dict[str, Any] = {
    "font.family": [FAMILY, FALLBACK],
    "font.size": 8.5,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "savefig.dpi": DPI,
    "svg.fonttype": "path",
    "svg.hashsalt": "zjsim",
}


@cache
def _characters() -> frozenset[int]:
    """Code points that the bundled font or matplotlib's own fallback can draw; registers the bundled font once."""
    with as_file(files("zjsim.report.fonts") / FONT_FILE) as path:
        font_manager.fontManager.addfont(str(path))
        own = FT2Font(str(path)).get_charmap()
    fallback = FT2Font(font_manager.findfont(FALLBACK, fallback_to_default=False)).get_charmap()
    return frozenset(own) | frozenset(fallback)


def drawable(value: object, longest: int = LONGEST_LABEL) -> str:
    """``value`` with every character drawable: others appear as ``U+XXXX``; overlong text is cut with an ellipsis."""
    known = _characters()
    raw = str(value)
    if len(raw) > longest:
        raw = raw[: longest - 1] + "…"
    if not any(_chinese(c) for c in raw):
        raw = raw.translate(_NARROW)
    return "".join(c if c == "\n" or (c.isprintable() and ord(c) in known) else f"U+{ord(c):04X}" for c in raw)


def _chinese(character: str) -> bool:
    return ord(character) > 0x2E80


_NARROW = {0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'", 0x2026: "..."}
"""Signs that a Chinese font draws a full character wide, as they are written among Latin letters."""


@cache
def _advance(character: str) -> float:
    """Width of one character of the bundled font in em; 1 for one it lacks."""
    with as_file(files("zjsim.report.fonts") / FONT_FILE) as path:
        font = _face(str(path))
    if font.get_char_index(ord(character)) == 0:
        return 1.0
    return float(font.load_char(ord(character)).linearHoriAdvance) / 65536 / _FACE_POINTS


_FACE_POINTS = 100


@cache
def _face(path: str) -> FT2Font:
    face = FT2Font(path)
    face.set_size(_FACE_POINTS, 72)
    return face


def width_of(value: str) -> float:
    """Width of ``value`` in em of the bundled font: a Chinese character is 1."""
    return sum(_advance(c) for c in value)


def wrap(value: object, em: float, *, lines: int = 2, longest: int = LONGEST_LABEL) -> str:
    """``value`` broken into at most ``lines`` lines of at most ``em`` em; what does not fit ends in …"""
    tokens = _tokens(drawable(value, longest))
    out: list[str] = [""]
    for i, token in enumerate(tokens):
        if width_of(out[-1] + token.rstrip()) <= em or not out[-1]:
            out[-1] = _cut(out[-1] + token, em)
        elif len(out) < lines:
            out.append(_cut(token.lstrip(), em))
        else:
            rest = out[-1] + "".join(tokens[i:])
            out[-1] = _cut(rest, em)
            break
    return "\n".join(line.strip() for line in out)


def _tokens(value: str) -> list[str]:
    """Pieces of ``value`` between which a line may end: after a space or a Chinese character, not before a stop."""
    tokens: list[str] = []
    for c in value:
        in_word = bool(tokens) and not _chinese(c) and not _chinese(tokens[-1][-1]) and not tokens[-1].endswith(" ")
        stop = bool(tokens) and c in "，。、；：）》”’"
        if in_word or stop:
            tokens[-1] += c
        else:
            tokens.append(c)
    return tokens


def _cut(value: str, em: float) -> str:
    if width_of(value.rstrip()) <= em:
        return value
    end = "…" if any(_chinese(c) for c in value) else "..."
    kept = ""
    for c in value:
        if width_of(kept + c + end) > em:
            break
        kept += c
    return kept.rstrip() + end


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save figures inside this block: type, colours and fixed hashes; a missing glyph is an error."""
    _characters()
    with rc_context(_RC), warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*[Gg]lyph.*missing.*")
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure of that many inches."""
    return Figure(figsize=(width_in, height_in), facecolor="white")


def heading(figure: Figure, title: str, subtitle: str = "") -> float:
    """Title and explanation at the top left, broken to the figure's width; returns the inches that they take."""
    height, width = figure.get_figheight(), figure.get_figwidth()
    left = margin_in(width)
    em = _TITLE_PT / 72
    figure.text(
        left / width, 1 - 0.2 / height, wrap(title, (width - 2 * left) / em), fontsize=_TITLE_PT, va="top", ha="left"
    )
    down = heading_in(title, "", width)
    if subtitle:
        figure.text(
            left / width, 1 - down / height, _explained(subtitle, width), fontsize=_SMALL_PT, color=GREY, va="top",
            ha="left", linespacing=1.4,
        )  # fmt: skip
    return heading_in(title, subtitle, width)


_TITLE_PT, _SMALL_PT = 12.0, 8.0


def margin_in(width_in: float) -> float:
    """The margin of a figure of that width: a figure for the memo fills its text, others keep a little more."""
    return MARGIN_IN if width_in <= WIDTH_IN + 1e-6 else 0.25


def heading_in(title: str, subtitle: str = "", width_in: float = WIDTH_IN) -> float:
    """The inches that :func:`heading` takes, so that a figure can be made as high as it has to be."""
    lines = wrap(title, (width_in - 2 * margin_in(width_in)) * 72 / _TITLE_PT).count("\n") + 1
    down = 0.2 + lines * 1.25 * _TITLE_PT / 72 + 0.06
    return down + (_explained(subtitle, width_in).count("\n") + 1) * 1.5 * _SMALL_PT / 72 + 0.06 if subtitle else down


def _explained(subtitle: str, width_in: float) -> str:
    em = (width_in - 2 * margin_in(width_in)) * 72 / _SMALL_PT
    return "\n".join(wrap(line, em, lines=6, longest=1_000) for line in subtitle.split("\n"))


def label_synthetic(figure: Figure, lang: Language, scenario: str, share: float | None, run: str = "") -> None:
    """What every figure carries: that it is an illustration, what part of its inputs is not public, and its run."""
    height, width = figure.get_figheight(), figure.get_figwidth()
    left = margin_in(width)
    words = (
        text("report.label", lang) if share is None else text("report.label_share", lang, percent=f"{100 * share:.0f}%")
    )
    em = (width - 2 * left) * 72
    figure.text(
        left / width, 0.18 / height, wrap(words, em / _SMALL_PT), fontsize=_SMALL_PT, color=VERMILLION, va="bottom",
        ha="left",
    )  # fmt: skip
    source = wrap(text("report.figure_source", lang, scenario=drawable(scenario)), em / 7.5 - width_of(run), lines=1)
    figure.text(left / width, 0.04 / height, source + run, fontsize=7.5, color=GREY, va="bottom", ha="left")


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.svg`` and ``name.png`` into ``folder``, without dates or versions inside; returns their paths."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", metadata={"Software": None})
    return [svg, png]
