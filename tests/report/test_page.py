"""The page: one file, nothing from outside, everything of the run escaped, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zjsim.report.page import page_html, write_page
from zjsim.report.page_figures import seat_bars
from zjsim.report.visible import visible
from zjsim.tables.errors import InputErrors
from zjsim.texts import LANGUAGES, Language, text

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]
LOADS = {"src", "href", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href", "ping", "style"}
_OPEN = {"meta", "input", "br", "img", "link", "rect", "line", "circle", "path"}


class Reader(HTMLParser):
    """Collects what would load something or act, the texts, and whether tags are closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.loads: list[tuple[str, str, str]] = []
        self.handlers: list[str] = []
        self.tags: list[str] = []
        self.seen: set[str] = set()
        self.words: list[str] = []
        self.tips: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in _OPEN - {"rect", "line", "circle", "path"}:
            self.tags.append(tag)
        for name, value in attrs:
            if name in LOADS and not (name == "href" and (value or "").startswith("#")):
                self.loads.append((tag, name, value or ""))
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "data-tip":
                self.tips.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.tags, tag
        assert self.tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.tags, "every element is closed"
    return reader


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_is_loaded_and_the_policy_allows_only_what_is_inside(made_run: MakeRun, lang: Language) -> None:
    page = page_html(*made_run(), lang)
    reader = _read(page)
    assert reader.loads == []
    assert reader.handlers == []
    assert reader.seen.isdisjoint({"link", "iframe", "object", "embed", "img", "form", "base", "image", "use"})
    assert "http://" not in page.replace("http://www.w3.org", "")
    style, script = (re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("style", "script"))
    assert style is not None
    assert script is not None
    assert not re.search(
        r"url\(|@import|fetch|XMLHttpRequest|WebSocket|import\(|sendBeacon|innerHTML|eval", style[1] + script[1]
    )
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    for found in (style, script):
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_tells_the_story_and_labels_it(made_run: MakeRun, lang: Language) -> None:
    reader = _read(page_html(*made_run(), lang))
    said = "\n".join(reader.words)
    label = text("report.label_share", lang, percent="75%")
    assert said.count(label) == 3, "above, below, and on every printed page"
    for key in ("conclusion", "feasibility", "plan", "readings", "sources"):
        assert text(f"memo.heading.{key}", lang) in said
    assert any("0.97" in tip and "0.92" in tip and "0.91" in tip for tip in reader.tips), "both ranges, on pointing"
    assert any("40" in tip for tip in reader.tips), "the gap of a county"


def test_attacks_stand_on_the_page_as_text(made_run: MakeRun, attack: str) -> None:
    page = page_html(*made_run(attack), "zh")
    reader = _read(page)
    assert visible(attack, 200)[:120] in "".join(reader.words)
    assert reader.loads == []
    assert reader.handlers == []
    assert page.count("<script>") == 1
    assert "49" not in "".join(w for w in reader.words if "{{" in w or "7*7" in w)


def test_two_pages_are_byte_equal(made_run: MakeRun, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_page(tmp_path / name, *made_run(), "zh")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_template_of_the_office_is_filled_in_a_sandbox(made_run: MakeRun, tmp_path: Path) -> None:
    own = tmp_path / "own.html"
    own.write_text("<p>{{ label }}</p><h1>{{ subject }}</h1>", "utf-8")
    assert "<h1>情景：&lt;b&gt;</h1>" in page_html(*made_run("<b>"), "zh", own)
    for attack in ("{{ title.__class__.__mro__ }}", "{{ nobody }}", "{% include '/etc/passwd' %}"):
        own.write_text(attack, "utf-8")
        with pytest.raises(InputErrors):
            page_html(*made_run(), "zh", own)


def test_children_whose_kind_is_hidden_have_a_part_of_the_bar(made_run: MakeRun) -> None:
    _, tables = made_run()
    year = {
        "year": [2025, 2026], "demand": [100.0, 90.0], "public_seats": [120.0, 120.0], "placed_local": [60.0, 60.0],
        "placed_public": [None, 30.0], "placed_public_other": [5.0, 0.0], "placed_purchased": [0.0, 0.0],
        "others_outside_public": [None, 0.0], "local_unplaced": [0.0, 0.0], "unplaced": [0.0, 0.0],
    }  # fmt: skip
    drawn = str(seat_bars({**tables, "seat_summary": pd.DataFrame(year)}, "en"))
    first, second = drawn.split("2026: 90 children")[0], drawn.split("2026: 90 children")[1]
    widths = [float(w) for w in re.findall(r'width="([0-9.]+)%" height="14"', first)]
    assert sum(widths) == pytest.approx(100 * 100 / 120, abs=0.02)
    assert "seat hidden" in first
    assert "migrant, public *" in first
    assert "seat hidden" not in second
