"""The rules of seat expansion, one function each: purpose, inequality, indices, unit of the row, clause of the plan.

Indices: ``g`` grade 1-9, ``s`` stage (primary, junior), ``y`` school year. Variables (see ``seat_expansion.build``):

* ``classes[g,y]``; ``local[g,y]`` seated local children; ``covered[g,y]`` guaranteed migrant children in public seats,
  ``other[g,y]`` further ones; ``bought[g,y]`` guaranteed children in purchased private places, ``without[g,y]`` those
  without a place; ``in_public[y]`` = Σ_g (covered + other); ``purchased[s,y]`` = Σ_g bought;
* ``extension[s,y]`` and ``school_rooms[s,y]`` rooms opened in y, ``schools[s,y]`` schools opened in y, ``extends`` 0/1;
* ``converted[y]`` primary rooms used by junior classes up to y (0 unless the scenario allows it).

A repair (:mod:`zjsim.models.seat_repair_model`) adds ``extra_rooms[s,y]``, ``extra_staffed[s,y]`` (classes),
``extra_places[s,y]`` and ``extra_budget[y]`` to what there is.

All rules are linear; a rule adds its rows to the model and is dropped in tests to show that it matters.
"""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zjsim.models.seat_data import STAGES, County

Rule = Callable[[Any, County], None]
REGISTERED: dict[str, Rule] = {}
"""Every rule by name, in the order in which its file registers it."""


def rule(function: Rule) -> Rule:
    """Register a rule under its function's name."""
    REGISTERED[function.__name__] = function
    return function


def rooms(m: Any, d: County, s: str, y: int) -> Any:
    """Classrooms of stage ``s`` usable in year ``y``: those that stand, those opened up to then, those converted."""
    opened = sum(m.extension[s, t] + m.school_rooms[s, t] for t in d.years if t <= y)
    more = m.extra_rooms[s, y] if hasattr(m, "extra_rooms") else d.stages[s].more_rooms.get(y, 0)
    there = d.stages[s].classrooms + more
    return there + opened + (1 if s == "junior" else -1) * converted(m, d, y)


def staffed(m: Any, d: County, s: str, y: int) -> Any:
    """Classes of stage ``s`` for which there is staff in year ``y``, with what a repair adds."""
    more = m.extra_staffed[s, y] if hasattr(m, "extra_staffed") else d.stages[s].more_staffed.get(y, 0)
    return d.stages[s].staffed_classes[y] + more


def most_staffed(d: County, s: str, y: int) -> int:
    """Classes of stage ``s`` for which there can be staff in year ``y`` at most."""
    return d.stages[s].staffed_classes[y] + d.stages[s].more_staffed.get(y, 0)


def purchasable(m: Any, d: County, s: str, y: int) -> Any:
    """Private places of stage ``s`` that may be purchased in year ``y``, with what a repair adds."""
    more = m.extra_places[s, y] if hasattr(m, "extra_places") else d.stages[s].more_places.get(y, 0)
    return min(d.stages[s].purchase_places_max, d.private_places[s, y]) + more


def budget(m: Any, d: County, y: int) -> Any:
    """Budget of year ``y`` (10,000 yuan), with what a repair adds."""
    return d.budget[y] + (m.extra_budget[y] if hasattr(m, "extra_budget") else 0)


def converted(m: Any, d: County, y: int) -> Any:
    """Primary rooms that junior classes use in year ``y``; 0 before the plan and where none may be converted."""
    return m.converted[y] if d.switches.conversion_rooms_max and y >= d.years[0] else 0


def classes_of(m: Any, d: County, s: str, y: int) -> Any:
    """Classes of stage ``s`` in year ``y``; for the year before the plan, those that stand."""
    if y < d.years[0]:
        return sum(d.classes_now[g] for g in STAGES[s])
    return m.stage_classes[s, y]


def most_rooms(d: County, s: str, y: int) -> int:
    """Classrooms stage ``s`` can have in year ``y`` at most."""
    stage = d.stages[s]
    extension = stage.extension_rooms_max if y >= stage.extension_from else 0
    schools = stage.school_sites * stage.school_rooms_max if y >= stage.school_from else 0
    more = stage.more_rooms.get(y, 0) + (d.switches.conversion_rooms_max if s == "junior" else 0)
    return stage.classrooms + extension + schools + more


def most_bought(d: County, s: str, y: int) -> int:
    """Children of stage ``s`` that can sit in purchased places in year ``y`` at most."""
    children = sum(d.covered[g, y] for g in STAGES[s])
    places = min(d.stages[s].purchase_places_max, d.private_places[s, y]) + d.stages[s].more_places.get(y, 0)
    return min(places, children)


def payment_years(d: County, opened: int, count: int) -> range:
    """Years over which a building opened in ``opened`` is paid for in equal parts: ``count`` years, that one last."""
    return range(max(d.years[0], opened - count + 1), opened + 1)


def capital(m: Any, d: County, s: str, y: int) -> Any:
    """Building paid for in year ``y`` (10,000 yuan): equal parts over the years up to each opening."""
    stage, terms = d.stages[s], 0
    for t in d.years:
        for opened, cost, count in (
            (m.extension[s, t], stage.extension_cost, stage.extension_instalments),
            (m.school_rooms[s, t], stage.school_cost, stage.school_instalments),
        ):
            paid = payment_years(d, t, count)
            if y in paid:
                terms += opened * (cost / len(paid))
    return terms


def spending(m: Any, d: County, y: int) -> Any:
    """All money of year ``y`` (10,000 yuan): building, equipment, running costs of added classes, purchased places."""
    total = 0
    for s, stage in d.stages.items():
        total += capital(m, d, s, y) + m.opened[s, y] * stage.equip_cost + m.added[s, y] * stage.running_cost
        total += m.purchased[s, y] * stage.purchase_price
    return total + (converted(m, d, y) - converted(m, d, y - 1)) * d.switches.conversion_cost
