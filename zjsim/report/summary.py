"""One screen of text about a run, for those who do not open a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjsim.report.cover import location_lines, unprotected_said
from zjsim.report.talent import talent_lines
from zjsim.report.targets import stated_targets
from zjsim.report.words import (
    indicator_name,
    is_true,
    percent,
    quantity,
    reading_name,
    status_word,
    total,
    verdict_kind,
    verdict_word,
)
from zjsim.texts import Language, text

LONGEST_NAME = 60
"""Columns of the terminal for indicator and reading."""
WIDEST_LINE = 100
"""Columns of the terminal for a line of openings."""


def screen_summary(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], folder: str, lang: Language) -> str:
    """Scenario, plan status, allocation, targets in their default reading, audit, placeholders, where the files are."""
    lines = [
        text(
            "report.sum_title",
            lang,
            version=manifest["zjsim"],
            scenario=manifest["scenario"],
            title=manifest["header"][f"title_{lang}"],
            as_of=manifest["as_of"],
        ),
        text(
            "report.sum_options",
            lang,
            seed=manifest["seed"],
            replications=manifest["replications"],
            run_id=manifest["run_id"],
        ),
        _assignment(manifest, tables, lang),
        *_locations(manifest, tables, lang),
        *_talent(manifest, tables, lang),
        _seats(manifest, tables, lang),
        *_switches(manifest, tables, lang),
        text("report.sum_audit", lang),
        text("report.sum_targets", lang, p=quantity(manifest["p_required"])),
        *_targets(stated_targets(tables), lang),
        text("report.sum_placeholder", lang, percent=percent(manifest.get("placeholder_share"), 0)),
        *filter(None, [unprotected_said(manifest, lang)]),
        text("report.sum_files", lang, folder=folder),
    ]
    return "\n".join(lines)


def _assignment(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    leads, pairs = tables["lead_assignments"], tables["heritage_pairs"]
    return text(
        "report.sum_assignment",
        lang,
        status=status_word(manifest["solves"]["assignment"], lang),
        industries=leads["industry_id"].nunique(),
        universities=leads["moe_code"].nunique(),
        heritage=pairs["industry_id"].nunique(),
    )


def _locations(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """The status, and below it every kind in lines of a screen's width; none for a run without location plans."""
    if "locations" not in manifest["solves"]:
        return []
    lines = [text("report.sum_locations", lang, status=status_word(manifest["solves"]["locations"], lang))]
    between, line = text("report.sum_separator", lang), ""
    for said in location_lines(tables, lang):
        if line and _columns(line + between + said + between.rstrip()) > WIDEST_LINE:
            lines.append(line + between.rstrip())
            line = ""
        line = line + between + said if line else f"  {said}"
    return [*lines, line] if line else lines


def _talent(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """Status and the paragraph on talent supply; none for a run without that plan."""
    said = talent_lines(tables, lang)
    if not said or "talent" not in manifest["solves"]:
        return []
    head = text("report.sum_talent", lang, status=status_word(manifest["solves"]["talent"], lang))
    return [head + said[0], *(f"  {line}" for line in said[1:])]


def _seats(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    said = text("report.sum_seats", lang, status=status_word(manifest["solves"]["seats"], lang))
    expansion = tables["seat_expansion"]
    province = tables.get("seat_summary", expansion)
    if {"rooms_added", "new_school_rooms", "placed_purchased"} <= set(expansion.columns):
        said += text(
            "report.sum_seats_amounts",
            lang,
            year=expansion["year"].max(),
            rooms=quantity(expansion[["rooms_added", "new_school_rooms"]].to_numpy().sum()),
            purchased=total(province["placed_purchased"]),
        )
    shortfalls = tables.get("seat_shortfalls", pd.DataFrame({"county_code": []}))
    planned = is_true(shortfalls["is_planned"]) if "is_planned" in shortfalls else pd.Series(True, shortfalls.index)
    distant = shortfalls["rule"] == "moved_too_far" if "rule" in shortfalls else ~planned & planned
    falling, other, far = shortfalls[planned & ~distant], shortfalls[~planned], shortfalls[distant]
    if falling.empty:
        said += text("report.sum_shortfall_none", lang)
    else:
        said += text("report.sum_shortfall", lang, n=len(falling), counties=falling["county_code"].nunique())
    if len(far):
        children, places = total(far["amount"]), far["county_code"].nunique()
        said += text("report.sum_shortfall_far", lang, children=children, counties=places)
    return said + (text("report.sum_shortfall_other", lang, n=len(other)) if len(other) else "")


def _switches(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """What became of the rules of the seat plan that the scenario switches on; no line where none is on."""
    asked = manifest.get("parameters", {}).get("seats", {})
    listed, rooms = tables.get("seat_shortfalls", pd.DataFrame()), tables.get("seat_rooms", pd.DataFrame())
    said = []
    for name, on, value in (
        ("permit_without_public_seat", asked.get("permit_guarantee_from", 0) > 0, asked.get("permit_guarantee_from")),
        ("indicator_short", asked.get("indicator_share", 0) > 0, f"{asked.get('indicator_share', 0):.0%}"),
        ("private_above_cap", asked.get("private_share_cap", 1) < 1, f"{asked.get('private_share_cap', 1):.0%}"),
    ):
        if on:
            here = listed[listed["rule"] == name] if "rule" in listed else listed
            end = "missed" if len(here) else "met"
            children = total(here["amount"]) if len(here) else ""
            counties = here["county_code"].nunique() if len(here) else 0
            values = {"value": value, "children": children, "counties": counties}
            said.append(text(f"report.sum_switch_{name}", lang, **values) + text(f"report.sum_{end}", lang, **values))
    if asked.get("convert_primary_rooms", False) and "converted_rooms" in rooms:
        converted = int(rooms.loc[rooms["stage"] == "junior", "converted_rooms"].sum())
        said.append(text("report.sum_switch_conversions", lang, rooms=quantity(converted)))
    if asked.get("public_share_reading") == "with_purchased":
        said.append(text("report.sum_switch_reading", lang))
    return [text("report.sum_switches", lang, said=text("report.sum_separator", lang).join(said))] if said else []


def _targets(targets: pd.DataFrame, lang: Language) -> list[str]:
    """One line per target in its default reading (a target outside the plan has none and is left to the tables)."""
    shown = targets[is_true(targets["is_default"])]
    names = [_name(row, lang) for _, row in shown.iterrows()]
    wide = max((_columns(n) for n in names), default=0)
    lines = []
    for name, (_, row) in zip(names, shown.iterrows(), strict=True):
        if not verdict_kind(row["verdict"]):
            lines.append(f"  {_pad(name, wide)}  {verdict_word(row, lang)}")
            continue
        simulation = f"[{percent(row['p_low'], 0)}–{percent(row['p_high'], 0)}]"
        inputs = f"{{{percent(row['p_worst'], 0)}–{percent(row['p_best'], 0)}}}"
        lines.append(
            f"  {_pad(name, wide)}  {percent(row['p_meet'], 0):>4} {simulation:<12} {inputs:<12} "
            f"{_pad(verdict_word(row, lang), 70).rstrip()}"
        )
    return lines


def _name(row: pd.Series, lang: Language) -> str:
    """Indicator and reading; a long indicator is cut so that the reading stays whole."""
    reading = f" ({reading_name(row['reading'], lang)})"
    indicator = indicator_name(row, lang)
    return _pad(indicator, min(_columns(indicator), LONGEST_NAME - _columns(reading))) + reading


def _columns(value: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in value)


def _pad(value: str, columns: int) -> str:
    while _columns(value) > columns:
        value = value[:-2].rstrip("…") + "…"
    return value + " " * (columns - _columns(value))
