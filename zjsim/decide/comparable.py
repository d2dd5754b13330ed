"""What a reader of a comparison must know before its numbers: in what else than their scenarios two runs differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pandas as pd

from zjsim.decide.runs import RunFiles
from zjsim.texts import LANGUAGES, text

NOTE_COLUMNS = ("run", "note", "said_zh", "said_en")
_JUDGED = ["target_id", "reading"]
_SOLVED = {
    "lead": "lead_assignments", "heritage": "heritage_pairs", "support": "support_assignments",
    "platforms": "platform_plan", "campuses": "campus_plan", "practice_centres": "practice_centre_plan",
    "kindergartens": "kindergarten_plan", "seats": "seat_expansion",
}  # fmt: skip
"""Table of the plan by how the names of its goals begin."""
_MOST_NAMED = 4
FEW = 20
"""Replications below which intervals of means are too rough to conclude from."""


def comparison_notes(
    base: RunFiles, other: RunFiles, parts: Sequence[str], changed: Collection[str], hidden: int, hidden_once: int
) -> pd.DataFrame:
    """A row per note on two runs, in zh and en; none where they differ in their scenarios only.

    ``parts``: tables of the plan that a comparison looks at, ``changed``: those in which it differs; ``hidden``: counts
    of children that are hidden in one of the two runs at least and therefore told of neither, ``hidden_once``: in one
    only although both count the same children, so that both together tell more than either may.
    """
    if base.manifest["run_id"] == other.manifest["run_id"]:
        notes = [_both("same_run")]
    else:
        notes = [*_settings(base, other), *_targets(base, other), *_plans(base, other, parts, changed)]
        notes += [_both("hidden", n=f"{hidden:,}")] if hidden else []
        notes += [_both("hidden_once", n=f"{hidden_once:,}")] if hidden_once else []
    rows = [(other.label, note, *(text(f"compare.note.{note}", lg, **words[lg]) for lg in LANGUAGES))
            for note, words in notes]  # fmt: skip
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


Note = tuple[str, dict[Any, dict[str, str]]]


def _both(note: str, **words: object) -> Note:
    return note, {lang: {k: str(v) for k, v in words.items()} for lang in LANGUAGES}


def _settings(base: RunFiles, other: RunFiles) -> Iterator[Note]:
    """Seed, replications, as-of date, horizon, version of the program."""
    old, new = base.manifest, other.manifest
    if old["seed"] != new["seed"]:
        yield _both("seeds", before=old["seed"], after=new["seed"])
    elif old.get("replications") != new.get("replications"):
        counts = [n for n in (old.get("replications"), new.get("replications")) if n is not None]
        values = {"before": old.get("replications"), "after": new.get("replications")}
        yield _both("replications", least=min(counts), **values)
    made = [int(m["replications"]) for m in (old, new) if m.get("replications") is not None]
    if made and min(made) < FEW:
        yield _both("few", n=min(made))
    for key in ("as_of", "horizon"):
        if old.get(key) != new.get(key):
            yield _both(key, before=old.get(key, "–"), after=new.get(key, "–"))
    if old.get("zjsim") != new.get("zjsim"):
        yield _both("version", before=old.get("zjsim", "–"), after=new.get("zjsim", "–"))
    elif _same_question(old, new) and (changed := _changed_tables(old, new)):
        yield _both("program", n=len(changed))


def _same_question(old: Any, new: Any) -> bool:
    same = ("inputs", "parameters", "sets", "seed", "replications", "as_of")
    return all(old.get(key) == new.get(key) for key in same)


def _changed_tables(old: Any, new: Any) -> list[str]:
    """Tables of both runs whose bytes differ, or that only one of them has."""
    sides = [{n: h for n, h in m["outputs"].items() if n.startswith("tables/")} for m in (old, new)]
    return sorted(n for n in sides[0].keys() | sides[1].keys() if sides[0].get(n) != sides[1].get(n))


def _targets(base: RunFiles, other: RunFiles) -> Iterator[Note]:
    """Targets judged by one run only, or by another default reading or bound in the other."""
    judged = [run.table("target_feasibility").set_index(_JUDGED) for run in (base, other)]
    own = [[key for key in table.index if key not in judged[1 - k].index] for k, table in enumerate(judged)]
    for note, table, keys in (("only_base", judged[0], own[0]), ("only_other", judged[1], own[1])):
        if keys:
            yield note, {lang: {"names": _names(table, keys, lang)} for lang in LANGUAGES}
    both = [key for key in judged[0].index if key in judged[1].index]
    sides = {key: (judged[0].loc[key], judged[1].loc[key]) for key in both}
    if moved := [k for k, (old, new) in sides.items() if _is_yes(new["is_default"]) and not _is_yes(old["is_default"])]:
        yield "default_readings", {lang: {"names": _names(judged[1], moved, lang)} for lang in LANGUAGES}
    if moved := [k for k, (old, new) in sides.items() if old["bound"] != new["bound"] and not pd.isna(old["bound"])]:
        words: dict[Any, dict[str, str]] = {}
        for lang in LANGUAGES:
            said = [
                f"{sides[k][1][f'indicator_{lang}']} {sides[k][0]['bound']:,.6g} → {sides[k][1]['bound']:,.6g}"
                for k in moved
            ]
            words[lang] = {"names": _listed(list(dict.fromkeys(said)), lang)}
        yield "bounds", words


def _is_yes(value: Any) -> bool:
    return str(value).lower() in ("yes", "true")


def _names(table: pd.DataFrame, keys: list[Any], lang: Any) -> str:
    return _listed(list(dict.fromkeys(str(table.loc[k, f"indicator_{lang}"]) for k in keys)), lang)


def _listed(names: list[str], lang: Any) -> str:
    return text("memo.list", lang).join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")


def _plans(base: RunFiles, other: RunFiles, parts: Sequence[str], changed: Collection[str]) -> Iterator[Note]:
    """Parts of the plan that only one run has, years of seats that only one plans, plans that are not proven best."""
    if alone := [part for part in parts if base.has(part) != other.has(part)]:
        yield (
            "parts",
            {
                lang: {"names": text("memo.list", lang).join(text(f"report.sheet_{p}", lang) for p in alone)}
                for lang in LANGUAGES
            },
        )
    if base.has("seat_expansion") and other.has("seat_expansion"):
        years = [set(run.table("seat_expansion")["year"].astype(int)) for run in (base, other)]
        if alone_years := sorted(years[0] ^ years[1]):
            yield _both("seat_years", years=", ".join(str(y) for y in alone_years))
    gaps = [
        (run.label, part, gap)
        for run in (base, other)
        for part, gap in _gaps(run.manifest.get("solves") or {}).items()
        if part in changed
    ]
    if gaps:
        words: dict[Any, dict[str, str]] = {}
        for lang in LANGUAGES:
            said = [f"{label}: {text(f'report.sheet_{part}', lang)} {gap:.2%}" for label, part, gap in gaps]
            words[lang] = {"names": text("memo.list", lang).join(said)}
        yield "gaps", words


def _gaps(solves: Any) -> dict[str, float]:
    """The widest relative gap between plan and bound by table of the plan; only what is open."""
    found: dict[str, float] = {}
    for name, solve in solves.items():
        stages = solve.get("stages") or [{"name": name, "gap": solve.get("gap")}]
        for stage in stages:
            beginning = next((b for b in _SOLVED if str(stage["name"]).startswith(b)), name)
            gap = stage.get("gap")
            if beginning in _SOLVED and isinstance(gap, int | float) and gap > 0:
                part = _SOLVED[beginning]
                found[part] = max(found.get(part, 0.0), float(gap))
    return found


__all__ = ["NOTE_COLUMNS", "comparison_notes"]
