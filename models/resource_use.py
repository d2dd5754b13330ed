"""What the simulated processes did with their resources, as tables: ``resource_use`` and ``resource_use_monthly``.

Means over the base replications. For bottlenecks and marginal values build on :func:`resource_use`, or on
:func:`zjsim.simulate.resources.read` for one value per replication (paired differences). ``capacity``, ``used`` and
``lost_work`` are in ``unit``; ``utilisation`` is the ratio of the sums over replications; ``mean_queue`` is the number
waiting, averaged over the year's time; ``mean_wait_days`` is waiting time per entity that got the resource or left in
the year; what a resource does not have (a queue has no capacity of its own) is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.simulate.resources import Array, Months, Resource, months_between, read
from zjsim.texts import text

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

USE_COLUMNS = (
    "process",
    "resource",
    "resource_zh",
    "resource_en",
    "place_code",
    "place_zh",
    "place_en",
    "year",
    "unit",
    "unit_zh",
    "replications",
    "capacity",
    "used",
    "utilisation",
    "mean_queue",
    "waiting_days",
    "mean_wait_days",
    "served",
    "left",
    "lost_work",
)
MONTHLY_COLUMNS = tuple(
    {"year": "month"}.get(c, c) for c in USE_COLUMNS if c not in ("place_code", "place_zh", "place_en")
)


def place_names(scenario: Any) -> dict[str, tuple[str, str]]:
    """Names of places, institutions, programmes, industries and classes of firms by code: Chinese, English."""
    names: dict[str, tuple[str, str]] = {
        "none": (text("simulation.no_industry", "zh"), text("simulation.no_industry", "en"))
    }
    for table, key in (
        ("cities", "city_code"),
        ("counties", "county_code"),
        ("universities", "moe_code"),
        ("programmes", "programme_id"),
        ("industries", "industry_id"),
        ("firm_classes", "firm_class"),
    ):
        rows = scenario.table(table)
        names |= {str(c): (z, e) for c, z, e in zip(rows[key], rows["name_zh"], rows["name_en"], strict=True)}
    return names


def resource_use(studies: Sequence[Study], names: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """A row per process, resource, place and year, with :data:`USE_COLUMNS`."""
    rows = []
    for study, resource, months in _resources(studies):
        measures = read(study.base, resource.resource_id)
        first_year = int(months.labels[0][:4])
        lengths = np.bincount(months.year, np.diff(months.edges))
        for p, place in enumerate(resource.places):
            for y, length in enumerate(lengths.tolist()):
                of_one = {name: values[:, p, y] for name, values in measures.items()}
                zh, en = names.get(place, (place, place))
                where = {"place_code": place, "place_zh": zh, "place_en": en, "year": first_year + y}
                rows.append(_words(study, resource) | where | _figures(of_one, length))
    return pd.DataFrame(rows, columns=list(USE_COLUMNS))


def resource_use_monthly(studies: Sequence[Study]) -> pd.DataFrame:
    """A row per process, resource and month, all places together, with :data:`MONTHLY_COLUMNS`."""
    rows = []
    for study, resource, months in _resources(studies):
        measures = read(study.base, resource.resource_id, monthly=True)
        for m, label in enumerate(months.labels):
            of_one = {name: values[:, m] for name, values in measures.items()}
            length = months.edges[m + 1] - months.edges[m]
            rows.append(_words(study, resource) | {"month": label} | _figures(of_one, length))
    return pd.DataFrame(rows, columns=list(MONTHLY_COLUMNS))


def _resources(studies: Sequence[Study]) -> Iterator[tuple[Study, Resource, Months]]:
    for study in studies:
        for resource in study.process.resources:
            yield study, resource, months_between(study.process.first_day, study.process.end)


def _words(study: Study, resource: Resource) -> dict[str, Any]:
    key = f"simulation.resource.{resource.resource_id}"
    return {
        "process": study.process.name,
        "resource": resource.resource_id,
        "resource_zh": text(key, "zh"),
        "resource_en": text(key, "en"),
        "unit": resource.unit,
        "unit_zh": text(f"unit.{resource.unit}", "zh"),
    }


def _figures(of_one: Mapping[str, Array], days: float) -> dict[str, Any]:
    """The figures of a resource at one place in one period of ``days``, from one value per replication."""
    mean = {name: float(values.mean()) for name, values in of_one.items()}
    known = [mean[name] for name in ("served", "left") if not np.isnan(mean[name])]
    through = fsum(known) if known else np.nan
    return {
        "replications": len(of_one["used"]),
        "capacity": mean["capacity"],
        "used": mean["used"],
        "utilisation": mean["used"] / mean["capacity"] if mean["capacity"] > 0 else np.nan,
        "mean_queue": mean["waiting"] / days,
        "waiting_days": mean["waiting"],
        "mean_wait_days": mean["waiting"] / through if through > 0 else np.nan,
        "served": mean["served"],
        "left": mean["left"],
        "lost_work": mean["lost"],
    }
