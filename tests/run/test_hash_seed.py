"""Python hashes text differently in every process: nothing that reaches a solver may follow from that order."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import hashlib
import zjsim
from zjsim.models.seat_data import counties
from zjsim.models.seat_county import build
from zjsim.solve.matrix import extract

county = next(c for c in counties(zjsim.load("baseline")) if c.code == "330108")
matrix = extract(build(county), [])
names = [v.name for v in matrix.columns] + [c.name for c in matrix.rows]
digest = hashlib.sha256("".join(names).encode())
for part in (matrix.start, matrix.index, matrix.coefficient, matrix.row_lower, matrix.row_upper):
    digest.update(part.tobytes())
print(digest.hexdigest())
"""


def test_the_seat_model_does_not_depend_on_the_hash_seed() -> None:
    seen = set()
    for seed in ("0", "1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        )
        seen.add(done.stdout)
    assert len(seen) == 1
