"""What a target requires is never an input: the column ``role`` of the parameter registries, over all processes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from zjsim.models.processes import processes_of
from zjsim.models.training_data import training_data

import zjsim
from zjsim.scenario import Scenario
from zjsim.simulate.inputs import UncertainInput
from zjsim.tables.errors import InputErrors


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return zjsim.load("baseline")


def roles(scenario: Scenario) -> dict[str, str]:
    """Parameter id → role, over every registry that has both."""
    tables = [t for name in sorted(scenario.tables) if "role" in (t := scenario.table(name)) and "parameter_id" in t]
    return {i: r for t in tables for i, r in zip(t["parameter_id"], t["role"], strict=True)}


def inputs_of(data: Any) -> list[UncertainInput]:
    """Every number that the data of a process can ask for by its id."""
    own = data.inputs if hasattr(data, "inputs") else ()
    return [*own, *(data.parameters.inputs.values() if hasattr(data, "parameters") else ())]


def test_no_process_holds_a_number_that_a_target_requires(scenario: Scenario) -> None:
    """Paces and checks are known by their role; no data of a process, varied or not, has one of them."""
    role = roles(scenario)
    barred = {i for i, r in role.items() if r != "input"}
    assert {"PP35", "PP57"} <= barred
    held = {i.input_id for p in processes_of(scenario, {}) for i in (*p.inputs, *inputs_of(p.data))}
    assert len(held) > 100
    assert not held & barred
    assert not {i for p in processes_of(scenario, {}) for i in p.outcomes} & held


def test_a_course_type_that_names_a_required_pace_is_an_input_error(scenario: Scenario) -> None:
    """A planner turns the role of the release share round: the run says so, with the parameter, in both languages."""
    table = scenario.table("process_parameters").copy()
    table.loc[table["parameter_id"] == "PP09", "role"] = "required_pace"

    class Changed:
        parameters = scenario.parameters

        def table(self, name: str) -> pd.DataFrame:
            return table if name == "process_parameters" else scenario.table(name)

    with pytest.raises(InputErrors, match="PP09 has role required_pace") as caught:
        training_data(Changed(), {})
    assert "PP09" in caught.value.report("zh")
    assert caught.value.findings[0].column == "role"
