"""Rules of seat expansion on rooms, staff and ground; variables as in :mod:`zjsim.models.seat_terms`."""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from math import inf
from typing import Any

import pyomo.environ as pyo
from zjsim.models.seat_data import STAGES, County
from zjsim.models.seat_terms import classes_of, rooms, rule, staffed


@rule
def classrooms(m: Any, d: County) -> None:
    """Every class of a stage needs a classroom that stands or has been opened.

    Σ_g classes[g,y] <= classrooms[s] + Σ_{t<=y} (extension[s,t] + school_rooms[s,t]); row: rooms. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def classrooms(m: Any, s: str, y: int) -> Any:
        """Σ_g classes[g,y] <= rooms of stage s usable in y; rooms. M110."""
        return classes_of(m, d, s, y) <= rooms(m, d, s, y)


@rule
def staff_norm(m: Any, d: County) -> None:
    """Every class has its staff by the norm (1:19, 1:13.5), and staff can grow only so fast.

    Σ_g classes[g,y] <= staff available in y ÷ staff of a class; row: classes. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def staff_norm(m: Any, s: str, y: int) -> Any:
        """Σ_g classes[g,y] <= classes that the staff of y can teach by the norm; classes. M110."""
        return classes_of(m, d, s, y) <= staffed(m, d, s, y)


@rule
def extension_size(m: Any, d: County) -> None:
    """An extension has a smallest size, is ready only after its lead time, and sites have a limit.

    minimum × extends[s,y] <= extension[s,y] <= maximum × extends[s,y]; Σ_y extension[s,y] <= maximum; 0 before the lead
    time is over; row: rooms. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def extension_at_least(m: Any, s: str, y: int) -> Any:
        """extension[s,y] >= smallest extension × extends[s,y]; rooms. M110."""
        return m.extension[s, y] >= d.stages[s].extension_rooms_min * m.extends[s, y]

    @m.Constraint(list(STAGES), d.years)
    def extension_at_most(m: Any, s: str, y: int) -> Any:
        """extension[s,y] <= limit × extends[s,y], 0 before the lead time is over; rooms. M110."""
        ready = y >= d.stages[s].extension_from
        return m.extension[s, y] <= (d.stages[s].extension_rooms_max if ready else 0) * m.extends[s, y]

    @m.Constraint(list(STAGES))
    def extension_in_all(m: Any, s: str) -> Any:
        """Σ_y extension[s,y] <= limit of the stage; rooms. M110."""
        return sum(m.extension[s, y] for y in d.years) <= d.stages[s].extension_rooms_max


@rule
def school_size(m: Any, d: County) -> None:
    """A new school has a smallest and a largest size, is ready only after its lead time, and needs a site.

    minimum × schools[s,y] <= school_rooms[s,y] <= maximum × schools[s,y]; Σ_y schools[s,y] <= sites; 0 before the lead
    time is over; row: rooms, schools. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def school_at_least(m: Any, s: str, y: int) -> Any:
        """school_rooms[s,y] >= smallest school × schools[s,y]; rooms. M110."""
        return m.school_rooms[s, y] >= d.stages[s].school_rooms_min * m.schools[s, y]

    @m.Constraint(list(STAGES), d.years)
    def school_at_most(m: Any, s: str, y: int) -> Any:
        """school_rooms[s,y] <= largest school × schools[s,y]; rooms. M110."""
        return m.school_rooms[s, y] <= d.stages[s].school_rooms_max * m.schools[s, y]

    @m.Constraint(list(STAGES))
    def school_sites(m: Any, s: str) -> Any:
        """Σ_y schools[s,y] <= sites of the stage; schools. M110."""
        return sum(m.schools[s, y] for y in d.years) <= d.stages[s].school_sites

    @m.Constraint(list(STAGES), d.years)
    def school_lead_time(m: Any, s: str, y: int) -> Any:
        """schools[s,y] <= 0 in years before the lead time is over; schools. M110."""
        return pyo.Constraint.Skip if y >= d.stages[s].school_from else m.schools[s, y] <= 0


@rule
def site_of_extensions(m: Any, d: County) -> None:
    """Extensions stand on the ground that the norm of site per pupil leaves free at the schools that stand.

    site of a class[s] × Σ_y extension[s,y] <= free site[s]; converted rooms stand already; no row where the site or its
    norm is not known; row: m². M110.
    """

    @m.Constraint(list(STAGES))
    def site_of_extensions(m: Any, s: str) -> Any:
        """Ground of all extensions of stage s: site of a class × Σ_y extension[s,y] <= free site[s]; m². M110."""
        stage = d.stages[s]
        if not stage.room_site_m2 or stage.free_site_m2 == inf:
            return pyo.Constraint.Skip
        return stage.room_site_m2 * sum(m.extension[s, y] for y in d.years) <= stage.free_site_m2


@rule
def site_of_new_schools(m: Any, d: County) -> None:
    """A new school has the site that the norm asks for its pupils.

    site of a class[s] × school_rooms[s,y] <= area of a site × schools[s,y]; no row where the area or the norm is not
    known; row: m². M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def site_of_new_schools(m: Any, s: str, y: int) -> Any:
        """Ground of the schools opened in y: site of a class × school_rooms[s,y] <= area × schools[s,y]; m². M110."""
        stage = d.stages[s]
        if not stage.room_site_m2 or stage.new_site_m2 == inf:
            return pyo.Constraint.Skip
        return stage.room_site_m2 * m.school_rooms[s, y] <= stage.new_site_m2 * m.schools[s, y]


@rule
def converted_rooms(m: Any, d: County) -> None:
    """Primary rooms turned into junior ones stay so, within what the norms of nine-year schools allow.

    converted[y−1] <= converted[y] <= most; a converted room no longer serves primary classes; row: rooms. M110.
    """

    @m.Constraint(d.years)
    def converted_rooms(m: Any, y: int) -> Any:
        """converted[y] >= converted[y−1]: what was converted stays so; rooms. M110."""
        if not d.switches.conversion_rooms_max or y == d.years[0]:
            return pyo.Constraint.Skip
        return m.converted[y] >= m.converted[y - 1]
