"""Registries of school places derived from public ones: migrant children, demand, capacity, options, budgets.

Little is public by county: every table here says ``derived``, ``assumption`` or ``synthetic`` and is to be replaced
by real ones. :func:`regenerate` makes them again, byte for byte, from the public registries.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

import numpy as np
import pandas as pd

from zjsim.synthesis.cohorts import (
    AS_OF_YEAR,
    FIRST_YEAR,
    GRADES,
    JUNIOR,
    PRIMARY,
    Cohorts,
    advance,
    cohort_table,
    norm,
    pupils_2020,
    statistic,
)
from zjsim.synthesis.proportional import Floats, Ints, largest_remainder, round_half_up
from zjsim.synthesis.seat_sites import sites

SEED = 20241231
STAGES = (("primary", PRIMARY), ("junior", JUNIOR))
HANGZHOU, NINGBO, PROVINCE = "330100", "330200", "330000"
_IN_PROVINCE_WEIGHT = 0.5
"""Residents with hukou in another county of the province count half as pupils' families: many moved within a city."""


def regenerate(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """All derived seat registries, each with the columns of its declaration.

    ``tables`` holds ``counties``, ``births``, ``education_statistics``, ``seat_norms`` and ``admission_rules``; the
    result ``migrant_calibration``, ``cohorts``, ``seat_demand``, ``seat_capacity``, ``seat_options``, ``seat_budgets``.
    """
    calibration = migrant_calibration(tables)
    cohorts = advance(tables, migrants_by_grade(tables, calibration))
    capacity = seat_capacity(tables, cohorts, calibration)
    return {
        "migrant_calibration": calibration,
        "cohorts": cohort_table(cohorts),
        "seat_demand": seat_demand(tables, cohorts),
        "seat_capacity": capacity,
        "seat_options": seat_options(tables, cohorts, calibration, capacity),
        "seat_budgets": seat_budgets(tables, max(cohorts.local)),
    }


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A registry file: UTF-8, commas, line feeds, whole numbers without a decimal point."""
    shown = table.copy()
    for name in shown.columns[shown.dtypes == np.float64]:
        shown[name] = [f"{v:.6f}".rstrip("0").rstrip(".") for v in shown[name]]
    return shown.to_csv(index=False, lineterminator="\n").encode()


def migrant_calibration(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Migrant children by county: pupils × hukou shares, fitted to 1,492,300 (2018), 286,300 (2022) and 287,200 (2019).

    Three totals of three years: the table mixes years and says so in ``reference_year``. The public share is the
    published one in 杭州 and 宁波; elsewhere one share makes the province's children in public schools hold.
    """
    counties = tables["counties"]
    city = counties["city_code"].to_numpy()
    moved_far = counties["share_hukou_other_province"].to_numpy(dtype=float)
    moved_near = counties["share_hukou_other_county"].to_numpy(dtype=float)
    pupils = pupils_2020(tables)
    weight = pupils.sum(axis=1) * (moved_far + _IN_PROVINCE_WEIGHT * moved_near)
    province = round(statistic(tables, PROVINCE, 2018, "migrant_children_compulsory"))
    in_public = round(statistic(tables, PROVINCE, 2018, "migrant_children_in_public"))
    hangzhou = round(statistic(tables, HANGZHOU, 2022, "migrant_children_compulsory"))
    ningbo = round(statistic(tables, NINGBO, 2019, "migrant_children_compulsory"))
    hangzhou_public = round(statistic(tables, HANGZHOU, 2022, "migrant_children_in_public"))
    ningbo_public = round(ningbo * statistic(tables, NINGBO, 2019, "migrant_public_share") / 100)
    groups = (
        (city == HANGZHOU, hangzhou, hangzhou_public, 2022),
        (city == NINGBO, ningbo, ningbo_public, 2019),
        (
            (city != HANGZHOU) & (city != NINGBO),
            province - hangzhou - ningbo,
            in_public - hangzhou_public - ningbo_public,
            2018,
        ),
    )
    table = counties[["county_code", "city_code"]].copy()
    columns = ("reference_year", "migrant_children", "migrant_primary", "migrant_junior", "in_public_schools")
    made = {name: np.zeros(len(counties), dtype=np.int64) for name in columns}
    for here, total, public, year in groups:
        children = largest_remainder(weight[here], total)
        primary = round_half_up(children * pupils[here][:, PRIMARY].sum(axis=1) / pupils[here].sum(axis=1))
        if year == 2022:
            published = round(statistic(tables, HANGZHOU, 2022, "migrant_children_primary"))
            primary = np.minimum(largest_remainder(primary.astype(float), published), children)
        values = (year, children, primary, children - primary, largest_remainder(children.astype(float), public))
        for name, value in zip(columns, values, strict=True):
            made[name][here] = np.asarray(value, dtype=np.int64)
    table = table.assign(**made)
    table["public_share"] = (table["in_public_schools"] / table["migrant_children"]).fillna(0.0).round(6)
    table["source_id"], table["basis"] = "method_migrant_calibration", "derived"
    return table.sort_values("county_code", ignore_index=True)


def migrants_by_grade(tables: Mapping[str, pd.DataFrame], calibration: pd.DataFrame) -> Ints:
    """The calibration by county and grade, in proportion to the pupils of 2020: the start of the cohorts."""
    pupils = pupils_2020(tables)
    table = calibration.set_index("county_code").loc[list(tables["counties"]["county_code"])]
    grades = np.zeros(pupils.shape, dtype=np.int64)
    for stage, columns in STAGES:
        for row, total in enumerate(table[f"migrant_{stage}"]):
            grades[row, columns] = largest_remainder(pupils[row, columns], int(total))
    return grades


def eligible_shares(tables: Mapping[str, pd.DataFrame], year: int, weight: Floats) -> Floats:
    """Share of migrant children eligible by county rule in ``year``: the assumed mean, lower where insurance is asked.

    A county's latest rule in force (its own, else its city's) gives the months of insurance; each month takes
    ``model_eligible_per_insurance_month`` off. Counties without a known rule share what keeps the mean, weighted by
    ``weight`` (migrant children), at ``model_eligible_share``; no county exceeds the share with a permit.
    """
    counties, rules = tables["counties"], tables["admission_rules"]
    mean, permit = norm(tables, "model_eligible_share"), norm(tables, "model_permit_share")
    per_month = norm(tables, "model_eligible_per_insurance_month")
    known = rules[rules["insurance_months"].notna() & (rules["year_from"] <= year)].sort_values(
        ["year_from", "rule_id"]
    )
    months_at = dict(zip(known["place_code"], known["insurance_months"], strict=True))
    months = np.array(
        [
            months_at.get(c, months_at.get(k, np.nan))
            for c, k in zip(counties["county_code"], counties["city_code"], strict=True)
        ]
    )
    share = np.clip(permit - per_month * months, 0.0, permit)
    unknown = np.isnan(months)
    if not unknown.any() or weight[unknown].sum() == 0:
        return np.where(unknown, mean, share)
    rest = (mean * weight.sum() - (share * weight)[~unknown].sum()) / weight[unknown].sum()
    share[unknown] = np.clip(rest, 0.0, permit)
    return share


def seat_demand(tables: Mapping[str, pd.DataFrame], cohorts: Cohorts) -> pd.DataFrame:
    """Children who need a place, by county × year × grade; permit holders and eligible are assumed shares."""
    permit, transfer = norm(tables, "model_permit_share"), norm(tables, "model_transfer_rate")
    frames = []
    for year in sorted(cohorts.local):
        local, migrant = cohorts.local[year], cohorts.migrant[year]
        share = eligible_shares(tables, year, migrant.sum(axis=1).astype(float))
        applicants = round_half_up(migrant * transfer)
        applicants[:, [0, 6]] = migrant[:, [0, 6]]
        holders = round_half_up(migrant * permit)
        columns = {
            "local_children": local,
            "migrant_children": migrant,
            "permit_holders": holders,
            "eligible_children": np.minimum(round_half_up(migrant * share[:, None]), holders),
            "applicants": applicants,
        }
        frames.append(_by_grade(cohorts.county_codes, year, columns))
    return _finish(frames, "method_seat_demand", "assumption")


def seat_capacity(tables: Mapping[str, pd.DataFrame], cohorts: Cohorts, calibration: pd.DataFrame) -> pd.DataFrame:
    """Public classes and seats, and private places of migrant children, by county × year × grade.

    Up to the as-of year: classes = public pupils (all local children and the public share of migrants) ÷ typical class,
    rounded up. Afterwards classes move up with their pupils and as many open in the entry grade as leave the stage.
    """
    share = calibration.set_index("county_code").loc[list(cohorts.county_codes), "public_share"].to_numpy(dtype=float)
    typical = np.array([norm(tables, f"model_class_typical_{s}") for s, c in STAGES for _ in range(c.stop - c.start)])
    usable = np.array([usable_seats(tables, s) for s, c in STAGES for _ in range(c.stop - c.start)])
    frames = []
    classes = private = np.zeros((len(share), GRADES), dtype=np.int64)
    for year in sorted(cohorts.local):
        if year <= AS_OF_YEAR:
            in_public = round_half_up(cohorts.migrant[year] * share[:, None])
            classes = np.ceil((cohorts.local[year] + in_public) / typical - 1e-9).astype(np.int64)
            private = cohorts.migrant[year] - in_public
        else:
            classes, private = _moved_up(classes), _moved_up(private)
        columns = {"public_classes": classes, "public_seats": classes * usable, "private_places": private}
        frames.append(_by_grade(cohorts.county_codes, year, columns))
    return _finish(frames, "method_seat_capacity", "synthetic")


def usable_seats(tables: Mapping[str, pd.DataFrame], stage: str) -> int:
    """Usable seats of a class: the norm times the uncertain capacity factor, rounded down."""
    return floor(norm(tables, f"model_class_norm_{stage}") * norm(tables, "model_capacity_factor") + 1e-9)


def seat_options(
    tables: Mapping[str, pd.DataFrame], cohorts: Cohorts, calibration: pd.DataFrame, capacity: pd.DataFrame
) -> pd.DataFrame:
    """What a county can add, by stage: norms and assumptions times its present classes, staff and private places.

    Random are the spare classrooms, a triangular share by county and stage from :data:`SEED`, and the sites
    (:mod:`zjsim.synthesis.seat_sites`).
    """
    counties = tables["counties"]
    now = capacity[capacity["year"] == AS_OF_YEAR]
    draws = np.random.Generator(np.random.PCG64(SEED)).random((len(counties), len(STAGES)))
    norms = tables["seat_norms"]
    spare_row = norms.loc[norms["norm_id"] == "model_spare_room_share", ["low", "value", "high"]]
    low, mode, high = spare_row.to_numpy(dtype=float)[0].tolist()
    share = calibration.set_index("county_code")["public_share"]
    rows = []
    for i, (code, residents) in enumerate(zip(counties["county_code"], counties["population_2020"], strict=True)):
        for j, (stage, columns) in enumerate(STAGES):
            here = now[(now["county_code"] == code) & now["grade"].between(columns.start + 1, columns.stop)]
            classes, usable = int(here["public_classes"].sum()), usable_seats(tables, stage)
            spare = ceil(classes * _triangular(low, mode, high, float(draws[i, j])))
            in_public = cohorts.local[AS_OF_YEAR][i, columns].sum()
            in_public += round(float(cohorts.migrant[AS_OF_YEAR][i, columns].sum() * share[code]))
            rows.append(
                {"county_code": code, "stage": stage, "usable_seats_per_class": usable, "classrooms": classes + spare}
                | _ways_to_build(tables, stage, usable, classes, int(residents))
                | _running(tables, stage, usable, float(in_public), int(here["private_places"].sum()))
                | sites(tables, str(code), stage, classes + spare, usable, SEED)
            )
    table = pd.DataFrame(rows)
    table["source_id"], table["basis"] = "method_seat_options", "synthetic"
    return table.sort_values(["county_code", "stage"], ignore_index=True)


def seat_budgets(tables: Mapping[str, pd.DataFrame], last_year: int) -> pd.DataFrame:
    """A yearly budget for added seats in proportion to residents of 2020; no county budget is public."""
    counties, rate = tables["counties"], norm(tables, "model_budget_per_resident")
    years = range(AS_OF_YEAR + 1, last_year + 1)
    table = pd.DataFrame(
        [
            (c, y, round(int(n) * rate))
            for c, n in zip(counties["county_code"], counties["population_2020"], strict=True)
            for y in years
        ],
        columns=["county_code", "year", "budget_yuan"],
    )
    table["source_id"], table["basis"] = "method_seat_budgets", "synthetic"
    return table.sort_values(["county_code", "year"], ignore_index=True)


def _ways_to_build(
    tables: Mapping[str, pd.DataFrame], stage: str, usable: int, classes: int, residents: int
) -> dict[str, float]:
    per_room = norm(tables, f"model_seat_cost_{stage}") * usable
    return {
        "extension_rooms_max": ceil(classes * norm(tables, "model_extension_share_max")),
        "extension_rooms_min": int(norm(tables, "model_extension_rooms_min")),
        "extension_yuan_per_room": round(per_room * norm(tables, "model_extension_cost_ratio")),
        "extension_lead_months": int(norm(tables, "model_extension_lead_months")),
        "school_sites": max(1, round(residents / norm(tables, "model_residents_per_site"))),
        "school_rooms_min": int(norm(tables, "model_school_rooms_min")),
        "school_rooms_max": int(norm(tables, "model_school_rooms_max")),
        "school_yuan_per_room": round(per_room),
        "school_lead_months": int(norm(tables, "model_school_lead_months")),
    }


def _running(
    tables: Mapping[str, pd.DataFrame], stage: str, usable: int, in_public: float, private: int
) -> dict[str, float]:
    staff = round(usable / norm(tables, f"model_staff_ratio_{stage}"), 4)
    teachers = in_public / norm(tables, f"model_pupils_per_teacher_{stage}")
    funds = usable * norm(tables, f"model_public_funds_{stage}")
    return {
        "equip_yuan_per_class": round(norm(tables, "model_equip_yuan_per_class")),
        "running_yuan_per_class": round(staff * norm(tables, "model_staff_yuan_per_year") + funds),
        "staff_per_class": staff,
        "staff_available": round(teachers * (1 + norm(tables, "model_other_staff_share")), 1),
        "staff_growth_per_year": norm(tables, "model_staff_growth"),
        "purchase_places_max": floor(private * norm(tables, "model_purchase_cap_share")),
        "purchase_yuan_per_place": round(norm(tables, f"model_purchase_price_{stage}")),
    }


def _moved_up(grades: Ints) -> Ints:
    """Next year's grades if every class moves up and the entry grade of each stage opens as many as leave it."""
    primary, junior = np.roll(grades[:, PRIMARY], 1, axis=1), np.roll(grades[:, JUNIOR], 1, axis=1)
    return np.column_stack([primary, junior])


def _by_grade(codes: tuple[str, ...], year: int, columns: Mapping[str, Ints]) -> pd.DataFrame:
    n = len(codes)
    frame = {"county_code": np.repeat(np.array(codes, dtype=object), GRADES), "year": year}
    frame["grade"] = np.tile(np.arange(1, GRADES + 1), n)
    return pd.DataFrame(frame | {name: values.ravel() for name, values in columns.items()})


def _finish(frames: list[pd.DataFrame], source_id: str, later_basis: str) -> pd.DataFrame:
    table = pd.concat(frames, ignore_index=True)
    table["source_id"] = source_id
    early = "derived" if later_basis == "assumption" else later_basis
    table["basis"] = np.where(table["year"] == FIRST_YEAR, early, later_basis)
    return table.sort_values(["county_code", "year", "grade"], ignore_index=True)


def _triangular(low: float, mode: float, high: float, u: float) -> float:
    """The ``u``-quantile of the triangular distribution."""
    split = (mode - low) / (high - low)
    if u < split:
        return float(low + np.sqrt(u * (high - low) * (mode - low)))
    return float(high - np.sqrt((1 - u) * (high - low) * (high - mode)))
