"""The story of a comparison, told once for its memo and its page: what differs between runs, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjsim.report.blocks import Figure, Grid, Heading, Item, Paragraph, Story
from zjsim.report.comparison_book import coded, in_language, named_runs, notes_said
from zjsim.report.likelihood import chance, probability
from zjsim.report.story_targets import amount
from zjsim.report.words import column_title, is_true, percent, quantity, records, registry_word
from zjsim.tables.published import SUPPRESSED
from zjsim.texts import Language, text

Tables = Mapping[str, pd.DataFrame]
_SETTINGS, _PROVENANCE = "simulation.", ("source_id", "basis")
"""Parameters of how much is simulated, and columns that say where a number comes from: told in one line each."""
MOST_CELLS = 3
"""Cells of one column that are told one by one."""
_NEVER_HIDDEN = ("classes_opened", "rooms_added", "new_schools", "public_seats", "staff_needed")
"""Measures of seats that count no children: their sums over counties are whole."""
MOST_LINES = 12
"""Changes of inputs, and decisions, that are told one by one for each run."""


def comparison_story(manifest: Mapping[str, Any], tables: Tables, lang: Language) -> Story:
    """The blocks of a comparison; every number stands in one of its tables."""
    tables = named_runs(tables, lang)
    runs = records(tables["compared_runs"])
    base, others = _label(runs, "base"), [str(r["run"]) for r in runs if r["role"] == "other"]
    share = max((float(r["placeholder_share"]) for r in runs if not pd.isna(r["placeholder_share"])), default=None)
    label = text("report.label", lang) if share is None else text("report.label_share", lang, percent=percent(share, 0))
    names = text("memo.list", lang).join(others)
    story = Story(text("memo.against.title", lang), text("memo.against.subject", lang, base=base, others=names), label)
    _conclusion(story, tables, base, others, lang)
    _inputs(story, tables, others, lang)
    _targets(story, tables, others, lang)
    _plans(story, tables, others, lang)
    _money(story, tables, others, lang)
    story.blocks.append(Heading(1, text("memo.against.heading.how", lang)))
    story.blocks += _pairs(tables, others, lang)
    story.blocks.append(Paragraph(text("memo.against.ranges", lang)))
    for run in others:
        if told := notes_said(tables, run, lang, weighty=False):
            story.blocks.append(Paragraph(("" if lang == "zh" else " ").join(told), run))
    _runs(story, manifest, runs, lang)
    return story


def _label(runs: list[dict[str, Any]], role: str) -> str:
    return next(str(r["run"]) for r in runs if r["role"] == role)


def _conclusion(story: Story, tables: Tables, base: str, others: list[str], lang: Language) -> None:
    story.blocks.append(Heading(1, text("memo.heading.conclusion", lang)))
    for run in others:
        own = _of(tables["target_changes"], run)
        own = own[is_true(own["is_default"])]
        moved = [r for r in records(own) if _sure(r, "p_difference")]
        only_figure = [r for r in records(own) if not _sure(r, "p_difference") and _sure(r, "difference")]
        counts = {
            "inputs": len(_of(tables["input_changes"], run)),
            "plans": len(_of(tables["plan_changes"], run)),
            "counties": _of(tables["seat_changes"], run)["county_code"].nunique(),
        }
        words = [text("memo.against.run", lang, base=base, **{k: quantity(v) for k, v in counts.items()})]
        words += [_target_said(r, lang) for r in moved]
        if only_figure:
            named = text("memo.list", lang).join(str(r[f"indicator_{lang}"]) for r in only_figure)
            words.append(text("memo.against.figure_only", lang, n=len(only_figure), names=named))
        if not moved:
            words.append(text("memo.against.no_target", lang))
        story.headline |= {f"{run}.{k}": quantity(v) for k, v in counts.items()}
        story.headline |= {f"{run}.moved": str(len(moved)), f"{run}.figures": str(len(only_figure))}
        story.blocks.append(Paragraph(("" if lang == "zh" else " ").join(words), run))
        story.blocks += [Item(said) for said in notes_said(tables, run, lang, weighty=True)]


def _of(table: pd.DataFrame, run: str) -> pd.DataFrame:
    return table[table["run"].astype(str) == run]


def _sure(row: Mapping[str, Any], column: str) -> bool:
    """Whether 0 lies outside the interval of a change."""
    return bool(row[f"{column}_low"] > 0 or row[f"{column}_high"] < 0)


def _signed(value: float) -> str:
    """Two decimals, and as many as it takes to tell a small change from none, with its sign."""
    digits = next((d for d in (2, 3, 4) if abs(value) >= 5 * 10.0 ** -(d + 1)), 0)
    return f"{value:+.{digits}f}".replace("-", "−") if digits else "±0"


def _interval(row: Mapping[str, Any], lang: Language) -> str:
    values = {k: _signed(float(row[c])) for k, c in (("low", "p_difference_low"), ("high", "p_difference_high"))}
    return text("memo.against.interval", lang, change=_signed(float(row["p_difference"])), **values)


def _target_said(row: Mapping[str, Any], lang: Language) -> str:
    values = {"before": chance(float(row["p_before"])), "after": chance(float(row["p_after"]))}
    return text("memo.against.target", lang, indicator=row[f"indicator_{lang}"], change=_interval(row, lang), **values)


def _inputs(story: Story, tables: Tables, others: list[str], lang: Language) -> None:
    """By run: what was changed, grouped by registry, column and reason."""
    story.blocks.append(Heading(1, text("memo.against.heading.inputs", lang)))
    for run in others:
        changes = _of(tables["input_changes"], run)
        if changes.empty:
            story.blocks.append(Paragraph(text("memo.against.no_inputs", lang), run))
            continue
        settings = changes["column"].astype(str).str.startswith(_SETTINGS)
        provenance = changes["column"].isin(_PROVENANCE) & (changes["kind"] == "changed")
        told = changes[~settings & ~provenance]
        rows_whole = told["kind"].isin(("added", "removed"))  # a row that is new is one change, not one a column
        told = told.assign(column=told["column"].where(~rows_whole, "")).drop_duplicates(
            ["registry", "key", "column", "kind"]
        )
        keys = ["registry", "column", "kind", "reason"]
        groups = [rows for _, rows in told.fillna(dict.fromkeys(keys, "")).groupby(keys, sort=False)]
        values = {"cells": quantity(len(changes)), "n": quantity(len(groups))}
        story.blocks.append(Paragraph(text("memo.against.inputs", lang, **values), run))
        story.blocks += [Item(_input_said(rows, lang)) for rows in groups[:MOST_LINES]]
        if len(groups) > MOST_LINES:
            story.blocks.append(Paragraph(text("memo.against.rest", lang, n=len(groups) - MOST_LINES)))
        if provenance.any():
            story.blocks.append(Item(text("memo.against.provenance", lang, n=quantity(int(provenance.sum())))))
        if settings.any():
            story.blocks.append(Item(text("memo.against.settings", lang, n=quantity(int(settings.sum())))))


def _input_said(rows: pd.DataFrame, lang: Language) -> str:
    first = records(rows)[0]
    registry = registry_word(str(first["registry"]), lang)
    column, kind, reason = str(first["column"]), str(first["kind"]), str(first["reason"] or "")
    values = {"registry": registry, "column": column_title(column, lang, str(first["registry"])) or column}
    values |= {"cells": quantity(len(rows)), "row": str(first.get(f"name_{lang}") or first["key"])}
    values |= {"old": str(first["old"] or "∅"), "new": str(first["new"] or "∅")}
    if kind in ("added", "removed"):
        said = text(f"memo.against.rows_{kind}", lang, **values)
    elif str(first["key"]) and len(rows) == 1:
        said = text("memo.changes.one", lang, **values)
    elif str(first["key"]):
        shown = [
            text(
                "memo.against.cell",
                lang,
                row=r.get(f"name_{lang}") or r["key"],
                old=r["old"] or "∅",
                new=r["new"] or "∅",
            )
            for r in records(rows.head(MOST_CELLS))
            if not r.get(SUPPRESSED)
        ]
        more = text("memo.and_more", lang, n=quantity(len(rows))) if len(rows) > len(shown) else ""
        named = text("memo.list", lang).join(shown) + (" " + more if lang == "en" and more else more)
        said = text("memo.against.cells" if shown else "memo.changes.some", lang, **values, named=named)
    else:
        said = text("memo.changes.parameter", lang, **values | {"column": column})
    reason = in_language(reason, lang)
    return text("memo.changes.reason", lang, said=said, reason=reason) if reason else said


def _targets(story: Story, tables: Tables, others: list[str], lang: Language) -> None:
    """By run: every default reading, before and after, and the input range of both."""
    story.blocks.append(Heading(1, text("memo.against.heading.targets", lang)))
    story.blocks.append(Paragraph(text("memo.against.targets", lang)))
    heads = _heads(lang, "target", "p_before", "p_after", "p_change", "figure_change", "inputs_after")
    for run in others:
        own = _of(tables["target_changes"], run)
        judged = records(own[is_true(own["is_default"])])
        rows = tuple(_target_cells(r, lang) for r in judged if not _stays(r))
        title = text("memo.against.targets_title", lang, run=run)
        numeric = (False, True, True, False, False, False)
        if rows:
            story.blocks.append(Grid(title, heads, rows, (3.1, 1.2, 1.2, 2.5, 3.0, 1.9), numeric, "target_changes"))
        if len(rows) < len(judged):
            words = text("memo.against.stay", lang, n=len(judged) - len(rows))
            story.blocks.append(Paragraph(words, run))
    story.blocks.append(Figure("target_changes", text("compare.fig", lang)))


def _stays(row: Mapping[str, Any]) -> bool:
    """Whether figure and probability are the same in every future."""
    columns = ("difference", "difference_low", "difference_high")
    return not any(float(row[c]) != 0 or float(row[f"p_{c}"]) != 0 for c in columns)


def _target_cells(row: Mapping[str, Any], lang: Language) -> tuple[str, ...]:
    shown = {k: _changed(float(row[c]), row) for k, c in (
        ("change", "difference"), ("low", "difference_low"), ("high", "difference_high"))}  # fmt: skip
    unit = "" if str(row["unit"]) == "share" else str((row["unit_zh"] if lang == "zh" else row["unit"]) or "")
    figure = text("memo.against.figure", lang, unit=unit, **shown)
    ends = ("difference", "difference_low", "difference_high")
    moved = any(float(row[c]) != 0 for c in ends)
    same = text("memo.against.unchanged", lang)
    worst, best = (float(row[c]) for c in ("p_worst_after", "p_best_after"))
    inputs = "–" if pd.isna(worst) else text("memo.against.inputs_range", lang, low=probability(worst),
                                             high=probability(best))  # fmt: skip
    before, after = chance(float(row["p_before"])), chance(float(row["p_after"]))
    p_moved = any(float(row[f"p_{c}"]) != 0 for c in ends)
    change = _interval(row, lang) if p_moved else same
    return str(row[f"indicator_{lang}"]), before, after, change, figure if moved else same, inputs


def _changed(value: float, row: Mapping[str, Any]) -> str:
    """A change of the deciding figure; of a share as many digits as it takes to tell it from none."""
    if str(row["unit"]) == "share" and 0 < abs(value) < 0.0005:
        return f"{100 * value:.2g}%"
    return amount(value, row)


def _plans(story: Story, tables: Tables, others: list[str], lang: Language) -> None:
    """By run: how many decisions of each kind are new, dropped or other, and the first of them."""
    story.blocks.append(Heading(1, text("memo.against.heading.plans", lang)))
    for run in others:
        own = _of(tables["plan_changes"], run)
        if own.empty:
            story.blocks.append(Paragraph(text("memo.against.no_plans", lang), run))
            continue
        kinds = ("added", "dropped", "moved")
        rows = tuple(
            (coded(str(part), lang), *(quantity(int((rows["change"] == k).sum())) for k in kinds))
            for part, rows in own.groupby("part", sort=False)
        )
        heads = (*_heads(lang, "part"), *(coded(k, lang) for k in kinds))
        title = text("memo.against.plans_title", lang, run=run)
        story.blocks.append(Grid(title, heads, rows, (4, 1.5, 1.5, 1.5), (False, True, True, True), "plan_changes"))
        story.blocks += [Item(_decision_said(r, lang)) for r in records(own.head(MOST_LINES))]
        if len(own) > MOST_LINES:
            story.blocks.append(Paragraph(text("memo.against.rest", lang, n=len(own) - MOST_LINES)))


def _decision_said(row: Mapping[str, Any], lang: Language) -> str:
    values = {name: str(row[f"{name}_{lang}"] or "") for name in ("item", "before", "after")}
    return text(f"memo.against.{row['change']}", lang, part=coded(str(row["part"]), lang), **values)


def _money(story: Story, tables: Tables, others: list[str], lang: Language) -> None:
    """By run: costs summed over the years, and what differs in seats."""
    story.blocks.append(Heading(1, text("memo.against.heading.money", lang)))
    heads = _heads(lang, "part", "unit", "base", "this", "change")
    for run in others:
        own = _of(tables["cost_changes"], run)
        summed = own.groupby(["part", "unit"], sort=False)[["before", "after", "difference"]].sum().reset_index()
        rows = tuple(
            (coded(str(r["part"]), lang), coded(str(r["unit"]), lang), *(quantity(r[c]) for c in
             ("before", "after")), _more(float(r["difference"])))
            for r in records(summed)
        )  # fmt: skip
        title, numeric = text("memo.against.money_title", lang, run=run), (False, False, True, True, True)
        if rows:
            story.blocks.append(Grid(title, heads, rows, (3.6, 1.4, 2.4, 2.4, 2.2), numeric, "cost_changes"))
        seats = _of(tables["seat_changes"], run)
        if seats.empty:
            story.blocks.append(Paragraph(text("memo.against.no_seats", lang), run))
            continue
        counties = seats["county_code"].nunique()
        told = [m for m in _NEVER_HIDDEN if (seats["measure"] == m).any()]
        if told:
            sums = seats.groupby(["year", "measure"])["difference"].sum().to_dict()
            years = sorted({int(y) for y in seats["year"]})
            cells = tuple((str(y), *(_more(float(sums.get((y, m), 0.0))) for m in told)) for y in years)
            heads_of = (*_heads(lang, "year"), *(column_title(m, lang, "seat_expansion") for m in told))
            title = text("memo.against.seats_title", lang, run=run)
            shape, right = (1.5, *(2.2 for _ in told)), (False, *(True for _ in told))
            story.blocks.append(Grid(title, heads_of, cells, shape, right, "seat_changes"))
        said = [text("memo.against.seats", lang, n=counties)]
        for measure in told[:2]:
            moved = seats[seats["measure"] == measure].groupby(f"county_{lang}")["difference"].sum()
            largest = sorted(((float(v), str(k)) for k, v in moved.items() if v), key=lambda p: (-abs(p[0]), p[1]))[:6]
            named = text("memo.list", lang).join(
                text("memo.against.county", lang, county=county, change=_more(change)) for change, county in largest
            )
            if named:
                name = column_title(measure, lang, "seat_expansion")
                said.append(text("memo.against.seats_most", lang, measure=name, names=named))
        story.blocks.append(Paragraph(("" if lang == "zh" else " ").join(said), run))


def _more(value: float) -> str:
    return "±0" if not value else ("+" if value > 0 else "−") + quantity(abs(value))


def _heads(lang: Language, *names: str) -> tuple[str, ...]:
    return tuple(text(f"memo.against.column.{name}", lang) for name in names)


def _pairs(tables: Tables, others: list[str], lang: Language) -> list[Paragraph]:
    """Whether futures were compared one by one, and how many; run by run where they differ in it."""
    said = {}
    for run in others:
        targets = _of(tables["target_changes"], run)
        if targets.empty:
            said[run] = text("compare.how", lang)
            continue
        paired, count = bool(is_true(targets["paired"]).all()), targets["replications"].astype(int)
        values = {"low": quantity(count.min()), "high": quantity(count.max())}
        said[run] = text("memo.against.paired" if paired else "memo.against.independent", lang, **values)
    if len(set(said.values())) == 1:
        return [Paragraph(next(iter(said.values())))]
    return [Paragraph(words, run) for run, words in said.items()]


def _runs(story: Story, manifest: Mapping[str, Any], runs: list[dict[str, Any]], lang: Language) -> None:
    story.blocks.append(Heading(1, text("memo.heading.run", lang)))
    heads = _heads(lang, "run", "role", "run_id", "as_of", "seed", "replications", "placeholder")
    rows = tuple(
        (
            str(r["run"]), coded(str(r["role"]), lang), str(r["run_id"]), str(r["as_of"]), str(r["seed"]),
            quantity(r["replications"]), percent(r["placeholder_share"]),
        )
        for r in runs
    )  # fmt: skip
    widths, numeric = (2.6, 0.9, 2.1, 1.8, 1.5, 1.3, 1.9), (False, False, False, False, False, True, True)
    title = text("memo.against.runs_title", lang)
    story.blocks.append(Grid(title, heads, rows, widths, numeric, "compared_runs"))
    versions = ", ".join(sorted({str(r["zjsim"]) for r in runs}))
    story.blocks.append(Paragraph(text("memo.against.trace", lang, id=manifest["run_id"], version=versions)))
