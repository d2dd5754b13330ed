"""What the openings of the location plans add to training and to enterprise service, from their planned dates on.

Counted at the chance of opening (1 - mode of the failure parameter): every opening adds its expected capacity from its
planned opening date. Set-up times that differ are simulated for the programmes alone.

* Training (M049, M060): county campuses, industry colleges and practice centres add ``rooms`` (class rooms, 40 class
  hours a week each, free for social training like the other rooms) and trainers: 1.5 hired locally for each teacher who
  moves. A campus or college is a provider of its own; a practice centre has no trainers, its rooms are for all.
  Teachers who move stay counted where they come from, so nobody counts twice.
* Enterprise service (M013-M015, M009): a platform takes persons from service teams (its ``staff`` are pairs). What they
  give to joint research and what to the requests of firms is divided in the ledger (:mod:`zjsim.models.people`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from zjsim.models.location_openings import openings

if TYPE_CHECKING:
    import pandas as pd

TRAINING_KINDS = ("county_campus", "county_industry_college", "practice_centre")
PLATFORM_KINDS = ("joint_platform", "branch_centre", "research_institute")


@dataclass(frozen=True, slots=True)
class TrainingPlace:
    """What one opening adds to training at its chance of opening: ``rooms``, and ``trainers`` hired (full-time)."""

    opens: date
    opening_id: str
    kind: str
    city_code: str
    moe_code: str
    rooms: float
    trainers: float


ServiceStaff = tuple[date, str, float]
"""Open date, institution (moe_code), persons."""


def training_openings(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> tuple[TrainingPlace, ...]:
    """What opens for training, by date and id; empty without location plans. Practice centres have no trainers."""
    from zjsim.synthesis.locations import HIRED_PER_MOVED

    found = [
        TrainingPlace(
            opens=date.fromisoformat(row["open_date"]),
            opening_id=str(row["opening_id"]),
            kind=str(row["kind"]),
            city_code=str(row["city_code"]),
            moe_code=str(row["moe_code"]),
            rooms=chance * float(row["rooms"]),
            trainers=chance * HIRED_PER_MOVED * float(row["staff"]),
        )
        for row, chance in _opened(scenario, plan, TRAINING_KINDS)
    ]
    return tuple(sorted(found, key=lambda p: (p.opens, p.opening_id)))


def platform_staff(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> tuple[ServiceStaff, ...]:
    """Persons of platforms, branch centres and institutes by date and institution; empty without location plans."""
    from zjsim.synthesis.locations import PERSONS_PER_PLATFORM

    return tuple(
        sorted(
            (date.fromisoformat(row["open_date"]), str(row["moe_code"]), chance * PERSONS_PER_PLATFORM * row["staff"])
            for row, chance in _opened(scenario, plan, PLATFORM_KINDS)
        )
    )


def _opened(
    scenario: Any, plan: Mapping[str, pd.DataFrame], kinds: tuple[str, ...]
) -> list[tuple[dict[str, Any], float]]:
    """Rows of the openings of ``kinds``, each with its chance of opening."""
    import pandas as pd

    found = openings(plan)
    found = found[found["kind"].isin(kinds)]
    if not len(found):
        return []
    names = ("process_parameters", "location_parameters")
    modes = pd.concat([scenario.table(n)[["parameter_id", "mode"]] for n in names]).set_index("parameter_id")["mode"]
    rows = [{str(k): v for k, v in r.items()} for r in found.to_dict("records")]
    return [(r, 1.0 - float(modes[r["failure_parameter"]])) for r in rows]
