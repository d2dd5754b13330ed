"""Tracing a number of a run to its rules and inputs, and an input to the results that use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from zjsim import cli
from zjsim.lineage import PROCESSES, THEMES, is_known, rules_of, theme_of
from zjsim.scenario import load
from zjsim.scenario.parameters import Parameters
from zjsim.tables.registries import REGISTRIES
from zjsim.trace import matching_rows

Capture = pytest.CaptureFixture[str]
TABLES = {
    "seat_expansion": "county_code,county_zh,year,demand\n330102,上城区,2026,117981\n330102,上城区,2027,1\n",
    "platform_plan": "opening_id,kind,moe_code,industry_id,county_code,measures\n"
    "PL001,joint_platform,10335,C01,330102,M013;M015\n",
    "location_targets": "kind,target_id,planned\npractice_centre,practice_centres,40\n",
    "target_feasibility": "target_id,reading,measures,p_meet\nsilk_road_colleges,seventy_operating,M083,0.1\n",
    "deciding_inputs": "target_id,reading,rank,input_id\nsilk_road_colleges,seventy_operating,1,PP61\n",
    "yearly_outcomes": "year,process,outcome,mean\n2027,programmes,silk_road_operating,55\n2027,seats,x,1\n",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A run folder of the scenario named, with a few tables."""

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        (folder / "tables").mkdir()
        manifest = {"scenario": name, "sets": [], "run_id": "x", "inputs": load(name).file_hashes}
        (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        for table, content in TABLES.items():
            (folder / "tables" / f"{table}.csv").write_text(content, "utf-8")
        return folder

    return make


def call(*arguments: str, capfd: Capture) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    return int(ended.value.code or 0), out, err


def test_from_an_opening_to_its_rules_and_inputs_and_back(run: Callable[[str], Path], capfd: Capture) -> None:
    folder = run("baseline")
    code, out, _ = call("trace", str(folder), "platform_plan", "PL001", "--json", capfd=capfd)
    assert code == 0
    said = json.loads(out)
    assert {"staff_of_host", "starts_of_year"} <= {r["function"] for r in said["rules"]}
    assert any({"M013", "M015"} & set(r["measures"]) for r in said["rules"][:3]), "its own measures first"
    read = {(e["registry"], e["key"]) for e in said["inputs"]}
    assert ("location_kinds", "joint_platform") in read
    assert any(registry == "location_hosts" and "10335" in key for registry, key in read)
    assert any(p["path"] == "locations.platform_reach_km" for p in said["parameters"])
    code, out, _ = call("trace", str(folder), "location_kinds", "joint_platform", "--json", capfd=capfd)
    uses = {use["table"]: use["rows"] for use in json.loads(out)["used_by"]}
    assert uses["platform_plan"] == 1
    code, out, _ = call("trace", str(folder), "location_starts", "practice_centre,year=2025", "--json", capfd=capfd)
    assert {use["table"] for use in json.loads(out)["used_by"]} >= {"location_targets", "platform_plan"}


def test_from_a_seat_number_to_rules_and_lines(run: Callable[[str], Path], capfd: Capture) -> None:
    folder = run("migrant_surge")
    code, out, _ = call("trace", str(folder), "seat_expansion", "330102,year=2026", "--json", capfd=capfd)
    assert code == 0
    said = json.loads(out)
    assert said["inputs_unchanged"]
    assert said["rows_found"] == 1
    assert any("M112" in rule["measures"] for rule in said["rules"])
    demand = [entry for entry in said["inputs"] if entry["registry"] == "seat_demand"]
    assert len(demand) == 9
    path, line = demand[0]["place"].split(":")
    text = (Path(str(files("zjsim.scenarios"))) / path).read_text("utf-8").splitlines()[int(line) - 1]
    assert text.startswith("330102,2026,1,")
    assert demand[0]["set_elsewhere"]["migrant_children"]["place"] == "overrides/seat_demand.csv:2"
    assert demand[0]["set_elsewhere"]["migrant_children"]["reason"]
    assert demand[0]["basis"] == "assumption"
    assert demand[0]["source"]["title_en"]


def test_from_a_target_to_its_uncertain_inputs(run: Callable[[str], Path], capfd: Capture) -> None:
    folder = run("baseline")
    code, out, _ = call("trace", str(folder), "target_feasibility", "silk_road_colleges", "--json", capfd=capfd)
    assert code == 0
    keys = [(entry["registry"], entry["key"]) for entry in json.loads(out)["inputs"]]
    assert keys[0] == ("targets", "silk_road_colleges, seventy_operating")
    uncertain = [key for registry, key in keys if registry == "process_parameters"]
    assert uncertain[0] == "PP61"
    assert "PP60" in uncertain


def test_from_an_input_to_the_results(run: Callable[[str], Path], capfd: Capture) -> None:
    folder = run("baseline")
    code, out, _ = call("trace", str(folder), "seat_options", "330102,primary", "--lang", "en", capfd=capfd)
    assert code == 0
    assert "seat_expansion: 2 rows" in out
    assert "classrooms (models/seat_building_rules.py:" in out
    assert "hedge" not in out, "this run has no tables of that kind, so none of its rules"
    for lang, said in (("zh", "没有结果使用此输入"), ("en", "No result of this run uses this input.")):
        code, out, _ = call("trace", str(folder), "talent_parameters", "TL12", "--lang", lang, capfd=capfd)
        assert (code, said in out) == (0, True)
    code, out, _ = call("trace", str(folder), "process_parameters", "PP61", "--json", capfd=capfd)
    used = {u["table"]: u for u in json.loads(out)["used_by"]}
    assert used["yearly_outcomes"]["process"] == "programmes"
    assert used["target_feasibility"]["rows"] == 1
    assert used["deciding_inputs"]["rows"] == 1
    code, out, _ = call("trace", str(folder), "targets", "silk_road_colleges,seventy_operating", "--json", capfd=capfd)
    used = {u["table"]: u["rows"] for u in json.loads(out)["used_by"]}
    assert set(used) >= {"target_feasibility", "deciding_inputs"}
    assert used["location_targets"] == 0, "no kind counts for this target"


def test_from_an_event_to_the_process_that_made_it(run: Callable[[str], Path], capfd: Capture) -> None:
    folder = run("baseline")
    (folder / "events").mkdir()
    lines = "time,process,entity,event,event_name,unit,details\n2025-02-11,enrolment,z,zone_opened,x,330781,\n"
    (folder / "events" / "event_log.csv").write_text(lines, "utf-8")
    code, out, _ = call("trace", str(folder), "event_log", "event=zone_opened", "--json", capfd=capfd)
    assert code == 0
    said = json.loads(out)
    assert "zones_opened" in {r["function"] for r in said["rules"]}
    assert ("programme_parameters", "GP32") in {(e["registry"], e["key"]) for e in said["inputs"]}


def test_every_table_that_a_run_or_a_placement_writes_has_a_lineage() -> None:
    lines = (Path(__file__).parents[1] / "report" / "headers.csv").read_text("utf-8").splitlines()[1:]
    written = {line.partition(",")[0] for line in lines}
    placed = set(import_module("zjsim.models.seat_placement").PLAN_TABLES)
    assert len(written) > 20
    assert {table for table in written | placed if not is_known(table)} == set()


def test_a_table_without_a_lineage_is_told(run: Callable[[str], Path], capfd: Capture) -> None:
    folder = run("baseline")
    (folder / "tables" / "new_things.csv").write_text("county_code,n\n330102,1\n", "utf-8")
    code, _, err = call("trace", str(folder), "new_things", "330102", "--lang", "en", capfd=capfd)
    assert code == 2
    assert "has no lineage declared" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("seat_expansio", "330102"), "did you mean seat_expansion?"),
        (("seat_expansion", "999999"), "no row matches"),
    ],
)
def test_what_is_not_there(run: Callable[[str], Path], capfd: Capture, arguments: tuple[str, str], said: str) -> None:
    code, _, err = call("trace", str(run("baseline")), *arguments, "--lang", "en", capfd=capfd)
    assert code == 2
    assert said in err


def test_a_folder_that_is_no_run_and_inputs_that_changed(
    run: Callable[[str], Path], tmp_path: Path, capfd: Capture
) -> None:
    code, _, err = call("trace", str(tmp_path), "x", "y", "--lang", "en", capfd=capfd)
    assert code == 2
    assert "is not the folder of a run" in err
    folder = run("baseline")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["inputs"] = {}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    code, out, _ = call("trace", str(folder), "seat_expansion", "330102", "--lang", "en", capfd=capfd)
    assert code == 0
    assert "have changed since this run" in out
    assert "2 rows match" in out


def test_the_declared_lineage_exists() -> None:
    sections = set(Parameters.model_fields)
    for theme in (*THEMES, *PROCESSES.values()):
        assert set(theme.registries) <= set(REGISTRIES), theme.name
        assert set(theme.parameters) <= sections, theme.name
        for module in theme.modules:
            assert files("zjsim.models").joinpath(f"{module}.py").is_file(), module
    for theme in THEMES:
        assert rules_of(theme), theme.name
    assert theme_of("seat_expansion") is not None
    assert theme_of("target_feasibility") is None


def test_a_key_may_hold_commas_of_a_value() -> None:
    rows = [
        {"row": "10337,1007", "name": "Energy-saving, new energy", "county_code": "330102"},
        {"row": "10337,1008", "name": "Energy-saving, new energy", "county_code": "330105"},
    ]
    assert matching_rows(rows, "row=10337,1008") == [1]
    assert matching_rows(rows, "name=Energy-saving, new energy, county_code=330102") == [0]
    assert matching_rows(rows, "Energy-saving, new energy") == [0, 1]
    assert matching_rows(rows, "330105, row=10337,1008") == [1]
    assert matching_rows(rows, "330105") == [1]
    assert matching_rows(rows, "row=10337") == []
    assert matching_rows(rows, "") == matching_rows([], "330105") == []
