"""Small drawings for the page, as SVG text: no library on the reader's side, every number as a tip on its mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape


def mark(name: str, content: object = "", **attributes: object) -> Markup:
    """An element; ``_`` in names of attributes is written ``-``, everything is escaped."""
    said = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _number(value))
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), said, escape(content))


def _number(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def joined(parts: Sequence[Markup]) -> Markup:
    """The parts one after another."""
    return Markup("").join(parts)


def drawing(width: float, height: float, parts: Sequence[Markup], label: str, **more: object) -> Markup:
    """An SVG of that size in its own units, as wide as its place."""
    box = f"0 0 {width:g} {height:g}"
    return mark("svg", joined(parts), viewBox=box, role="img", aria_label=label, class_="drawing", **more)


def tipped(name: str, tip: str, content: object = "", **attributes: object) -> Markup:
    """An element that answers to pointing with ``tip``, by keyboard too."""
    return mark(name, content, data_tip=tip, tabindex="0", **attributes)


def words(x: float, y: float, said: str, css: str = "", anchor: str = "start") -> Markup:
    """Text at a point."""
    return mark("text", said, x=x, y=y, class_=css or None, text_anchor=anchor)


def path(points: Sequence[tuple[float, float]], **attributes: object) -> Markup:
    """A line through points."""
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return mark("path", "", d=d, **attributes)


def named(row: Mapping[str, Any], what: str, lang: str) -> str:
    """The name of ``what`` in a row in ``lang``; empty without one."""
    value = row.get(f"{what}_{lang}")
    return value if isinstance(value, str) else ""


def shortened(value: str, most: int) -> str:
    """``value`` cut at ``most`` Chinese characters' width; Latin letters count half."""
    width, out = 0.0, ""
    for c in value:
        width += 1.0 if ord(c) > 0x2E80 else 0.55
        if width > most - 1:
            return out + "…"
        out += c
    return out
