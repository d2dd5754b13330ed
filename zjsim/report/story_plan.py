"""What the story says of the plan: its headline numbers, its tables in brief, the bottlenecks and what they take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from zjsim.report.blocks import Block, Figure, Grid, Heading, Item, Paragraph
from zjsim.report.likelihood import about, chance
from zjsim.report.talent import talent_lines
from zjsim.report.words import code_word, percent, quantity, records, status_word
from zjsim.tables.published import MARK, hidden_cells
from zjsim.texts import Language, text
from zjsim.texts.numbers import significant

if TYPE_CHECKING:
    from zjsim.report.story_targets import Judged

_MONEY = {"zh": (1e8, 1, 1e8, 2), "en": (1e9, 2, 1e6, 0)}
"""Yuan in the unit of the conclusion and its digits, then of the table: 亿元, or billions and millions."""
_CHILDREN = {"zh": (1e4, 1), "en": (1e3, 0)}
"""Children in the unit of the table and its digits: 万人, or thousands."""
Tables = Mapping[str, pd.DataFrame]


def plan_headline(manifest: Mapping[str, Any], tables: Tables, lang: Language) -> tuple[list[str], dict[str, str]]:
    """The sentences of the conclusion about the plan, and the numbers in them by what they count."""
    solves = manifest["solves"]
    leads, pairs = tables["lead_assignments"], tables["heritage_pairs"]
    numbers = {
        "industries": str(leads["industry_id"].nunique()),
        "universities": str(leads["moe_code"].nunique()),
        "heritage": str(pairs["industry_id"].nunique()),
    }
    words = [text("memo.conclusion.assignment", lang, status=status_word(solves["assignment"], lang), **numbers)]
    if "location_targets" in tables and "locations" in solves:
        rows = records(tables["location_targets"])
        kinds = [text("memo.conclusion.kind", lang, kind=r[f"kind_{lang}"], n=quantity(r["planned"])) for r in rows]
        numbers["facilities"] = quantity(sum(int(r["planned"]) for r in rows))
        values = {"total": numbers["facilities"], "kinds": ("、" if lang == "zh" else ", ").join(kinds)}
        words.append(text("memo.conclusion.locations", lang, status=status_word(solves["locations"], lang), **values))
    seats = _seat_numbers(tables.get("seat_summary", tables["seat_expansion"]))
    if seats is not None:
        first, last, rooms, purchased, cost, unplaced = seats
        unit, digits, *_ = _MONEY[lang]
        numbers |= {
            "rooms": quantity(rooms), "purchased": _count(purchased, lang),
            "cost": f"{cost / unit:,.{digits}f}", "unplaced": _count(unplaced, lang),
        }  # fmt: skip
        key = "memo.conclusion.no_child_short" if unplaced == 0 else "memo.conclusion.child_short"
        short = text(key, lang, n=numbers["unplaced"])
        values = {"first": str(first), "last": str(last), **{k: numbers[k] for k in ("rooms", "purchased", "cost")}}
        status = status_word(solves["seats"], lang)
        words.append(text("memo.conclusion.seats", lang, status=status, short=short, **values))
    return words, numbers


def _count(children: float, lang: Language) -> str:
    """A count of children, in words where it is not published."""
    return text("published.some", lang) if math.isnan(children) else quantity(children)


def _seat_numbers(expansion: pd.DataFrame) -> tuple[int, int, float, float, float, float] | None:
    """First and last year, classrooms added, seat-years purchased, cost (yuan), children owed a place without one.

    Counts of which a year is hidden are not a number.
    """
    columns = {"rooms_added", "new_school_rooms", "placed_purchased", "cost_yuan", "local_unplaced", "unplaced"}
    if expansion.empty or not columns <= set(expansion.columns):
        return None
    rooms = float(expansion[["rooms_added", "new_school_rooms"]].to_numpy(dtype=float).sum())
    sums = {c: float(expansion[c].astype(float).sum(skipna=False)) for c in columns}
    years = expansion["year"].astype(int)
    short = sums["local_unplaced"] + sums["unplaced"]
    return int(years.min()), int(years.max()), rooms, sums["placed_purchased"], sums["cost_yuan"], short


def relief_values(judged: Judged, lang: Language) -> dict[str, Any]:
    """What the sentences about a relief fill in."""
    row = judged.relief
    assert row is not None
    zh = lang == "zh"
    return {
        "indicator": judged.name(lang),
        "relief": row[f"relief_{lang}"],
        "unit": (row["unit_zh"] if zh else row["unit"]),
        "present": significant(float(row["present"])),
        "added": significant(float(row["added"])),
        "gain": significant(float(row["gain"])),
        "target_unit": (row["target_unit_zh"] if zh else row["target_unit"]),
        "p": chance(float(row["p_meet"])),
        "p_with": chance(float(row["p_with"])),
        "about": about(float(row["p_meet"]), lang),
    }


def bottleneck_blocks(judged: list[Judged], tables: Tables, lang: Language) -> list[Block]:
    """For every target below its required probability what helps most, and what repairs the location plans."""
    open_ones = [j for j in judged if j.is_default and j.found is not None and j.found.p < j.p_required]
    blocks: list[Block] = [Heading(1, text("memo.heading.bottlenecks", lang))]
    if open_ones:
        blocks.append(Paragraph(text("memo.bottlenecks.intro", lang)))
    for j in open_ones:
        mean, bound = float(j.row.get("mean", math.nan)), float(j.row["bound"])
        gap = bound - mean
        if j.relief is None:
            key = "memo.bottlenecks.nothing" if gap > 0 else "memo.bottlenecks.nothing_above"
            assert j.found is not None
            unit = str(j.row.get("unit_zh" if lang == "zh" else "unit", "") or "")
            values = {"indicator": j.name(lang), "about": about(j.found.p, lang), "gap": significant(gap)}
            blocks.append(Item(text(key, lang, target_unit=unit, **values)))
            continue
        values = relief_values(j, lang)
        said = text("memo.bottlenecks.line", lang, **values)
        if gap > 0:
            needed = significant(gap / float(j.relief["gain"]))
            said += ("" if lang == "zh" else " ") + text(
                "memo.bottlenecks.needs", lang, needed=needed, unit=values["unit"]
            )
        blocks.append(Item(said))
    for row in records(tables["location_targets"]) if "location_targets" in tables else ():
        if int(row["shortfall"]) > 0 and row[f"repair_{lang}"]:
            kind, repair = row[f"kind_{lang}"], row[f"repair_{lang}"]
            short = int(row["shortfall"])
            blocks.append(Item(text("memo.bottlenecks.repair", lang, kind=kind, short=short, repair=repair)))
    blocks.append(Figure("bottlenecks", text("report.fig_bottlenecks", lang)))
    return blocks


def plan_blocks(tables: Tables, lang: Language) -> list[Block]:
    """Tables and figures of the plan in brief."""
    blocks: list[Block] = [
        Heading(1, text("memo.heading.plan", lang)),
        Paragraph(text("memo.plan.details", lang)),
        Heading(2, text("memo.heading.leads", lang)),
        _leads(tables["lead_assignments"], lang),
        Figure("lead_assignments", text("report.fig_assignment", lang)),
        Heading(2, text("memo.heading.heritage", lang)),
        _heritage(tables["heritage_pairs"], lang),
        Figure("heritage_pairs", text("report.fig_heritage", lang)),
    ]
    if "location_targets" in tables:
        blocks += [
            Heading(2, text("memo.heading.locations", lang)),
            _locations(tables["location_targets"], lang),
            Figure("location_openings", text("report.fig_locations", lang)),
        ]
    talent = talent_lines(tables, lang)
    if talent:
        blocks.append(Heading(2, text("memo.heading.talent", lang)))
        blocks.append(Paragraph(("" if lang == "zh" else " ").join(talent)))
        blocks.append(Figure("talent_supply", text("report.fig_talent", lang)))
    blocks.append(Heading(2, text("memo.heading.seats", lang)))
    if "seat_summary" in tables:
        grid = _seats(tables["seat_summary"], lang)
        blocks.append(grid)
        if any(MARK in row for row in grid.rows):
            blocks.append(Paragraph(text("published.mark", lang, mark=MARK)))
    blocks.append(Figure("seat_gaps", text("report.fig_seats", lang)))
    blocks.append(Figure("seat_gap_map", text("report.fig_seat_map", lang)))
    return blocks


def _heads(lang: Language, *names: str) -> tuple[str, ...]:
    return tuple(text(f"memo.column.{name}", lang) for name in names)


def _named(row: Mapping[str, Any], what: str, lang: Language) -> str:
    for column in (f"{what}_{lang}", f"{what}_zh"):
        if isinstance(row.get(column), str) and row[column]:
            return str(row[column])
    return ""


def _leads(table: pd.DataFrame, lang: Language) -> Grid:
    rows = tuple(
        (
            f"{r['industry_id']} {_named(r, 'industry', lang)}", _named(r, "university", lang),
            _named(r, "discipline", lang), f"{float(r['score']):.1f}" if "score" in r else "",
        )
        for r in records(table.sort_values("industry_id"))
    )  # fmt: skip
    heads = _heads(lang, "industry", "university", "discipline", "score")
    widths, numeric = (4.0, 3.2, 3.2, 1.1), (False, False, False, True)
    return Grid(text("memo.plan.leads", lang), heads, rows, widths, numeric, "lead_assignments")


def _heritage(table: pd.DataFrame, lang: Language) -> Grid:
    first = table.assign(_lead=table["role"] != "lead").sort_values(["industry_id", "_lead", "moe_code"])
    rows = tuple(
        (
            f"{r['industry_id']} {_named(r, 'industry', lang)}", str(code_word(r["role"], lang)),
            _named(r, "university", lang), _named(r, "discipline", lang) or text("memo.unknown", lang),
        )
        for r in records(first)
    )  # fmt: skip
    heads = _heads(lang, "industry", "role", "university", "discipline")
    return Grid(text("memo.plan.heritage", lang), heads, rows, (3.2, 1.2, 4.0, 3.2), (False,) * 4, "heritage_pairs")


def _locations(table: pd.DataFrame, lang: Language) -> Grid:
    unknown = text("memo.unknown", lang)

    def cell(value: Any) -> str:
        return unknown if pd.isna(value) else quantity(value)

    rows = tuple(
        (
            str(r[f"kind_{lang}"]), cell(r["planned"]), significant(float(r["expected"])), cell(r["target_number"]),
            cell(r["shortfall"]) if not pd.isna(r["target_number"]) else unknown,
        )
        for r in records(table)
    )  # fmt: skip
    heads = _heads(lang, "kind", "planned", "expected_open", "aim", "short")
    numeric = (False, True, True, True, True)
    return Grid(text("memo.plan.locations", lang), heads, rows, (4.4, 1.4, 1.8, 1.4, 1.6), numeric, "location_targets")


def _seats(table: pd.DataFrame, lang: Language) -> Grid:
    table = table.sort_values("year", ignore_index=True)
    (*_, yuan, yuan_digits), (many, digits) = _MONEY[lang], _CHILDREN[lang]
    not_told = hidden_cells(table)

    def hidden(value: float) -> str:
        return MARK if math.isnan(value) else quantity(value)

    rows = tuple(
        (
            str(int(r["year"])), f"{float(r['demand']) / many:,.{digits}f}",
            f"{float(r['public_seats']) / many:,.{digits}f}", quantity(r["rooms_added"] + r["new_school_rooms"]),
            hidden(r["placed_purchased"]), hidden(r["local_unplaced"] + r["unplaced"]),
            MARK if i in not_told.get("public_share", ()) else percent(r["public_share"]),
            f"{float(r['cost_yuan']) / yuan:,.{yuan_digits}f}",
        )
        for i, r in enumerate(records(table))
    )  # fmt: skip
    heads = _heads(lang, "year", "demand", "seats", "rooms", "purchased", "unplaced", "share", "cost")
    widths = (1.0, 1.5, 1.6, 1.2, 1.3, 1.1, 1.3, 1.4)
    return Grid(text("memo.plan.seats", lang), heads, rows, widths, (False, *(True,) * 7), "seat_summary")
