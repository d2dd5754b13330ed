"""Outlines of counties: decoded as they were packed, drawn where all are known, and never needed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from zjsim.report import geometry
from zjsim.report.figures.locations import draw_locations
from zjsim.report.figures.seat_map import draw_seat_map
from zjsim.report.page import page_html
from zjsim.report.style import house_style

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]
CODES = ("330102", "330110", "331102")
SQUARE = ((120.0, 30.0), (120.01, 30.0), (120.01, 30.01), (120.0, 30.01), (120.0, 30.0))
FAR = ((119.5, 28.0), (120.5, 28.0), (120.5, 29.0), (119.5, 28.0))


def _list(items: list[bytes]) -> bytes:
    return struct.pack(f"<{1 + len(items)}I", len(items), *map(len, items)) + b"".join(items)


def _ring(points: tuple[tuple[float, float], ...], *, by_steps: bool) -> bytes:
    whole = np.round((np.array(points) + np.array([180.0, 90.0])) / 2e-6).astype(np.int64)
    if not by_steps:
        return struct.pack("<I", 0) + whole.astype("<u4").tobytes()
    return struct.pack("<I", 1) + whole[0].astype("<u4").tobytes() + np.diff(whole, axis=0).astype("<i2").tobytes()


def _layer() -> tuple[str, bytes]:
    near, far = _ring(SQUARE, by_steps=True), _ring(FAR, by_steps=False)
    shapes = [
        struct.pack("<I", 5) + _list([near]),
        struct.pack("<I", 5) + _list([far, near]),
        struct.pack("<I", 6) + _list([_list([near]), _list([far])]),
    ]
    return "district_name,district_adcode\n" + "".join(f"x,{code}\n" for code in CODES), _list(shapes)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were installed and knew the three counties of the made-up run."""
    monkeypatch.setattr(geometry, "_installed", lambda: geometry.read_outlines(*_layer()))


def test_rings_come_back_as_they_were_packed() -> None:
    found = geometry.read_outlines(*_layer())
    assert [len(found[code]) for code in CODES] == [1, 2, 2]
    assert np.allclose(found["330102"][0], SQUARE, atol=1e-6)
    assert np.allclose(found["330110"][0], FAR, atol=1e-6)
    assert np.allclose(found["331102"][1], FAR, atol=1e-6)
    names, data = _layer()
    for broken in (data[:-1], data[:20], b"", data[4:]):
        with pytest.raises((ValueError, IndexError)):
            geometry.read_outlines(names, broken)
    with pytest.raises(KeyError):
        geometry.read_outlines(names.replace("adcode", "code"), data)


def test_outlines_are_all_or_none(installed: None) -> None:
    assert set(geometry.outlines_of(CODES)) == set(CODES)
    assert geometry.outlines_of((*CODES, "330103")) == {}, "a map with some counties says the others are not there"
    assert geometry.outlines_of(()) == {}


def test_a_package_of_another_layout_gives_no_outlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "PACKAGE", "zjsim.report.templates")
    geometry._installed.cache_clear()
    assert geometry.outlines_of(CODES) == {}
    monkeypatch.setattr(geometry, "PACKAGE", "no_such_package")
    geometry._installed.cache_clear()
    assert geometry.outlines_of(CODES) == {}
    monkeypatch.undo()
    geometry._installed.cache_clear()


def test_thinning_keeps_the_ends_and_what_is_far() -> None:
    ring = np.array([[0, 0], [0.001, 0], [1, 0], [1, 0.001], [1, 1], [0, 0.0]])
    assert geometry.thinned(ring, 0.01).tolist() == [[0, 0], [1, 0], [1, 1], [0, 0]]
    places = pd.DataFrame({"county_code": ["no"]})
    assert geometry.drawn_rings(places, 0.01) == []


@pytest.mark.parametrize("draw", [draw_locations, draw_seat_map])
def test_maps_have_outlines_under_them(made_run: MakeRun, installed: None, draw: Any) -> None:
    with house_style():
        figure = draw(*made_run(), "zh")
    for axes in figure.axes:
        under = [c for c in axes.collections if isinstance(c, PolyCollection)]
        assert [len(c.get_paths()) for c in under] == [5]
        (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
        assert west < 119.5
        assert east > 120.5
        assert south < 28.0
        assert north > 30.3 - 0.3


def test_the_page_draws_them_as_one_path_or_not_at_all(
    made_run: MakeRun, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page_html(*made_run(), "zh").count('class="outline"') == 4, "two years of seats and of openings"
    monkeypatch.setattr(geometry, "_installed", dict)
    assert 'class="outline"' not in page_html(*made_run(), "zh")
