"""The command that writes the school tables: what it writes reads back, and it never overwrites in silence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from zjsim import cli
from zjsim.scenario import load
from zjsim.synthesis.placement import TABLES
from zjsim.synthesize import synthesize
from zjsim.tables.errors import InputErrors
from zjsim.tables.files import MAX_BYTES

Capture = pytest.CaptureFixture[str]


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "registries" / f"{name}.csv").read_bytes() for name in TABLES}


def refused(*arguments: object, **options: object) -> list[str]:
    with pytest.raises(InputErrors) as caught:
        synthesize(*arguments, **options)  # type: ignore[arg-type]
    return [f.rule for f in caught.value.errors]


def test_the_whole_province_reads_back_and_only_long_ways_are_remarked(
    tmp_path: Path, province: dict[str, pd.DataFrame]
) -> None:
    files = synthesize("baseline", tmp_path / "whole")
    assert [f.name for f in files] == [*(f"{n}.csv" for n in TABLES), "scenario.toml"]
    assert all(f.stat().st_size < MAX_BYTES for f in files)
    loaded = load(tmp_path / "whole")
    # Some cells in the hills lie beyond the distance cap of every school, at most one remark per county and stage.
    assert {n.rule for n in loaded.notices} == {"far_from_school"}
    assert len(loaded.notices) <= 30
    assert loaded.base == "baseline"
    for name in TABLES:
        read = loaded.table(name)
        drawn = province[name].astype({c: "str" for c in read.columns if pd.api.types.is_string_dtype(read[c])})
        pd.testing.assert_frame_equal(read, drawn, check_dtype=False, check_exact=True)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        synthesize("baseline", tmp_path / name, seed, ["331126", "331127"])
    a, b, c = (contents(tmp_path / n) for n in "abc")
    assert a == b
    assert a["child_groups"] != c["child_groups"]


def test_one_county_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    both, later = tmp_path / "both", tmp_path / "later"
    synthesize("baseline", both, 7, ["331126", "331127"])
    synthesize("baseline", later, 7, ["331127"])
    synthesize("baseline", later, 7, ["331126"], force=True)
    assert contents(later) == contents(both)
    path = later / "registries" / "schools.csv"
    path.write_text(path.read_text("utf-8").replace("（合成）", "（真实）"), "utf-8")
    synthesize("baseline", later, 7, ["331126"], force=True)
    labels = pd.read_csv(path, dtype=str).groupby("county_code")["label_zh"].unique()
    assert all("合成" in label for label in labels["331126"])
    assert all("真实" in label for label in labels["331127"])


def test_nothing_is_replaced_without_force(tmp_path: Path) -> None:
    synthesize("baseline", tmp_path / "x", 7, ["331127"])
    before = contents(tmp_path / "x")
    assert refused("baseline", tmp_path / "x", 8, ["331127"]) == ["exists"] * len(TABLES)
    assert contents(tmp_path / "x") == before


def test_unknown_counties_and_years_are_told_together(tmp_path: Path) -> None:
    rules = refused("baseline", tmp_path / "x", counties=["33112"], year=2039)
    assert rules == ["county", "year", "year"]
    assert not (tmp_path / "x").exists()


def test_a_scenario_file_that_is_there_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    said = 'extends = "baseline"\n[header]\ntitle_zh = "我的"\ntitle_en = "Mine"\ndate = 2026-01-01\n'
    (mine / "scenario.toml").write_text(said, "utf-8")
    files = synthesize(mine, mine, counties=["331127"])
    assert len(files) == len(TABLES)
    assert (mine / "scenario.toml").read_text("utf-8") == said
    assert len(load(mine).table("schools")) > 0


def test_a_new_folder_must_lie_beside_what_it_extends(tmp_path: Path) -> None:
    first = tmp_path / "first"
    synthesize("baseline", first, counties=["331127"])
    assert refused(first, tmp_path / "elsewhere" / "second", counties=["331126"]) == ["beside"]
    synthesize(first, tmp_path / "second", counties=["331126"])
    assert tomllib.loads((tmp_path / "second" / "scenario.toml").read_text("utf-8"))["extends"] == "first"
    assert load(tmp_path / "second").table("schools")["county_code"].unique().tolist() == ["331126"]


def test_the_year_follows_the_as_of_date(tmp_path: Path) -> None:
    synthesize("baseline", tmp_path / "x", counties=["331127"])
    synthesize("baseline", tmp_path / "y", counties=["331127"], year=2027)
    years = [load(tmp_path / n).table("child_groups")["year"].unique().tolist() for n in "xy"]
    assert years == [[2025], [2027]]
    assert load(tmp_path / "y").notices == ()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command(tmp_path: Path, capfd: Capture, lang: str) -> None:
    folder = str(tmp_path / "x")

    def call(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["synthesize", "baseline", folder, "--county", "331127", "--lang", lang, *arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return ended.value.code or 0, out, err

    code, out, _ = call("--seed", "7")
    assert code == 0
    assert folder in out
    code, _, err = call("--seed", "7")
    assert code == 2
    assert "--force" in err
    code, out, _ = call("--seed", "7", "--force", "--json")
    assert code == 0
    assert len(json.loads(out)["files"]) == len(TABLES)
    assert call("--year", "1999")[0] == 2
