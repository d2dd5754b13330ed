"""Rules of seat expansion that a scenario switches on; variables as in :mod:`zjsim.models.seat_terms`."""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from zjsim.models.seat_data import GRADES, STAGES, County
from zjsim.models.seat_terms import rule

_NOTHING = 1e-6
"""Children, or 10,000 yuan."""


@rule
def permit_public_seat(m: Any, d: County) -> None:
    """Every child of a family with a permit has a public seat (commitment of 2025; a switch).

    permit_short[g,y] >= permit holders − covered[g,y] − other[g,y]; row: children. M112, M108.
    """

    @m.Constraint(GRADES, d.years)
    def permit_public_seat(m: Any, g: int, y: int) -> Any:
        """permit_short[g,y] >= permit holders − covered[g,y] − other[g,y]; children. M112, M108."""
        if not d.switches.permit_guarantee_from or y < d.switches.permit_guarantee_from:
            return pyo.Constraint.Skip
        return m.permit_short[g, y] >= d.permit.get((g, y), 0) - m.covered[g, y] - m.other[g, y]


@rule
def indicator_share(m: Any, d: County) -> None:
    """Public and purchased places together reach the share of the quality indicator (85 %; a switch).

    indicator_short[y] >= share × migrants[y] − in_public[y] − Σ_s purchased[s,y]; row: children. M112.
    """

    @m.Constraint(d.years)
    def indicator_share(m: Any, y: int) -> Any:
        """indicator_short[y] >= share × migrants[y] − in_public[y] − Σ_s purchased[s,y]; children. M112."""
        if not d.switches.indicator_share or not d.migrants_of_year[y]:
            return pyo.Constraint.Skip
        reached = m.in_public[y] + sum(m.purchased[s, y] for s in STAGES)
        return m.indicator_short[y] >= d.switches.indicator_share * d.migrants_of_year[y] - reached


@rule
def private_share_cap(m: Any, d: County) -> None:
    """Private schools hold at most a share of all pupils (5 %; a switch); all local children are in public schools.

    private_over[y] >= migrants[y] − in_public[y] − Σ_g without[g,y] − cap × all children of y; row: children. M112.
    """

    @m.Constraint(d.years)
    def private_share_cap(m: Any, y: int) -> Any:
        """private_over[y] >= children in private schools − cap × all pupils of y; children. M112."""
        if d.switches.private_share_cap >= 1:
            return pyo.Constraint.Skip
        pupils = d.migrants_of_year[y] + sum(d.local[g, y] for g in GRADES)
        private = d.migrants_of_year[y] - m.in_public[y] - sum(m.without[g, y] for g in GRADES)
        return m.private_over[y] >= private - d.switches.private_share_cap * pupils


@rule
def hard_goals(m: Any, d: County) -> None:
    """Goals that the scenario makes hard are zero in every year (a switch).

    Children (or money) by which goal n is missed in y <= 0; row: children, or 10,000 yuan. M004, M110, M112.
    """

    def missed(m: Any, name: str, y: int) -> Any:
        """By how much goal ``name`` is missed in year ``y`` (children, or 10,000 yuan)."""
        if name == "local_without_seat":
            return sum(d.local[g, y] - m.local[g, y] for g in GRADES)
        if name == "covered_without_place":
            return sum(m.without[g, y] for g in GRADES)
        if name == "permit_without_public_seat":
            return sum(m.permit_short[g, y] for g in GRADES)
        if name == "bought_with_idle_rooms":
            return sum(m.avoidable[s, y] for s in STAGES)
        by_year = {
            "public_share_fall": "fall",
            "indicator_short": "indicator_short",
            "private_above_cap": "private_over",
            "budget_overrun": "overrun",
        }
        return getattr(m, by_year[name])[y]

    @m.Constraint(list(d.switches.hard), d.years)
    def hard_goals(m: Any, name: str, y: int) -> Any:
        """What is missed of goal n in y <= 0 (within the solver's tolerance); children or 10,000 yuan. M112."""
        return missed(m, name, y) <= _NOTHING
