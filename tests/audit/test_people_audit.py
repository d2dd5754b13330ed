"""The audit of the ledger of people: silent on what the ledger gives, and told of everybody who works twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models import people as ledger_of_people
from zjsim.models.location_tables import PLAN_COLUMNS
from zjsim.models.people import ACTIVITIES, People, people_data
from zjsim.models.people_path import NOTHING
from zjsim.models.people_tables import people_ledger, people_summary

import zjsim
from zjsim.audit import audit_outcomes
from zjsim.audit.finding import Finding

LEADS = pd.DataFrame({"industry_id": ["C01", "C02", "H01"], "moe_code": ["10335", "10335", "10337"]})


def platform(code: str, day: str, pairs: int) -> dict[str, Any]:
    """A joint platform of ``pairs`` pairs of persons."""
    return {
        "opening_id": f"{code}/{day}", "kind": "joint_platform", "start_date": "2025-01-05", "open_date": day,
        "moe_code": code, "city_code": "330100", "county_code": "330106", "staff": pairs, "rooms": 0,
        "failure_parameter": "PP56",
    }  # fmt: skip


PLATFORMS = pd.DataFrame(
    [platform("10335", "2025-06-01", 9), platform("10337", "2026-02-01", 4)], columns=list(PLAN_COLUMNS)
)
PLAN = {"lead_assignments": LEADS, "platform_plan": PLATFORMS}


@pytest.fixture(scope="module")
def scenario() -> Any:
    return zjsim.load("baseline")


@pytest.fixture(scope="module")
def people(scenario: Any) -> People:
    return people_data(scenario, PLAN)


def audited(scenario: Any, people: People, **tables: pd.DataFrame) -> list[Finding]:
    results = {"people_ledger": people_ledger(people, [], {}), "people_summary": people_summary(people, [])} | tables
    return audit_outcomes(results, PLAN, scenario.tables, scenario.parameters)


def rules(found: list[Finding]) -> set[str]:
    return {f.rule for f in found}


def test_the_ledger_of_the_baseline_passes(scenario: Any, people: People) -> None:
    assert audited(scenario, people) == []
    assert audited(scenario, replace(people, platforms=())) == []


def test_a_post_counted_twice_is_told(scenario: Any, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation: services are not told that their people hold posts in firms."""
    real = ledger_of_people.minus

    def forgotten(steps: Any) -> Any:
        taken = real(steps)
        return NOTHING if len(steps[0]) > len(people.platforms) else taken

    monkeypatch.setattr(ledger_of_people, "minus", forgotten)
    found = audited(scenario, people)
    assert {"twice", "enterprise_time"} <= rules(found)
    assert all(f.zh and f.en for f in found)


def test_research_counted_twice_is_told(scenario: Any, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation: who does research on a platform is at the desk as well."""
    real = ledger_of_people.minus

    def forgotten(steps: Any) -> Any:
        return NOTHING if len(steps[0]) == len(people.platforms) else real(steps)

    monkeypatch.setattr(ledger_of_people, "minus", forgotten)
    twice = [f for f in audited(scenario, people) if f.rule == "twice"]
    assert twice
    assert all("10335" in f.en or "10337" in f.en for f in twice)


def test_visitors_who_teach_as_well_are_told(scenario: Any, people: People) -> None:
    table = people_ledger(people, [], {})
    visits = table[table["activity"] == "visiting_engineers"].set_index(["year", "moe_code"])["allotted_hours"]
    at = table["activity"] == "training"
    keys = list(zip(table.loc[at, "year"], table.loc[at, "moe_code"], strict=True))
    table.loc[at, "allotted_hours"] += visits.loc[keys].to_numpy()
    assert {"twice", "training_time", "summary"} == rules(audited(scenario, people, people_ledger=table))


@pytest.mark.parametrize(
    ("activity", "rule"),
    [("dual_appointments", "posts"), ("visiting_engineers", "visits"), ("platforms", "research"),
     ("patents", "patent_time"), ("services", "enterprise_time"), ("training", "training_time")],
)  # fmt: skip
def test_more_hours_than_there_are_people_for(scenario: Any, people: People, activity: str, rule: str) -> None:
    table = people_ledger(people, [], {})
    table.loc[table["activity"] == activity, "allotted_hours"] *= 1.2
    table["available_hours"] *= 10
    assert rule in rules(audited(scenario, people, people_ledger=table))


def test_teachers_beyond_their_limit_are_told(scenario: Any, people: People) -> None:
    tables = dict(scenario.tables)
    limits = tables["people_parameters"].copy()
    limits.loc[limits["parameter_id"] == "PE02", "mode"] = 0.05
    results = {"people_ledger": people_ledger(people, [], {}), "people_summary": people_summary(people, [])}
    found = audit_outcomes(results, PLAN, {**tables, "people_parameters": limits}, scenario.parameters)
    assert rules(found) == {"outside_time"}


def test_more_persons_posted_than_there_are_are_told(scenario: Any) -> None:
    crowd = pd.DataFrame([platform("16408", "2026-03-01", 9)], columns=list(PLAN_COLUMNS))
    people = people_data(scenario, {"platform_plan": crowd})
    results = {"people_ledger": people_ledger(people, [], {}), "people_summary": people_summary(people, [])}
    found = audit_outcomes(results, {"platform_plan": crowd}, scenario.tables, scenario.parameters)
    assert rules(found) == {"posted"}, "their research is cut to what is there"


def test_an_as_of_date_within_a_year_counts_its_rest() -> None:
    later = zjsim.load("mid_course")
    people = people_data(later, {})
    results = {"people_ledger": people_ledger(people, [], {}), "people_summary": people_summary(people, [])}
    assert audit_outcomes(results, {}, later.tables, later.parameters) == []
    ledger = results["people_ledger"]
    at = (ledger["activity"] == "training") & (ledger["year"] == 2026)
    ledger.loc[at, "used_hours_most"] = ledger.loc[at, "allotted_hours"] * 365 / 92
    assert audit_outcomes(results, {}, later.tables, later.parameters) == [], "what the year's first months left"
    ledger.loc[at, "used_hours_most"] *= 1.01
    assert rules(audit_outcomes(results, {}, later.tables, later.parameters)) == {"overused"}
    hours = ledger.groupby("year")["working_hours"].sum()
    assert hours[2026] / hours[2027] == pytest.approx(92 / 365)


def test_hours_used_beyond_those_allotted_are_told(scenario: Any, people: People) -> None:
    table = people_ledger(people, [], {})
    promised = table["activity"].isin(["dual_appointments", "visiting_engineers", "platforms"])
    assert (table.loc[promised, "used_hours_most"] == table.loc[promised, "allotted_hours"]).all()
    row = table.index[table["activity"] == "services"][0]
    table.loc[row, "used_hours_most"] = table.loc[row, "allotted_hours"] + 1.0
    assert rules(audited(scenario, people, people_ledger=table)) == {"overused"}


def test_missing_and_doubled_cells_and_tables_are_told(scenario: Any, people: People) -> None:
    table = people_ledger(people, [], {})
    assert rules(audited(scenario, people, people_ledger=table.drop(index=[5]))) == {"cell"}
    assert rules(audited(scenario, people, people_ledger=pd.concat([table, table.head(1)]))) == {"cell"}
    negative = table.copy()
    negative.loc[3, "allotted_hours"] = -4.0
    assert rules(audited(scenario, people, people_ledger=negative)) == {"negative"}
    assert rules(audit_outcomes({}, PLAN, scenario.tables, scenario.parameters)) == {"table_missing"}


def test_the_summary_adds_up_with_what_nobody_gets(people: People) -> None:
    summary, base = people_summary(people, []), people.allot({})
    province = summary[summary["staff_class"] == "province"]
    for y, year in enumerate(people.years):
        rows = province[province["year"] == year]
        assert rows["allotted_hours"].sum() == pytest.approx(base.available[:, y].sum())
        assert rows["allotted_share"].sum() == pytest.approx(1)
        assert len(rows) == len(ACTIVITIES) + 1
    classes = summary[summary["staff_class"] != "province"]
    assert classes["allotted_hours"].sum() == pytest.approx(province["allotted_hours"].sum())
    assert np.isnan(summary.loc[summary["activity"] == "training", "used_hours"]).all(), "nobody told of it here"
