"""Training by provider and year: ``training_by_provider``, whose means add up to the province's (M003, M067, M123).

Every class is counted where it is taught, its room hours where it meets (a practice centre perhaps). People who left
are counted where they waited. What no provider has part in is a row of its own at the end of each year: online
learners, and actual values of the part of a year before the as-of date. Of utilisation the ratio of sums is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.training_data import TrainingData
from zjsim.models.training_supply import Provider

from zjsim.simulate.statistics import quantiles
from zjsim.texts import text

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

TRAINING = "training"
PERSONS = ("person_times_all", "person_times_social", "person_times_strict", "person_hours", "completed", "lost")
SHARES = {
    "trainer_share_used": "trainer_hours",
    "dual_share_used": "dual_hours",
    "room_share_used": "room_hours",
    "evening_share_used": "evening_hours",
}
"""Column of utilisation → the hours used, whose offer is ``<hours>_offered``."""

PROVIDER_COLUMNS = (
    *("process", "year", "provider_id", "provider_zh", "provider_en", "level", "level_zh", "level_en"),
    *("city_code", "city_zh", "city_en", "moe_code"),
    *("classes_started", "person_times_all", "p05", "p95", *PERSONS[1:], "mean_wait_days"),
    *("trainer_hours_offered", "trainer_hours_used", *SHARES, "hours_of_ledger", "name_basis", "replications"),
)


_NOWHERE = ("level", "level_zh", "level_en", "city_code", "city_zh", "city_en", "moe_code", "name_basis")


def training_by_provider(studies: Sequence[Study], scenario: Any) -> pd.DataFrame:
    """A row per simulated year and provider, by city, with :data:`PROVIDER_COLUMNS`; empty without training.

    ``p05`` and ``p95`` are those of ``person_times_all`` over the base replications; everything else is a mean.
    ``hours_of_ledger``: whether the people ledger allots the provider's hours.
    """
    study = next((s for s in studies if s.process.name == TRAINING and isinstance(s.process.data, TrainingData)), None)
    if study is None or "by_provider/training_classes_started" not in study.base:
        return pd.DataFrame(columns=list(PROVIDER_COLUMNS))
    data: TrainingData = study.process.data
    registry = scenario.table("training_providers").set_index("provider_id")
    names = registry[["name_zh", "name_en", "name_basis"]].to_dict("index")
    cities = scenario.table("cities").set_index("city_code")[["name_zh", "name_en"]].to_dict("index")
    of = {k.removeprefix("by_provider/"): v for k, v in study.base.items() if k.startswith("by_provider/")}
    rows = []
    for y, year in enumerate(data.years):
        for k, (city, provider) in enumerate(data.providers):
            there = {"city_code": city, **{f"city_{lang}": cities[city][f"name_{lang}"] for lang in ("zh", "en")}}
            one = {name: values[:, k, y] for name, values in of.items()}
            rows.append({"process": TRAINING, "year": year, **_named(provider, names), **there, **_figures(one)})
        rows += list(_nobody(study, of, year, y))
    return pd.DataFrame(rows, columns=list(PROVIDER_COLUMNS))


def _named(provider: Provider, names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Codes and names of a provider; one that a plan opens is called by its kind and the id of its opening."""
    own = names.get(provider.provider_id)
    said = {lang: text(f"simulation.provider_level.{provider.level}", lang) for lang in ("zh", "en")}
    return {
        "provider_id": provider.provider_id,
        "provider_zh": own["name_zh"] if own else f"{said['zh']} {provider.provider_id}",
        "provider_en": (own["name_en"] or own["name_zh"]) if own else f"{said['en']} {provider.provider_id}",
        "level": provider.level,
        "level_zh": said["zh"],
        "level_en": said["en"],
        "moe_code": provider.moe_code,
        "name_basis": own["name_basis"] if own else "",
        "hours_of_ledger": provider.institution >= 0,
    }


def _figures(one: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    """The figures of a provider in a year, from one value per replication."""
    mean = {name: float(values.mean()) for name, values in one.items()}
    p05, p95 = quantiles(one["training_person_times_all"], (0.05, 0.95))
    started = mean["training_classes_started"]
    return {
        "classes_started": started,
        **{name: mean[f"training_{name}"] for name in PERSONS},
        "p05": p05,
        "p95": p95,
        "mean_wait_days": mean["wait_days"] / started if started > 0 else np.nan,
        "trainer_hours_offered": mean["trainer_hours_offered"],
        "trainer_hours_used": mean["trainer_hours"],
        **{column: _ratio(mean[hours], mean[f"{hours}_offered"]) for column, hours in SHARES.items()},
        "replications": len(one["wait_days"]),
    }


def _ratio(used: float, offered: float) -> float:
    return used / offered if offered > 0 else float("nan")


def _nobody(study: Study, of: Mapping[str, np.ndarray[Any, Any]], year: int, y: int) -> Iterator[dict[str, Any]]:
    """What the province has beyond the sum of its providers."""
    at = study.process.years.index(year)
    rest = {}
    for name in PERSONS:
        whole = study.base[f"training_{name}"][:, at]
        rest[name] = whole - of[f"training_{name}"][:, :, y].sum(axis=1)
    if np.isnan(rest["person_times_all"]).any():
        return
    p05, p95 = quantiles(rest["person_times_all"], (0.05, 0.95))
    words = {f"provider_{lang}": text("simulation.no_provider", lang) for lang in ("zh", "en")}
    yield {
        "process": TRAINING,
        "year": year,
        "provider_id": "",
        **words,
        **dict.fromkeys(_NOWHERE, ""),
        **{name: float(values.mean()) for name, values in rest.items()},
        "p05": p05,
        "p95": p95,
        "hours_of_ledger": False,
        "replications": len(rest["person_times_all"]),
    }
