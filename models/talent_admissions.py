"""Who really begins to study: the plan's admissions met by applicants, case of demand and take-up (M040, M043).

Every programme group admits what is planned, cut by applicants where there are fewer than places, by those who do not
register, and moved a little by the institution:

    admitted[g, t] = planned[g, t, case] · min(1, applicants[g, t]) · take_up[field] · (1 + deviation[g, t]).

Applicants per place differ between groups, swing between 理工农医 and other fields from year to year, and follow
demand: times (demand of the case ÷ most likely demand) ^ elasticity. The case is drawn once per replication; later
admissions of the plan follow it. Without a plan every group admits what it has announced.

Admissions that are over at the as-of date are not simulated: the registry ``actuals`` tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from zjsim.models.process_tools import Floats, ParameterSet, parameter_set

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.simulate.inputs import UncertainInput, Values
    from zjsim.simulate.streams import Streams

PROCESS = "talent"
OUTCOMES: dict[str, tuple[str, str]] = {
    "stem_share_admissions": ("level", "share"),
    "stem_share_admissions_all_levels": ("level", "share"),
    "stem_share_enrolment": ("level", "share"),
}
TAKE_UP_FIELDS, TAKE_UP_OTHER, DEVIATION = "TL13", "TL14", "TL15"
APPLICANTS_FIELDS, APPLICANTS_OTHER, SWING, ELASTICITY = "TL21", "TL22", "TL23", "TL24"
USED = (TAKE_UP_FIELDS, TAKE_UP_OTHER, DEVIATION, APPLICANTS_FIELDS, APPLICANTS_OTHER, SWING, ELASTICITY)
KEY = ["host_id", "level", "class_id", "pathway"]


@dataclass(frozen=True, slots=True)
class Admissions:
    """What is planned and how it may come about; ``years`` are those whose admission is still ahead.

    ``planned`` students by (group, year, case), ``demand`` ratio to the most likely one by (group, year, case),
    ``history`` students admitted a year before, ``duration`` years, ``keep`` share that stays each year, ``of_field``,
    ``counted`` and ``with_vocational`` by group; ``chance`` by case.
    """

    years: tuple[int, ...]
    as_of: Any
    planned: Floats
    demand: Floats
    history: Floats
    duration: NDArray[np.int64]
    keep: Floats
    of_field: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    with_vocational: NDArray[np.bool_]
    chance: Floats
    parameters: ParameterSet


def admissions_data(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> Admissions:
    """Read what the groups plan (``talent_intake`` of ``plan``; else what they announced) and what demand may do."""
    from zjsim.models.talent_data import COUNTED, first_admission

    time = scenario.parameters.time
    groups = scenario.table("programme_groups").sort_values(KEY, ignore_index=True)
    years = tuple(range(first_admission(time.as_of), time.horizon.year + 1))
    rows = scenario.table("demand_cases")
    cases = rows.groupby("case_id")["probability"].first().sort_index()
    announced = groups["intake_announced"].to_numpy(dtype=np.float64)
    planned = np.repeat(announced, len(years) * len(cases)).reshape(len(groups), len(years), len(cases))
    if "talent_intake" in plan:
        intake = plan["talent_intake"].set_index([*KEY, "year", "case_id"])["intake"]
        known = list(groups[KEY].itertuples(index=False, name=None))
        wanted = [(*g, t, c) for g in known for t in years for c in cases.index]
        planned = intake.reindex(wanted).to_numpy(dtype=np.float64).reshape(planned.shape)
    fields = groups["class_id"].map(scenario.table("programme_classes").set_index("class_id")["field"])
    return Admissions(
        years=years,
        as_of=time.as_of,
        planned=planned,
        demand=demand_ratio(scenario, groups, years, tuple(cases.index)),
        history=groups["intake"].to_numpy(dtype=np.float64),
        duration=groups["duration_years"].to_numpy(dtype=np.int64),
        keep=1 - groups["dropout_per_year"].to_numpy(dtype=np.float64),
        of_field=(fields != "other").to_numpy(),
        counted=groups["level"].isin(COUNTED).to_numpy(),
        with_vocational=groups["level"].isin((*COUNTED, "higher_vocational")).to_numpy(),
        chance=cases.to_numpy(dtype=np.float64),
        parameters=parameter_set([scenario.table("talent_parameters")], USED),
    )


def demand_ratio(scenario: Any, groups: pd.DataFrame, years: tuple[int, ...], cases: tuple[str, ...]) -> Floats:
    """Demand of each case over the most likely one for what a group teaches, by (group, year, case); 1 without demand.

    A group looks at the sectors its class is relevant to, at its level, each by relevance squared.
    """
    rows = scenario.table("graduate_demand").merge(scenario.table("demand_cases"), on="sector_id")
    wide = (rows["high"] - rows["mode"]) * rows["position"].clip(lower=0) - (rows["mode"] - rows["low"]) * (
        -rows["position"]
    ).clip(lower=0)
    rows = rows.assign(case=rows["mode"] + wide)
    rows = rows.merge(scenario.table("programme_relevance")[["class_id", "sector_id", "relevance"]], on="sector_id")
    weight = rows["relevance"] ** 2
    rows = rows.assign(case=rows["case"] * weight, mode=rows["mode"] * weight)
    summed = rows.groupby(["class_id", "level", "year", "case_id"])[["case", "mode"]].sum()
    ratio = (summed["case"] / summed["mode"]).where(summed["mode"] > 0, 1.0)
    wanted = [
        (k, level, t, c)
        for k, level in zip(groups["class_id"], groups["level"], strict=True)
        for t in years
        for c in cases
    ]
    found = ratio.reindex(wanted).fillna(1.0).to_numpy(dtype=np.float64)
    return np.asarray(found.reshape(len(groups), len(years), len(cases)))


def uncertain_inputs(data: Admissions) -> tuple[UncertainInput, ...]:
    """Every number of this process that no public document settles."""
    return data.parameters.uncertain()


def simulate_admissions(data: Admissions, values: Values, streams: Streams) -> dict[str, Floats]:
    """One replication: :data:`OUTCOMES` by year whose admission is still ahead."""
    admitted = admitted_students(data, values, streams)
    return {
        "stem_share_admissions": _share(admitted, data.of_field, data.counted),
        "stem_share_admissions_all_levels": _share(admitted, data.of_field, data.with_vocational),
        "stem_share_enrolment": _share(enrolment(data, admitted), data.of_field, data.counted),
    }


def admitted_students(data: Admissions, values: Values, streams: Streams) -> Floats:
    """Students who begin, by (group, year)."""
    p, n = data.parameters, len(data.history)
    drawn = streams.uniforms(PROCESS, "province", "all", 1, "case")[0]
    case = min(int(np.searchsorted(np.cumsum(data.chance), drawn, side="right")), len(data.chance) - 1)
    u = streams.uniforms(PROCESS, "groups", "all", n, "applicants")
    ids = (APPLICANTS_FIELDS, APPLICANTS_OTHER)
    per_place = np.where(data.of_field, *(p.draw(i, values, u) for i in ids))
    found = np.empty((n, len(data.years)))
    for y, year in enumerate(data.years):
        swing = p.value(SWING, values) * streams.generator(PROCESS, "province", year, "swing").standard_normal()
        follows = data.demand[:, y, case] ** p.value(ELASTICITY, values)
        applicants = per_place * np.exp(np.where(data.of_field, swing / 2, -swing / 2)) * follows
        u = streams.uniforms(PROCESS, "groups", year, n, "take-up")
        taken = np.where(data.of_field, *(p.draw(i, values, u) for i in (TAKE_UP_FIELDS, TAKE_UP_OTHER)))
        own = streams.generator(PROCESS, "groups", year, "deviation").standard_normal(n) * p.value(DEVIATION, values)
        met = np.minimum(1.0, applicants) * np.minimum(1.0, taken) * np.maximum(0.0, 1 + own)
        found[:, y] = data.planned[:, y, case] * met
    return found


def enrolment(data: Admissions, admitted: Floats) -> Floats:
    """Students in stock in the autumn of each year, by (group, year): cohorts of before at the intake of late."""
    found = np.zeros_like(admitted)
    for y in range(admitted.shape[1]):
        for k in range(int(data.duration.max())):
            cohort = admitted[:, y - k] if k <= y else data.history
            found[:, y] += np.where(k < data.duration, data.keep**k * cohort, 0.0)
    return found


def _share(students: Floats, of_field: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Floats:
    whole = students[counted].sum(axis=0)
    inside = students[counted & of_field].sum(axis=0)
    return np.asarray(np.divide(inside, whole, out=np.zeros_like(whole), where=whole > 0))
