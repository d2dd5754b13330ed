"""A small made-up run: tables shaped as the models give them, a manifest, and texts that attack a workbook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

ATTACKS = (
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "+1+1",
    "-2+3",
    '=HYPERLINK("http://example.com")',
    "http://example.com/x",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "../../etc/passwd",
    "笑脸😀与生僻字𬭁",
    "长" * 10_000,
    "tab\tand\nnewline\x07bell",
    "$\\frac{a}{b}$",
)


def _targets() -> pd.DataFrame:
    base = {
        "measures": "M001;M034", "unit": "patents", "start": "2025-01-01", "deadline": "2027-12-31",
        "has_baseline": False, "mean": 3.0, "p05": 1.0, "p50": 3.0, "p95": 5.0, "replications": 40,
        "verdict_zh": "", "verdict_en": "",
    }  # fmt: skip
    turned = {
        "p_required": 0.9, "deciding_input": "PP01", "deciding_input_zh": "筹建周期", "deciding_input_en": "Set-up",
        "break_even": 26.0, "break_even_unit": "months", "break_even_unit_zh": "个月", "unit_zh": "家次",
    }  # fmt: skip
    odds = ("p_meet", "p_low", "p_high", "p_worst", "p_best")
    rows = [
        ("services", "cumulative_2027", True, "services_done", "服务家次", "Services", "cumulative", 30.0,
         (0.97, 0.92, 1.0, 0.91, 1.0), "met"),
        ("services", "each_year", False, "services_done", "服务家次", "Services", "per_year", 10.0,
         (0.1, 0.05, 0.2, 0.0, 0.5), "not met"),
        ("colleges", "seventy_operating", True, "colleges_open", "丝路学院", "Silk Road colleges", "stock", 70.0,
         (0.4, 0.3, 0.5, 0.0, 0.95), "depends on preparation (break-even 26 months)"),
        ("share", "public_only", True, "public_share", "公办就读比例", "Public share", "per_year", float("nan"),
         (0.9, 0.85, 0.93, 0.92, 0.97), "undecided"),
        ("majors", "admissions", True, "", "理工农医占比", "Share of majors", "per_year", float("nan"),
         (float("nan"),) * 5, "not modelled yet"),
    ]  # fmt: skip
    names = ("target_id", "reading", "is_default", "outcome", "indicator_zh", "indicator_en", "period", "bound")
    return pd.DataFrame(
        [
            {
                **dict(zip(names, row[:8], strict=True)),
                "indicator": row[5],
                **base,
                **turned,
                **dict(zip(odds, row[8], strict=True)),
                "verdict": row[9],
            }
            for row in rows
        ]
    )


def _outcomes() -> pd.DataFrame:
    rows = [
        {
            "outcome": outcome, "indicator": outcome, "indicator_zh": outcome, "indicator_en": outcome, "kind": "flow",
            "unit": unit, "year": year, "mean": middle, "p05": 0.9 * middle, "p50": middle, "p95": 1.1 * middle,
        }
        for outcome, unit, middle in (
            ("services_done", "firms", 11.0), ("colleges_open", "colleges", 60.0), ("public_share", "share", 0.8),
        )
        for year in (2025, 2026, 2027)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _talent(attack: str) -> dict[str, pd.DataFrame]:
    years = (2026, 2027)
    named = {"class_id": "K01", "class_zh": attack, "class_en": attack, "level": "undergraduate"}
    group = {"host_id": "10335", "host_zh": attack, "host_en": attack, **named, "pathway": "regular"}
    taken = {"intake_announced": 40, "intake": 60.0, "intake_least": 50.0, "intake_most": 70.0, "change": 20.0}
    short = {"sector_id": "C02", "sector_zh": attack, "sector_en": attack, "level": "undergraduate", "priority": 3}
    amounts = {"demand": 100.0, "filled": 60.0, "unmet": 40.0, "unmet_share": 0.4, "why_zh": attack, "why_en": attack}
    scarce = {"rank": 1, **named, "scarcity": 0.4, "missing": 40.0, "graduates": 60.0, "sectors": "C02"}
    share = {"admissions": 100.0, "of_fields": 60.0, "share": 0.6, "share_least": 0.58, "share_most": 0.62}
    why = {"reason_zh": attack, "reason_en": attack}
    return {
        "talent_programmes": pd.DataFrame([{**group, "year": y, "action": "widened", **taken} for y in years]),
        "talent_shortfalls": pd.DataFrame([{**short, "year": y, **amounts} for y in years]),
        "talent_catalogue": pd.DataFrame([{"year": y, **scarce, **why} for y in years]),
        "talent_field_share": pd.DataFrame([{"year": y, **share} for y in years]),
    }


def _seats(attack: str) -> pd.DataFrame:
    names = (("330102", "上城区"), ("330110", attack), ("330483", "桐乡市"))
    rows = [
        {
            "county_code": code, "county_zh": name, "county_en": name, "year": year, "demand": 1000 + 50 * k,
            "local": 700, "migrant": 300 + 50 * k, "guaranteed": 200, "classes": 20 + k, "classes_opened": k,
            "rooms_added": k, "new_school_rooms": 0, "public_seats": 900 + 45 * k, "placed_local": 700,
            "placed_public": 190, "placed_public_other": 0, "placed_purchased": 10, "local_unplaced": 0,
            "unplaced": 5 * k, "others_outside_public": 100 + 45 * k, "public_share": 0.8 + 0.01 * k,
            "cost_yuan": 1.5e6 * k, "overrun_yuan": 0.0,
        }
        for k, (code, name) in enumerate(names)
        for year in (2025, 2026)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _choices(attack: str) -> dict[str, pd.DataFrame]:
    names = {"10335": "浙江大学", "10336": attack, "10337": "浙江工业大学", "10338": "浙江理工大学"}
    subjects = {"0810": "信息与通信工程", "0809": "电子科学与技术", "": ""}

    def who(problem: str, industry: str, role: str, code: str, subject: str) -> dict[str, object]:
        return {
            "problem": problem, "industry_id": industry, "industry_zh": attack, "industry_en": attack, "role": role,
            "moe_code": code, "university_zh": names[code], "university_en": f"U{code}", "discipline_code": subject,
            "discipline_zh": subjects[subject], "discipline_en": f"D{subject}" if subject else "",
        }  # fmt: skip

    rows = [
        (("support", "C01", "support", "10337", ""), True, ("forced", "forced", "forced"), "", None),
        (("lead", "C01", "lead", "10336", "0809"), False, ("swappable", "swappable", "swappable"), "", None),
        (("lead", "C01", "lead", "10335", "0810"), True, ("firm", "firm", "swappable"), "10336/0809;10337", 0.88),
        (("lead", "C01", "lead", "10337", "0810"), False, ("out", "out", "swappable"), "", 0.12),
        (("lead", "C01", "lead", "10338", "0810"), False, ("out", "swappable", "swappable"), "", 0.02),
    ]
    explanations = [
        {
            **who(*key), "in_plan": taken, "score": 60.0, "loss": 1.5, "loss_share": 0.003,
            **dict(zip(("class_0", "class_1", "class_5"), classes, strict=True)), "instead": instead, "best": 90.0,
            "worst": 10.0,
        }
        for key, taken, classes, instead, _ in rows
    ]  # fmt: skip
    drawn = [
        {
            **who(*key), "in_plan": taken, "draws": 100, "times": round(100 * often), "frequency": often,
            "frequency_low": often / 2, "frequency_high": min(2 * often, 1.0),
        }
        for key, taken, _, _, often in rows
        if often is not None
    ]  # fmt: skip
    changes = [
        ("dropped", ("lead", "C01", "lead", "10335", "0810")),
        ("added", ("lead", "C01", "lead", "10336", "0809")),
    ]
    alternatives = [
        {
            "problem": "lead", "alternative": 1, "total_score": 88.5, "loss": 1.5, "distance": 2, "proven": True,
            "change": change, **{k: v for k, v in who(*key).items() if k != "problem"}, "score": 60.0,
        }
        for change, key in changes
    ]  # fmt: skip
    prices = [
        {"problem": "support", "goal": "support_cities", "later_goal": later, "value": 78.0, "value_without": 48.0,
         "loss": 30.0, "unit": unit, "proven": True}
        for later, unit in (("support_tie_break", "places"), ("support_few", "supports"))
    ]  # fmt: skip
    return {
        "assignment_explanations": pd.DataFrame(explanations),
        "assignment_frequencies": pd.DataFrame(drawn),
        "assignment_alternatives": pd.DataFrame(alternatives),
        "assignment_prices": pd.DataFrame(prices),
    }


def _locations(attack: str) -> dict[str, pd.DataFrame]:
    places = (("330102", "上城区", 120.2, 30.3), ("330110", attack, 120.0, 30.3), ("331102", "莲都区", 119.9, 28.4))
    plan = [
        {
            "opening_id": f"PL{n:03d}", "kind": kind, "kind_zh": name, "kind_en": name, "county_code": code,
            "county_zh": county, "county_en": county, "city_code": f"{code[:4]}00", "city_zh": attack,
            "city_en": attack, "university_zh": attack, "university_en": attack, "start_date": f"{year}-03-01",
            "open_date": f"{year}-12-01", "capacity": 3, "capacity_unit": "firms", "served": 2, "cost_points": 3,
            "mountain_island": code == "331102",
        }
        for n, (kind, name, (code, county, _, _), year) in enumerate(
            (("joint_platform", "共建平台", places[0], 2025), ("joint_platform", "共建平台", places[1], 2026),
             ("branch_centre", attack, places[2], 2026), ("joint_platform", "共建平台", places[0], 2025)), 1
        )
    ]  # fmt: skip
    coverage = [
        {
            "theme": "platforms", "county_code": code, "county_zh": county, "county_en": county,
            "city_code": f"{code[:4]}00", "city_zh": attack, "city_en": attack, "mountain_island": code == "331102",
            "lon": lon, "lat": lat, "group": "C01", "group_zh": attack, "group_en": attack, "need": 5, "covered": met,
            "unmet": 5 - met, "share": met / 5,
        }
        for (code, county, lon, lat), met in zip(places, (5, 2, 0), strict=True)
    ]  # fmt: skip
    targets = [
        {
            "kind": "joint_platform", "kind_zh": "共建平台", "kind_en": attack, "target_id": "t", "target_number": 5.0,
            "opened_before": 0.0, "under_way": 1.0, "wanted": 5.0, "planned": 3, "expected": 3.5, "shortfall": 2,
            "why_zh": attack,
            "why_en": attack, "repair_zh": attack, "repair_en": attack,
        },
        {
            "kind": "branch_centre", "kind_zh": attack, "kind_en": attack, "target_id": "",
            "target_number": float("nan"), "opened_before": float("nan"),
            "under_way": float("nan"), "wanted": float("nan"), "planned": 1,
            "expected": 0.9, "shortfall": 0, "why_zh": "", "why_en": "", "repair_zh": "", "repair_en": "",
        },
    ]  # fmt: skip
    return {
        "platform_plan": pd.DataFrame(plan),
        "location_coverage": pd.DataFrame(coverage),
        "location_targets": pd.DataFrame(targets),
    }


def _bottlenecks(attack: str) -> pd.DataFrame:
    rows = [
        {
            "year": 2027, "level": "province", "rank": rank, "relief_zh": name, "relief_en": name,
            "place_zh": "全省", "place_en": "the province", "indicator_zh": attack, "indicator_en": attack,
            "unit": "rooms", "unit_zh": "间", "target_unit": "firms", "target_unit_zh": "家", "gain": 2.0,
            "gain_low": 1.0, "gain_high": 3.0, "gain_share_of_tenth": share, "utilisation": 0.9,
            "mean_wait_days": 3.0, "lost_share": 0.1,
        }
        for rank, (name, share) in enumerate(((attack, 0.1), ("教室", 0.02), (f"甲{attack}", 0.0)), start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _repairs(attack: str) -> pd.DataFrame:
    rows = [
        {
            "county_code": code, "county_zh": name, "county_en": name, "year": year, "stage": "primary",
            "short_without_plan": 40.0 * k, "classes_added": k, "rooms_added": k, "placed_purchased": 10,
            "cost_yuan": 1.0e6 * k, "still_short": 5.0 * k, "classes_missing": 0, "rooms_missing": 0,
            "staff_missing": 0.0, "repair_yuan": 0.0, "why_zh": attack, "why_en": attack, "basis": "synthetic",
        }
        for k, (code, name) in enumerate((("330102", "上城区"), ("330110", attack), ("331102", "莲都区")))
        for year in (2025, 2026)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _explaining(attack: str) -> dict[str, pd.DataFrame]:
    """What turns a target, what helps it, what it counts, and where the inputs are from."""
    deciding = {
        "target_id": "colleges", "reading": "seventy_operating", "rank": 1, "input_id": "PP01", "input_zh": attack,
        "input_en": attack, "unit": "months", "low": 12.0, "mode": 30.0, "high": 40.0, "basis": "assumption",
        "break_even": 26.0, "margin_at_base": -3.0, "margin_at_low": 5.0, "margin_at_high": -9.0,
        "rank_correlation": -0.8,
    }  # fmt: skip
    relief = {
        "process": "programmes", "relief": "starts", "relief_zh": f"多启动{attack}", "relief_en": f"Start {attack}",
        "resource": "", "place_code": "330000", "place_zh": "全省", "place_en": "the province", "unit": "starts",
        "unit_zh": "个", "present": 6.0, "added": 1.0, "target_id": "colleges", "reading": "seventy_operating",
        "measures": "M083", "indicator_zh": "丝路学院", "indicator_en": "Silk Road colleges", "bound": 70.0,
        "target_unit": "colleges", "target_unit_zh": "所", "gain": 2.0, "gain_low": 1.0, "gain_high": 3.0,
        "gain_share_of_tenth": 0.02, "p_meet": 0.4, "p_with": 0.7, "p_change": 0.3, "replications": 4,
    }  # fmt: skip
    change = {
        "registry": "seat_demand", "registry_zh": "学位需求", "registry_en": "Seat demand",
        "column": "local_children", "column_zh": "本地户籍学生", "column_en": "Local children", "change": "changed",
        "cells": 3, "key": "330110, 2026, 1", "old": "10", "new": "9", "old_sum": 30.0, "new_sum": 27.0,
        "reason": attack,
    }  # fmt: skip
    readings = [
        {
            **{c: row[c] for c in ("target_id", "reading", "is_default", "measures", "indicator_zh", "indicator_en")},
            **{c: row[c] for c in ("bound", "unit", "period", "start", "deadline")}, "unit_zh": "家次",
            "what_counts_zh": attack, "what_counts_en": attack,
        }
        for row in _targets().to_dict("records")
    ]  # fmt: skip
    source = {
        "registry": "counties", "source_id": "src_one", "title_zh": attack, "title_en": attack, "publisher": attack,
        "year": 2024, "url": "https://example.com", "rows": 3,
    }  # fmt: skip
    return {
        "deciding_inputs": pd.DataFrame([deciding]),
        "marginal_values": pd.DataFrame([relief]),
        "input_changes": pd.DataFrame([change]),
        "target_readings": pd.DataFrame(readings),
        "sources_used": pd.DataFrame([source]),
    }


def make_run(attack: str = "余杭区") -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """A manifest and tables; ``attack`` stands where names of people's own making stand."""
    leads = pd.DataFrame(
        {
            "industry_id": ["C01", "C02", "C03"],
            "industry_zh": ["数字安防", attack, "智能光伏"],
            "industry_en": ["Digital security", attack, "Smart photovoltaics"],
            "moe_code": ["10335", "10336", "10335"],
            "university_zh": ["浙江大学", attack, "浙江大学"],
            "university_en": ["Zhejiang University", attack, "Zhejiang University"],
            "discipline_code": ["0810", "0809", "0703"],
            "discipline_zh": ["信息与通信工程", "电子科学与技术", "化学"],
            "discipline_en": ["Information engineering", "Electronics", "Chemistry"],
            "score": [0.91, 0.42, 0.5],
        }
    )
    pairs = pd.DataFrame(
        {
            "industry_id": ["H01", "H01"],
            "industry_zh": ["茶叶", "茶叶"],
            "industry_en": ["Tea", "Tea"],
            "role": ["lead", "partner"],
            "moe_code": ["10341", "12861"],
            "university_zh": ["浙江农林大学", attack],
            "university_en": ["Zhejiang A&F University", attack],
        }
    )
    shortfalls = pd.DataFrame(
        {
            "county_code": ["330110"],
            "county_zh": [attack],
            "county_en": [attack],
            "year": [2026],
            "stage": ["primary"],
            "rule": ["covered_without_place"],
            "reading": [""],
            "is_planned": [True],
            "amount": [5.0],
            "unit": ["children"],
            "why_zh": [f"班级上限已用尽：{attack}"],
            "why_en": [f"No more classes: {attack}"],
        }
    )
    sources = pd.DataFrame(
        {
            "registry": ["counties", "counties", "total", "total"],
            "registry_zh": ["县", "县", "合计", "合计"],
            "registry_en": ["Counties", "Counties", "Total", "Total"],
            "basis": ["official", "synthetic"] * 2,
            "basis_zh": ["官方", "合成"] * 2,
            "basis_en": ["official", "synthetic"] * 2,
            "public": [True, False] * 2,
            "rows": [1, 3] * 2,
            "values": [10, 30] * 2,
            "share_of_rows": [0.25, 0.75] * 2,
            "share_of_values": [0.25, 0.75] * 2,
        }
    )
    pareto = pd.DataFrame(
        {
            "problem": ["lead", "lead", "heritage"],
            "cities": [3, 5, 2],
            "score": [90.0, 70.0, 80.0],
            "bound": [90.0, 75.0, 80.0],
            "gap": [0.0, 0.07, 0.0],
            "is_plan": [True, False, True],
            "changes": ["", attack, ""],
        }
    )
    manifest: dict[str, Any] = {
        "format": 1, "zjsim": "0.0.0", "python": "3.11.0", "scenario": "toy", "base": "", "sets": [attack],
        "seed": 7, "replications": 40, "run_id": "0123456789ab", "lang": "zh", "as_of": "2024-12-31",
        "horizon": "2027-12-31", "p_required": 0.9, "placeholder_share": 0.75,
        "header": {"title_zh": attack, "title_en": attack, "author": "", "reference": "", "description_zh": attack,
                   "description_en": attack, "date": "2024-12-31"},
        "readings": {"assignment.lead_reading": "one_industry_per_discipline"},
        "solves": {"assignment": {"status": "optimal", "gap": 0.0, "bound": 1.0, "stages": []},
                   "locations": {"status": "feasible", "gap": 0.0019, "bound": 2654.0, "stages": []},
                   "seats": {"status": "feasible", "gap": 0.0123, "bound": 2.0, "stages": []}},
    }  # fmt: skip
    tables = {
        "lead_assignments": leads,
        "heritage_pairs": pairs,
        "assignment_pareto": pareto,
        **_choices(attack),
        **_locations(attack),
        **_talent(attack),
        "seat_expansion": _seats(attack),
        "seat_shortfalls": shortfalls,
        "target_feasibility": _targets(),
        "yearly_outcomes": _outcomes(),
        "seat_repairs": _repairs(attack),
        "bottlenecks": _bottlenecks(attack),
        **_explaining(attack),
        "input_sources": sources,
    }
    return manifest, tables


@pytest.fixture
def made_run() -> Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]:
    return make_run


@pytest.fixture(params=ATTACKS, ids=lambda a: ascii(a)[:16])
def attack(request: pytest.FixtureRequest) -> str:
    return str(request.param)
