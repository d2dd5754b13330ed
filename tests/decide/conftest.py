"""What every folder of this room must stand: each of its tables is followed back by ``zjsim trace``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zjsim.trace import show_trace
from zjsim.trace_decisions import KINDS


@pytest.fixture
def traced(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, dict[str, Any]]]:
    """Trace the first row of every table of a folder in both languages; what is said of it by table.

    Every table is declared for its kind and every declared one is there, but for those named ``absent``.
    """

    def trace_all(folder: Path, *, absent: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
        kind = json.loads((folder / "manifest.json").read_text("utf-8"))["kind"]
        found = {p.stem: p for p in sorted((folder / "tables").glob("*.csv"))}
        assert set(found) == set(KINDS[kind].tables) - set(absent)
        said = {}
        for table, path in found.items():
            rows = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
            if not rows:
                continue
            key = ", ".join(f"{c}={v}" for c, v in rows[0].items() if v and "," not in v and "=" not in v)
            for lang in ("zh", "en"):
                capsys.readouterr()
                assert show_trace(folder, table, key, None, lang, False) == 0  # type: ignore[arg-type]
                assert "{" not in capsys.readouterr().out.split("\n\n")[-1]
            assert show_trace(folder, table, key, None, "en", True) == 0
            told = json.loads(capsys.readouterr().out)
            assert told["row"] == rows[0]
            assert told["made"]
            assert all(len(m["said"]) > 40 for m in told["methods"])
            if rows[0].get("target_id"):
                entry = next(e for e in told["inputs"] if e["registry"] == "targets")
                assert entry["source"]["source_id"]
                assert entry["key"].startswith(rows[0]["target_id"])
            said[table] = told
        return said

    return trace_all
