"""The command line as a planner meets it: help, exit codes, languages, pipes, and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import zjsim.run
from zjsim import cli
from zjsim.chain import RunRefused
from zjsim.clock import STEPS

WriteScenario = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
HEAVY = ("numpy", "pandas", "pyomo", "highspy", "simpy", "matplotlib", "scipy", "xlsxwriter")


def call(*arguments: str, capfd: Capture) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    return int(ended.value.code or 0), out, err


def process(
    arguments: Sequence[str], env: dict[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    code = "from zjsim.cli import main; main()"
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("ZJSIM_", "PYTHONIOENCODING", "LC_", "LANG"))
    }
    environment |= {"PYTHONUTF8": "1"} | (env or {})
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False, **more)


@pytest.mark.parametrize("arguments", ["--help", "run --help", "check --help", "--version", "scenarios"])
def test_help_imports_nothing_heavy(arguments: str) -> None:
    code = (
        "import sys\nfrom zjsim.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as ended:\n"
        "    assert not ended.code\n"
        f"    heavy = [m for m in {HEAVY!r} if m in sys.modules]\n    assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ["运行一个方案", "显示这份说明"]), ("en", ["Run a scenario", "Show this message"])],
)
def test_help_in_both_languages(lang: cli.Language, words: list[str]) -> None:
    done = CliRunner().invoke(cli.build_app(lang), ["--help"])
    assert done.exit_code == 0
    assert all(word in done.output for word in words)


def test_version(capfd: Capture) -> None:
    code, out, _ = call("--version", capfd=capfd)
    assert (code, out.split()[0]) == (0, "zjsim")


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        (["rum", "baseline"], "是否应为 run?", "did you mean run?"),
        (["run", "baseline", "--sed", "1"], "是否应为 --seed?", "did you mean --seed?"),
        (["run"], "缺少 SCENARIO", "SCENARIO is missing"),
        (["run", "baseline", "--seed", "x"], '--seed 的值 "x" 不对', 'the value "x" of --seed is wrong'),
        (["run", "baseline", "--seed=-1"], "不小于 0 的整数", "an integer of at least 0"),
        (["run", "baseline", "--replications", "1"], "不小于 2 的整数", "an integer of at least 2"),
        (["run", "baseline", "--workers", "0"], "不小于 1 的整数", "an integer of at least 1"),
        (
            ["seek", "baseline", "--budget", "abc"],
            '"abc" 不对,应为数字',
            '"abc" of --budget is wrong, it must be a number',
        ),
        (["backtest", "baseline", "--replications", "8"], "不小于 20 的整数", "an integer of at least 20"),
        (["seek", "baseline", "--confirm", "0"], "不小于 1 的整数", "an integer of at least 1"),
        (["seek", "baseline", "--confirm", "1.5"], "整数", "an integer"),
        (
            ["rank", "baseline", "--target", "training", "--delta", "1", "--measure", "x"],
            "figure, probability",
            "one of figure, probability",
        ),
        (["run", "baseline", "--seed"], "--seed 后面要有一个值", "--seed needs a value"),
        (["check", "baseline", "--json=1"], "--json 不带值", "--json takes no value"),
        (["check", "baseline", "more"], "(more)", "(more)"),
        (["check", "baseline", "--lang=fr"], "zh, en", "zh, en"),
        (["--nothing"], "没有选项 --nothing", "there is no option --nothing"),
    ],
)
def test_usage_errors_in_both_languages(
    arguments: list[str], zh: str, en: str, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lang, said in (("zh", zh), ("en", en)):
        monkeypatch.setenv("ZJSIM_LANG", lang)
        code, out, err = call(*arguments, capfd=capfd)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1


def test_no_command_shows_the_help(capfd: Capture) -> None:
    code, out, _ = call(capfd=capfd)
    assert code == 2
    assert "scenarios" in out


def test_check_of_a_right_scenario(write_scenario: WriteScenario, capfd: Capture) -> None:
    folder = str(write_scenario())
    code, out, err = call("check", folder, "--lang", "en", capfd=capfd)
    assert (code, err) == (0, "")
    assert "passed every check" in out
    code, out, _ = call("check", folder, "--json", capfd=capfd)
    assert (code, json.loads(out)["errors"]) == (0, 0)


def test_check_of_a_broken_scenario(write_scenario: WriteScenario, capfd: Capture) -> None:
    folder = str(write_scenario({"registries/counties.csv": None, "registries/cities.csv": "x\n"}))
    code, out, err = call("check", folder, "--lang", "zh", capfd=capfd)
    assert (code, out) == (2, "")
    assert "counties.csv:缺少此文件" in err
    assert "cities.csv 第1行" in err
    code, out, err = call("check", folder, "--json", capfd=capfd)
    report = json.loads(out)
    assert (code, err) == (2, "")
    assert report["errors"] == len(report["findings"]) > 2
    assert {"rule", "file", "line", "column", "value", "fix", "severity", "zh", "en"} <= report["findings"][0].keys()


def test_check_takes_sets(write_scenario: WriteScenario, capfd: Capture) -> None:
    code, _, err = call("check", str(write_scenario()), "--set", "simulation.p_requird=1", "--lang", "en", capfd=capfd)
    assert code == 2
    assert "did you mean simulation.p_required?" in err


def test_show(write_scenario: WriteScenario, capfd: Capture) -> None:
    folder = write_scenario()
    code, out, _ = call("show", str(folder), "--set", "simulation.seed=5", "--lang", "en", capfd=capfd)
    assert code == 0
    assert "simulation.seed = 5 (default 20241231)" in out
    assert "counties" in out
    code, out, _ = call("show", str(folder), "cities", capfd=capfd)
    assert (code, out) == (0, (folder / "registries" / "cities.csv").read_text("utf-8"))
    code, out, _ = call("show", str(folder), "cities", "--json", capfd=capfd)
    assert json.loads(out)["rows"][0]["line"] == 2
    code, out, _ = call("show", str(folder), "--json", capfd=capfd)
    assert json.loads(out)["parameters"]["simulation"]["seed"] == 20241231
    code, _, err = call("show", str(folder), "citys", "--lang", "en", capfd=capfd)
    assert code == 2
    assert "did you mean cities?" in err


def test_show_on_a_terminal_is_a_table(
    write_scenario: WriteScenario, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zjsim import show

    monkeypatch.setattr(show, "SHOWN_ROWS", 1)
    monkeypatch.setattr(show.sys.stdout, "isatty", lambda: True, raising=False)
    code, out, _ = call("show", str(write_scenario()), "cities", "--lang", "en", capfd=capfd)
    assert code == 0
    assert "more rows" in out


def test_scenarios(capfd: Capture) -> None:
    code, out, _ = call("scenarios", "--json", capfd=capfd)
    assert code == 0
    assert "baseline" in [entry["name"] for entry in json.loads(out)]


def fake_run(monkeypatch: pytest.MonkeyPatch, result: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def run(scenario: str, **options: Any) -> Any:
        seen.update(options, scenario=scenario)
        if options["progress"]:
            for step in STEPS:
                options["progress"](step, 0.0)
                options["progress"](step, 1.0)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(zjsim.run, "run", run)
    return seen


RUN = SimpleNamespace(
    folder=Path("results/x/1"), manifest={"run_id": "1"}, exit_code=0, summary=lambda lang: f"sum {lang}"
)


def test_run_hands_everything_on(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    seen = fake_run(monkeypatch, RUN)
    arguments = [
        "run",
        "x",
        "--seed",
        "3",
        "--replications",
        "7",
        "--workers",
        "2",
        "--cluster",
        "tcp://h:1",
        "--event-log",
        "4",
        "--set",
        "a.b=1",
        "--set",
        "c.d=2",
        "--out",
        "o",
        "--lang",
        "en",
    ]
    code, out, err = call(*arguments, capfd=capfd)
    assert (code, out) == (0, "sum en\n")
    assert err.count("\n") == len(STEPS)
    assert "\x1b" not in err
    del seen["progress"]
    seen.pop("notice")("said")
    assert capfd.readouterr().err == "said\n"
    assert seen == {
        "scenario": "x",
        "seed": 3,
        "replications": 7,
        "workers": 2,
        "cluster": "tcp://h:1",
        "event_log": 4,
        "sets": ("a.b=1", "c.d=2"),
        "out": Path("o"),
        "lang": "en",
    }


def test_run_quiet_and_json(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    fake_run(monkeypatch, RUN)
    assert call("run", "x", "--quiet", capfd=capfd) == (0, f"{Path('results/x/1')}\n", "")
    code, out, err = call("run", "x", "--json", capfd=capfd)
    assert (code, err, json.loads(out)["run_id"]) == (0, "", "1")


def test_a_refused_run_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    fake_run(monkeypatch, RunRefused(3, "无可行方案", "no plan"))
    assert call("run", "x", "--quiet", "--lang", "zh", capfd=capfd) == (3, "", "无可行方案\n")
    assert call("run", "x", "--quiet", "--lang", "en", capfd=capfd) == (3, "", "no plan\n")
    code, out, _ = call("run", "x", "--json", capfd=capfd)
    assert (code, json.loads(out)["refused"]["exit_code"]) == (3, 3)


def test_an_internal_error_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    fake_run(monkeypatch, RuntimeError("broken inside"))
    monkeypatch.delenv("ZJSIM_DEBUG", raising=False)
    code, _, err = call("run", "x", "--quiet", "--lang", "en", capfd=capfd)
    assert code == 1
    assert "broken inside" in err
    assert "ZJSIM_DEBUG=1" in err
    monkeypatch.setenv("ZJSIM_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["run", "x", "--quiet"])


def test_an_unwritable_folder_is_the_users_to_mend(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    fake_run(monkeypatch, PermissionError(13, "Permission denied", "/root/x"))
    code, _, err = call("run", "x", "--quiet", "--lang", "en", capfd=capfd)
    assert code == 2
    assert "/root/x" in err


def test_interruption(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zjsim.run, "run", interrupted)
    code, _, err = call("run", "x", "--quiet", "--lang", "en", capfd=capfd)
    assert (code, err) == (130, "Interrupted; nothing was written.\n")


def test_a_terminal_without_chinese_is_spoken_to_in_english() -> None:
    done = process(["rum"], {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert b"there is no command rum" in done.stderr
    done = process(["check", "basline", "--lang", "zh"], {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert b"basline" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(write_scenario: WriteScenario) -> None:
    folder = write_scenario()
    code = "from zjsim.cli import main; main()"
    command = f'"{sys.executable}" -c "{code}" show "{folder}" --json | head -c 1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_broken_scenario_in_a_process_of_its_own(write_scenario: WriteScenario, tmp_path: Path) -> None:
    folder = write_scenario({"registries/cities.csv": "\x00,,\n"})
    done = process(["run", str(folder), "--out", str(tmp_path / "out")])
    assert done.returncode == 2
    assert "cities.csv" in done.stderr.decode()
    assert not (tmp_path / "out").exists()
