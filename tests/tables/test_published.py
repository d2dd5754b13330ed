"""Every result column is declared: as a count of children that is protected, or, with a reason, as none."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from zjsim.tables.published import (
    ABOUT_CHILDREN,
    INPUT_CHANGES,
    NO_CHILDREN,
    SUPPRESSED,
    TABLES,
    counts_children,
    hidden_cells,
    is_published,
    told_sets,
)
from zjsim.tables.registries import REGISTRIES

with (Path(__file__).parents[1] / "report" / "headers.csv").open(encoding="utf-8", newline="") as f:
    HEADERS = {row["table"]: row["columns"].split(";") for row in csv.DictReader(f)}
INSIDE = {"seat_moves", "seat_zone_purchases", "seat_stages"}
"""Tables of a run about children that are not published at all."""


@pytest.mark.parametrize("table", sorted(HEADERS))
def test_every_table_is_published_in_a_declared_form_or_not_at_all(table: str) -> None:
    if table in TABLES:
        declared = TABLES[table].declared
        assert len(set(declared)) == len(declared)
        assert sorted(declared) == sorted(HEADERS[table])
    elif table.startswith(ABOUT_CHILDREN):
        assert not is_published(table)
        assert table in INSIDE or not table.startswith("seat_")
    else:
        assert sum(table.startswith(name) for name in NO_CHILDREN) == 1 or table == INPUT_CHANGES
        assert is_published(table)


def test_columns_that_follow_name_counts_of_their_table() -> None:
    for rule in TABLES.values():
        assert all(set(counts) <= set(rule.counts) for counts in rule.follows.values())


def test_a_table_nobody_declared_stays_inside() -> None:
    assert not is_published("seat_new")
    assert not is_published("children_by_street")


def test_units_say_which_inputs_count_children() -> None:
    assert counts_children("seat_demand", "migrant_children")
    assert not counts_children("seat_demand", "basis")
    assert not counts_children("scenario.toml", "time.as_of")
    assert counts_children("seat_zones", "share_migrant"), "with the county's children a share tells those of a zone"
    found = {r for r, d in REGISTRIES.items() for c in d.columns if c.unit == "children"}
    assert {"seat_demand", "child_groups"} <= found


def test_hidden_cells_are_read_from_the_names_in_the_row() -> None:
    table = pd.DataFrame({"n": [1.0, float("nan")], SUPPRESSED: ["", "n;m"]})
    assert hidden_cells(table) == {"n": {1}, "m": {1}}
    assert hidden_cells(table[["n"]]) == {}


def test_documents_say_no_child_of_a_set_option() -> None:
    said = ["seat_demand[330102, 2026, 3].migrant_children = 7", "seat_zones[330102,1,primary].share_local=0.001"]
    plain = ["simulation.replications=2", "seat_options[330102,primary].classrooms=7", "header.title_zh==1+1"]
    assert told_sets([*said, *plain]) == [
        "seat_demand[330102, 2026, 3].migrant_children=*",
        "seat_zones[330102,1,primary].share_local=*",
        *plain,
    ]
