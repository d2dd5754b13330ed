"""Standard output belongs to the commands: the solver writes nothing there, not even when it is first made."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from zjsim.solve.highs import new_solver
from zjsim.solve.options import Options

solver = new_solver(Options())
solver.addVar(0.0, 1.0)
solver.run()
"""


def test_a_solver_says_nothing_on_standard_output():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == ""
