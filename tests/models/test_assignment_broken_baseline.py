"""The baseline broken at random through parameters and registries: why there is no plan, and a repair of the inputs.

A repair is applied as a planner would: a cap raised, a threshold lowered, a rule struck out, a switch turned.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from zjsim.models.assignment_plan import TABLES, plan_assignment, support_data
from zjsim.models.assignment_rules import LAST_RESORT, SPECIAL
from zjsim.models.assignment_support import build_support_model, support_goals, support_requirements
from zjsim.models.heritage import build_heritage_model, heritage_data, heritage_goals, heritage_requirements
from zjsim.models.lead_discipline import build_lead_model, lead_data, lead_goals, lead_requirements, solve_leads

import zjsim
from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict, Infeasible, Optimal

SEEDS = range(4, 9)
FAMILY = {
    "lead": (build_lead_model, lead_goals, lead_requirements),
    "heritage": (build_heritage_model, heritage_goals, heritage_requirements),
    "support": (build_support_model, support_goals, support_requirements),
}
CAPS = {
    "leads_per_university": "max_leads_per_university",
    "roles_per_institution": "max_heritage_roles_per_institution",
    "vocational_per_pair": "max_vocational_per_pair",
    "industries_per_support": "max_supports_per_discipline",
    "supports_per_institution": "max_supports_per_institution",
    "not_too_many_supports": "max_supports_per_industry",
}
LEAST = {
    "minimum_relevance": "minimum_relevance",
    "minimum_craft": "minimum_craft",
    "support_relevance": "min_support_relevance",
    "enough_supports": "min_supports_per_industry",
    "mountain_island_floor": "mountain_island_floor",
}


@cache
def baseline() -> Any:
    return zjsim.load("baseline")


def world(tables: dict[str, pd.DataFrame], **changes: Any) -> Any:
    loaded = baseline()
    section = loaded.parameters.assignment.model_copy(update={"explain_choices": False, **changes})
    parameters = SimpleNamespace(assignment=section, solver=loaded.parameters.solver)
    return SimpleNamespace(table=tables.__getitem__, parameters=parameters, tables=tables, changes=changes)


def broken(seed: int) -> Any:
    """One to three blows to the baseline."""
    g = random.Random(seed)
    tables = {name: baseline().table(name) for name in TABLES}
    disciplines, universities = tables["disciplines"], sorted(tables["universities"]["moe_code"])
    leads, crafts = [f"C{k:02d}" for k in range(1, 16)], [f"H{k:02d}" for k in range(1, 11)]
    rules: list[dict[str, str]] = []
    changes: dict[str, Any] = {}
    capacities: list[dict[str, Any]] = []

    def pick() -> tuple[str, str]:
        row = disciplines.iloc[g.randrange(len(disciplines))]
        return str(row["moe_code"]), str(row["discipline_code"])

    def pins() -> None:
        industry = g.choice(leads)
        for u, d in (pick(), pick()):
            rules.append({"kind": "pinned", "industry_id": industry, "moe_code": u, "discipline_code": d})

    def crafty_pins() -> None:
        industry, role = g.choice(crafts), g.choice(["lead", "partner"])
        for u in g.sample(universities, 2):
            rules.append({"kind": "pinned", "industry_id": industry, "moe_code": u, "role": role})

    def support_pins() -> None:
        industry, (u, _) = g.choice(leads), pick()
        rules.append({"kind": "pinned", "industry_id": industry, "moe_code": u, "role": "support"})
        rules.append({"kind": "forbidden", "industry_id": industry, "moe_code": u, "role": g.choice(["", "support"])})

    def forbid_all() -> None:
        rules.append({"kind": "forbidden", "industry_id": g.choice(["", *leads, *crafts])})

    def forbidden_pair() -> None:
        first, second = g.sample(leads, 2) if g.random() < 0.5 else g.sample(crafts, 2)
        rules.append({"kind": "paired", "industry_id": first, "paired_industry_id": second})
        pinned = {"kind": "pinned", "role": "lead"}
        if first in leads:
            for industry in (first, second):
                u, d = pick()
                rules.append({**pinned, "industry_id": industry, "moe_code": u, "discipline_code": d})
        else:
            rules.extend({**pinned, "industry_id": i, "moe_code": g.choice(universities)} for i in (first, second))

    def tight_leads() -> None:
        changes.update(max_leads_per_university=g.choice([1, 2]), minimum_relevance=g.choice([1, 3]))
        for u in g.sample(sorted(set(disciplines["moe_code"])), 12):
            rules.append({"kind": "forbidden", "moe_code": u, "role": "lead"})

    def small_capacity() -> None:
        changes.update(lead_reading="several_within_capacity", industries_per_discipline=1)
        for u in sorted(set(disciplines["moe_code"])):
            if g.random() < 0.9:
                capacities.append({"moe_code": u, "discipline_code": "", "capacity": g.choice([0.0, 0.5, 1.0])})

    def tight_crafts() -> None:
        changes.update(
            max_heritage_roles_per_institution=1,
            minimum_craft=g.choice([0.3, 0.5, 0.9]),
            heritage_reading=g.choice(["lead_and_partner", "one_university"]),
            max_vocational_per_pair=g.choice([0, 1]),
        )

    def high_floors() -> None:
        changes.update(mountain_island_floor=g.choice([2, 4, 8]), mountain_island_reach_km=g.choice([20.0, 60.0]))

    def many_supports() -> None:
        least = g.choice([5, 9, 14])
        changes.update(
            min_supports_per_industry=least,
            max_supports_per_industry=least + g.choice([0, 2]),
            min_support_relevance=g.choice([2, 3]),
            max_supports_per_institution=g.choice([1, 2, 6]),
        )

    blows = [pins, crafty_pins, support_pins, forbid_all, forbidden_pair, tight_leads, small_capacity, tight_crafts]
    for blow in g.sample([*blows, high_floors, many_supports], g.randint(1, 3)):
        blow()
    table = tables["rules"]
    if rules:
        rows = [{**dict.fromkeys(table.columns, ""), "rule_id": f"R{n:03d}", **r} for n, r in enumerate(rules, 1)]
        tables["rules"] = pd.DataFrame(rows, columns=table.columns)
    if capacities:
        tables["lead_capacities"] = pd.DataFrame(capacities)
    return world(tables, **changes)


@cache
def conflict_of(seed: int) -> Conflict | None:
    result = plan_assignment(broken(seed))
    if isinstance(result, Infeasible):
        return result.conflict
    assert isinstance(result, Optimal)
    return None


def family_of(members: tuple[str, ...], scenario: Any) -> tuple[str, Any]:
    """The model that the members are rows of, and its data."""
    found = dict.fromkeys(("lead", "heritage", "support"))
    tables, parameters = scenario.tables, scenario.parameters
    data = {"lead": lead_data(tables, parameters)[0], "heritage": heritage_data(tables, parameters)[0]}
    for family in found:
        if family == "support":
            leads = solve_leads(data["lead"])
            assert isinstance(leads, Optimal)
            data["support"] = support_data(tables, parameters, leads.plan)[0]
        build, _, words = FAMILY[family]
        if set(members) <= {q.name for q in words(build(data[family]))}:
            return family, data[family]
    raise AssertionError(members)


def possible(family: str, data: Any) -> Callable[[set[str]], bool]:
    """Whether a plan exists under some requirements alone."""
    build, goals, words = FAMILY[family]
    m = build(data)
    prepared, known = Prepared(m, goals(m), Options()), words(m)

    def check(members: set[str]) -> bool:
        free = [(row, -math.inf, math.inf) for q in known if q.name not in members for row in q.rows]
        return isinstance(prepared.solve(rows=free, goals=1), Optimal)

    return check


def mended(scenario: Any, conflict: Conflict) -> Any:
    """The scenario with every part of the repair made in its inputs."""
    changes, tables = dict(scenario.changes), dict(scenario.tables)
    section = scenario.parameters.assignment
    struck: set[str] = set()
    capacity = {
        (r["moe_code"], r["discipline_code"]): r["capacity"] for r in tables["lead_capacities"].to_dict("records")
    }
    for name, amount in conflict.repair:
        rule, _, row = name.rstrip("]").partition("[")
        if rule in SPECIAL:
            struck.add(row)
        elif rule in CAPS:
            changes[CAPS[rule]] = max(changes.get(CAPS[rule], 0), getattr(section, CAPS[rule]) + amount)
        elif rule in LEAST:
            lower = max(getattr(section, LEAST[rule]) - amount, 0)
            known = changes.get(LEAST[rule], lower)
            changes[LEAST[rule]] = min(known, lower)
        elif rule == "undergraduate_leads":
            changes["vocational_may_lead"] = True
        elif rule == "within_university_capacity":
            capacity[row, ""] += amount
        elif rule in ("within_capacity", "one_industry_per_discipline"):
            key = tuple(row.split(","))
            changes["lead_reading"] = "several_within_capacity"
            if rule == "one_industry_per_discipline":
                changes["industries_per_discipline"] = 1
            capacity[key] = capacity.get(key, section.industries_per_discipline) + amount
        else:
            raise AssertionError(name)
    tables["rules"] = tables["rules"][~tables["rules"]["rule_id"].isin(struck)]
    tables["lead_capacities"] = pd.DataFrame(
        [{"moe_code": u, "discipline_code": d, "capacity": c} for (u, d), c in capacity.items()],
        columns=["moe_code", "discipline_code", "capacity"],
    )
    return world(tables, **changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_broken_baseline_is_explained_and_its_repair_repairs_it(seed: int) -> None:
    conflict = conflict_of(seed)
    if conflict is None:
        return
    assert conflict.minimal
    assert all((conflict.zh, conflict.en, conflict.repair_zh, conflict.repair_en))
    members = set(conflict.members)
    family, data = family_of(conflict.members, broken(seed))
    check = possible(family, data)
    assert not check(members)
    assert all(check(members - {one}) for one in members)
    assert conflict.repair
    if not {name.partition("[")[0] for name, _ in conflict.repair} & LAST_RESORT:
        assert isinstance(plan_assignment(mended(broken(seed), conflict)), Optimal)


def test_most_of_them_are_impossible_and_can_be_mended() -> None:
    found = [c for seed in SEEDS if (c := conflict_of(seed)) is not None]
    gone = [c for c in found if {name.partition("[")[0] for name, _ in c.repair} & LAST_RESORT]
    assert len(found) >= 3
    assert len(gone) <= 1
