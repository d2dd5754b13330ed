"""Which columns of result tables count children, declared once: what is published, what is hidden, what stays inside.

A run keeps two forms of its tables about children: the exact ones for the office itself (``internal/``), and those for
publication (``tables/`` and every document). A count of children from 1 to the minimum cell less 1 is hidden in the
latter, and with it whatever would give it away. A table or a column that is not declared here is not published: nothing
new goes out by being forgotten (a test names it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SUPPRESSED = "suppressed"
"""Column of a published table: the names of the columns hidden in this row, with ``;`` between them."""
MARK = "*"
"""What documents show in place of a hidden number: the same for a small count and for one that protects it."""


@dataclass(frozen=True, slots=True)
class Published:
    """How the columns of a table are published.

    ``counts`` count children and are protected; ``beside`` count none, but tell of some and may be hidden to protect
    them; ``follows`` are computed from counts (column → those counts, of the same row) and stand only where all of them
    do; ``rounded`` are yuan that hold a price times a count; ``said`` are sentences in which counts stand;
    ``withheld`` stay inside; ``plain`` tell nothing of children.
    """

    plain: tuple[str, ...]
    counts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rounded: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[str, ...]:
        """Every column that is declared."""
        shown = (*self.plain, *self.counts, *self.beside, *self.follows, *self.rounded, *self.said)
        return (*shown, *self.withheld)

    @property
    def hideable(self) -> tuple[str, ...]:
        """Columns that can have hidden cells."""
        return (*self.counts, *self.beside, *self.follows)


_COUNTY = ("county_code", "county_zh", "county_en")
_BASIS = ("basis", "note_zh", "note_en")
_PUBLIC = ("placed_public", "placed_public_other", "migrant")
_CHILDREN = (
    "demand", "local", "migrant", "guaranteed", "eligible", "placed_local", "placed_public", "placed_public_other",
    "placed_purchased", "local_unplaced", "unplaced", "others_outside_public",
)  # fmt: skip
_SHARES = {"public_share": _PUBLIC, "public_share_with_purchased": (*_PUBLIC, "placed_purchased")}
_BUILDING = ("capital_cost_yuan", "equip_cost_yuan", "running_cost_yuan")
_MONEY = ("purchase_cost_yuan", "cost_yuan", "overrun_yuan")
_CLASSES = ("classes_base", "classes", "classes_opened", "rooms_added", "new_schools", "new_school_rooms")
_WHY = ("why_zh", "why_en")

TABLES: Mapping[str, Published] = {
    "seat_expansion": Published(
        plain=(
            *(*_COUNTY, "city_code", "year", *_CLASSES, "public_seats", "staff_needed", "staff_available"),
            *(*_BUILDING, "budget_yuan", "status", "gap", *_BASIS),
        ),
        counts=_CHILDREN,
        beside=("empty_seats",),
        follows=_SHARES,
        rounded=_MONEY,
        withheld=("others_without_private_place",),
    ),
    "seat_summary": Published(
        plain=(
            *("year", *_CLASSES, "public_seats", *_BUILDING, "budget_yuan", "counties_without_seats"),
            *("counties_over_budget", "basis"),
        ),
        counts=_CHILDREN,
        beside=("empty_seats",),
        follows=_SHARES,
        rounded=_MONEY,
    ),
    "seat_rooms": Published(
        plain=(
            *("county_code", "year", "stage", "rooms", "extension_rooms", "new_schools", "new_school_rooms"),
            *("converted_rooms", "extension_site_m2", "free_site_m2", "new_school_site_m2", "new_site_m2", "classes"),
            *("classes_opened", "classes_added", "staffed_classes", "staff_needed", *_BUILDING, "basis"),
        ),
        counts=("purchased",),
        withheld=("purchase_cost_yuan",),
    ),
    # Grades and zones are for those who build and staff classes: how many children are there stays inside.
    "seat_classes": Published(
        plain=("county_code", "year", "grade", "stage", "classes_base", "classes", "public_seats", "basis"),
        withheld=(
            *("local", "migrant", "guaranteed", "placed_local", "placed_public", "placed_public_other"),
            *("placed_purchased", "unplaced"),
        ),
    ),
    "seat_zone_years": Published(
        plain=(
            *("county_code", "zone_id", "county_zh", "county_en", "zone_zh", "zone_en", "zone_kind", "year", "stage"),
            *("rooms", "extension_rooms", "new_schools", "new_school_rooms", "converted_rooms", "area_needed_m2"),
            *("free_site_m2", "extension_site_m2", "new_school_site_m2", "classes", "classes_opened", "public_seats"),
            *_BASIS,
        ),
        withheld=(
            *("local", "guaranteed", "not_guaranteed", "seated_local", "seated_migrant", "empty_seats"),
            *("placed_local", "placed_public", "placed_public_other", "placed_purchased", "purchased_here"),
            *("private_places", "purchasable_places"),
            *("local_unplaced", "unplaced", "moved_out_local", "moved_out_migrant", "moved_in", "moved_too_far"),
        ),
    ),
    "seat_zone_classes": Published(
        plain=("county_code", "zone_id", "year", "grade", "stage", "classes", "public_seats", "basis"),
        withheld=(
            *("local", "guaranteed", "not_guaranteed", "placed_local", "placed_public", "placed_public_other"),
            *("placed_purchased", "unplaced", "seated_local", "seated_guaranteed", "seated_other"),
        ),
    ),
    "seat_shortfalls": Published(
        plain=(*_COUNTY, "year", "stage", "rule", "reading", "is_planned", "measures", "unit", "basis"),
        counts=("amount",),
        said=_WHY,
    ),
    "seat_repairs": Published(
        plain=(
            *(*_COUNTY, "year", "stage", "classes_added", "rooms_added", "classes_missing", "rooms_missing"),
            *("staff_missing", "is_verified", "basis"),
        ),
        counts=("short_without_plan", "placed_purchased", "still_short", "places_missing"),
        rounded=("repair_yuan",),
        said=_WHY,
        withheld=("cost_yuan",),
    ),
    "seat_rule_repairs": Published(
        plain=(*_COUNTY, "rule", "unit", "rooms_missing", "staff_missing", "is_verified", "basis"),
        counts=("amount", "places_missing"),
        rounded=("budget_missing_yuan", "repair_yuan"),
        said=_WHY,
        withheld=("left_after",),
    ),
    "seat_senior": Published(
        plain=(*_COUNTY, "year", "basis"),
        counts=("leavers_local", "leavers_migrant", "leavers_permit", "senior_places_wanted", "entrants_eligible"),
        withheld=("talent_places_at_most",),
    ),
    "seat_staff": Published(
        plain=(
            *(*_COUNTY, "year", "stage", "classes", "staff_per_class", "pupils_per_staff", "staff_needed"),
            *("staff_available", "staff_to_hire", "classes_for_all", "staff_for_all", "staff_missing"),
            *("staff_is_limit", "norm_source", "basis"),
        ),
    ),
}  # fmt: skip
"""Tables of a run about children that are published; the others of their kind stay inside."""

ABOUT_CHILDREN = ("seat_", "hedge_", "placement")
"""How the names of tables about children begin."""

NO_CHILDREN: Mapping[str, str] = {
    "assignment_": "universities, disciplines and industries",
    "bottlenecks": "resources",
    "campus_plan": "openings",
    "deciding_inputs": "inputs",
    "design_": "probabilities and inputs",
    "earliest_certainty": "probabilities",
    "event_log": "courses, requests, patents and programmes; seats are simulated as shares",
    "heritage_pairs": "universities, disciplines and industries",
    "input_sources": "rows of registries",
    "kindergarten_plan": "openings and their places",
    "lead_assignments": "universities, disciplines and industries",
    "location_": "openings, and residents, employees and firms that they serve",
    "marginal_values": "resources",
    "outcomes_by_": "trainees, requests, patents and openings by city; rounded shares of simulated futures by county",
    "people_": "hours of staff",
    "plan_value": "probabilities and outcomes of the province",
    "platform_plan": "openings",
    "practice_centre_plan": "openings",
    "replication_": "outcomes of the province in simulated years",
    "resource_use": "capacity in days and hours; seats by city, in tens of thousands",
    "shortfall_distribution": "outcomes of the province",
    "simulation_settings": "replications",
    "sources_used": "rows of registries",
    "support_": "universities, disciplines and industries",
    "talent_": "students and graduates of universities by programme group",
    "target": "outcomes of the province",
    "training_by_provider": "person-times of adults",
    "uncertain_inputs": "inputs",
    "yearly_outcomes": "outcomes of the province",
}
"""Tables in which no child is counted, by how their names begin, and what they count instead."""

SHARES = "outcomes_by_county"
"""Table of shares of children by county: goes out rounded, and not without the counts they are shares of."""

_CELL = re.compile(r"(?P<registry>\w+)\[[^\]]*\]\.(?P<column>\w+)")

INPUT_CHANGES = "input_changes"
"""Table of changed inputs: values of columns that count children (their unit says so) stay inside."""


_ALSO_CHILDREN = frozenset(
    [("school_grades", c) for c in ("taken_local", "taken_migrant", "taken_purchased")]
    + [(r, c) for r in ("planning_zones", "seat_zones") for c in ("share_local", "share_migrant", "share_private")]
)
"""Seats taken are children, and shares of a county's children with the county's count are those of a zone."""


def counts_children(registry: str, column: str) -> bool:
    """Whether a column of a registry counts children of places and grades, or tells such a count."""
    from zjsim.tables.registries import REGISTRIES

    if (registry, column) in _ALSO_CHILDREN:
        return True
    declared = REGISTRIES.get(registry)
    found = declared.by_name.get(column) if declared else None
    return found is not None and found.unit == "children"


def told_sets(sets: Iterable[str]) -> list[str]:
    """``--set`` options as documents say them: of a cell that counts children not the value."""
    told = []
    for said in sets:
        path, _, _ = said.partition("=")
        cell = _CELL.fullmatch(path.strip())
        told.append(f"{path.strip()}={MARK}" if cell and counts_children(cell["registry"], cell["column"]) else said)
    return told


def hidden_cells(table: pd.DataFrame) -> dict[str, set[int]]:
    """Row numbers (from 0) of the hidden cells of a published table by column; none where it has no such cells."""
    found: dict[str, set[int]] = {}
    if SUPPRESSED in table:
        for i, names in enumerate(table[SUPPRESSED].astype(str)):
            for name in names.split(";") if names else ():
                found.setdefault(name, set()).add(i)
    return found


def is_published(table: str) -> bool:
    """Whether a table goes out as it is or in its published form."""
    if table.startswith(ABOUT_CHILDREN):
        return table in TABLES
    return table == INPUT_CHANGES or table.startswith(tuple(NO_CHILDREN))
