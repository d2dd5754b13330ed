"""300,000 rows read and checked, against pandas reading the same file as text; CPU seconds, median of five rounds.

Run it as a script: ``python tests/benchmarks/bench_reader.py``. It prints both medians and their ratio, and ends with
code 1 if the ratio exceeds 3. The two readers take turns, so that both meet the same state of the machine.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pandas as pd

from zjsim.tables.reader import check_tables, read_raw

ROUNDS = 5
LIMIT = 3.0


def _tables() -> ModuleType:
    """The file and the declarations of the speed test."""
    path = Path(__file__).parents[1] / "tables" / "test_speed.py"
    spec = importlib.util.spec_from_file_location("speed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Measure, print, and say by the exit code whether the limit is kept."""
    speed = _tables()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speed.write(folder)

        def read() -> None:
            pd.read_csv(folder / "groups.csv", dtype=str)

        def check() -> None:
            raws = {}
            for table in ("places", "groups"):
                raw, _, _ = read_raw(folder / f"{table}.csv", folder, table, f"{table}.csv")
                assert raw is not None
                raws[table] = raw
            assert not check_tables(raws, {"groups": speed.GROUPS, "places": speed.PLACES}).findings

        read()
        reading, checking = [], []
        for _ in range(ROUNDS):
            reading.append(speed.seconds(read))
            checking.append(speed.seconds(check))
    a, b = statistics.median(reading), statistics.median(checking)
    print(
        f"pandas {a:.3f} s, zjsim {b:.3f} s, ratio {b / a:.2f} (limit {LIMIT:g}), {speed.ROWS:,} rows, {ROUNDS} rounds"
    )
    return int(b > LIMIT * a)


if __name__ == "__main__":
    sys.exit(main())
