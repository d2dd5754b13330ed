"""Figures: every character drawn or shown as its code point, the label on each, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
import zjsim.scenarios.baseline
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from zjsim.report import style
from zjsim.report.figures import FIGURES, draw_all, run_line
from zjsim.report.figures.bottlenecks import draw_bottlenecks
from zjsim.report.figures.fans import draw_fans, draw_other_fans
from zjsim.report.figures.frontier import draw_frontier
from zjsim.report.figures.ground import name_cities
from zjsim.report.figures.seats import by_county_and_year
from zjsim.report.word import BODY_MM
from zjsim.tables.registries import REGISTRIES
from zjsim.texts import LANGUAGES, Language, catalogue, text

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]
ROOT = Path(zjsim.scenarios.baseline.__file__).parent


def _undrawable(words: str) -> set[str]:
    return {c for c in set(words) - set("\n\r\t\ufeff") if style.drawable(c).startswith("U+")}


def test_the_font_has_every_character_of_the_registries() -> None:
    for path in sorted(ROOT.glob("registries/*.csv")) + sorted(ROOT.glob("*.toml")):
        assert not _undrawable(path.read_text("utf-8")), path.name


def test_the_font_has_every_character_of_texts_and_declarations() -> None:
    assert not _undrawable("".join(t for entry in catalogue().values() for t in entry.values()))
    declared = (c.zh + c.en + c.help_zh + c.help_en for r in REGISTRIES.values() for c in r.columns)
    assert not _undrawable("".join(declared))


def test_a_character_without_a_glyph_is_drawn_as_its_code_point() -> None:
    assert style.drawable("教育🧮") == "教育U+1F9EE"
    assert style.drawable("生僻字𬭁") == "生僻字𬭁"
    assert style.drawable("a\x07b\u200bc") == "aU+0007bU+200Bc"
    with style.house_style():
        figure = style.new_figure(1, 1)
        figure.text(0, 0, style.drawable("🧮"))
        figure.draw_without_rendering()


def test_a_glyph_that_is_missing_all_the_same_is_an_error() -> None:
    with style.house_style():
        figure = style.new_figure(1, 1)
        figure.text(0, 0, "\U0010fffd")
        with pytest.raises(UserWarning, match="missing"):
            figure.draw_without_rendering()


def test_long_names_are_wrapped_and_cut_visibly() -> None:
    lines = style.wrap("浙江省某某产业集群高质量发展联合体", 8, lines=2).split("\n")
    assert len(lines) == 2
    assert all(style.width_of(line) <= 8 for line in lines)
    assert lines[1].endswith("…")
    assert style.wrap("Zhejiang University of Technology", 10, lines=2) == "Zhejiang University\nof Technology"
    assert style.wrap("a" * 10_000, 6, lines=2).endswith("...")
    assert style.wrap("茶叶", 8) == "茶叶"


@pytest.fixture
def run_with_all_figures(made_run: MakeRun) -> MakeRun:
    """A made-up run with more outcomes than a figure holds, by the default and by further readings."""

    def make(attack: str = "余杭区") -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
        manifest, tables = made_run(attack)
        targets, outcomes = tables["target_feasibility"], tables["yearly_outcomes"]
        done = outcomes[outcomes["outcome"] == "services_done"]
        default, other = targets.iloc[[0]], targets.iloc[[1]]
        more = [
            row.assign(reading=f"{kind}_{n}", outcome=f"{kind}_{n}")
            for kind, row in (("own", default), ("told", other))
            for n in range(10)
        ]
        told = [done.assign(outcome=row["outcome"].iloc[0]) for row in more]
        tables["target_feasibility"] = pd.concat([targets, *more], ignore_index=True)
        tables["yearly_outcomes"] = pd.concat([outcomes, *told], ignore_index=True)
        return manifest, tables

    return make


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", FIGURES)
def test_no_label_leaves_the_page(run_with_all_figures: MakeRun, name: str, lang: Language) -> None:
    manifest, tables = run_with_all_figures("义乌市" * 40)
    with style.house_style():
        figure = FIGURES[name](manifest, tables, lang)
        assert isinstance(figure, Figure)
        figure.draw_without_rendering()
        page = figure.bbox
        beyond = {t for axes in figure.axes for t in _ticks_out_of_view(axes)}
        for words in figure.findobj(Text):
            if words.get_text().strip() and words.get_visible() and words not in beyond:
                box = words.get_window_extent()
                inside = box.x0 >= -1 and box.x1 <= page.x1 + 1 and box.y0 >= -1 and box.y1 <= page.y1 + 1
                assert inside, words.get_text()


@pytest.mark.parametrize("name", FIGURES)
def test_type_is_legible_at_the_width_of_the_memo(run_with_all_figures: MakeRun, name: str) -> None:
    with style.house_style():
        figure = FIGURES[name](*run_with_all_figures(), "zh")
        assert figure is not None
        assert figure.get_figwidth() == pytest.approx(BODY_MM / 25.4)
        sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip()]
        assert min(sizes) >= 7.5


def test_what_stands_above_a_figure_is_measured() -> None:
    with style.house_style():
        short, long = style.heading_in("标题"), style.heading_in("标题", "说明" * 60)
        assert long > short + 0.4
        figure = style.new_figure(style.WIDTH_IN, 3)
        assert style.heading(figure, "标题", "说明" * 60) == long
        figure.draw_without_rendering()
        boxes = [t.get_window_extent() for t in figure.texts]
        assert min(b.y0 for b in boxes) >= figure.bbox.y1 - long * figure.dpi
        assert max(b.x1 for b in boxes) <= figure.bbox.x1


def test_names_of_cities_do_not_meet() -> None:
    west, north = [120.0, 120.02, 120.4, 121.0], [30.0, 30.01, 30.0, 30.5]
    places = pd.DataFrame(
        {"county_code": ["1", "2", "3", "4"], "city_code": ["1", "2", "3", "4"], "lon": west, "lat": north,
         "city_en": ["Hangzhou", "Shaoxing", "Ningbo", "Zhoushan"]}
    )  # fmt: skip
    with style.house_style():
        figure = style.new_figure(2, 2)
        axes = figure.add_axes((0.05, 0.05, 0.9, 0.9))
        axes.set_xlim(119.5, 121.1)
        axes.set_ylim(29.3, 30.9)
        name_cities(axes, places, "en")
        figure.draw_without_rendering()
        boxes = [t.get_window_extent() for t in axes.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        assert max(b.x1 for b in boxes) <= axes.get_window_extent().x1 + 1


def _ticks_out_of_view(axes: Axes) -> list[Text]:
    """Labels of ticks that lie outside the view: they exist, but are never drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        found += [t for tick in ticks if not low <= tick.get_loc() <= high for t in (tick.label1, tick.label2)]
    return found


def test_attacks_are_drawn_harmlessly_and_files_are_byte_equal(
    run_with_all_figures: MakeRun, tmp_path: Path, attack: str
) -> None:
    if attack != "笑脸😀与生僻字𬭁":
        with style.house_style():
            for draw in FIGURES.values():
                figure = draw(*run_with_all_figures(attack), "zh")
                assert figure is not None
                figure.draw_without_rendering()
        return
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw_all(tmp_path / name, *run_with_all_figures(attack), "zh")
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == sorted(f"{n}.{kind}" for n in FIGURES for kind in ("svg", "png"))
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for path in (tmp_path / "a").glob("*.svg"):
        svg = path.read_text("utf-8")
        assert "<text" not in svg, "type is drawn as paths"
        assert not re.search(r"<script|<dc:date|https?://(?!www\.w3\.org|purl\.org|creativecommons\.org)", svg)


def test_the_label_says_how_much_is_not_public() -> None:
    with style.house_style():
        for share, wanted in ((0.87, "87%"), (None, text("report.label", "zh"))):
            figure = style.new_figure(4, 3)
            style.label_synthetic(figure, "zh", "toy", share)
            assert any(wanted in t.get_text() for t in figure.texts)


def test_drawing_changes_nothing_global(made_run: MakeRun, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    draw_all(tmp_path, *made_run(), "en")
    assert dict(mpl.rcParams) == before


def test_a_cumulative_target_is_drawn_as_the_pace_it_needs(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    with style.house_style():
        figure = draw_fans(manifest, tables, "en")
        assert figure is not None
        services = figure.axes[0]
        levels = sorted({float(line.get_ydata()[0]) for line in services.lines if len(set(line.get_ydata())) == 1})
    assert 10.0 in levels, "30 in three years and 10 every year are the same line"


def test_other_readings_have_a_figure_of_their_own(made_run: MakeRun, run_with_all_figures: MakeRun) -> None:
    with style.house_style():
        assert draw_other_fans(*made_run(), "zh") is None, "every outcome serves a default reading"
        many = run_with_all_figures()
        parts = [draw(*many, "zh", part=part) for draw in (draw_other_fans, draw_fans) for part in (0, 1)]
    # Ten outcomes of other readings, three and ten of default ones: each on exactly one of two figures.
    assert [len(figure.axes) for figure in parts if figure is not None] == [5, 5, 7, 6]
    assert parts[0] is not None
    assert any("种子 7" in t.get_text() for t in _labelled(parts[0], many[0]).texts)


def _labelled(figure: Figure, manifest: dict[str, Any]) -> Figure:
    with style.house_style():
        style.label_synthetic(figure, "zh", "toy", 0.5, run_line(manifest, "zh"))
    return figure


def test_tables_without_what_a_figure_needs_leave_it_out(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run()
    tables["seat_expansion"] = tables["seat_expansion"][["county_code", "year"]]
    tables["yearly_outcomes"] = tables["yearly_outcomes"].iloc[:0]
    tables["assignment_pareto"] = tables["assignment_pareto"].iloc[:0]
    written = {p.stem for p in draw_all(tmp_path, manifest, tables, "zh")}
    assert not {"seat_gaps", "yearly_outcomes"} & written
    assert {"target_probabilities", "lead_assignments"} <= written


def test_seats_are_summed_by_county_and_year(made_run: MakeRun) -> None:
    expansion = made_run()[1]["seat_expansion"]
    doubled = pd.concat([expansion, expansion], ignore_index=True)
    seats = by_county_and_year(doubled)
    assert seats is not None
    assert len(seats) == len(expansion)
    assert seats["unmet"].sum() == 2 * 30
    assert seats["rooms"].sum() == doubled["rooms_added"].sum()
    kinds = seats[["local", "migrant_public", "purchased", "outside", "unmet"]]
    assert kinds.to_numpy().sum() == doubled["demand"].sum()


def test_children_whose_kind_is_hidden_are_still_drawn(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    expansion = tables["seat_expansion"]
    tables["seat_expansion"] = expansion.assign(
        placed_public=[None, *expansion["placed_public"][1:]], placed_purchased=None
    )
    with style.house_style():
        figure = FIGURES["seat_gaps"](manifest, tables, "zh")
        assert figure is not None
        bars = [p for p in figure.axes[0].patches if p.get_height() > 0]
        drawn: dict[int, float] = {}
        for bar in bars:
            year = round(bar.get_x() + bar.get_width() / 2)
            drawn[year] = drawn.get(year, 0.0) + bar.get_height()
        demand = expansion.groupby("year")["demand"].sum() / 10_000
        assert drawn == pytest.approx(demand.to_dict())
        legend = figure.axes[0].get_legend()
        assert legend is not None
        assert text("report.seats_hidden", "zh") in [t.get_text() for t in legend.get_texts()]


def test_without_a_gap_the_figure_shows_where_rooms_are_added(made_run: MakeRun) -> None:
    manifest, tables = made_run()
    tables["seat_expansion"] = tables["seat_expansion"].assign(unplaced=0)
    with style.house_style():
        figure = FIGURES["seat_gaps"](manifest, tables, "zh")
        assert figure is not None
        assert figure.axes[1].get_title("left") == text("report.fig_seats_no_gap", "zh")
        assert len(figure.axes[1].patches) == 2, "one county adds no room"
        tables["seat_expansion"] = tables["seat_expansion"].assign(rooms_added=0)
        assert FIGURES["seat_gaps"](manifest, tables, "zh") is not None


def _relief(rank: int, name: str, gain: float, use: float) -> dict[str, Any]:
    said = {"relief_zh": f"增加{name}", "relief_en": f"More {name}", "indicator_zh": "培训", "indicator_en": "Training"}
    units = {"unit": "rooms", "unit_zh": "间", "target_unit": "person-times", "target_unit_zh": "人次"}
    figures = {"gain": 1234.5 * gain, "gain_low": 1000 * gain, "gain_high": 1500 * gain, "gain_share_of_tenth": gain}
    waits = {"utilisation": use, "mean_wait_days": 3.0, "lost_share": 0.05}
    return {"year": 2027, "level": "province", "rank": rank, **said, **units, **figures, **waits}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bottlenecks_show_what_helps_and_name_what_does_not(lang: Language) -> None:
    table = pd.DataFrame([_relief(1, "A", 0.1, 0.9), _relief(2, "B", 0.02, float("nan")), _relief(3, "C", 0.0, 0.2)])
    other = table.assign(year=2026, rank=[3, 2, 1])
    with style.house_style():
        figure = draw_bottlenecks({}, {"bottlenecks": pd.concat([table, other])}, lang)
        assert figure is not None
        figure.draw_without_rendering()
    (axes,) = figure.axes
    assert [round(bar.get_width(), 4) for bar in axes.patches] == [0.1, 0.02]
    said = [t.get_text() for t in (*axes.texts, *figure.texts)]
    assert any("123" in t for t in said), "the gain of one unit"
    assert sum("90" in t for t in said) == 1, "use is told where it is known"
    assert any(table.loc[2, f"relief_{lang}"] in t for t in figure.findobj(Text) for t in [t.get_text()])
    assert draw_bottlenecks({}, {}, lang) is None
    assert draw_bottlenecks({}, {"bottlenecks": table[table["rank"] == 3]}, lang) is None


@pytest.mark.parametrize(("asked", "right"), [(0.9, 21.2), (0.99, 106.0), (float("nan"), 106.0)])
def test_the_frontier_ends_where_enough_is_reached_and_no_budget_is_asked_a_probability(
    asked: float, right: float
) -> None:
    """Enough for 0.9 are 10 points of 100; what is asked for is drawn only where something is asked."""
    frontier = pd.DataFrame(
        {"cost": [0.0, 10.0, 100.0], "p_sample": [0.5, 0.92, 0.95], "setting_zh": "x", "setting_en": "x"}
    )
    frontier = frontier.assign(p_sample_low=frontier["p_sample"] - 0.02, p_sample_high=frontier["p_sample"] + 0.02)
    targets = pd.DataFrame({"indicator_zh": ["目标"], "indicator_en": ["T"], "p_asked": [asked]})
    with style.house_style():
        figure = draw_frontier({"seek_frontier": frontier, "seek_targets": targets}, "en")
        assert figure is not None
        axes = figure.axes[0]
        assert axes.get_xlim()[1] == pytest.approx(right)
        assert any("asked" in t.get_text() for t in axes.texts) == (not pd.isna(asked))
