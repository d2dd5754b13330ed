"""A run is whole or not at all, named by what it follows from, and refused with the right code and reason."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import zjsim.report.figures
import zjsim.report.workbook
from zjsim.chain import AUDIT_FAILED, INFEASIBLE, INPUT_ERROR, STOPPED, RunRefused
from zjsim.clock import STEPS
from zjsim.run import Run
from zjsim.run import run as run_function
from zjsim.runfolder import folder_name
from zjsim.scenario.parameters import Header, Parameters
from zjsim.simulate.cluster import ClusterError
from zjsim.simulate.ensemble import Task
from zjsim.solve.results import Conflict, Feasible, Infeasible, Optimal, Stage, Stopped
from zjsim.tables.manifests import read_manifest

ODDS = ("p_meet", "p_low", "p_high", "p_worst", "p_best")


@dataclass
class ToyScenario:
    """What a run asks of a scenario."""

    name: str = "toy"
    base: str = ""
    sets: tuple[str, ...] = ()
    notices: tuple[Any, ...] = ()
    levels: tuple[Any, ...] = ()
    files: dict[str, Any] = field(
        default_factory=lambda: {"counties": SimpleNamespace(place="toy/registries/counties.csv", sha256="ab" * 32)}
    )
    parameters: Parameters = field(
        default_factory=lambda: Parameters(header=Header(title_zh="玩具", title_en="Toy", date=date(2024, 12, 31)))
    )

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        return {"counties": pd.DataFrame({"county_code": ["330102"], "n": [1.0], "basis": ["synthetic"]})}

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


STAGE = Stage("shortfall", "minimise", 0.0, 0.0, 0.0)
LEADS = pd.DataFrame(
    {
        "industry_id": ["C01"],
        "industry_zh": ["=1+1"],
        "moe_code": ["10335"],
        "discipline_code": ["0810"],
        "score": [1 / 3],
    }
)
PAIRS = pd.DataFrame({"industry_id": ["H01"], "moe_code": ["10341"], "role": ["lead"]})
SEATS = pd.DataFrame({"county_code": ["330102"], "year": [2025], "demand_children": [10], "shortfall": [0.0]})


def outcomes(seed: int) -> dict[str, pd.DataFrame]:
    numbers = dict.fromkeys(ODDS, 0.5)
    target = {
        "target_id": "t",
        "reading": "r",
        "is_default": True,
        "measures": "M001",
        "indicator": "x",
        "period": "stock",
        "bound": 5.0,
        "deadline": "2027-12-31",
        **numbers,
        "has_baseline": False,
        "mean": float(seed),
        "p05": 0.0,
        "p50": 1.0,
        "p95": 2.0,
        "replications": 3,
        "verdict": "not met",
    }
    yearly = [{"year": y, "indicator": "x", "mean": 1.0, "p05": 0.0, "p50": 1.0, "p95": 2.0} for y in (2025, 2026)]
    return {"target_feasibility": pd.DataFrame([target]), "yearly_outcomes": pd.DataFrame(yearly)}


class Rooms:
    """Stands for the rooms a run calls; a test puts other answers in."""

    def __init__(self) -> None:
        self.scenario = ToyScenario()
        self.assign: Any = Optimal({"lead_assignments": LEADS, "heritage_pairs": PAIRS}, (STAGE,))
        self.locations: Any = Optimal({}, (STAGE,))
        self.talent: Any = Optimal({}, (STAGE,))
        self.seats: Any = Optimal({"seat_expansion": SEATS}, (STAGE,))
        self.findings: list[Any] = []
        self.outcome_findings: list[Any] = []
        self.simulated: list[tuple[int, int, int]] = []


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    made = Rooms()

    def read(name: object, sets: object) -> ToyScenario:
        made.scenario.sets = tuple(sets)  # type: ignore[call-overload]
        return made.scenario

    def simulate(scenario: Any, plan: Any, seed: int, replications: int, engine: Any, progress: Any) -> Any:
        made.simulated.append((seed, replications, engine.workers))
        progress(1, 2)
        return outcomes(seed)

    for name, stand_in in {
        "_read": read,
        "_assign": lambda s, log_file: (Path(log_file).write_text("assigned\n"), made.assign)[1],
        "_locations": lambda s, plan, progress, log_file: (Path(log_file).write_text("located\n"), made.locations)[1],
        "_talent": lambda s, plan, progress, log_file: (Path(log_file).write_text("taught\n"), made.talent)[1],
        "_seats": lambda s, progress, log_file, workers: (Path(log_file).write_text("seated\n"), made.seats)[1],
        "_audit": lambda plan, tables, parameters: made.findings,
        "_audit_outcomes": lambda outcomes, plan, tables, parameters: made.outcome_findings,
        "_simulate": simulate,
    }.items():
        room = "run" if name in ("_read", "_audit", "_audit_outcomes", "_simulate") else "chain"
        monkeypatch.setattr(f"zjsim.{room}.{name}", stand_in)
    monkeypatch.setattr("zjsim.run.pack_inputs", lambda scenario: b"inputs")
    return made


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of a toy run's time: done where it matters only."""
    monkeypatch.setattr(zjsim.report.figures, "draw_all", lambda folder, *rest: (folder / "f.svg").write_text("<svg/>"))


@pytest.fixture
def run_toy(rooms: Rooms, tmp_path: Path) -> Callable[..., Run]:
    return lambda **options: run_function("toy", **{"out": tmp_path / "results", **options})


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_is_complete_and_its_manifest_true(run_toy: Callable[..., Run], tmp_path: Path) -> None:
    made = run_toy(sets=("time.as_of=2024-12-31",))
    assert made.exit_code == 0
    assert made.folder == tmp_path / "results" / "toy" / made.manifest["run_id"]
    found = files(made.folder)
    manifest = read_manifest(made.folder)
    assert manifest == json.loads(json.dumps(made.manifest))
    unhashed = ("manifest.json", "internal/manifest.json", "timings.json", "internal/solver.log")
    public = json.loads(found["manifest.json"])
    assert not [n for n in public["outputs"] if n.startswith("internal/")]
    wanted = {n: hashlib.sha256(b).hexdigest() for n, b in found.items() if n not in unhashed}
    assert manifest["outputs"] == wanted
    assert {
        "plan.xlsx",
        "internal/inputs.zip",
        "internal/README.txt",
        "tables/input_sources.csv",
        "figures/target_probabilities.png",
    } <= set(wanted)
    assert manifest["inputs"] == {"toy/registries/counties.csv": "ab" * 32}
    assert manifest["sets"] == ["time.as_of=2024-12-31"]
    assert manifest["readings"]["assignment.lead_reading"] == "one_industry_per_discipline"
    assert manifest["solves"]["seats"]["status"] == "optimal"
    assert manifest["replications_by_target"] == {"t": 3}
    assert manifest["audit"] == {"findings": [], "passed": True}
    assert manifest["placeholder_share"] == 1.0
    assert set(json.loads(found["timings.json"])["seconds"]) >= set(STEPS) - {"report"}
    assert found["internal/solver.log"].split() == [b"assigned", b"located", b"taught", b"seated"], (
        "the solver's log is kept, and outside the hashes"
    )
    assert manifest["not_reproducible"] == ["internal/solver.log", "timings.json"]
    assert "time" not in json.dumps(sorted(manifest))
    assert made.summary("zh") != made.summary("en")


@pytest.mark.usefixtures("no_figures")
def test_tables_are_plain_and_safe_to_open(run_toy: Callable[..., Run]) -> None:
    path = run_toy().folder / "tables" / "lead_assignments.csv"
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8", newline="") as f:
        (row,) = csv.DictReader(f)
    assert row["moe_code"] == "10335"
    assert row["industry_zh"] == "'=1+1"
    assert float(row["score"]) == pytest.approx(1 / 3)


def test_equal_runs_are_byte_equal_and_replace_each_other(run_toy: Callable[..., Run], tmp_path: Path) -> None:
    first = files(run_toy(workers=1).folder)
    second = run_toy(workers=2)
    assert {n: b for n, b in files(second.folder).items() if n != "timings.json"} == {
        n: b for n, b in first.items() if n != "timings.json"
    }
    assert [p.name for p in (tmp_path / "results" / "toy").iterdir()] == [second.folder.name]


@pytest.mark.usefixtures("no_figures")
def test_whatever_changes_the_results_changes_the_name(run_toy: Callable[..., Run], rooms: Rooms) -> None:
    names = [run_toy().folder.name]
    for options in ({"seed": 8}, {"replications": 9}, {"sets": ("a=1",)}, {"lang": "en"}):
        names.append(run_toy(**options).folder.name)
    rooms.scenario.files["counties"].sha256 = "cd" * 32
    names.append(run_toy().folder.name)
    assert len(set(names)) == len(names)
    assert rooms.simulated[0][:2] == (20241231, 100), "the scenario's own seed and replications"
    assert rooms.simulated[1][0] == 8
    assert rooms.simulated[2][1] == 9


CONFLICT = Conflict(
    ("a", "b"), "两个学科被钉在同一产业", "Two disciplines are pinned to one industry", "去掉一个", "drop one"
)
FINDING = SimpleNamespace(rule="cap", zh="超出上限", en="over the cap")


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    ("room", "answer", "code", "zh", "en"),
    [
        ("assign", Infeasible(CONFLICT), INFEASIBLE, "两个学科被钉在同一产业", "Two disciplines are pinned"),
        (
            "locations",
            Infeasible(CONFLICT),
            INFEASIBLE,
            "园所布局无可行方案：两个学科",
            "location plans: Two disciplines",
        ),
        ("locations", Stopped("time limit"), STOPPED, "园所布局", "location plans"),
        ("seats", Infeasible(CONFLICT), INFEASIBLE, "去掉一个", "drop one"),
        ("seats", Stopped("time limit"), STOPPED, "学位", "seat plan"),
        ("findings", [FINDING], AUDIT_FAILED, "[cap] 超出上限", "[cap] over"),
        ("outcome_findings", [FINDING], AUDIT_FAILED, "[cap] 超出上限", "[cap] over"),
    ],
)
def test_without_a_plan_nothing_is_written(
    run_toy: Callable[..., Run], rooms: Rooms, tmp_path: Path, room: str, answer: Any, code: int, zh: str, en: str
) -> None:
    setattr(rooms, room, answer)
    with pytest.raises(RunRefused) as refused:
        run_toy()
    assert refused.value.exit_code == code
    assert zh in refused.value.sentence("zh")
    assert en in refused.value.sentence("en")
    simulated = room == "outcome_findings"  # the only one found afterwards
    assert bool(rooms.simulated) == simulated, "nothing is simulated on a plan that is not there"
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("no_figures")
def test_a_plan_not_proven_optimal_says_so(run_toy: Callable[..., Run], rooms: Rooms) -> None:
    rooms.seats = Feasible({"seat_expansion": SEATS}, (STAGE,), bound=1.0, gap=0.0123)
    made = run_toy()
    assert made.manifest["solves"]["seats"]["gap"] == 0.0123
    assert made.manifest["replayable"] is False
    assert "1.23%" in made.summary("zh")
    rooms.locations = Feasible({}, (STAGE,), bound=1.0, gap=0.0456)
    assert "4.56%" in run_toy().summary("en")


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("error", [RuntimeError("disk full"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_nothing(
    run_toy: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*args: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(zjsim.report.workbook, "write_workbook", fail)
        with pytest.raises(type(error)):
            run_toy()
    assert not (tmp_path / "results").exists(), "not even the folders that were made for it"
    kept = run_toy()
    before = files(kept.folder)
    monkeypatch.setattr(zjsim.report.workbook, "write_workbook", fail)
    with pytest.raises(type(error)):
        run_toy()
    assert files(kept.folder) == before, "the run that stood there still stands"
    assert [p.name for p in kept.folder.parent.iterdir()] == [kept.folder.name]


@pytest.mark.usefixtures("no_figures")
def test_a_failure_while_moving_puts_the_old_run_back(
    run_toy: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = run_toy()
    before = files(kept.folder)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="no"):
        run_toy()
    assert files(kept.folder) == before
    assert [p.name for p in kept.folder.parent.iterdir()] == [kept.folder.name]


@pytest.mark.usefixtures("no_figures")
def test_a_place_that_holds_something_else_is_refused(run_toy: Callable[..., Run], tmp_path: Path) -> None:
    made = run_toy()
    (made.folder / "manifest.json").unlink()
    (made.folder / "my notes.txt").write_text("keep me")
    with pytest.raises(RunRefused) as refused:
        run_toy()
    assert refused.value.exit_code == INPUT_ERROR
    assert (made.folder / "my notes.txt").read_text() == "keep me"
    (tmp_path / "file").write_text("")
    with pytest.raises(RunRefused) as refused:
        run_toy(out=tmp_path / "file")
    assert refused.value.exit_code == INPUT_ERROR


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("baseline", "baseline"), ("../../etc", "_.._etc"), ("a/b\\c:d", "a_b_c_d"), ("..", "_"), ("基准", "基准")],
)
def test_folder_names_lead_nowhere_else(name: str, wanted: str) -> None:
    assert folder_name(name) == wanted


@pytest.mark.usefixtures("no_figures")
def test_progress_is_told_every_step_in_order(run_toy: Callable[..., Run]) -> None:
    told: list[tuple[str, float]] = []
    run_toy(progress=lambda step, share: told.append((step, share)))
    assert list(dict.fromkeys(step for step, _ in told)) == list(STEPS)
    assert ("simulate", 0.5) in told
    assert all(0 <= share <= 1 for _, share in told)


@pytest.mark.usefixtures("no_figures")
def test_zjsim_run_is_callable_before_and_after_its_module_was_imported(rooms: Rooms, tmp_path: Path) -> None:
    import zjsim

    for _ in range(2):
        assert zjsim.run("toy", out=tmp_path).exit_code == 0


@pytest.mark.usefixtures("no_figures")
def test_an_interrupted_run_is_taken_up_again_says_so_and_cleans_up(
    run_toy: Callable[..., Run], rooms: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, lives, said = Task("toy", {}, 1, 0, 1), [], []

    def simulate(scenario: Any, plan: Any, seed: int, replications: int, engine: Any, progress: Any) -> Any:
        lives.append(engine.checkpoint.get(task))
        engine.checkpoint.put(task, {"y": np.ones(3)})
        if len(lives) in (1, 3):
            raise KeyboardInterrupt
        return outcomes(seed)

    monkeypatch.setattr("zjsim.run._simulate", simulate)
    with pytest.raises(KeyboardInterrupt):
        run_toy(notice=said.append)
    assert said == []
    made = run_toy(notice=said.append, lang="zh")
    assert [p.name for p in made.folder.parent.iterdir()] == [made.folder.name]
    assert len(said) == 1
    assert said[0].startswith("上次运行中断：已完成的 1 项")
    with pytest.raises(KeyboardInterrupt):
        run_toy()
    rooms.assign = Optimal({"lead_assignments": LEADS, "heritage_pairs": PAIRS.iloc[:0]}, (STAGE,))
    run_toy(notice=said.append)
    assert len(said) == 1, "another plan: nothing to go on from"
    assert [life is not None for life in lives] == [False, True, False, False]


@pytest.mark.parametrize("trouble", ["missing", "unreachable", "no_workers", "differs"])
def test_an_unusable_cluster_is_refused_before_any_work(
    run_toy: Callable[..., Run], rooms: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Any
) -> None:
    def check(address: str) -> int:
        raise ClusterError(trouble, "what it is")

    monkeypatch.setattr("zjsim.simulate.cluster.check", check)
    with pytest.raises(RunRefused) as refused:
        run_toy(cluster="tcp://h:1")
    assert refused.value.exit_code == INPUT_ERROR
    for lang in ("zh", "en"):
        said = refused.value.sentence(lang)  # type: ignore[arg-type]
        assert "what it is" in said or "tcp://h:1" in said
    assert not rooms.simulated
    assert not (tmp_path / "results").exists()
