"""What the cover and the notes of a workbook say: one list of rows, the same for every kind of document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjsim.report.choices import LEAST_FREQUENCY
from zjsim.report.sources import TOTAL
from zjsim.report.talent import talent_lines
from zjsim.report.words import is_true, known, percent, quantity, status_word, verdict_kind
from zjsim.tables.published import told_sets
from zjsim.texts import Language, text


def cover_rows(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> list[tuple[str, str]]:
    """Label and value of every line of the cover, from the manifest and the tables of a run."""
    header = manifest["header"]
    none = text("report.cover_none", lang)
    rows = [
        ("scenario", f"{header[f'title_{lang}']} ({manifest['scenario']})"),
        ("description", header.get(f"description_{lang}", "")),
        ("author", header.get("author", "")),
        ("reference", header.get("reference", "")),
        ("base", manifest["base"]),
        ("as_of", manifest["as_of"]),
        ("horizon", manifest["horizon"]),
        ("sets", "\n".join(told_sets(manifest["sets"])) or none),
        ("seed", str(manifest["seed"])),
        ("replications", str(manifest["replications"])),
        ("version", f"zjsim {manifest['zjsim']}"),
        ("run", manifest["run_id"]),
        *((f"status_{problem}", status_word(solve, lang)) for problem, solve in sorted(manifest["solves"].items())),
        ("locations", "\n".join(location_lines(tables, lang))),
        ("talent", "\n".join(talent_lines(tables, lang))),
        ("audit", text("report.cover_audit_passed", lang)),
        ("replay", replay_said(manifest, lang)),
        ("unprotected", unprotected_said(manifest, lang)),
        ("targets", _targets_line(tables["target_feasibility"], lang)),
        ("sources", _sources_lines(tables["input_sources"], lang)),
        ("readings", "\n".join(reading_lines(manifest["readings"], lang)) or none),
    ]
    return [(text(f"report.cover_{what}", lang), said) for what, said in rows if said]


def location_lines(tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """How many of each kind the location plans begin, and how many a target wants more; empty without these plans."""
    lines = []
    for row in tables["location_targets"].to_dict("records") if "location_targets" in tables else ():
        short = int(row["shortfall"])
        key = "report.cover_locations_short" if short else "report.cover_locations_line"
        lines.append(text(key, lang, kind=row[f"kind_{lang}"], n=row["planned"], short=short))
    return lines


MOST_PLACES = 5


def unprotected_said(manifest: Mapping[str, Any], lang: Language) -> str:
    """Why no count of children is published, and what to do; empty where the counts are."""
    places = manifest.get("unprotected", ())
    if not places:
        return ""
    named = text("memo.list", lang).join(places[:MOST_PLACES]) + (" …" if len(places) > MOST_PLACES else "")
    return text("published.unprotected", lang, n=len(places), places=named)


def replay_said(manifest: Mapping[str, Any], lang: Language) -> str:
    """Whether running again gives the same bytes, and which solve stands against it."""
    if manifest.get("replayable", True):
        return text("memo.run.replay", lang)
    stopped = [text(f"memo.problem.{p}", lang) for p in manifest.get("stopped_by_clock", ())]
    return text(
        "memo.run.no_replay", lang, problems=text("memo.list", lang).join(stopped) or text("memo.run.some_solve", lang)
    )


def reading_lines(readings: Mapping[str, Any], lang: Language) -> list[str]:
    """What the plan reads into sentences that can be read in several ways, in words."""
    return [
        text(
            "readings.line",
            lang,
            name=known(f"readings.{parameter}.name", lang, parameter),
            reading=known(f"readings.{parameter}.{value}", lang, value),
        )
        for parameter, value in sorted(readings.items())
    ]


def _targets_line(targets: pd.DataFrame, lang: Language) -> str:
    kinds = [verdict_kind(v) for v in targets.loc[is_true(targets["is_default"]), "verdict"]]
    return text(
        "report.cover_targets_line",
        lang,
        met=kinds.count("met"),
        not_met=kinds.count("not met"),
        depends_on=kinds.count("depends on"),
        undecided=kinds.count("undecided"),
    )


def _sources_lines(sources: pd.DataFrame, lang: Language) -> str:
    total = sources[sources["registry"] == TOTAL]
    shares = zip(total[f"basis_{lang}"], total["share_of_values"], total["values"], strict=True)
    return "\n".join(f"{basis} {percent(share)} ({quantity(n)})" for basis, share, n in shares)


def note_rows(manifest: Mapping[str, Any], lang: Language) -> list[str]:
    """What a reader of the sheets must know, in the order of the sheets."""
    p = quantity(manifest["p_required"])
    keys = (
        "details",
        "choices",
        "frequency",
        "prices",
        "probability",
        "simulation",
        "input",
        "verdict",
        "baseline",
        "plan_value",
        "shortfall",
        "locations",
        "talent",
        "tasks",
        "totals",
        "basis",
        "synthetic",
        "tables",
    )
    least = percent(LEAST_FREQUENCY, 0)
    return [text(f"report.note_{key}", lang, p=p, least=least) for key in keys]
