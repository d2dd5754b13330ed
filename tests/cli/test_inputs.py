"""Commands that show, compare, hand out and take back inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from zjsim import cli

WriteScenario = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
CHILD = 'extends = "toy"\n[header]\ntitle_zh = "子"\ntitle_en = "Child"\ndate = 2025-01-01\n[simulation]\nseed = 7\n'


def call(*arguments: str, capfd: Capture) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    return int(ended.value.code or 0), out, err


@pytest.fixture
def child(write_scenario: WriteScenario) -> Path:
    toy = write_scenario()
    folder = toy.parent / "child"
    (folder / "overrides").mkdir(parents=True)
    (folder / "scenario.toml").write_text(CHILD, "utf-8")
    (folder / "overrides" / "cities.csv").write_text("city_code,op,name_zh,reason\n*,set,新名,试改\n", "utf-8")
    return folder


def test_explain_tells_the_order_and_who_set_what(child: Path, capfd: Capture) -> None:
    code, out, _ = call(
        "show", str(child), "--explain", "--set", "simulation.p_required=0.8", "--lang", "en", capfd=capfd
    )
    assert code == 0
    assert "toy → child → --set" in out
    assert "overrides/cities.csv:2: 试改" in out
    assert "simulation.seed = 7  (scenario.toml:7)" in out
    assert "simulation.p_required = 0.8  (--set simulation.p_required=0.8)" in out
    code, out, _ = call("show", str(child), "--explain", "--json", capfd=capfd)
    said = json.loads(out)
    assert said["order"] == ["toy", "child", "--set"]
    assert said["changes"][0]["reason"] == "试改"


def test_diff_on_screen_as_json_and_as_excel(child: Path, tmp_path: Path, capfd: Capture) -> None:
    toy, xlsx = str(tmp_path / "toy"), tmp_path / "diff.xlsx"
    code, out, _ = call("diff", toy, str(child), "--lang", "en", "--xlsx", str(xlsx), capfd=capfd)
    assert code == 0
    assert "simulation.seed: 20241231 → 7" in out
    assert "(试改)" in out
    code, out, _ = call("diff", toy, str(child), "--json", capfd=capfd)
    found = json.loads(out)["differences"]
    assert {d["registry"] for d in found} == {"scenario.toml", "cities"}
    sheet = openpyxl.load_workbook(xlsx).active
    assert sheet is not None
    assert sheet.max_row == len(found) + 2
    code, out, _ = call("diff", toy, toy, "--lang", "zh", capfd=capfd)
    assert "没有差别" in out


def test_out_to_excel_and_back(child: Path, tmp_path: Path, capfd: Capture) -> None:
    book = str(tmp_path / "book.xlsx")
    assert call("export-inputs", str(child), "--xlsx", book, capfd=capfd)[0] == 0
    code, out, _ = call("check", book, "--lang", "en", capfd=capfd)
    assert code == 0
    assert "passed every check" in out
    code, _, _ = call("import-inputs", book, str(tmp_path / "back"), capfd=capfd)
    assert code == 0
    code, out, _ = call("diff", str(child), str(tmp_path / "back"), "--json", capfd=capfd)
    assert json.loads(out)["differences"] == []
    code, _, err = call("import-inputs", book, str(tmp_path / "back"), "--lang", "en", capfd=capfd)
    assert code == 2
    assert "--force" in err


def test_an_excel_list_of_errors(child: Path, tmp_path: Path, capfd: Capture) -> None:
    path = child / "overrides" / "cities.csv"
    path.write_text("city_code,op,name_zh,reason\n*,set,,试改\n*,sett,新,x\n", "utf-8")
    code, _, err = call("check", str(child), "--xlsx", str(tmp_path / "errors.xlsx"), "--lang", "en", capfd=capfd)
    assert code == 2
    assert "2 findings were written" in err
    sheet = openpyxl.load_workbook(tmp_path / "errors.xlsx").active
    assert sheet is not None
    assert [sheet.cell(row, 8).value for row in (3, 4)] == ["unknown_choice", "override_nothing"]


def test_init_and_dictionary(tmp_path: Path, capfd: Capture) -> None:
    folder = tmp_path / "work"
    assert call("init", str(folder), capfd=capfd)[0] == 0
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {"使用说明.md", "GUIDE.md", "templates/inputs.xlsx", "docs/dictionary.en.html"} <= names
    assert "scenarios/baseline/scenario.toml" in names
    assert not any(name.endswith(".py") for name in names)
    assert call("check", str(folder / "scenarios" / "my-scenario"), capfd=capfd)[0] == 0
    code, _, err = call("init", str(folder), "--lang", "en", capfd=capfd)
    assert code == 2
    assert "nothing was changed" in err
    code, out, _ = call("dictionary", "--lang", "en", capfd=capfd)
    assert code == 0
    assert "## counties · " in out
    assert "- A county's city exists, and both codes begin with the same four digits. (with cities)" in out
    page = (folder / "docs" / "dictionary.zh.html").read_text("utf-8")
    assert "<li>县所属的市存在,且两者代码的前四位相同。(另见 cities)</li>" in page
    assert call("dictionary", "--out", str(tmp_path / "d.html"), capfd=capfd)[0] == 0
    page = (tmp_path / "d.html").read_text("utf-8")
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert 'id="counties"' in page


@pytest.mark.parametrize(("lang", "said"), [("zh", "是一个文件夹"), ("en", "is a folder, and a file is needed")])
@pytest.mark.parametrize("command", [["export-inputs", "{toy}", "--xlsx"], ["dictionary", "--out"]])
def test_a_folder_in_the_place_of_a_file_is_named(
    command: list[str], lang: str, said: str, write_scenario: WriteScenario, tmp_path: Path, capfd: Capture
) -> None:
    toy, folder = write_scenario(), tmp_path / "here"
    folder.mkdir()
    arguments = [str(toy) if a == "{toy}" else a for a in command]
    code, out, err = call(*arguments, str(folder), "--lang", lang, capfd=capfd)
    assert (code, out) == (2, "")
    assert f"{folder} {said}" in err
    assert ".part" not in err
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "baseline"],
        ["import-inputs", "x.xlsx"],
        ["export-inputs", "baseline"],
        ["check", "x.xlsx"],
        ["trace", "x"],
    ],
)
def test_what_is_missing_is_named(arguments: list[str], capfd: Capture) -> None:
    code, out, err = call(*arguments, "--lang", "en", capfd=capfd)
    assert (code, out) == (2, "")
    assert err.strip()
