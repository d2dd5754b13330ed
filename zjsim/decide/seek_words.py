"""An answer in a planner's words: what to move from where to where, what it costs, how sure it is, and what not."""

from __future__ import annotations

from datetime import date
from math import fsum
from typing import TYPE_CHECKING

from zjsim.decide.seek_answer import BEST, HOLDS, NOT_FOUND, REFUTED, Fresh
from zjsim.decide.seek_space import Point, Trial
from zjsim.models.dated_levers import SET_UP_TIMES
from zjsim.models.process_tools import DAYS_PER_MONTH
from zjsim.texts import Language, text

if TYPE_CHECKING:
    from zjsim.decide.seek import Sought
    from zjsim.decide.seek_levers import Lever

NEARLY, MUCH_LESS = 0.05, 0.8
"""A cheaper point is told if it is met at most so much less often, and costs at most this part."""


def acts(key: str, lang: Language) -> str:
    """A short word of the tables of a search."""
    return text(f"seek.{key}", lang)


def moved_said(lever: Lever, level: int, lang: Language) -> str:
    """One lever from where to where, with its unit and the day from which it acts."""
    return text(
        "seek.scaled" if is_scaled(lever) else "seek.moved", lang, name=lever.row[f"name_{lang}"],
        before=f"{lever.shown[lever.present]:g}", after=f"{lever.shown[level]:g}",
        unit=lever.row["unit_zh"] if lang == "zh" else lever.row["unit"], since=lever.acts_from.isoformat(),
    )  # fmt: skip


def is_scaled(lever: Lever) -> bool:
    """Whether its values are multiples of what stands today."""
    return str(lever.row["change"]) == "scale"


def setting(sought: Sought, point: Point, lang: Language) -> str:
    """A combination in words: the levers that are moved and to what; "" for none."""
    parts = [
        f"{lever.row[f'name_{lang}']} {'×' if is_scaled(lever) else ''}{lever.shown[k]:g}"
        for k, lever in zip(point, sought.levers, strict=True)
        if k != lever.present
    ]
    return text("seek.and", lang).join(parts)


def summary(sought: Sought, lang: Language) -> str:
    """The answer on one screen."""
    a, w = sought.answer, sought.wanted
    fresh = next((f for f in reversed(a.fresh) if f.point == a.point), None)
    trial = next((t for t in a.tested if t.point == a.point), None)
    lines = [_question(sought, lang)]
    lines += [text("seek.present", lang, share=_shares(sought, t, lang)) for t in a.tested if t.why == "present"]
    lines.append(text(f"seek.verdict.{a.verdict}", lang, probability=f"{w.probability:.0%}"))
    cost = fsum(float(lever.costs[k]) for k, lever in zip(a.point, sought.levers, strict=True))
    lines += [
        "  " + text("seek.with_cost", lang, said=moved_said(lever, k, lang), cost=f"{float(lever.costs[k]):,.4g}")
        for k, lever in zip(a.point, sought.levers, strict=True)
        if k != lever.present
    ] or ["  " + text("seek.nothing_moved", lang)]
    lines.append(text("seek.cost", lang, cost=f"{cost:,.4g}"))
    if trial is not None:
        lines.append(text("seek.sample", lang, share=_shares(sought, trial, lang)))
    if fresh is not None:
        lines += _confirmed(sought, fresh, lang)
    lines += _why(sought, lang)
    if a.verdict in (REFUTED, NOT_FOUND):
        lines += [*_too_late(sought, lang), *_nearly_as_good(sought, trial, lang)]
    lines.append(text("seek.error_only", lang))
    return "\n".join(lines)


def _question(sought: Sought, lang: Language) -> str:
    w = sought.wanted
    names = text("seek.list", lang).join(
        text("seek.target", lang, indicator=a.row[f"indicator_{lang}"], reading=a.row[f"what_counts_{lang}"],
             bound=f"{a.target.bound:,.10g}", unit=a.row["unit_zh"] if lang == "zh" else a.row["unit"])
        if a.target.comparator == ">="
        else text("seek.target_kept", lang, indicator=a.row[f"indicator_{lang}"])
        for a in sought.asked
    )  # fmt: skip
    together = acts("jointly" if w.jointly else "each", lang) if len(sought.asked) > 1 else ""
    if w.budget is not None:
        return text("seek.asked_budget", lang, targets=names, budget=f"{w.budget:,.6g}", together=together)
    return text("seek.asked", lang, targets=names, probability=f"{w.probability:.0%}", together=together)


def _shares(sought: Sought, trial: Trial, lang: Language) -> str:
    if sought.wanted.jointly:
        return f"{trial.met_jointly:,}/{trial.made[0]:,}"
    return text("seek.list", lang).join(f"{m:,}/{n:,}" for m, n in zip(trial.met, trial.made, strict=True))


def _confirmed(sought: Sought, fresh: Fresh, lang: Language) -> list[str]:
    w, lines = sought.wanted, []
    met = [fresh.met_jointly] if w.jointly else list(fresh.met)
    for t, m in enumerate(met):
        name = sought.asked[t].row[f"indicator_{lang}"] if not w.jointly else acts("jointly_said", lang)
        lines.append(
            text(
                "seek.fresh", lang, indicator=name, made=f"{fresh.made:,}", met=f"{m:,}", low=f"{fresh.lows[t]:.1%}",
                high=f"{fresh.highs[t]:.1%}", confidence=f"{fresh.confidence:.4g}", first=f"{fresh.first:,}",
            )
        )  # fmt: skip
    for a, row in zip(sought.asked, fresh.margins, strict=True):
        bound = a.target.bound if a.target.comparator == ">=" else 0.0
        mean, low, high = (f"{bound + m:,.4g}" if abs(bound + m) < 1e4 else f"{bound + m:,.0f}" for m in row)
        unit, asked = a.row["unit_zh"] if lang == "zh" else a.row["unit"], f"{bound:,.10g}"
        name = a.row[f"indicator_{lang}"]
        lines.append(text("seek.figure", lang, indicator=name, mean=mean, low=low, high=high, unit=unit, bound=asked))
    if sought.verdict == HOLDS:
        asked = f"{w.probability - w.delta:.1%}"
        lines.append(text("seek.so_holds", lang, asked=asked, probability=f"{w.probability:.0%}", delta=f"{w.delta:g}"))
    return lines


def _why(sought: Sought, lang: Language) -> list[str]:
    """What is proven and by what, and where nothing was found, why that is or is not a refutation."""
    a = sought.answer
    if a.verdict == HOLDS:
        if a.found.proof:
            return [text(f"seek.proof.{a.found.proof}", lang, tests=len(a.tested))]
        bound = min(a.found.bound, a.found.best.cost if a.found.best else a.found.bound)
        return [text("seek.proof.none", lang, bound=f"{bound:,.4g}", tests=len(a.tested))]
    if a.verdict == REFUTED:
        every = all(all(row) for row in a.screened.sure)
        return [text("seek.refuted_every" if every else "seek.refuted_mean", lang, pairs=len(a.screened.pairs))]
    if a.verdict == BEST:
        return [text(f"seek.budget_proof.{a.why or 'none'}", lang, tests=len(a.tested))]
    return [text(f"seek.no_refutation.{a.why}", lang, levers=_not_monotone(sought, lang), tests=len(a.tested))]


def _too_late(sought: Sought, lang: Language) -> list[str]:
    """How long what is begun takes until it counts, under the answer: a start after that day misses the deadline."""
    lines = []
    for k, lever in zip(sought.answer.point, sought.levers, strict=True):
        if lever.input_id not in SET_UP_TIMES:
            continue
        months = lever.levels[k]
        end = date(max(a.target.last_year for a in sought.asked) + 1, 1, 1)
        last = date.fromordinal(end.toordinal() - round(months * DAYS_PER_MONTH))
        lines.append(
            text(
                "seek.too_late", lang, name=lever.row[f"name_{lang}"], months=f"{months:.3g}", last=f"{last:%Y-%m}",
                deadline=f"{end.year - 1}-12-31", since=min(x.acts_from for x in sought.levers).isoformat(),
            )
        )  # fmt: skip
    return lines


def _nearly_as_good(sought: Sought, best: Trial | None, lang: Language) -> list[str]:
    """The cheapest point tried that is met nearly as often as the best one, if it costs much less."""
    jointly = sought.wanted.jointly
    if best is None:
        return []
    least = best.share(jointly) - NEARLY - 1e-9
    near = [t for t in sought.answer.tested if t.whole and t.share(jointly) >= least]
    found = min(near, key=lambda t: t.cost, default=best)
    if found.cost > MUCH_LESS * best.cost:
        return []
    said = setting(sought, found.point, lang) or acts("nothing", lang)
    return [text("seek.nearly", lang, cost=f"{found.cost:,.4g}", share=_shares(sought, found, lang), setting=said)]


def _not_monotone(sought: Sought, lang: Language) -> str:
    ways = sought.answer.screened.directions
    names = [lever.row[f"name_{lang}"] for j, lever in enumerate(sought.levers) if any(own[j] is None for own in ways)]
    return text("seek.list", lang).join(names) or "–"
