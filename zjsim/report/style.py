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

_RC: dict[str, Any] = {
    "font.family": [FAMILY, FALLBACK],
    "font.size": 9.0,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
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
    "legend.fontsize": 8.5,
    "savefig.dpi": 160,
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


def drawable(value: object) -> str:
    """``value`` with every character drawable: others appear as ``U+XXXX``; overlong text is cut with an ellipsis."""
    known = _characters()
    raw = str(value)
    if len(raw) > LONGEST_LABEL:
        raw = raw[: LONGEST_LABEL - 1] + "…"
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


def wrap(value: object, em: float, *, lines: int = 2) -> str:
    """``value`` broken into at most ``lines`` lines of at most ``em`` em; what does not fit ends in …"""
    tokens = _tokens(drawable(value))
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


def heading(figure: Figure, title: str, subtitle: str = "") -> None:
    """Title and explanation at the top left, in inches from the edge, so they never meet the axes."""
    height = figure.get_figheight()
    x = 0.25 / figure.get_figwidth()
    figure.text(x, 1 - 0.22 / height, drawable(title), fontsize=13, va="top", ha="left")
    if subtitle:
        if not any(_chinese(c) for c in subtitle):
            subtitle = subtitle.translate(_NARROW)
        figure.text(x, 1 - 0.52 / height, subtitle, fontsize=8.5, color=GREY, va="top", ha="left", linespacing=1.5)


def label_synthetic(figure: Figure, lang: Language, scenario: str, share: float | None, run: str = "") -> None:
    """What every figure carries: that it is an illustration, what part of its inputs is not public, and its run."""
    height, width = figure.get_figheight(), figure.get_figwidth()
    words = (
        text("report.label", lang) if share is None else text("report.label_share", lang, percent=f"{100 * share:.0f}%")
    )
    figure.text(0.25 / width, 0.17 / height, words, fontsize=8, color=VERMILLION, va="bottom", ha="left")
    source = text("report.figure_source", lang, scenario=drawable(scenario)) + run
    figure.text(0.25 / width, 0.04 / height, source, fontsize=7.5, color=GREY, va="bottom", ha="left")


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.svg`` and ``name.png`` into ``folder``, without dates or versions inside; returns their paths."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", metadata={"Software": None})
    return [svg, png]
