"""Places by collected choices with siblings as one: whole counties, stable by the audit's own count."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from zjsim.models.seat_placement import place

from zjsim.audit.placement import check

Plan = dict[str, pd.DataFrame]


def helper() -> Any:
    """The small random counties of the placement's brute-force test."""
    name = "small_counties"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_seat_placement.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="module")
def planned() -> tuple[Any, Plan]:
    """The counties that collect choices, every second child of one family."""
    small = helper()
    tables = small.registries(500, 53)
    choices = set(tables["school_choices"]["county_code"])
    groups = tables["child_groups"]
    groups = groups[groups["county_code"].isin(choices)].reset_index(drop=True)
    joint = groups.index % 2 == 0
    tables["child_groups"] = groups.assign(family_id=(groups["county_code"] + "-F1").where(joint, ""))
    scenario = small.Small(tables, sibling_scope="everywhere", extra_seats=2)
    codes = sorted(choices & set(groups["county_code"]))[:22]
    return scenario, place(scenario, counties=codes, modes=("preference",))


def rules(plan: Plan, scenario: Any) -> set[str]:
    return {f.rule for f in check(plan, scenario.tables, scenario.parameters)}


def test_counties_are_stable_by_the_audit(planned: tuple[Any, Plan]) -> None:
    scenario, plan = planned
    assert check(plan, scenario.tables, scenario.parameters) == []
    families, status = plan["placement_families"], plan["placement_stability"]
    assert set(families["outcome"]) >= {"together", "apart"}
    assert set(status["status"]) <= {"found", "refuted"}
    assert len(status) == plan["placement_unplaced"]["county_code"].nunique()
    assert set(plan["placement_envy"]["rule"]) <= {"stay", "sibling", "family"}
    said = plan["placement_groups"]
    assert (said["reason"] == "family").any()
    assert not said[["zh", "en"]].map(lambda s: "{" in s).to_numpy().any()


def test_what_is_changed_is_found(planned: tuple[Any, Plan]) -> None:
    scenario, plan = planned
    families, status = plan["placement_families"], plan["placement_stability"]
    extra = plan["placement_extra_seats"]
    assert len(extra)
    first = extra.index == 0
    wrong: list[tuple[str, pd.DataFrame, str]] = [
        ("placement_families", families.assign(outcome="apart"), "placement_families"),
        ("placement_families", families.assign(common_schools=9), "placement_families"),
        ("placement_families", families.iloc[1:], "placement_families"),
        ("placement_stability", status.assign(together=9), "placement_families"),
        ("placement_stability", status.iloc[1:], "placement_families"),
        ("placement_extra_seats", extra.assign(moved_up=extra["moved_up"] + first), "placement_extra"),
        ("placement_extra_seats", extra.assign(newly_public=extra["newly_public"] + first), "placement_extra"),
        ("placement_extra_seats", extra.assign(newly_placed=extra["newly_placed"] + first), "placement_extra"),
        ("placement_extra_seats", extra.assign(ranks_after=extra["ranks_after"] - 1), "placement_extra"),
        ("placement_extra_seats", extra.assign(seats=extra["seats"] + 5 * first), "placement_extra"),
        ("placement_extra_seats", extra.iloc[1:], "placement_extra"),
    ]
    for name, table, rule in wrong:
        assert rule in rules({**plan, name: table}, scenario), (name, rule)


def test_an_outcome_without_families_passes_some_over(planned: tuple[Any, Plan]) -> None:
    """Placed child by child: with families as one, some of them or some child could do better."""
    scenario, plan = planned
    codes = sorted(set(plan["placement_unplaced"]["county_code"]))
    single = helper().Small(scenario.tables, sibling_scope="everywhere", extra_seats=2, joint_newcomers=False)
    other = place(single, counties=codes, modes=("preference",))
    other = {
        **other,
        "placement_families": plan["placement_families"],
        "placement_stability": plan["placement_stability"],
    }
    assert {"placement_family_passed_over", "placement_families"} <= rules(other, scenario)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A synthetic county collects no choices; given some, it is placed by them."""
    from zjsim.cli import main
    from zjsim.synthesize import synthesize

    folder = tmp_path / "island"
    synthesize("baseline", folder, counties=["330922"])
    command = ["place", str(folder), "--mode", "preference", "--out", str(tmp_path / "out"), "--json"]

    def run() -> int:
        with pytest.raises(SystemExit) as stopped:
            main(command)
        return int(stopped.value.code or 0)

    assert run() == 2
    registries = folder / "registries"
    groups = pd.read_csv(registries / "child_groups.csv", dtype=str, keep_default_na=False)
    schools = pd.read_csv(registries / "school_grades.csv", dtype=str, keep_default_na=False)
    rows = []
    for group, grade in groups[["group_id", "grade"]].itertuples(index=False, name=None):
        named = schools.loc[schools["grade"] == grade, "school_id"].tolist()[:4]
        for k, school in enumerate(named, start=1):
            rows.append((group, "330922", "2025", str(k), school, "method_child_groups", "synthetic"))
    columns = ["group_id", "county_code", "year", "choice", "school_id", "source_id", "basis"]
    pd.DataFrame(rows, columns=columns).to_csv(registries / "school_choices.csv", index=False, lineterminator="\n")
    capsys.readouterr()
    assert run() == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    told = pd.read_csv(tmp_path / "out" / "internal" / "placement_stability.csv")
    assert told["status"].tolist() == ["found"]
