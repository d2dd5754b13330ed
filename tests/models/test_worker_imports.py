"""What a worker process needs to replicate: it stays small because it never imports libraries of tables and solvers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from zjsim.models.processes import processes_of

import zjsim
from zjsim.simulate.ensemble import Experiment, Task
from zjsim.simulate.inputs import base_values

HEAVY = ("pandas", "pyomo", "highspy", "matplotlib", "pydantic", "xlsxwriter", "docx", "jinja2", "lxml")
CHILD = """
import pickle, sys
from zjsim.simulate.ensemble import replicate
for experiment, task in pickle.load(open(sys.argv[1], "rb")):
    found = replicate(pickle.loads(experiment), task)
    print(task.experiment, len(found), [m for m in sys.argv[2:] if m in sys.modules])
"""


def test_replicating_a_process_imports_no_library_of_tables_or_solvers(tmp_path: Path) -> None:
    """Each process of the baseline is unpacked and replicated once in a fresh Python, as a worker does it."""
    processes = processes_of(zjsim.load("baseline"), {})
    given = [
        (pickle.dumps(Experiment(p.simulate, p.data)), Task(p.name, base_values(p.inputs), 7, 0, 1)) for p in processes
    ]
    (tmp_path / "given").write_bytes(pickle.dumps(given))
    asked = [sys.executable, "-c", CHILD, str(tmp_path / "given"), *HEAVY]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, encoding="utf-8").stdout.splitlines()
    assert [line.split()[0] for line in said] == [p.name for p in processes]
    assert all(line.endswith("[]") for line in said), said
