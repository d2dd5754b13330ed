"""Targets of the real registries divided: every target has a status and a reason, files come whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from zjsim.models import processes
from zjsim.models.target_allocation import RULES
from zjsim.models.target_capacities import RECIPES, WHY_NOT

from zjsim.chain import RunRefused
from zjsim.decide import allocate as room
from zjsim.decide import allocate_files
from zjsim.decide.allocate import Asked
from zjsim.decide.allocate_files import write_allocation
from zjsim.decide.planned import Planned, planned
from zjsim.decide.track_files import Tracked, with_shares
from zjsim.report.allocation_book import screen
from zjsim.report.words import column_title
from zjsim.scenario import load
from zjsim.tables.errors import InputErrors
from zjsim.texts import LANGUAGES

MIX = (0.4, 0.4, 0.2)
FAST = ("patent_transfer", "programmes", "seats")
CHOSEN = (
    "technology_transfer", "joint_platforms", "practice_centres", "silk_road_colleges", "sibling_rule", "public_share",
)  # fmt: skip


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    def some(scenario: Any, plan: Any) -> list[Any]:
        return [p for p in processes.processes_of(scenario, plan) if p.name in FAST]

    def now(source: Any, sets: Any = (), progress: Any = None, **_: Any) -> Planned:
        return Planned(str(source), load(source, sets=tuple(sets)), {}, 7)

    monkeypatch.setattr(room, "processes_of", some)
    monkeypatch.setattr(allocate_files, "planned", now)


def divided(out: Path, *targets: str, **options: Any) -> Tracked:
    asked = Asked(targets or CHOSEN, options.pop("mix", MIX), options.pop("rule", "by_mixture"))
    return write_allocation("baseline", out, asked=asked, **{"replications": 3, "lang": "en", **options})


def test_every_target_can_be_divided_or_says_why_not() -> None:
    targets = load("baseline").table("targets")
    named = set(targets.loc[targets["is_default"], "target_id"])
    assert named == (set(RECIPES) | set(WHY_NOT)) & named
    assert not set(RECIPES) & set(WHY_NOT)


def test_rules_side_by_side_and_milestones(tmp_path: Path) -> None:
    made = divided(tmp_path)
    targets = made.tables["allocation_targets"].set_index("target_id")
    assert targets.loc["public_share", "status"] == "not_divided"
    assert "every place" in targets.loc["public_share", "why_en"]
    cities = made.tables["allocation_cities"]
    transfer = cities[cities["target_id"] == "technology_transfer"]
    assert set(transfer["rule"]) == set(RULES)
    assert (transfer.groupby("rule")["allotted"].sum() == 10_000).all()
    assert (transfer["expected"] <= transfer["capacity"]).all()
    platforms = cities[cities["target_id"] == "joint_platforms"]
    assert set(platforms["rule"]) == set(RULES) - {"equal_chance"}, "not simulated by city"
    assert "not tested" in targets.loc["joint_platforms", "why_en"]
    sibling = made.tables["allocation_counties"]
    assert (sibling.loc[sibling["target_id"] == "sibling_rule", "allotted"] == 1).all()
    rules = made.tables["allocation_rules"].set_index(["target_id", "rule"])
    for rule in RULES:
        assert rules.loc[("sibling_rule", rule), "p_all"] <= rules.loc[("sibling_rule", rule), "p_lowest"]
    steps = made.tables["allocation_milestones"]
    own = steps[(steps["target_id"] == "joint_platforms") & (steps["quarter"] == "2027-Q4")]
    mixture = platforms[platforms["rule"] == "by_mixture"].set_index("area_code")["allotted"]
    by_area = own.set_index("area_code")["value"]
    assert by_area[[a for a in by_area.index if a in mixture.index]].sum() == 200
    assert by_area[[a for a in by_area.index if a not in mixture.index]].sum() == 200
    assert "Not divided" in screen(made.manifest, made.tables, "x", "en")


def test_equal_bytes_for_two_workers(tmp_path: Path, traced: Any) -> None:
    one, two = (divided(tmp_path / str(w), "technology_transfer", "sibling_rule", workers=w) for w in (1, 2))
    for path in sorted(p for p in one.folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (two.folder / path.relative_to(one.folder)).read_bytes(), path.name
    said = traced(one.folder)
    assert {e["registry"] for e in said["allocation_cities"]["inputs"]} == {"targets", "cities"}


def test_beyond_capacity_is_told_with_the_least_repair(tmp_path: Path) -> None:
    bound = "targets[practice_centres,provincial].bound=5000"
    with pytest.raises(RunRefused) as refused:
        divided(tmp_path, "practice_centres", sets=(bound,))
    assert refused.value.exit_code == 3
    assert "exceeds the capacity of all counties" in refused.value.en
    assert "more in" in refused.value.en
    assert not tmp_path.exists() or not any(tmp_path.iterdir())
    made = divided(tmp_path, "practice_centres", "joint_platforms", sets=(bound,))
    repairs = made.tables["allocation_repairs"]
    target = made.tables["allocation_targets"].set_index("target_id").loc["practice_centres"]
    assert target["status"] == "short"
    assert repairs["add"].sum() == target["missing"] == 5000 - target["capacity"]


def test_unknown_target(tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match="joint_platforms"):
        divided(tmp_path, "joint_platform")


def test_a_report_of_progress_takes_the_parts_as_milestones(tmp_path: Path) -> None:
    made = divided(tmp_path, "joint_platforms")
    scenario = load("mid_course")
    more = with_shares(scenario, made.folder).table("milestones")
    own = scenario.table("milestones")
    assert len(more) == len(own) + len(made.tables["allocation_milestones"])
    assert more["is_year_end"].map(type).eq(bool).all() or pd.api.types.is_bool_dtype(more["is_year_end"])


@pytest.mark.parametrize("table", ["targets", "rules", "cities", "counties", "repairs"])
def test_every_column_has_a_title(table: str) -> None:
    columns = {
        "targets": room.TARGET_COLUMNS, "rules": room.RULE_COLUMNS, "repairs": room.REPAIR_COLUMNS,
    }.get(table, room.AREA_COLUMNS)  # fmt: skip
    for lang in LANGUAGES:
        assert [c for c in columns if column_title(c, lang, f"allocation_{table}") == c] == []


def test_a_wrong_target_is_told_before_anything_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning takes minutes: names come first, for a scenario and for every command that plans one."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("planned before the names were looked at")

    monkeypatch.setattr("zjsim.chain.solve_all", never)
    with pytest.raises(InputErrors) as caught:
        planned("baseline", targets=("--target", ["trainig"]))
    assert "training" in str(caught.value.findings[0])
