"""Loading whole scenarios: parents, parameters, --set, files, and the checks across tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zjsim.scenario import builtin_names, load
from zjsim.tables.errors import Finding, InputErrors
from zjsim.tables.registries import REGISTRIES

WriteScenario = Callable[..., Path]
HEADER = '[header]\ntitle_zh = "小例"\ntitle_en = "Toy"\ndate = 2025-01-01\n'


def errors(folder: Path | str, sets: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    with pytest.raises(InputErrors) as caught:
        load(folder, sets=sets)
    for found in caught.value.findings:
        assert found.sentence("zh")
        assert found.sentence("en")
    return caught.value.errors


def rules(found: tuple[Finding, ...]) -> list[tuple[str, str, int | None, str]]:
    return [(f.rule, f.file, f.line, f.fix) for f in found]


def test_a_toy_made_from_the_declarations_loads(write_scenario: WriteScenario) -> None:
    scenario = load(write_scenario())
    assert scenario.name == "toy"
    assert scenario.base == ""
    assert set(scenario.tables) == set(REGISTRIES)
    assert scenario.header.title_en == "Toy"
    assert scenario.table("counties").index.tolist() == list(range(len(scenario.lines["counties"])))
    assert scenario.lines["counties"][0] == 2
    assert scenario.file_hashes.keys() >= {"toy/scenario.toml", "toy/registries/counties.csv"}
    assert all(len(digest) == 64 for digest in scenario.file_hashes.values())
    with pytest.raises(KeyError, match="counties"):
        scenario.table("countys")


def test_every_declared_reference_exists() -> None:
    for registry in REGISTRIES.values():
        for column in registry.columns:
            for target in column.ref.split("|") if column.ref else ():
                other, _, key = target.partition(".")
                assert key in REGISTRIES[other].by_name, (registry.name, column.name, target)


def test_no_optional_boolean_is_declared() -> None:
    assert not [(r.name, c.name) for r in REGISTRIES.values() for c in r.columns if c.kind == "boolean" and c.pattern]


@pytest.mark.parametrize("name", builtin_names())
def test_built_in_scenarios_load(name: str) -> None:
    assert load(name).name == name


def test_names_that_are_no_scenario() -> None:
    (found,) = errors("basline")
    assert (found.rule, found.fix) == ("no_scenario", "baseline")
    for name in ("../baseline", "baseline/..", "a\0b", "", "x" * 5000, "~", "baseline.toml"):
        assert errors(name)[0].rule in ("no_scenario", "bad_name", "missing_file")


def test_missing_and_unknown_files(write_scenario: WriteScenario) -> None:
    folder = write_scenario({"registries/counties.csv": None, "registries/countys.csv": "x\n", "notes.md": "x"})
    (folder / "overides").mkdir()
    found = rules(errors(folder))
    assert ("missing_file", "counties.csv", None, "") in found
    assert ("unknown_file", "registries/countys.csv", None, "counties.csv") in found
    assert ("unknown_file", "overides", None, "overrides") in found
    assert len(found) == 3


def test_an_optional_registry_may_be_absent_and_has_all_its_columns(write_scenario: WriteScenario) -> None:
    optional = [name for name, registry in REGISTRIES.items() if not registry.required]
    scenario = load(write_scenario({f"registries/{name}.csv": None for name in optional}))
    for name in optional:
        assert list(scenario.table(name).columns) == [c.name for c in REGISTRIES[name].columns]
        assert len(scenario.table(name)) == len(scenario.lines[name]) == 0


@pytest.mark.parametrize(
    ("toml", "rule", "line", "fix"),
    [
        (HEADER + "[simulation]\np_requird = 0.8\n", "key_unknown", 6, "simulation.p_required"),
        (HEADER + "[simulaton]\nseed = 1\n", "key_unknown", 5, "simulation"),
        (HEADER + "[simulation]\np_required = 1.8\n", "key_range", 6, ""),
        (HEADER + '[simulation]\nseed = "１"\n', "key_type", 6, "1"),
        (HEADER + "[simulation]\nseed = true\n", "key_type", 6, ""),
        (HEADER + "[simulation]\nseed = 1.5\n", "key_type", 6, ""),
        (HEADER + "[simulation]\np_required = nan\n", "toml_value", 6, ""),
        (HEADER + '[assignment]\nlead_reading = "one_industry"\n', "key_choice", 6, "one_industry_per_discipline"),
        (HEADER + '[time]\nas_of = "soon"\n', "key_type", 6, ""),
        (HEADER + "[time]\nas_of = 2030-01-01\n", "as_of_after_horizon", None, ""),
        (HEADER + "time = 3\n", "key_unknown", 5, ""),
        ("time = 3\n" + HEADER, "key_type", 1, ""),
        ('[header]\ntitle_zh = "x"\ndate = 2025-01-01\n', "key_missing", 1, ""),
        (HEADER + "[simulation]\nseed = 1\nseed = 2\n", "toml_twice", 7, ""),
        (HEADER + "[simulation\n", "toml_syntax", 5, ""),
        (HEADER + "x = [1,\n", "toml_syntax", 6, ""),
        (b"\xff\xfe", "toml_encoding", 1, ""),
    ],
)
def test_faults_of_the_parameters(
    write_scenario: WriteScenario, toml: str | bytes, rule: str, line: int | None, fix: str
) -> None:
    assert rules(errors(write_scenario({"scenario.toml": toml}))) == [(rule, "scenario.toml", line, fix)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('[]=".\n #abc12-{},header'), max_size=40))
def test_no_parameter_file_ends_in_a_traceback(text: str) -> None:
    from zjsim.scenario.settings import read_toml, validate

    settings_read, found = read_toml((HEADER + text).encode(), "scenario.toml")
    if not found:
        _, found = validate(settings_read, "scenario.toml")
    for f in found:
        assert f.sentence("zh")


def test_sets_change_parameters_and_cells(write_scenario: WriteScenario) -> None:
    folder = write_scenario()
    code = load(folder).table("counties")["county_code"][1]
    sets = (
        "simulation.p_required=0.8",
        "assignment.lead_reading=several_within_capacity",
        "time.horizon=2028-12-31",
        "header.author=张三",
        "assignment.strength_by_grade.A+=0.98",
        f"counties[{code}].name_zh=新县",
    )
    scenario = load(folder, sets=sets)
    assert scenario.parameters.simulation.p_required == 0.8
    assert scenario.parameters.assignment.lead_reading == "several_within_capacity"
    assert str(scenario.parameters.time.horizon) == "2028-12-31"
    assert scenario.header.author == "张三"
    assert scenario.header.title_en == "Toy"
    assert scenario.parameters.assignment.strength_by_grade["A+"] == 0.98
    assert scenario.table("counties")["name_zh"][1] == "新县"
    assert scenario.sets == sets


@pytest.mark.parametrize(
    ("said", "rule", "fix"),
    [
        ("simulation.p_requird=0.8", "set_path|key_unknown", "simulation.p_required"),
        ("p_required=0.8", "set_path", "simulation.p_required"),
        ("simulaton.seed=1", "set_path", "simulation.seed"),
        ("simulation.p_required=8", "key_range", ""),
        ("simulation.p_required=high", "key_type", ""),
        ("simulation=3", "set_path", ""),
        ("simulation.seed", "set_form", ""),
        ("=3", "set_form", ""),
        ("countys[330000].name_zh=x", "set_registry", "counties"),
        ("counties[330000].name_zhh=x", "set_column", "name_zh"),
        ("counties[330000].county_code=330001", "set_key_column", ""),
        ("counties[33OOOO].name_zh=x", "set_row", "330000"),
        ("counties[330000,1].name_zh=x", "set_key_form", ""),
        ("counties[330000].name_zh=", "required", ""),
        ("counties[330000].population_2020=1,2OO", "not_integer", "1200"),
    ],
)
def test_faults_of_sets(write_scenario: WriteScenario, said: str, rule: str, fix: str) -> None:
    (found,) = errors(write_scenario(), (said,))
    assert found.rule in rule.split("|")
    assert (found.file, found.line, found.fix) == (f"--set {said}", None, fix)
    assert found.sentence("zh").startswith(f"--set {said}:")


def test_a_path_set_twice_names_both(write_scenario: WriteScenario) -> None:
    (found,) = errors(write_scenario(), ("simulation.seed=1", "simulation.seed=2"))
    assert found.rule == "set_twice"
    assert "simulation.seed=1" in found.zh
    assert "simulation.seed=2" in found.en


CHILD = 'extends = "toy"\n' + HEADER.replace("Toy", "Child") + "[simulation]\nseed = 7\n"


def child(folder: Path, name: str = "child", toml: str = CHILD) -> Path:
    path = folder.parent / name
    path.mkdir()
    (path / "scenario.toml").write_text(toml, "utf-8")
    return path


def test_a_child_says_only_what_differs(write_scenario: WriteScenario) -> None:
    folder = write_scenario()
    path = child(folder)
    counties = (folder / "registries" / "counties.csv").read_text("utf-8")
    (path / "registries").mkdir()
    (path / "registries" / "counties.csv").write_text(counties.replace("文字0", "新名"), "utf-8")
    scenario = load(path)
    assert (scenario.name, scenario.base, scenario.header.title_en) == ("child", "toy", "Child")
    assert scenario.parameters.simulation.seed == 7
    assert scenario.table("counties")["name_zh"][0] == "新名"
    assert scenario.files["counties"].place == "child/registries/counties.csv"
    assert scenario.files["cities"].place == "toy/registries/cities.csv"
    assert {"child/scenario.toml", "toy/scenario.toml"} <= scenario.files.keys()


def test_faults_of_a_parent_are_told_at_the_parent(write_scenario: WriteScenario) -> None:
    folder = write_scenario({"registries/cities.csv": "x\n"})
    assert {f.file for f in errors(child(folder))} == {"toy/cities.csv"}


@pytest.mark.parametrize(
    ("extends", "rule", "fix"),
    [
        ('"../toy"', "extends_path", ""),
        ('"/etc"', "extends_path", ""),
        ("3", "extends_path", ""),
        ('"basline"', "extends_unknown", "baseline"),
        ('"child"', "extends_cycle", ""),
    ],
)
def test_faults_of_extends(write_scenario: WriteScenario, extends: str, rule: str, fix: str) -> None:
    path = child(write_scenario(), toml=CHILD.replace('"toy"', extends, 1))
    found = [f for f in errors(path) if f.rule != "missing_file"]
    assert rules(tuple(found)) == [(rule, "scenario.toml", 1, fix)]


def test_cycles_and_depth(write_scenario: WriteScenario) -> None:
    folder = write_scenario()
    child(folder, "a", CHILD.replace('"toy"', '"b"', 1))
    path = child(folder, "b", CHILD.replace('"toy"', '"a"', 1))
    assert [f.rule for f in errors(path) if f.rule != "missing_file"] == ["extends_cycle"]
    for number in range(9):
        parent = f"d{number - 1}" if number else "toy"
        path = child(folder, f"d{number}", CHILD.replace('"toy"', f'"{parent}"', 1))
    assert "extends_depth" in [f.rule for f in errors(path)]


def test_links_out_of_the_folder_are_refused(write_scenario: WriteScenario, tmp_path: Path) -> None:
    folder = write_scenario({"registries/counties.csv": None, "scenario.toml": None})
    outside = tmp_path / "outside.csv"
    outside.write_text("x", "utf-8")
    (folder / "registries" / "counties.csv").symlink_to(outside)
    (folder / "scenario.toml").symlink_to(outside)
    assert {(f.rule, f.file) for f in errors(folder)} == {
        ("link_outside", "counties.csv"),
        ("link_outside", "scenario.toml"),
    }


def test_a_built_in_name_goes_before_a_folder_and_says_so(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scenario(name="baseline")
    monkeypatch.chdir(tmp_path)
    from zjsim.scenario.folders import find_folder

    found, notices = find_folder("baseline")
    assert found.builtin
    assert [f.rule for f in notices] == ["builtin_first"]
    assert load("./baseline").header.title_en == "Toy"


def test_nothing_heavy_is_imported_before_a_scenario_is_loaded() -> None:
    code = (
        "import sys, zjsim.scenario, zjsim.scenario.folders as f; f.builtin_names(); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_mountain_and_island_counties_first_changes_what_it_says() -> None:
    base, first = load("baseline"), load("mountain_island_first")
    assert first.parameters.assignment.mountain_island_floor == 2 > base.parameters.assignment.mountain_island_floor
    assert first.parameters.locations.mountain_island_share == 0.4 > base.parameters.locations.mountain_island_share
    assert all(first.tables[name].equals(base.tables[name]) for name in base.tables)
    assert "与基准相同" in first.header.description_zh
    assert "are those of the baseline" in first.header.description_en
