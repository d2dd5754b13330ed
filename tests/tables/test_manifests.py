"""What of a manifest goes out: no hash and no value from which a count of children could be guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zjsim.runfolder import output_hashes, write_manifest
from zjsim.tables.manifests import INSIDE, MANIFEST, about_children, changed_inputs, divided, read_manifest
from zjsim.tables.published import MARK

SECRET = "seat_demand[330102,2026,1].migrant_children=7"
WHOLE = {
    "run_id": "0123456789ab",
    "inputs": {
        "baseline/registries/counties.csv": "aa",
        "baseline/registries/seat_demand.csv": "bb",
        "own/overrides/planning_zones.csv": "cc",
        "own/scenario.toml": "dd",
    },
    "outputs": {"internal/seat_expansion.csv": "ee", "internal/inputs.zip": "ff", "tables/seat_expansion.csv": "gg"},
    "sets": ["time.horizon=2027-12-31", SECRET],
}


def test_hashes_of_counts_and_their_values_stay_inside(tmp_path: Path) -> None:
    write_manifest(tmp_path, WHOLE)
    public = json.loads((tmp_path / MANIFEST).read_text("utf-8"))
    assert sorted(public["inputs"].values()) == ["aa", "dd"]
    assert public["outputs"] == {"tables/seat_expansion.csv": "gg"}
    assert public["sets"] == ["time.horizon=2027-12-31", f"seat_demand[330102,2026,1].migrant_children={MARK}"]
    assert read_manifest(tmp_path) == WHOLE
    (tmp_path / INSIDE).unlink()
    assert read_manifest(tmp_path) == public, "a folder passed on without its inner part can still be read"


def test_lists_of_inputs_are_divided_run_by_run(tmp_path: Path) -> None:
    whole = {"inputs": [WHOLE["inputs"], {"baseline/registries/cohorts.csv": "hh"}], "outputs": {}, "sets": []}
    write_manifest(tmp_path, whole)
    public = json.loads((tmp_path / MANIFEST).read_text("utf-8"))
    assert [sorted(one.values()) for one in public["inputs"]] == [["aa", "dd"], []]
    assert read_manifest(tmp_path) == whole


def test_nothing_to_hide_leaves_one_file(tmp_path: Path) -> None:
    plain = {"inputs": {"baseline/registries/counties.csv": "aa"}, "outputs": {"tables/a.csv": "b"}, "sets": []}
    write_manifest(tmp_path, plain)
    assert [p.name for p in tmp_path.iterdir()] == [MANIFEST]
    assert divided(plain) == (plain, {})


def test_the_inner_part_is_no_output(tmp_path: Path) -> None:
    write_manifest(tmp_path, WHOLE)
    assert output_hashes(tmp_path) == {}


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ("baseline/registries/seat_demand.csv", True),
        ("baseline/registries/school_grades.csv", True),
        ("own/registries/child_groups.csv", True),
        ("own/registries/school_choices.csv", True),
        ("baseline/registries/seat_capacity.csv", False),
        ("baseline/scenario.toml", False),
    ],
)
def test_which_inputs_are_about_children(place: str, inside: bool) -> None:
    assert about_children(place) is inside


def test_inputs_about_children_are_compared_where_they_are_known() -> None:
    whole, public = WHOLE["inputs"], divided(WHOLE)[0]["inputs"]
    assert isinstance(whole, dict)
    other = {**whole, "baseline/registries/seat_demand.csv": "zz"}
    assert changed_inputs(whole, other) == ["baseline/registries/seat_demand.csv"]
    assert changed_inputs(public, other) == []
    assert changed_inputs(public, {**other, "own/scenario.toml": "zz"}) == ["own/scenario.toml"]
