"""Re-checks an exported plan from its tables and the registries alone; shares no code with the models or the solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zjsim.audit.finding import Finding

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "audit_outcomes", "audit_plan"]


def audit_plan(plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], parameters: Any) -> list[Finding]:
    """Every rule that the plan's tables break, theme by theme; an empty list means that the plan may be exported.

    ``plan`` holds the tables the models gave, ``tables`` the scenario's registries, ``parameters`` its settings.
    """
    from zjsim.audit import assignment, locations, seats, talent

    themes = (assignment, locations, seats, talent)
    return [finding for theme in themes for finding in theme.check(plan, tables, parameters)]


def audit_outcomes(
    outcomes: Mapping[str, pd.DataFrame],
    plan: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    parameters: Any,
) -> list[Finding]:
    """Every rule that the simulation's tables ``outcomes`` break: whether somebody works twice; empty when none."""
    from zjsim.audit import people

    return people.check(outcomes, plan, tables, parameters)
