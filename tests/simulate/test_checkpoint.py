"""A killed ensemble goes on where it stopped; nothing stale or damaged is ever read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zjsim.simulate.checkpoint import Checkpoint, code_hash, key_of
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches
from zjsim.simulate.inputs import Values
from zjsim.simulate.streams import Streams

KILLS = 50


def test_an_ensemble_killed_fifty_times_ends_with_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed_ensemble.py")
    found = []
    for name, kills in (("killed", KILLS), ("quiet", 0)):
        folder = tmp_path / name
        folder.mkdir()
        command = [sys.executable, str(script), str(folder), "20241231", str(kills)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
        found.append(json.loads(done.stdout))
        assert [p.name for p in folder.iterdir()] == ["begun"], "nothing is kept once the ensemble is complete"
    killed, quiet = found
    assert killed["hash"] == quiet["hash"]
    assert killed["killed"] == KILLS
    assert killed["stored"] == sorted(killed["stored"]), "what was finished stays finished"
    assert killed["stored"][0] < 20, "the first life was a short one"
    assert killed["tasks"] == quiet["tasks"] == quiet["begun"] == 80
    assert killed["begun"] <= 80 + KILLS, "only the task that a kill interrupted is done again"


def noisy(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    if data < 0:
        raise RuntimeError("the task was made again")
    return {"y": data + values["x"] + streams.uniforms("toy", "a", 2025, 3), "z": np.full((2, 3), 1 / 3)}


TASKS = batches(Task("toy", {"x": 0.1}, 7, 0, 10), 4)


def run(checkpoint: Checkpoint | None, data: float = 1.0, workers: int = 1) -> list[bytes]:
    told: list[tuple[int, int]] = []
    with Ensemble({"toy": Experiment(noisy, data)}, workers, checkpoint=checkpoint) as ensemble:
        found = ensemble.run(TASKS, lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    return [part[name].tobytes() for part in found for name in sorted(part)]


@pytest.mark.parametrize("workers", [1, 2])
def test_finished_tasks_are_not_made_again_and_come_back_bit_by_bit(tmp_path: Path, workers: int) -> None:
    checkpoint = Checkpoint(tmp_path, "run", "key")
    first = run(checkpoint, workers=workers)
    assert first == run(None)
    assert checkpoint.stored() == 3
    assert run(checkpoint, data=-1.0) == first
    checkpoint.clear()
    assert not list(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match="made again"):
        run(checkpoint, data=-1.0)


def test_another_seed_value_or_batch_is_another_task(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "run", "key")
    checkpoint.put(Task("toy", {"x": 0.1}, 7, 0, 4), {"y": np.ones(3)})
    assert checkpoint.get(Task("toy", {"x": 0.1}, 7, 0, 4)) is not None
    others = [
        Task("toy2", {"x": 0.1}, 7, 0, 4), Task("toy", {"x": np.nextafter(0.1, 1)}, 7, 0, 4),
        Task("toy", {"x": 0.1, "w": 0.0}, 7, 0, 4), Task("toy", {"x": 0.1}, 8, 0, 4),
        Task("toy", {"x": 0.1}, 7, 4, 4), Task("toy", {"x": 0.1}, 7, 0, 5),
    ]  # fmt: skip
    assert [checkpoint.get(task) for task in others] == [None] * 6


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-9] + b"x" + b[-8:], lambda b: b"", lambda b: b[:20]]
)
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: object) -> None:
    checkpoint = Checkpoint(tmp_path, "run", "key")
    first = run(checkpoint)
    for path in checkpoint.folder.iterdir():
        path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert [checkpoint.get(task) for task in TASKS] == [None] * 3
    assert run(checkpoint) == first
    assert checkpoint.get(TASKS[0]) is not None


def test_what_other_inputs_left_behind_is_removed_and_what_other_runs_left_is_not(tmp_path: Path) -> None:
    run(Checkpoint(tmp_path, "run", "old"))
    run(Checkpoint(tmp_path, "other", "old"))
    new = Checkpoint(tmp_path, "run", "new")
    assert new.stored() == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [".other-old.resume"]


def test_the_key_depends_on_every_part_and_on_where_it_ends() -> None:
    keys = [key_of(p) for p in ([b"a", b"b"], [b"ab"], [b"a", b"c"], [b"b", b"a"], [b"a", b"b", b""])]
    assert len(set(keys)) == 5
    assert key_of([b"a", b"b"]) == keys[0]


def test_the_code_hash_changes_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "toy_package_of_checkpoints"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = code_hash([package.name])
    assert code_hash([package.name]) == before != code_hash([])
    (package / "a.py").write_text("x = 2\n")
    changed = code_hash([package.name])
    (package / "a.py").write_text("x = 1\n")
    (package / "a.py").rename(package / "b.py")
    assert len({before, changed, code_hash([package.name])}) == 3
