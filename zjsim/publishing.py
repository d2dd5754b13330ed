"""The two forms of a run's tables about children: exact ones for the office itself, and those that may be published.

``tables/`` and every document hold the published form; ``internal/`` holds the exact tables where they differ, the
inputs of the run and the solver's log, and a note that it is not for publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.tables.published import ABOUT_CHILDREN, INPUT_CHANGES, SHARES
from zjsim.texts import LANGUAGES, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

INTERNAL, TABLES, NOTE = "internal", "tables", "README.txt"


def internal_tables(results: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of ``results`` that are not published as they are."""
    return {n: t for n, t in sorted(results.items()) if n.startswith(ABOUT_CHILDREN) or n in (INPUT_CHANGES, SHARES)}


def published(
    scenario: Scenario, results: Mapping[str, pd.DataFrame]
) -> tuple[dict[str, pd.DataFrame], tuple[str, ...]]:
    """The tables of a run in the form in which they go out, sorted by name, and where small counts cannot be protected.

    If there is any such county and year, no count of children goes out.
    """
    from zjsim.models.seat_publication import NEEDED, NotProtected, published_tables

    minimum = scenario.parameters.placement.minimum_cell
    if not results.keys() >= NEEDED:
        return dict(sorted(published_tables(results, minimum=minimum, prices={}).items())), ()
    options = scenario.table("seat_options")
    price = options["purchase_yuan_per_place"].astype(float)
    prices = dict(zip(zip(options["county_code"], options["stage"], strict=True), price, strict=True))
    before = _parents(scenario, results)
    try:
        return dict(sorted(published_tables(results, minimum=minimum, prices=prices, before=before).items())), ()
    except NotProtected as told:
        shown = published_tables(results, minimum=minimum, prices=prices, before=before, no_counts=True)
        return dict(sorted(shown.items())), told.places


def _parents(scenario: Scenario, results: Mapping[str, pd.DataFrame]) -> list[dict[str, pd.DataFrame]]:
    """The demand of every scenario that this one builds on and changes, in the years of the plan."""
    from zjsim.models.seat_data import COVERED_COLUMN
    from zjsim.models.seat_publication import demand_tables
    from zjsim.scenario import load

    years = sorted({int(y) for y in results["seat_expansion"]["year"]})
    own, found = scenario.table("seat_demand"), []
    for level in scenario.levels if scenario.sets else scenario.levels[:-1]:
        parent = load(Path(level.path))
        reading = parent.parameters.seats.coverage_reading
        if reading != scenario.parameters.seats.coverage_reading or not parent.table("seat_demand").equals(own):
            found.append(demand_tables(parent.table("seat_demand"), COVERED_COLUMN[reading], years))
    return found


def write_note(folder: Path) -> None:
    """The line in ``internal/`` that says what the folder is."""
    said = "\n".join(text("published.note", lang) for lang in LANGUAGES)
    (folder / NOTE).write_text(f"{said}\n", encoding="utf-8")


def exact_table(run: Path, name: str) -> Path:
    """Where the exact form of a table of a run lies: inside if it differs from the published one."""
    inside = run / INTERNAL / f"{name}.csv"
    return inside if inside.is_file() else run / TABLES / f"{name}.csv"
