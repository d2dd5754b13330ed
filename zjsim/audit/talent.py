"""Re-check of talent supply from the exported tables and the registries alone.

Cohorts are followed again from the intake of late, limits are added up again. Amounts are exported to six decimals;
sums of them may differ by :data:`CLOSE` students, teachers or graduates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding

TABLES = (*("talent_intake", "talent_teachers", "talent_places", "talent_market", "talent_supply", "talent_hours"),)
CLOSE = 1e-3
COHORT = 5e-6
"""What a sum of four amounts to six decimals may miss."""
COUNTED = ("undergraduate", "master", "doctoral")
_KEY = ["host_id", "level", "class_id", "pathway"]


def check(plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], parameters: Any) -> list[Finding]:
    """Every rule that the tables of talent supply break; empty when none, and when ``plan`` holds none of them."""
    if not any(name in plan for name in TABLES):
        return []
    gone = [name for name in TABLES if name not in plan]
    if gone:
        return [_at("table_missing", name) for name in gone]
    p = parameters.talent
    as_of = parameters.time.as_of
    start = as_of.year + 1 if as_of >= date(as_of.year, 9, 1) else as_of.year
    first = start + p.lead_cycles
    rows, groups = plan["talent_intake"], tables["programme_groups"]
    known = set(groups[_KEY].itertuples(index=False, name=None))
    given = set(rows[_KEY].drop_duplicates().itertuples(index=False, name=None))
    found = [_at("unknown_group", " ".join(g)) for g in sorted(given - known)]
    found += [_at("group_missing", " ".join(g)) for g in sorted(known - given)]
    if found:
        return found
    joined = rows.merge(groups[[*_KEY, "duration_years", "dropout_per_year", "intake", "intake_announced", "may_open",
                                "may_close", "years_elsewhere"]], on=_KEY, suffixes=("", "_of_late"))  # fmt: skip
    found += _cohorts(joined, start, first)
    found += _changes(joined, first, p)
    found += _orders(rows, tables["order_classes"], first)
    found += _totals(rows, tables, first, p)
    found += _resources(plan, joined, tables, p, start)
    found += _market(plan, joined, tables)
    return found


def _cohorts(joined: pd.DataFrame, start: int, first: int) -> Iterator[Finding]:
    """intake - dropout - graduates = change of stock; both follow from earlier intakes; one first admission for all."""
    cohorts: Any = joined.sort_values("year").groupby([*_KEY, "case_id"], sort=True)
    for (*key, case), part in cohorts:
        item = f"{' '.join(key)} ({case})"
        late, keep = float(part["intake_of_late"].iloc[0]), 1 - float(part["dropout_per_year"].iloc[0])
        years = int(part["duration_years"].iloc[0])
        if (part["intake"] < -CLOSE).any():
            yield _at("negative", item)
        admitted = dict(zip(part["year"], part["intake"], strict=True))
        before = sum(late * keep**k for k in range(years))
        for year, intake, lost, out, stock in zip(
            part["year"], part["intake"], part["dropout"], part["graduates"], part["stock"], strict=True
        ):
            if abs(before + intake - lost - out - stock) > COHORT:
                yield _at("cohort", f"{item} {year}", value=f"{before + intake - lost - out - stock:.6f}")
            leavers = sum((keep ** (k - 1) - keep**k) * admitted.get(year - k, late) for k in range(1, years + 1))
            done = keep**years * admitted.get(year - years, late)
            if abs(leavers - lost) > CLOSE or abs(done - out) > CLOSE:
                yield _at("cohort_follows", f"{item} {year}", value=f"{done - out:.3f}")
            before = stock
        settled = part[(part["year"] >= start) & (part["year"] < first)]
        if (settled["intake"] - settled["intake_announced"]).abs().max() > CLOSE:
            yield _at("announced", item)
    now = joined[joined["year"] == first].groupby(_KEY)["intake"]
    spreads: Any = (now.max() - now.min()).items()
    for group, spread in spreads:
        if spread > CLOSE:
            yield _at("same_in_every_case", " ".join(group), value=f"{spread:.3f}")


def _changes(joined: pd.DataFrame, first: int, p: Any) -> Iterator[Finding]:
    """Change within its limit; a new group between its least size and its cap; a small one closed for good or not."""
    rows = joined[joined["year"] >= first]
    most = (rows["intake_announced"] * p.yearly_change).clip(lower=p.least_step) * p.lead_factor
    deciding = rows["year"] == first
    most += (rows["may_open"] & deciding) * p.opening_cap + (rows["may_close"] & deciding) * rows["intake_announced"]
    for r in rows[rows["change"].abs() > most + CLOSE].to_dict("records"):
        yield _at("yearly_change", _row(r), value=f"{r['change']:.1f}")
    alive = rows[(rows["may_open"] | rows["may_close"]) & (rows["intake"] > CLOSE)]
    low = alive["intake"] < p.minimum_size - CLOSE
    high = alive["may_open"] & (alive["intake"] > p.opening_cap + CLOSE)
    for r in alive[low | high].to_dict("records"):
        yield _at("group_size", _row(r), value=f"{r['intake']:.1f}")
    new = rows[rows["may_open"] & (rows["intake"] > CLOSE)].drop_duplicates(_KEY)
    for host, count in new.groupby("host_id").size().items():
        if count > p.openings_per_host:
            yield _at("openings_per_host", str(host), value=count)


def _orders(rows: pd.DataFrame, orders: pd.DataFrame, first: int) -> Iterator[Finding]:
    seats = orders.merge(rows, on=_KEY)
    seats = seats[(seats["year"] >= seats["first_year"]) & (seats["year"] >= first)]
    both = seats.groupby([*_KEY, "year", "case_id"]).agg(seats=("seats", "sum"), intake=("intake", "first"))
    for r in both[both["intake"] < both["seats"] - CLOSE].reset_index().to_dict("records"):
        yield _at("order_class", _row(r), value=f"{r['intake']:.1f}")


def _totals(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame], first: int, p: Any) -> Iterator[Finding]:
    """The first decided total of each level, and the share of the fields, which never falls."""
    announced = tables["programme_groups"].groupby("level")["intake_announced"].sum()
    by_level: Any = rows.groupby(["level", "year", "case_id"])["intake"].sum().items()
    for (level, year, case), amount in by_level:
        wanted = announced[level] * (1 + getattr(p, f"growth_{level}"))
        if year == first and abs(amount - wanted) > CLOSE * 10:
            yield _at("total_of_level", f"{level} {year} ({case})", value=f"{amount:.1f}")
    if not p.share_not_falling:
        return
    field = tables["programme_classes"].set_index("class_id")["field"]
    counted = rows[rows["level"].isin(COUNTED)]
    inside = counted["intake"].where(counted["class_id"].map(field) != "other", 0.0)
    keys = [counted["case_id"], counted["year"]]
    share = inside.groupby(keys).sum() / counted["intake"].groupby(keys).sum()
    for case, part in share.groupby(level=0):
        falls: Any = part.diff().items()
        for (_, year), fall in falls:
            if fall < -1e-7:
                yield _at("share_falls", f"{year} ({case!s})", value=f"{fall:.6f}")


def _resources(
    plan: Mapping[str, pd.DataFrame], joined: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any, start: int
) -> Iterator[Finding]:
    """Teachers and places are enough; what is hired and begun keeps its limits; students of a host added up again."""
    teachers, places, groups = plan["talent_teachers"], plan["talent_places"], tables["programme_groups"]
    for r in teachers[teachers["needed"] > teachers["teachers"] + CLOSE].to_dict("records"):
        yield _at(
            "teachers", f"{r['host_id']} {r['class_id']} {r['year']} ({r['case_id']})", value=f"{r['needed']:.2f}"
        )
    for r in places[places["students"] > places["places"] + CLOSE * 10].to_dict("records"):
        yield _at("places", f"{r['host_id']} {r['year']} ({r['case_id']})", value=f"{r['students']:.1f}")
    one = teachers[teachers["case_id"] == teachers["case_id"].min()]
    yield from _staff(one, plan["talent_hours"], groups)
    hired = one.groupby(["host_id", "year"])["hired"].sum()
    staff, room = groups.groupby("host_id")["teachers"].sum(), groups.groupby("host_id")["places"].sum()
    by_host: Any = hired.items()
    for (host, year), n in by_host:
        if n > p.hire_share * staff[host] + CLOSE:
            yield _at("hiring", f"{host} {year}", value=f"{n:.2f}")
    for r in places[places["places_begun"] > p.build_share * places["host_id"].map(room) + CLOSE].to_dict("records"):
        yield _at("building", f"{r['host_id']} {r['year']}", value=f"{r['places_begun']:.1f}")
    present: dict[tuple[str, int, str], float] = {}
    cohorts: Any = joined.groupby([*_KEY, "case_id"])
    for (*key, case), part in cohorts:
        late, keep = float(part["intake_of_late"].iloc[0]), 1 - float(part["dropout_per_year"].iloc[0])
        admitted = dict(zip(part["year"], part["intake"], strict=True))
        span = range(int(part["years_elsewhere"].iloc[0]), int(part["duration_years"].iloc[0]))
        for year in admitted:
            here = sum(keep**k * admitted.get(year - k, late) for k in span)
            present[key[0], year, case] = present.get((key[0], year, case), 0.0) + here
    for r in places.to_dict("records"):
        if abs(present[r["host_id"], r["year"], r["case_id"]] - r["students"]) > CLOSE * 10:
            yield _at("students_at_host", f"{r['host_id']} {r['year']} ({r['case_id']})", value=f"{r['students']:.1f}")


def _staff(one: pd.DataFrame, hours: pd.DataFrame, groups: pd.DataFrame) -> Iterator[Finding]:
    """Teachers are those listed, less what they give outside more than when they were counted, and those hired."""
    listed = groups.groupby(["host_id", "class_id"])["teachers"].sum()
    rows = one.merge(hours[["host_id", "year", "away_share", "outside_share"]], on=["host_id", "year"], how="left")
    rows = rows.sort_values(["host_id", "class_id", "year"])
    hired = rows.groupby(["host_id", "class_id"])["hired"].cumsum()
    own = [float(listed[h, k]) for h, k in zip(rows["host_id"], rows["class_id"], strict=True)]
    wanted = pd.Series(own, index=rows.index) * (1 - rows["away_share"]) + hired
    for r in rows[~((wanted - rows["teachers"]).abs() <= CLOSE)].to_dict("records"):
        yield _at("staff", f"{r['host_id']} {r['class_id']} {r['year']}", value=f"{r['teachers']:.3f}")
    for r in hours[(hours["away_share"] < 0) | (hours["outside_share"] > 1)].to_dict("records"):
        yield _at("outside", f"{r['host_id']} {r['year']}", value=f"{r['away_share']:.4f}")
    for r in hours[hours["away_share"] > hours["outside_share"] + 1e-6].to_dict("records"):
        yield _at("outside", f"{r['host_id']} {r['year']}", value=f"{r['away_share']:.4f}")


def _market(
    plan: Mapping[str, pd.DataFrame], joined: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> Iterator[Finding]:
    """Filled and unmet make the demand of the case; graduates of the cohorts are those placed and idle."""
    market, supply = plan["talent_market"], plan["talent_supply"]
    odd = (market["filled"] + market["unmet"] - market["demand"]).abs() > CLOSE
    for r in market[odd | (market["unmet"] < -CLOSE)].to_dict("records"):
        yield _at("demand", f"{r['sector_id']} {r['level']} {r['year']} ({r['case_id']})", value=f"{r['unmet']:.1f}")
    wanted = tables["graduate_demand"].merge(
        tables["demand_cases"][["case_id", "sector_id", "position"]], on="sector_id"
    )
    wide = (wanted["high"] - wanted["mode"]).where(wanted["position"] >= 0, wanted["mode"] - wanted["low"])
    wanted["wanted"] = wanted["mode"] + wanted["position"] * wide
    both = market.merge(wanted[["sector_id", "level", "year", "case_id", "wanted"]], how="left")
    for r in both[~((both["wanted"] - both["demand"]).abs() <= CLOSE)].to_dict("records"):
        yield _at("demand_of_case", f"{r['sector_id']} {r['level']} {r['year']}", value=f"{r['demand']:.1f}")
    mode = tables["talent_parameters"].set_index("parameter_id")["mode"]
    onward = {"secondary": "TL06", "higher_vocational": "TL07", "undergraduate": "TL08", "master": "TL09"}
    looking = {n: float((1 - (mode[onward[n]] if n in onward else 0)) * mode["TL10"]) for n in (*onward, "doctoral")}
    keys = ["class_id", "level", "year", "case_id"]
    out = (joined["graduates"] * joined["level"].map(looking)).groupby([joined[k] for k in keys]).sum()
    for r in supply.to_dict("records"):
        if abs(out[tuple(r[k] for k in keys)] - r["graduates"]) > CLOSE * 10:
            yield _at("graduates", " ".join(str(r[k]) for k in keys), value=f"{r['graduates']:.1f}")
        if abs(r["placed"] + r["idle"] - r["graduates"]) > CLOSE:
            yield _at("placed", " ".join(str(r[k]) for k in keys), value=f"{r['placed']:.1f}")


def _row(r: Mapping[Any, Any]) -> str:
    return f"{' '.join(str(r[k]) for k in _KEY)} {r['year']} ({r['case_id']})"


def _at(rule: str, item: str, **values: object) -> Finding:
    return finding(f"talent_{rule}", f"talent.audit.{rule}", item=item, **{"value": "", **values})
