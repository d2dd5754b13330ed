"""Goals that a scenario makes hard: what stands against them in a county that cannot meet them, in planner's words.

A hard goal must be zero in every year; where that is impossible there is no plan, and the conflict names the smallest
set of commitments and limits (of one county) that cannot hold together, with the cheapest way out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from zjsim.models.seat_data import STAGES, County

from zjsim.solve.conflicts import Requirement
from zjsim.solve.results import Conflict
from zjsim.texts import LANGUAGES, Language, text

_CHILD = 1_000.0
"""Weight (10,000 yuan) of a child by whom a hard goal gives way: limits give way first where they can."""
_BUILDING = (
    *("extension_at_most", "extension_in_all", "school_at_least", "school_at_most", "school_sites"),
    *("school_lead_time", "site_of_extensions", "site_of_new_schools"),
)


def requirements(m: pyo.ConcreteModel, d: County) -> tuple[Requirement, ...]:
    """Rows of a county's model that stand or fall together: commitments by year, limits by stage and year."""
    return (*_commitments(m, d), *_limits(m, d), *_building(m, d))


def told(d: County, conflict: Conflict) -> Conflict:
    """The conflict with the county's name before it."""
    return replace(
        conflict,
        zh=text("seats.hard.conflict", "zh", county=d.name_zh, said=conflict.zh),
        en=text("seats.hard.conflict", "en", county=d.name_en, said=conflict.en),
    )


def _commitments(m: pyo.ConcreteModel, d: County) -> Iterator[Requirement]:
    for name in d.switches.hard:
        unit = "money" if name == "budget_overrun" else "children"
        for y in d.years:
            if (name, y) in m.hard_goals:
                row = m.hard_goals[name, y]
                weight = 1.0 if unit == "money" else _CHILD
                yield _requirement(f"hard_goals[{name},{y}]", (row,), name, unit, weight, year=y)


def _limits(m: pyo.ConcreteModel, d: County) -> Iterator[Requirement]:
    for s in STAGES:
        stage = d.stages[s]
        room = max(1.0, min([c for c in (stage.extension_cost, stage.school_cost) if c > 0], default=1.0))
        for y in d.years:
            for rule, most, weight, unit in (
                ("classrooms", stage.classrooms, room, "rooms"),
                ("staff_norm", stage.staffed_classes[y], max(1.0, stage.running_cost), "classes"),
                (
                    "purchase_cap",
                    min(stage.purchase_places_max, d.private_places[s, y]),
                    max(0.1, stage.purchase_price),
                    "places",
                ),
            ):
                row = m.find_component(rule)
                if row is not None and (s, y) in row:
                    yield _requirement(f"{rule}[{s},{y}]", (row[s, y],), rule, unit, weight, year=y, stage=s, most=most)


def _building(m: pyo.ConcreteModel, d: County) -> Iterator[Requirement]:
    """What can be built in a stage: limits, lead times, sites and ground together; they do not give way."""
    for s in STAGES:
        rows = []
        for name in _BUILDING:
            component = m.find_component(name)
            if component is not None:
                rows += [component[key] for key in component if key == s or (isinstance(key, tuple) and key[0] == s)]
        if rows:
            stage = d.stages[s]
            values = {"extension": stage.extension_rooms_that_fit, "schools": stage.school_sites}
            yield _requirement(f"building[{s}]", tuple(rows), "building", "rooms", 0.0, stage=s, **values)


def _requirement(
    name: str, rows: tuple[Any, ...], key: str, unit: str, weight: float, *, stage: str = "", **values: object
) -> Requirement:
    def say(lang: Language) -> str:
        """The requirement as a clause."""
        told = {"stage": text(f"seats.stage.{stage}", lang)} if stage else {}
        return text(f"seats.hard.{key}", lang, **values, **told)

    zh, en = (say(lang) for lang in LANGUAGES)
    units = [text(f"seats.hard.unit_{unit}", lang) for lang in LANGUAGES]
    return Requirement(name, rows, zh, en, weight, units[0], units[1])
