"""The story of a run, told once for the memo and the page: conclusion first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjsim.report.blocks import Figure, Grid, Heading, Item, Paragraph, Story
from zjsim.report.cover import reading_lines, replay_said
from zjsim.report.sources import TOTAL
from zjsim.report.story_plan import bottleneck_blocks, plan_blocks, plan_headline
from zjsim.report.story_targets import Judged, comparison_grid, judged_targets, readings_grid, targets_grid
from zjsim.report.words import is_true, percent, quantity, records, status_word
from zjsim.tables.published import told_sets
from zjsim.texts import Language, text

MOST_CHANGES = 12
"""Changes of inputs that are told one by one."""
MOST_SOURCES = 20
"""Documents that are named; the run's table has them all."""
_PROVENANCE = ("source_id", "basis")

Tables = Mapping[str, pd.DataFrame]


def run_story(
    manifest: Mapping[str, Any],
    tables: Tables,
    lang: Language,
    before: tuple[Mapping[str, Any], Tables] | None = None,
) -> Story:
    """The blocks of a run's memo; ``before`` is another finished run that the targets are compared with."""
    header = manifest["header"]
    title = str(header[f"title_{lang}"])
    story = Story(text("memo.title", lang), text("memo.subject", lang, title=title), _label(manifest, lang))
    judged = judged_targets(tables)
    grid = targets_grid(judged, tables, lang)
    _conclusion(story, manifest, tables, judged, 1 if before is None else 2, lang)
    _changes(story, manifest, tables, before, lang)
    story.blocks.append(Heading(1, text("memo.heading.feasibility", lang)))
    story.blocks.append(Paragraph(text("memo.feasibility.intro", lang, table=story.grids() + 1)))
    story.blocks.append(grid)
    story.blocks.append(Paragraph(text("memo.grade.how", lang)))
    story.blocks.append(Figure("target_probabilities", text("report.fig_targets", lang)))
    fan = text("report.fig_fan", lang)
    story.blocks.append(Figure("yearly_outcomes", fan))
    story.blocks.append(Figure("yearly_outcomes_continued", fan + text("report.fig_continued", lang)))
    story.blocks += bottleneck_blocks(judged, tables, lang)
    story.blocks += plan_blocks(tables, lang)
    _readings(story, manifest, judged, tables, lang)
    _assumptions(story, manifest, judged, tables, lang)
    _sources(story, tables, lang)
    _run(story, manifest, lang)
    return story


def _label(manifest: Mapping[str, Any], lang: Language) -> str:
    share = manifest.get("placeholder_share")
    if share is None:
        return text("report.label", lang)
    return text("report.label_share", lang, percent=percent(share, 0))


def statuses(manifest: Mapping[str, Any], problem: str, lang: Language) -> str:
    """Status and gap of one solve in words; empty if the run has none of that name."""
    return status_word(manifest["solves"][problem], lang) if problem in manifest["solves"] else ""


def _conclusion(
    story: Story, manifest: Mapping[str, Any], tables: Tables, judged: list[Judged], number: int, lang: Language
) -> None:
    """``number`` is that of the table of targets."""
    said = {key: text(f"memo.heading.{key}", lang) for key in ("targets_short", "plan_short", "bottleneck_short")}
    story.blocks.append(Heading(1, text("memo.heading.conclusion", lang)))
    own = [j for j in judged if j.is_default and j.found is not None]
    groups = {
        "probable": [j for j in own if j.found and j.found.probable],
        "even": [j for j in own if j.found and not j.found.probable and not j.found.improbable],
        "improbable": [j for j in own if j.found and j.found.improbable],
    }
    numbers = {"n": len(own), **{name: len(group) for name, group in groups.items()}}
    words = [text("memo.conclusion.targets", lang, **numbers)]
    words += [
        text(f"memo.conclusion.{name}", lang, names=text("memo.list", lang).join(j.name(lang) for j in group))
        for name, group in groups.items()
        if group
    ]
    fragile = sum(1 for j in own if j.found and j.found.fragile)
    if fragile:
        words.append(text("memo.conclusion.fragile", lang, n=fragile, table=number))
    missing = sum(1 for j in judged if j.is_default and j.found is None)
    if missing:
        words.append(text("memo.conclusion.not_modelled", lang, n=missing))
    story.headline |= {f"targets_{k}": str(v) for k, v in numbers.items()} | {"targets_fragile": str(fragile)}
    story.blocks.append(Paragraph(_joined(words, lang), said["targets_short"]))
    plan, headline = plan_headline(manifest, tables, lang)
    story.headline |= headline
    story.blocks.append(Paragraph(_joined([*plan, text("memo.conclusion.audit", lang)], lang), said["plan_short"]))
    story.blocks.append(Paragraph(_best(own, lang), said["bottleneck_short"]))
    share = manifest.get("placeholder_share")
    if share is not None:
        story.headline["placeholder_share"] = percent(share, 1)
        words = [text("memo.conclusion.caution", lang, percent=percent(share, 1))]
        story.blocks.append(Paragraph(words[0], text("memo.heading.caution", lang)))
    story.blocks.append(
        Paragraph(
            text(
                "memo.opening",
                lang,
                title=manifest["header"][f"title_{lang}"],
                **{k: manifest[k] for k in ("as_of", "horizon", "seed")},
            )
        )
    )


def _joined(words: list[str], lang: Language) -> str:
    return ("" if lang == "zh" else " ").join(w for w in words if w)


def _best(own: list[Judged], lang: Language) -> str:
    """The relief that lifts the probability of a target the most."""
    from zjsim.report.story_plan import relief_values

    open_ones = [j for j in own if j.found and j.found.p < j.p_required and j.relief is not None]
    gains = [(float(j.relief["p_change"]), j) for j in open_ones if j.relief is not None]
    lifting = [(gain, j) for gain, j in gains if gain > 0]
    if not lifting:
        return text("memo.conclusion.no_best", lang)
    best = max(lifting, key=lambda pair: pair[0])[1]
    return text("memo.conclusion.best", lang, **relief_values(best, lang))


def _changes(
    story: Story,
    manifest: Mapping[str, Any],
    tables: Tables,
    before: tuple[Mapping[str, Any], Tables] | None,
    lang: Language,
) -> None:
    story.blocks.append(Heading(1, text("memo.heading.changes", lang)))
    changes = tables.get("input_changes")
    told = changes[~changes["column"].isin(_PROVENANCE)] if changes is not None else None
    if told is None or told.empty:
        story.blocks.append(Paragraph(text("memo.changes.none", lang)))
    else:
        base = manifest["base"] or manifest["scenario"]
        cells = quantity(told["cells"].sum())
        story.blocks.append(Paragraph(text("memo.changes.against", lang, base=base, n=len(told), cells=cells)))
        story.blocks += [Item(said) for said in change_lines(told.head(MOST_CHANGES), lang)]
        if len(told) > MOST_CHANGES:
            story.blocks.append(Paragraph(text("memo.changes.rest", lang, n=len(told) - MOST_CHANGES)))
    if manifest["sets"] and manifest["base"]:
        sets = text("memo.list", lang).join(told_sets(manifest["sets"]))
        story.blocks.append(Paragraph(text("memo.changes.sets", lang, sets=sets)))
    if before is not None:
        grid = comparison_grid(before[1], tables, lang)
        values = {"run": before[0]["run_id"], "title": before[0]["header"][f"title_{lang}"]}
        story.blocks.append(Paragraph(text("memo.changes.compared", lang, table=story.grids() + 1, **values)))
        story.blocks.append(grid)


def change_lines(changes: pd.DataFrame, lang: Language) -> list[str]:
    """A sentence for every row of ``input_changes``."""
    lines = []
    for row in records(changes):
        values = {
            "registry": row[f"registry_{lang}"], "column": row[f"column_{lang}"], "cells": quantity(row["cells"]),
            "row": row["key"], "old": row["old"] or "∅", "new": row["new"] or "∅",
        }  # fmt: skip
        kind = str(row["change"])
        if kind == "changed":
            whole = not (pd.isna(row["old_sum"]) or pd.isna(row["new_sum"]))
            kind = "one" if row["cells"] == 1 else "many" if whole else "some"
            if row["registry"] == "scenario.toml":
                kind = "parameter"
            elif kind == "many":
                values |= {"old": quantity(row["old_sum"]), "new": quantity(row["new_sum"])}
        said = text(f"memo.changes.{kind}", lang, **values)
        reason = str(row["reason"] or "")
        if " / " in reason:
            reason = reason.split(" / ", 1)[0 if lang == "zh" else 1]
        lines.append(text("memo.changes.reason", lang, said=said, reason=reason) if reason else said)
    return lines


def _readings(story: Story, manifest: Mapping[str, Any], judged: list[Judged], tables: Tables, lang: Language) -> None:
    grid, differing = readings_grid(judged, tables, lang)
    if not grid.rows:
        return
    story.blocks.append(Heading(1, text("memo.heading.readings", lang)))
    story.blocks.append(Paragraph(text("memo.readings.intro", lang, table=story.grids() + 1)))
    if differing:
        names = text("memo.list", lang).join(differing)
        story.blocks.append(Paragraph(text("memo.readings.differ", lang, n=len(differing), names=names)))
    story.blocks.append(grid)
    lines = reading_lines(manifest["readings"], lang)
    if lines:
        said = ("；" if lang == "zh" else "; ").join(lines)
        story.blocks.append(Paragraph(text("memo.readings.rules", lang, said=said)))


def _assumptions(
    story: Story, manifest: Mapping[str, Any], judged: list[Judged], tables: Tables, lang: Language
) -> None:
    story.blocks.append(Heading(1, text("memo.heading.assumptions", lang)))
    total = tables["input_sources"][tables["input_sources"]["registry"] == TOTAL]
    public = total.loc[is_true(total["public"]), "share_of_values"].sum()
    values = {
        "values": quantity(total["values"].sum()), "public": percent(public), "placeholder": percent(1 - public),
    }  # fmt: skip
    story.blocks.append(Paragraph(text("memo.assumptions.said", lang, **values)))
    rows = [(str(r[f"basis_{lang}"]), quantity(r["values"]), percent(r["share_of_values"])) for r in records(total)]
    heads = tuple(text(f"memo.column.{c}", lang) for c in ("basis", "values", "of_all"))
    grid = Grid(
        text("memo.assumptions.basis", lang), heads, tuple(rows), (2, 2, 2), (False, True, True), "input_sources"
    )
    story.blocks.append(grid)
    turning = [j for j in judged if j.is_default and j.input_row is not None]
    if turning:
        heads = tuple(text(f"memo.column.{c}", lang) for c in ("target", "input", "assumed", "turns", "basis"))
        lines = tuple(j.input_cells(lang) for j in turning)
        story.blocks.append(
            Grid(
                text("memo.assumptions.deciding", lang), heads, lines, (3, 3.8, 2.6, 1.6, 1.7),
                (False, False, False, True, False), "deciding_inputs",
            )
        )  # fmt: skip


def _sources(story: Story, tables: Tables, lang: Language) -> None:
    used = tables.get("sources_used")
    if used is None or used.empty:
        return
    story.blocks.append(Heading(1, text("memo.heading.sources", lang)))
    methods = used[used["source_id"].str.startswith("method_")]
    named = ["source_id", "title_zh", "title_en", "publisher", "year"]
    documents = used[~used["source_id"].str.startswith("method_") & (used["url"].astype(str) != "")]
    cited = documents.groupby(named, dropna=False)["rows"].sum().reset_index()
    cited = cited.sort_values(["rows", "source_id"], ascending=[False, True])
    values = {"n": len(cited), "methods": methods["source_id"].nunique()}
    story.blocks.append(Paragraph(text("memo.sources.intro", lang, **values)))
    for row in records(cited.head(MOST_SOURCES)):
        title = str(row[f"title_{lang}"] or row["title_zh"])
        after = [p for p in (str(row["publisher"] or ""), _year(row["year"])) if p]
        publisher = ("，" if lang == "zh" else ", ").join(after)
        line = text("memo.sources.line", lang, title=title, publisher=publisher) if publisher else title
        story.blocks.append(Item(line))


def _year(value: Any) -> str:
    return "" if pd.isna(value) else str(int(value)) if isinstance(value, float) else str(value)


def _run(story: Story, manifest: Mapping[str, Any], lang: Language) -> None:
    story.blocks.append(Heading(1, text("memo.heading.run", lang)))
    said = [
        text("memo.run.status", lang, problem=text(f"memo.problem.{p}", lang), status=statuses(manifest, p, lang))
        for p in ("assignment", "locations", "talent", "seats")
        if p in manifest["solves"]
    ]
    values = {"run": manifest["run_id"], "version": manifest["zjsim"], "seed": manifest["seed"]}
    values |= {"replications": manifest["replications"], "p": quantity(manifest["p_required"])}
    status = ("；" if lang == "zh" else "; ").join(said)
    words = [text("memo.run.said", lang, status=status, **values), replay_said(manifest, lang)]
    story.blocks.append(Paragraph(_joined(words, lang)))
