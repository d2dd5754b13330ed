"""``tracking.xlsx`` and the one-screen summary of a progress report: traffic lights in colour, sign and word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zjsim.report.decision_book import in_words
from zjsim.report.sheet import Formats, new_book, print_set_up
from zjsim.report.style import VERDICT_COLOURS, width_of
from zjsim.report.words import code_word, is_true, known, quantity, reading_name
from zjsim.report.workbook import write_table
from zjsim.texts import Language, text
from zjsim.texts.numbers import significant

LIGHTS = ("red", "amber", "green", "grey")
FILLS = {"green": "#009E73", "amber": "#E69F00", "red": "#D55E00", "grey": "#D9D9D9"}
"""Colours of the lights, told apart with every common kind of colour blindness; a sign and a word stand with each."""
_INK = {"green": "#FFFFFF", "amber": "#222222", "red": "#FFFFFF", "grey": "#222222"}
_SHEETS: dict[str, tuple[str, ...]] = {
    "track_bodies": ("body", "level", "light", "tasks", "with_target", "red", "amber", "grey", "green", "worst"),
    "track_tasks": (
        "measure_id", "indicator", "light", "reason", "body", "co_bodies", "executing_level", "deadline", "targets",
    ),
    "track_targets": (
        "indicator", "reading", "is_default", "light", "reason", "unit", "deadline", "bound", "achieved", "milestone",
        "pace_so_far", "pace_needed", "quarters_left", "p_meet", "p_low", "p_high", "p_worst", "p_best", "mean", "p05",
        "p95", "since_actual", "since_forecast", "since_worst", "deviation", "cusum", "actual_basis", "replications",
    ),
    "track_areas": (
        "indicator", "area_level", "area_code", "area", "light", "reason", "judged_by", "unit", "share_of_target",
        "achieved", "share_of_province", "milestone", "pace_so_far", "pace_needed", "quarters_left", "p_meet", "p_low",
        "p_high", "mean", "p05", "p95", "actual_basis",
    ),
    "track_changes": (
        "indicator", "reading", "is_default", "light_before", "light", "said", "p_before", "p_meet", "p_change",
        "mean_before", "mean", "mean_change", "unit", "since_actual", "since_forecast", "deviation",
    ),
    "track_revisions": ("outcome", "area_code", "quarter", "what", "value_before", "value", "change"),
    "track_parameters": (
        "parameter_id", "name", "unit", "basis", "prior_low", "prior_mode", "prior_high", "prior_mean", "counted",
        "exposure", "exposure_unit", "estimate", "estimate_low", "estimate_high", "inside_prior_range",
        "used_in_forecast", "actual_basis",
    ),
    "track_path": (
        "indicator", "unit", "end", "status", "value", "p05", "p50", "p95", "since_mean", "since_sd", "replications",
    ),
}  # fmt: skip
"""The sheets and their columns, for a reader in a hurry first."""
_CODES = (
    "period", "judged_by", "level", "area_level", "executing_level", "status", "exposure_unit", "what", "actual_basis",
)  # fmt: skip
_LISTED = 12


def light_word(light: object, lang: Language) -> str:
    """The light as sign and word; an empty text where there was none."""
    return text(f"track.light.{light}", lang) if light in LIGHTS else ""


def write_tracking_book(
    path: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> None:
    """Cover with the legend of the lights, then a sheet per table; equal input gives equal bytes."""
    with new_book(path, lang) as book:
        book.set_properties({"title": text("track.title", lang), "created": _created(), "author": "zjsim"})
        formats = Formats(book, lang)
        _cover(book, formats, manifest, tables, lang)
        for name, columns in _SHEETS.items():
            lights = {c: tables[name][c].tolist() for c in ("light", "light_before") if c in tables[name]}
            shown = _shown(tables[name], columns, lang)
            write_table(book, formats, name, shown, lang, [])
            sheet = book.worksheets()[-1]
            for column, values in lights.items():
                if column in shown:
                    _colour(sheet, formats, list(shown.columns).index(column), values, lang)


def _created() -> Any:
    from zjsim.report.sheet import CREATED

    return CREATED


def _shown(table: pd.DataFrame, columns: Sequence[str], lang: Language) -> pd.DataFrame:
    """The columns of a sheet in words; lights stand as sign and word."""
    own = [f"{c}_{lang}" if f"{c}_{lang}" in table else c for c in columns]
    shown = table[own].copy()
    for column in (c for c in ("light", "light_before") if c in shown):
        shown[column] = pd.Series([light_word(v, lang) for v in table[column]], index=table.index, dtype=object)
    for column in (c for c in _CODES if c in shown):
        shown[column] = pd.Series([_words(v, lang) for v in table[column]], index=table.index, dtype=object)
    if "reading" in shown or "unit" in shown or "basis" in shown:
        worded = in_words(table.assign(**{str(c): shown[c] for c in shown if c in table}), lang)
        for column in ("reading", "unit", "basis"):
            if column in shown and column in worded:
                shown[column] = worded[column]
    return shown


def _words(value: object, lang: Language) -> object:
    """A code (or several with ``;`` between) in words."""
    if not isinstance(value, str):
        return value
    between = "、" if lang == "zh" else ", "
    parts = [known(f"track.code.{v}", lang, code_word(v, lang)) for v in value.split(";") if v]
    return between.join(str(p) for p in parts)


def _colour(sheet: Any, formats: Formats, j: int, lights: Sequence[object], lang: Language) -> None:
    for i, light in enumerate(lights, start=1):
        if light in FILLS:
            look = formats.get(
                bg_color=FILLS[str(light)], font_color=_INK[str(light)], bold=True, align="left", indent=1
            )
            sheet.write_string(i, j, light_word(light, lang), look)
    sheet.set_column(j, j, 2.0 * max(width_of(light_word(v, lang)) for v in LIGHTS) + 4)


def _cover(
    book: Any, formats: Formats, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> None:
    sheet = book.add_worksheet(text("report.sheet_cover", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 92)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, text("track.title", lang), formats.get(font_size=16, valign="vcenter"))
    sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color=VERDICT_COLOURS["not met"]))
    label = formats.get(bg_color="#EEF3F8", border=1, border_color="#D9D9D9")
    words = formats.get(text_wrap=True, border=1, border_color="#D9D9D9")
    at = 3
    for what, said in cover_rows(manifest, tables, lang):
        sheet.write_string(at, 0, what, label)
        sheet.write_string(at, 1, said, words)
        sheet.set_row(at, 15.0 * max(1, math.ceil(2 * width_of(said) / 88)) + 3)
        at += 1
    for light in ("green", "amber", "red", "grey"):
        look = formats.get(bg_color=FILLS[light], font_color=_INK[light], bold=True, border=1, border_color="#D9D9D9")
        said = text(f"track.means.{light}", lang)
        sheet.write_string(at, 0, light_word(light, lang), look)
        sheet.write_string(at, 1, said, words)
        sheet.set_row(at, 15.0 * max(1, math.ceil(2 * width_of(said) / 88)) + 3)
        at += 1
    for key in ("warning", "pace", "areas", "parameters", "ranges"):
        said = text(f"track.how.{key}", lang)
        sheet.write_string(at, 0, text(f"track.how_title.{key}", lang), label)
        sheet.write_string(at, 1, said, words)
        sheet.set_row(at, 15.0 * max(1, math.ceil(2 * width_of(said) / 88)) + 3)
        at += 1
    print_set_up(sheet, lang)


def cover_rows(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> list[tuple[str, str]]:
    """What was tracked, from what, with what: a label and a value per row."""
    header = manifest["header"]
    rows = [
        ("scenario", f"{manifest['scenario']} · {header[f'title_{lang}']}"),
        ("as_of", str(manifest["as_of"])),
        ("actuals", actuals_said(tables, lang)),
        ("since", str(manifest["since_label"]) or text("track.no_since", lang)),
        ("re_estimate", text("track.estimates_used" if manifest["re_estimate"] else "track.estimates_told", lang)),
        ("simulation", text("track.simulation", lang, seed=manifest["seed"], replications=manifest["replications"])),
        ("plan", text("track.plan_kept" if manifest["plan_of"] else "track.plan_new", lang, run=manifest["plan_of"])),
        ("lights", counts_said(tables, lang)),
    ]
    return [(text(f"track.cover.{key}", lang), said) for key, said in rows]


def actuals_said(tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    """How many actual values there are, until when, and on what basis."""
    actuals = tables["track_actuals"]
    if actuals.empty:
        return text("track.no_actuals", lang)
    bases = actuals["basis"].value_counts().sort_index()
    between = "、" if lang == "zh" else ", "
    said = between.join(f"{code_word(str(b), lang)} {n}" for b, n in bases.items())
    return text("track.actuals", lang, count=len(actuals), last=actuals["quarter"].max(), bases=said)


def counts_said(tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    """How many of the targets (default readings) have which light."""
    targets = tables["track_targets"]
    own = targets[is_true(targets["is_default"])]["light"].value_counts()
    between = "  "
    return between.join(f"{light_word(c, lang)} {int(own.get(c, 0))}" for c in ("green", "amber", "red", "grey"))


def screen(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], folder: str, lang: Language) -> str:
    """One screen: date, data, lights, the targets that are not green with the pace now needed, bodies, changes."""
    targets = tables["track_targets"]
    lines = [
        text("track.sum_title", lang, scenario=manifest["scenario"], as_of=manifest["as_of"]),
        actuals_said(tables, lang),
        counts_said(tables, lang),
    ]
    shown = targets[is_true(targets["is_default"])]
    order = sorted(shown.to_dict("records"), key=lambda r: LIGHTS.index(r["light"]))
    for row in [r for r in order if r["light"] in ("red", "amber")][:_LISTED]:
        unit = row["unit_zh"] if lang == "zh" else code_word(row["unit"], lang)
        share = row["unit"] == "share"
        paces = {
            n: f"{row[n]:.1%}" if share and row[n] == row[n] else significant(row[n])
            for n in ("pace_so_far", "pace_needed")
        }
        words = {
            "light": light_word(row["light"], lang),
            "indicator": row[f"indicator_{lang}"],
            "reading": reading_name(row["reading"], lang),
            "unit": "" if row["unit"] == "share" else unit,
            "p": f"{row['p_meet']:.0%}",
            "reason": row[f"reason_{lang}"],
        }
        lines.append(
            text("track.sum_target" if paces["pace_needed"] != "–" else "track.sum_over", lang, **words, **paces)
        )
    bodies = tables["track_bodies"]
    behind = bodies[bodies["light"].isin(["red", "amber"])]
    if len(behind):
        between = "、" if lang == "zh" else ", "
        named = [f"{r[f'body_{lang}']} ({r['red']}/{r['amber']})" for r in behind.to_dict("records")[:6]]
        lines.append(text("track.sum_bodies", lang, bodies=between.join(named)))
    lines.append(_areas_said(tables["track_areas"], lang))
    if manifest["since_label"]:
        moved = tables["track_changes"]
        turned = moved[(moved["light_before"] != "") & (moved["light_before"] != moved["light"])]
        words = {"since": manifest["since_label"], "lights": len(turned), "revised": len(tables["track_revisions"])}
        lines.append(text("track.sum_since", lang, **words))
    found = tables["track_parameters"]
    used = text("track.sum_used" if manifest["re_estimate"] else "track.sum_not_used", lang)
    lines.append(text("track.sum_parameters", lang, count=len(found), used=used))
    lines.append(text("report.sum_placeholder", lang, percent=f"{100 * (manifest.get('placeholder_share') or 0):.0f}%"))
    lines.append(text("track.sum_files", lang, folder=folder))
    return "\n".join(lines)


def _areas_said(areas: pd.DataFrame, lang: Language) -> str:
    judged = areas[areas["light"] != "grey"]
    words = {
        "cities": 0,
        "counties": 0,
        "rows": quantity(len(areas)),
        "grey": quantity(int((areas["light"] == "grey").sum())),
    }
    for level, key in (("city", "cities"), ("county", "counties")):
        words[key] = judged.loc[judged["area_level"] == level, "area_code"].nunique()
    return text("track.sum_areas", lang, **words)
