"""Re-check of the ledger of people from its tables and the registries alone: nobody works twice.

The time that members of teams, teachers and officers have is added up again from the registries and the plan's tables,
at the base values of all parameters. Promises are bounded from above (their exact days are not told again): posts by
the pace of appointments, visits by the number sent, research by the persons that the plan posts. Tolerance: 1e-6 of the
hours compared, and half an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding

ACTIVITIES = ("dual_appointments", "visiting_engineers", "platforms", "services", "training", "patents")
PLATFORM_KINDS = ("joint_platform", "branch_centre", "research_institute")
PERSONS_OF_A_PAIR = 2
LEDGER, SUMMARY = "people_ledger", "people_summary"
KEYS = ["moe_code", "year"]


def check(
    results: Mapping[str, pd.DataFrame],
    plan: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    parameters: Any,
) -> list[Finding]:
    """Every rule that the ledger of people breaks (M028, M031, M071, M013-M015, M034, M066, M035); empty when none.

    ``results`` holds ``people_ledger`` and ``people_summary``, ``plan`` its tables, ``tables`` the registries.
    """
    gone = [name for name in (LEDGER, SUMMARY) if name not in results]
    if gone:
        return [finding("table_missing", "people.audit.table_missing", item=name) for name in gone]
    ledger = results[LEDGER]
    found = list(_cells(ledger, tables, parameters))
    if found:
        return found
    hours = ledger.pivot(index=KEYS, columns="activity", values="allotted_hours")
    released = ledger.groupby(KEYS)["available_hours"].first()
    world = _World(plan, tables, parameters)
    return [
        *_use(ledger, world),
        *_sums(hours, released),
        *_own_time(hours, world),
        *_promises(hours, world),
        *_summary(ledger, results[SUMMARY]),
    ]


class _World:
    """Full-time hours of the years, heads by institution and base values, read from the registries."""

    def __init__(self, plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], parameters: Any) -> None:
        names = ("process_parameters", "service_parameters", "patent_parameters", "people_parameters")
        rows = [row for name in names for row in tables[name].to_dict("records")]
        rows += tables["location_parameters"].to_dict("records") if "location_parameters" in tables else []
        self.value = {str(r["parameter_id"]): float(r["mode"]) for r in rows}
        self.as_of: date = parameters.time.as_of
        self.end: date = parameters.time.horizon
        self.heads = dict(zip(*(tables["institution_staff"][c] for c in ("moe_code", "teachers")), strict=True))
        self.officers = dict(zip(*(tables["patents"][c] for c in ("moe_code", "transfer_staff")), strict=True))
        self.teams = dict(zip(*(tables["service_teams"][c] for c in ("moe_code", "teams")), strict=True))
        known = tables["training_providers"]
        self.trainers = known[known["moe_code"] != ""].groupby("moe_code")["full_time_teachers"].sum().to_dict()
        firms = tables["enterprises"]
        self.giants = firms.loc[firms["firm_class"] == "little_giant", "firms"]
        self.industries = _industries(plan, ("lead_assignments", "heritage_pairs"))
        self.supported = _industries(plan, ("support_assignments",))
        self.persons: Counter[str] = Counter()
        self.posted = self._posted(plan)

    def days(self, year: int, first: date | None = None) -> int:
        """Simulated days of a year, from ``first`` on."""
        begin: int = max(date(year, 1, 1).toordinal(), self.as_of.toordinal() + 1, first.toordinal() if first else 0)
        days: int = min(date(year, 12, 31), self.end).toordinal() - begin + 1
        return max(days, 0)

    def full_time(self, year: int, first: date | None = None) -> float:
        """Hours of one full-time person in the simulated part of a year."""
        return self.value["PE01"] * self.days(year, first) / 365.25

    def _posted(self, plan: Mapping[str, pd.DataFrame]) -> dict[str, list[tuple[date, float]]]:
        found: dict[str, list[tuple[date, float]]] = {}
        rows = plan["platform_plan"].to_dict("records") if "platform_plan" in plan else []
        for row in rows:
            if row["kind"] in PLATFORM_KINDS:
                chance = 1 - self.value[str(row["failure_parameter"])]
                persons = chance * PERSONS_OF_A_PAIR * float(row["staff"])
                opened = date.fromisoformat(row["open_date"])
                self.persons[str(row["moe_code"])] += PERSONS_OF_A_PAIR * int(row["staff"])
                if self.as_of < opened <= self.end:
                    found.setdefault(str(row["moe_code"]), []).append((opened, persons))
        return found


def _industries(plan: Mapping[str, pd.DataFrame], tables: Sequence[str]) -> dict[str, int]:
    """Industries that an institution is assigned by these tables of the plan, each counted once."""
    names = [name for name in tables if name in plan and len(plan[name])]
    if not names:
        return {}
    pairs = pd.concat([plan[name][["industry_id", "moe_code"]] for name in names]).drop_duplicates()
    return {str(k): int(n) for k, n in pairs["moe_code"].value_counts().items()}


def _cells(ledger: pd.DataFrame, tables: Mapping[str, pd.DataFrame], parameters: Any) -> Iterator[Finding]:
    """Every institution has every activity in every simulated year once, with hours that are not below zero."""
    first = parameters.time.as_of.toordinal() + 1
    years = range(date.fromordinal(first).year, parameters.time.horizon.year + 1)
    cells = zip(*(ledger[name] for name in (*KEYS, "activity")), strict=True)
    told = Counter((str(code), int(year), str(activity)) for code, year, activity in cells)
    wanted = {(str(c), y, a) for c in tables["institution_staff"]["moe_code"] for y in years for a in ACTIVITIES}
    for code, year, activity in sorted(wanted ^ set(told) | {k for k, n in told.items() if n > 1}):
        yield finding("cell", "people.audit.cell_missing", moe_code=code, year=year, activity=activity)
    for row in ledger[ledger["allotted_hours"] < -0.5].to_dict("records"):
        where = {name: row[name] for name in (*KEYS, "activity")}
        yield finding("negative", "people.audit.negative", **where, hours=_said(row["allotted_hours"]))


def _use(ledger: pd.DataFrame, world: _World) -> Iterator[Finding]:
    """In no replication more hours are used than allotted.

    Hours to teach are an account of the calendar year (M066): where the as-of date lies within a year, what its earlier
    months left is still there, so its rest may use up to the whole year's allotment.
    """
    for row in ledger[ledger["used_hours_most"].notna()].to_dict("records"):
        most = row["allotted_hours"]
        if row["activity"] == "training":
            year = date(int(row["year"]), 12, 31)
            most *= year.timetuple().tm_yday / max(world.days(year.year), 1)
        if _above(row["used_hours_most"], most):
            where = {name: row[name] for name in (*KEYS, "activity")}
            said = {"used": _said(row["used_hours_most"]), "allotted": _said(most)}
            yield finding("overused", "people.audit.overused", **where, **said)


def _sums(hours: pd.DataFrame, released: pd.Series) -> Iterator[Finding]:
    """The activities of an institution and year together take no more than is released: nobody works twice."""
    for (code, year), total in _by_key(hours.sum(axis=1)):
        if _above(total, released[code, year]):
            said = {"allotted": _said(total), "available": _said(released[code, year])}
            yield finding("twice", "people.audit.twice", moe_code=code, year=year, **said)


def _own_time(hours: pd.DataFrame, world: _World) -> Iterator[Finding]:
    """Nobody gives time that he does not have: members of teams, teachers who train, all teachers, officers."""
    v = world.value
    rows = hours.to_dict("index")
    for (code, year), row in ((key, rows[key]) for key, _ in _by_key(hours["services"])):
        where = {"moe_code": code, "year": year}
        full = world.full_time(year)
        assigned = world.industries.get(code, 0) + v["SP26"] * world.supported.get(code, 0)
        own = world.teams.get(code, 0) * v["PP28"] * v["SP04"] * (1 + v["SP13"] * assigned) * full
        own += sum(persons * v["PE04"] * world.full_time(year, day) for day, persons in world.posted.get(code, []))
        taught = world.trainers.get(code, 0) * v["PP09"] * full
        outside = world.heads[code] * v["PE02"] * full
        officers = world.officers.get(code, 0) * v["TP09"] * full
        firms = row["dual_appointments"] + row["platforms"] + row["services"]
        trained = row["training"] + row["visiting_engineers"]
        for rule, total, most in (
            ("enterprise_time", firms, own),
            ("training_time", trained, taught),
            ("outside_time", firms + trained, outside),
        ):
            if _above(total, most):
                yield finding(rule, f"people.audit.{rule}", **where, allotted=_said(total), most=_said(most))
        if _above(row["patents"], officers) or _above(officers, row["patents"]):
            said = {"allotted": _said(row["patents"]), "wanted": _said(officers)}
            yield finding("patent_time", "people.audit.patent_time", **where, **said)


def _promises(hours: pd.DataFrame, world: _World) -> Iterator[Finding]:
    """Promised time is no more than what is promised: posts, visits, and research of those whom the plan posts."""
    v = world.value
    by_year = hours.groupby(level="year").sum()
    for year in sorted(set(by_year.index)):
        row, full = by_year.loc[year], world.full_time(int(year))
        held = sum(int(giants * v["SP16"] / 100 * v["PP29"] / 12) + 1 for giants in world.giants)
        for rule, total, most in (
            ("posts", row["dual_appointments"], held * v["PE03"] * full),
            ("visits", row["visiting_engineers"], v["PE06"] * v["PE07"] / 12 * full),
        ):
            if _above(total, most):
                yield finding(rule, f"people.audit.{rule}", year=year, allotted=_said(total), most=_said(most))
    for code, persons in sorted(world.persons.items()):
        members = world.teams.get(code, 0) * v["PP28"]
        if persons > members + 1e-9:
            yield finding(
                "posted", "people.audit.posted", moe_code=code, persons=f"{persons:g}", members=f"{members:g}"
            )
    time = (v["SP04"] + v["PE04"]) * (1 - v["PE05"])
    for (code, year), total in _by_key(hours["platforms"]):
        most = sum(persons * time * world.full_time(year, day) for day, persons in world.posted.get(code, []))
        if _above(total, most):
            said = {"allotted": _said(total), "most": _said(most)}
            yield finding("research", "people.audit.research", moe_code=code, year=year, **said)


def _summary(ledger: pd.DataFrame, summary: pd.DataFrame) -> Iterator[Finding]:
    """The summary is the sum of the ledger, by class and in all."""
    keys = ["year", "staff_class", "activity"]
    both = pd.concat([ledger, ledger.assign(staff_class="province")])
    sums = both.groupby(keys)["allotted_hours"].sum()
    told = summary[summary["activity"].isin(ACTIVITIES)].set_index(keys)["allotted_hours"]
    for key in sorted(set(sums.index) | set(told.index)):
        of_ledger, of_summary = float(sums.get(key, 0.0)), float(told.get(key, 0.0))
        if _above(of_ledger, of_summary) or _above(of_summary, of_ledger):
            said = {"told": _said(of_summary), "summed": _said(of_ledger)}
            yield finding("summary", "people.audit.summary", **dict(zip(keys, key, strict=True)), **said)


def _by_key(values: pd.Series) -> list[tuple[tuple[str, int], float]]:
    """The values of a series by institution and year."""
    pairs = zip(values.index.tolist(), values.tolist(), strict=True)
    return [((str(code), int(year)), float(value)) for (code, year), value in pairs]


def _above(more: float, less: float) -> bool:
    return float(more) > float(less) * (1 + 1e-6) + 0.5


def _said(hours: float) -> str:
    return f"{float(hours):,.0f}"
