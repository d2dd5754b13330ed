"""``allocation.xlsx`` and the summary of a division of targets: rules side by side, and what each asks of whom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zjsim.report.decision_book import in_words
from zjsim.report.sheet import CREATED, Formats, new_book, print_set_up
from zjsim.report.style import VERDICT_COLOURS, width_of
from zjsim.report.words import code_word, column_title, percent, quantity, records
from zjsim.report.workbook import write_table
from zjsim.texts import Language, catalogue, text

RULES = ("by_capacity", "by_need", "by_mixture", "equal_effort", "equal_chance")
_NAMED = 4


def rule_word(rule: str, lang: Language) -> str:
    """The name of a rule."""
    return text(f"allocate.rule.{rule}", lang)


def write_allocation_book(
    path: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> None:
    """Cover, targets, rules, then cities and counties with a column per rule; equal input gives equal bytes."""
    with new_book(path, lang) as book:
        book.set_properties({"title": text("allocate.title", lang), "created": CREATED, "author": "zjsim"})
        formats = Formats(book, lang)
        _cover(book, formats, manifest, tables, lang)
        targets = tables["allocation_targets"]
        status = [text(f"allocate.status.{s}", lang) for s in targets["status"]]
        targets = _named_first(in_words(targets.assign(status=status), lang), lang)
        write_table(book, formats, "allocation_targets", targets, lang, [])
        rules = tables["allocation_rules"]
        rules = rules.assign(rule=[rule_word(r, lang) for r in rules["rule"]])
        write_table(book, formats, "allocation_rules", _named_first(in_words(rules, lang), lang), lang, [])
        for name in ("allocation_cities", "allocation_counties"):
            _write_wide(book, formats, name, side_by_side(tables[name], "allotted", lang), lang)
        _write_wide(
            book, formats, "allocation_chances", side_by_side(tables["allocation_cities"], "p_meet", lang), lang
        )
        write_table(book, formats, "allocation_repairs", in_words(tables["allocation_repairs"], lang), lang, [])


def _named_first(table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    first = f"indicator_{lang}"
    return table[[first, *(c for c in table.columns if c != first)]]


def _write_wide(book: Any, formats: Formats, name: str, table: pd.DataFrame, lang: Language) -> None:
    """A sheet whose rules are columns: their headings are the rules' names."""
    write_table(book, formats, name, table, lang, [])
    sheet = book.worksheets()[-1]
    for j, column in enumerate(table.columns):
        if f"allocate.rule.{str(column).removeprefix('p_')}" in catalogue():
            sheet.write_string(0, j, rule_word(str(column).removeprefix("p_"), lang), formats.header)
            number = formats.get(num_format="0%" if str(column).startswith("p_") else "#,##0")
            for i, value in enumerate(table[column].tolist(), start=1):
                if value == value:
                    sheet.write_number(i, j, value, number)
            sheet.set_column(j, j, 13)
        elif f"columns.{column}" in catalogue():
            sheet.write_string(0, j, column_title(str(column), lang, name), formats.header)


def side_by_side(table: pd.DataFrame, value: str, lang: Language) -> pd.DataFrame:
    """A row per target and place with ``value`` by rule beside capacity, need and what is expected anyway."""
    if value == "p_meet":
        table = table[table["p_meet"].notna()]
    key = ["target_id", f"indicator_{lang}", "unit", "area_code", f"area_{lang}"]
    kept = table.drop_duplicates(["target_id", "area_code"])[[*key, "capacity", "need", "done", "expected"]]
    if value == "p_meet" or kept["expected"].isna().all():
        kept = kept.drop(columns=["expected", *(["need", "done"] if value == "p_meet" else [])])
    prefix = "p_" if value == "p_meet" else ""
    wide = table.pivot(index=["target_id", "area_code"], columns="rule", values=value)
    wide = wide[[r for r in RULES if r in wide]].rename(columns=lambda r: f"{prefix}{r}").reset_index()
    joined = kept.merge(wide, on=["target_id", "area_code"], how="left")
    joined["unit"] = pd.Series([code_word(u, lang) for u in joined["unit"]], index=joined.index, dtype=object)
    return joined.drop(columns=["target_id"])


def _cover(
    book: Any, formats: Formats, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> None:
    sheet = book.add_worksheet(text("report.sheet_cover", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 94)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, text("allocate.title", lang), formats.get(font_size=16, valign="vcenter"))
    sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color=VERDICT_COLOURS["not met"]))
    label = formats.get(bg_color="#EEF3F8", border=1, border_color="#D9D9D9")
    words = formats.get(text_wrap=True, border=1, border_color="#D9D9D9")
    simulation = text("track.simulation", lang, seed=manifest["seed"], replications=manifest["replications"])
    rows = [
        (text("allocate.cover_scenario", lang), f"{manifest['scenario']} · {manifest['header'][f'title_{lang}']}"),
        (text("allocate.cover_simulation", lang), simulation),
        (text("allocate.cover_divided", lang), _counts(tables, lang)),
        (text("allocate.cover_rule", lang), rule_word(manifest["rule"], lang)),
        *(("", said) for said in notes(manifest, lang)),
    ]
    for at, (what, said) in enumerate(rows, start=3):
        sheet.write_string(at, 0, what, label)
        sheet.write_string(at, 1, said, words)
        sheet.set_row(at, 15.0 * max(1, math.ceil(2 * width_of(said) / 90)) + 3)
    print_set_up(sheet, lang)


def notes(manifest: Mapping[str, Any], lang: Language) -> list[str]:
    """What a reader must know."""
    shares = dict(zip(("need", "capacity", "equal"), (f"{100 * p:.0f}%" for p in manifest["mix"]), strict=True))
    mix = text("allocate.how_mix", lang, **shares)
    keys = ("how_limits", "how_rules", "how_tested", "how_basis", "how_milestones")
    return [text(f"allocate.{k}", lang, **({"mix": mix} if k == "how_rules" else {})) for k in keys]


def _counts(tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    found = tables["allocation_targets"]["status"].value_counts()
    return text("allocate.divided", lang, **{s: int(found.get(s, 0)) for s in ("divided", "short", "not_divided")})


def screen(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], folder: str, lang: Language) -> str:
    """One screen: what was divided, which rule serves best, where capacity is short, what is not divided and why."""
    lines = [text("allocate.sum_title", lang, scenario=manifest["scenario"]), _counts(tables, lang)]
    rules = tables["allocation_rules"]
    targets = records(tables["allocation_targets"])
    between = "、" if lang == "zh" else ", "
    for row in targets:
        unit = row["unit_zh"] if lang == "zh" else code_word(row["unit"], lang)
        words = {"indicator": row[f"indicator_{lang}"], "total": quantity(row["total"]), "unit": unit}
        if row["status"] == "divided":
            own = rules[rules["target_id"] == row["target_id"]]
            if own["p_all"].notna().any():
                best = own.loc[own["p_all"].idxmax()]
                need = own.loc[own["rule"] == "by_need", "p_all"].iloc[0]
                chances = {"p": percent(best["p_all"], 0), "province": percent(row["p_province"], 0)}
                told = {"best": rule_word(best["rule"], lang), "by_need": percent(need, 0)}
                key = "sum_target" if best["p_all"] > 0 else "sum_none"
                lines.append(text(f"allocate.{key}", lang, **words, **chances, **told))
            else:
                lines.append(text("allocate.sum_untested", lang, **words, why=row[f"why_{lang}"]))
        elif row["status"] == "short":
            lines.append(short_said(row, tables, lang))
    left = [r[f"indicator_{lang}"] for r in targets if r["status"] == "not_divided"]
    if left:
        lines.append(text("allocate.sum_not", lang, names=between.join(left)))
    lines.append(text("report.sum_placeholder", lang, percent=percent(manifest.get("placeholder_share"), 0)))
    lines.append(text("allocate.sum_files", lang, folder=folder))
    return "\n".join(lines)


def short_said(row: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    """Why a target cannot be divided, and the cheapest way out, in a sentence."""
    repairs = tables["allocation_repairs"]
    own = repairs[repairs["target_id"] == row["target_id"]].sort_values("add", ascending=False).to_dict("records")
    between = "、" if lang == "zh" else ", "
    parts = [text("allocate.sum_add", lang, place=r[f"area_{lang}"], add=quantity(r["add"])) for r in own[:_NAMED]]
    if len(own) > _NAMED:
        parts.append(text("allocate.sum_and_more", lang, count=len(own) - _NAMED))
    return text(
        "allocate.sum_short", lang, indicator=row[f"indicator_{lang}"], why=row[f"why_{lang}"],
        repair=between.join(parts) or "–",
    )  # fmt: skip
