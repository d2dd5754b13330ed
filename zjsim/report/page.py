"""``report.html``: a run as one self-contained page - no network, tables that sort and search, figures that answer."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from zjsim.report.blocks import Figure, Grid, Heading, Item, Paragraph, Story
from zjsim.report.comparison_book import in_words, named_runs
from zjsim.report.page_figures import change_bars, fans, links, probability_bars, relief_bars, scarce_bars, seat_bars
from zjsim.report.page_maps import gap_maps, map_note, opening_maps
from zjsim.report.sheets import ESSENTIAL
from zjsim.report.story import run_story
from zjsim.report.story_comparison import comparison_story
from zjsim.report.story_targets import judged_targets
from zjsim.report.tasks import FACILITIES, tasks
from zjsim.report.visible import VisibleTables, visible_values
from zjsim.report.words import column_title, known, quantity
from zjsim.report.workbook import for_reading
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.published import MARK, SUPPRESSED, hidden_cells
from zjsim.tables.writer import format_number, write_atomic
from zjsim.texts import Language, text

COMPARED = ("input_changes", "plan_changes", "cost_changes", "target_changes", "outcome_changes")
"""Tables of a comparison that its page holds whole; the workbook has the seats of all counties too."""
WHOLE_TABLES = (
    "target_feasibility", *FACILITIES, "location_targets", "seat_expansion", "seat_shortfalls", "deciding_inputs",
    "marginal_values", "sources_used",
)  # fmt: skip
"""Tables that the page holds whole, folded; the workbook has the others."""
_WORDS = ("search", "contents", "year", "sort_by", "sort_hint", "no_script")

Part = dict[str, Any]


def page_html(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, template: Path | None = None
) -> str:
    """The page of a run; ``template`` is an office's own Jinja template, filled in a sandbox.

    Raises ``InputErrors`` if the template cannot be used. Everything that comes from the run is escaped.
    """
    manifest, tables = visible_values(manifest), VisibleTables(tables)
    story = run_story(manifest, tables, lang)
    line = {"run": manifest["run_id"], "version": manifest["zjsim"], "as_of": manifest["as_of"]}
    said = text("page.run_line", lang, seed=manifest["seed"], **line)
    sections = _sections(story, lang, lambda block: _figure(block, manifest, tables, lang))
    sections.append({"title": text("page.all_tables", lang), "parts": list(_whole_tables(tables, lang))})
    return _filled(story, sections, said, lang, template)


def comparison_html(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, template: Path | None = None
) -> str:
    """The page of a comparison of runs; otherwise as :func:`page_html`."""
    manifest, tables = visible_values(manifest), named_runs(VisibleTables(tables), lang)
    story = comparison_story(manifest, tables, lang)
    base = tables["compared_runs"].iloc[0]
    line = {"run": manifest["run_id"], "version": base["zjsim"], "as_of": base["as_of"]}
    said = text("page.run_line", lang, seed=base["seed"], **line)

    def drawn(block: Figure) -> Iterator[Part]:
        note = ("；" if lang == "zh" else "; ").join(text(f"page.{k}", lang) for k in ("legend.changes", "hover_hint"))
        yield _drawn(block.title, note, change_bars(tables, lang))

    sections = _sections(story, lang, drawn)
    parts = list(_tables_of({name: in_words(name, tables[name], lang) for name in COMPARED}, lang))
    sections.append({"title": text("page.all_tables", lang), "parts": parts})
    return _filled(story, sections, said, lang, template)


def _filled(story: Story, sections: list[dict[str, Any]], run_line: str, lang: Language, template: Path | None) -> str:
    home = files("zjsim.report.templates")
    style, script = (home.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    # On paper the label stands on every page, not on the first alone.
    style += (
        f"@page{{@top-right{{content:{json.dumps(story.label, ensure_ascii=False)};font-size:8pt;color:#d55e00}}}}\n"
    )
    source = home.joinpath("page.html").read_text("utf-8") if template is None else _own(template)
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True, keep_trailing_newline=True)
    values = {
        "lang": lang,
        "title": story.title,
        "subject": story.subject,
        "label": story.label,
        "run_line": run_line,
        "words": {name: text(f"page.{name}", lang) for name in _WORDS},
        "sections": sections,
        "style": Markup(style),
        "script": Markup(script),
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }
    try:
        return environment.from_string(source).render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        place = str(template or "page.html")
        raise InputErrors([finding("template", place, value=str(error)[:300], theme="memo.problem_with")]) from error


def _own(template: Path) -> str:
    try:
        return template.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = str(error)[:300]
        raise InputErrors([finding("template", str(template), value=said, theme="memo.problem_with")]) from error


def _hash(said: str) -> str:
    """What the page's own policy allows: exactly this style and this script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(said.encode("utf-8")).digest()).decode("ascii")


def write_page(
    path: Path,
    manifest: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    lang: Language,
    template: Path | None = None,
) -> None:
    """Write the page of a run or of a comparison to ``path`` as a whole."""
    made = comparison_html if manifest.get("kind") == "comparison" else page_html
    write_atomic(path, made(manifest, tables, lang, template).encode("utf-8"))


def _sections(story: Story, lang: Language, drawn: Callable[[Figure], Iterable[Part]]) -> list[dict[str, Any]]:
    """The story's sections as the template wants them; ``drawn`` draws its figures."""
    sections: list[dict[str, Any]] = []
    number = 0
    for block in story.blocks:
        if isinstance(block, Heading) and block.level == 1:
            sections.append({"title": block.words, "parts": []})
            continue
        parts: list[Part] = sections[-1]["parts"]
        if isinstance(block, Heading):
            parts.append({"kind": "heading", "words": block.words})
        elif isinstance(block, Item):
            if not parts or parts[-1]["kind"] != "items":
                parts.append({"kind": "items", "items_said": []})
            parts[-1]["items_said"].append(block.words)
        elif isinstance(block, Paragraph):
            lead = text("memo.colon", lang, name=block.lead).strip() if block.lead else ""
            parts.append({"kind": "paragraph", "words": block.words, "lead": lead})
        elif isinstance(block, Grid):
            number += 1
            parts.append(_grid(block, text("memo.table", lang, n=number, title=block.title)))
        else:
            parts += drawn(block)
    return sections


def _grid(grid: Grid, title: str) -> Part:
    return {
        "kind": "table", "title": title, "heads": grid.heads, "rows": grid.rows, "numeric": grid.numeric,
        "tints": grid.tints, "folded": False, "count": "",
    }  # fmt: skip


def _figure(
    block: Figure, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> Iterator[Part]:
    """The page's own drawing of a figure of the run."""
    hint = text("page.hover_hint", lang)
    legend = {k: text(f"page.legend.{k}", lang, p=quantity(manifest["p_required"])) for k in _LEGENDS}
    between = "；" if lang == "zh" else "; "
    schematic = map_note(tables, lang)
    if block.name == "target_probabilities":
        note = between.join([legend["simulation"], legend["input"], legend["required"], legend["grades"], hint])
        yield _drawn(block.title, note, probability_bars(judged_targets(tables), lang))
    elif block.name == "yearly_outcomes":
        yield _drawn(block.title, legend["band"], fans(judged_targets(tables), tables, lang), "fans")
    elif block.name == "bottlenecks":
        if bars := relief_bars(tables, lang):
            yield _drawn(block.title, text("page.legend.reliefs", lang), bars)
    elif block.name in ("lead_assignments", "heritage_pairs"):
        note = between.join([text("page.scroll_hint", lang), hint])
        yield _drawn(block.title, note, links(tables, block.name, lang), "wide")
    elif block.name == "location_openings":
        if maps := opening_maps(tables, lang):
            yield {"kind": "years", "title": block.title, "note": between.join([schematic, hint]), "maps": maps}
    elif block.name == "talent_supply":
        if bars := scarce_bars(tables, lang):
            yield _drawn(block.title, between.join([legend["scarce"], hint]), bars)
    elif block.name == "seat_gaps":
        if bars := seat_bars(tables, lang):
            yield _drawn(block.title, between.join([legend["seats"], hint]), bars)
    elif block.name == "seat_gap_map" and (maps := gap_maps(tables, lang)):
        note = between.join([legend["closed"], legend["left"], schematic])
        yield {"kind": "years", "title": block.title, "note": note, "maps": maps}


_LEGENDS = ("simulation", "input", "required", "grades", "band", "closed", "left", "scarce", "seats")


def _drawn(title: str, note: str, svg: Markup, css: str = "") -> Part:
    return {"kind": "figure", "title": title, "note": note, "svg": svg, "css": css}


def _whole_tables(tables: Mapping[str, pd.DataFrame], lang: Language) -> Iterator[Part]:
    shown = {name: for_reading(name, tables, lang) for name in WHOLE_TABLES if name in tables}
    yield from _tables_of({"tasks": tasks(tables, lang), **shown}, lang)


def _tables_of(shown: Mapping[str, pd.DataFrame], lang: Language) -> Iterator[Part]:
    """Whole tables, folded; of those of a run only the essential columns."""
    for name, table in shown.items():
        if table.empty:
            continue
        wanted = None if name in COMPARED else ESSENTIAL.get(name)
        columns = [c for c in table.columns if c != SUPPRESSED]
        columns = [c for c in columns if wanted is None or _stem(str(c)) in wanted or str(c) in wanted]
        numeric = [pd.api.types.is_numeric_dtype(table[c]) and table[c].dtype != bool for c in columns]
        hidden = hidden_cells(table)
        cells = [_cells(table[c], lang, hidden.get(str(c), set())) for c in columns]
        yield {
            "kind": "table", "title": known(f"report.sheet_{name}", lang, name),
            "heads": [column_title(str(c), lang, name) for c in columns], "rows": list(zip(*cells, strict=True)),
            "numeric": numeric, "tints": (), "folded": True,
            "count": text("page.rows", lang, n=len(table))
            + (" " + text("published.mark", lang, mark=MARK) if hidden.keys() & set(columns) else ""),
        }  # fmt: skip


def _stem(column: str) -> str:
    return column.removesuffix("_zh").removesuffix("_en")


def _cells(column: pd.Series, lang: Language, hidden: Collection[int] = ()) -> list[str]:
    """Cells as text: numbers with four significant digits at most behind the point, yes and no in words."""
    plain = str(column.name) in ("year", "rank") or str(column.name).endswith(("_year", "_code", "_id"))
    cells = []
    for i, value in enumerate(column.tolist()):
        if i in hidden:
            cells.append(MARK)
        elif isinstance(value, bool):
            cells.append(text("report.yes" if value else "report.no", lang))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            cells.append("" if value != value else format_number(float(value)) if plain else _amount(float(value)))
        else:
            cells.append("" if value is None else str(value))
    return cells


def _amount(value: float) -> str:
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.4g}"
