"""What a planner can choose, as dimensions of an exploration beside what nobody chooses: the registry ``levers``.

A lever moves a number of the simulation from its earliest effect on; before, and where it stands still, the number is
what the scenario holds, which may itself be uncertain. The two are different dimensions and never mixed: a lever's id
is that of the registry, an uncertain input's that of its parameter. Levers that only a new plan could answer (budgets,
readings, caps) are left out and named; a plan made with them is explored beside the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from zjsim.models.dated_levers import OFFICERS_SCALE, REACHES, moved
from zjsim.models.processes import Process
from zjsim.simulate.inputs import UncertainInput
from zjsim.texts import LANGUAGES, text

LEVER, UNCERTAINTY = "lever", "uncertainty"
COLUMNS = (
    "lever_id", "name_zh", "name_en", "sampled", "process", "low", "high", "present", "unit", "unit_zh", "from_date",
    "said_zh", "said_en",
)  # fmt: skip
_CELL = re.compile(r"\w+\[(?P<id>[^\]]+)\]\.mode")
_OFFICERS = f"patents[*].{OFFICERS_SCALE}"


@dataclass(frozen=True, slots=True)
class Lever:
    """A lever of the processes named: what it moves (an id of ``REACHES``), its range in that number's unit, and since
    when (days from the first simulated one)."""

    source: UncertainInput
    moves: str
    day: float
    processes: tuple[str, ...]

    def entries(self, value: float) -> dict[str, float]:
        """What a replication gets to know."""
        return moved(self.moves, value, self.day)


def levers_of(scenario: Any, processes: Mapping[str, Process]) -> list[Lever]:
    """Levers that a process among ``processes`` can follow, in the order of the registry."""
    found = []
    for row in _rows(scenario):
        moves = _moves(row)
        reached = tuple(r.process for r in REACHES.get(moves, ()) if r.process in processes)
        if not reached:
            continue
        present = _present(scenario, moves)
        factor = present if row["change"] == "scale" and moves != OFFICERS_SCALE else 1.0
        low, high = sorted((factor * float(row["low"]), factor * float(row["high"])))
        unit = row["unit"] if factor == 1.0 else _unit(scenario, moves, "unit")
        unit_zh = row["unit_zh"] if factor == 1.0 else _unit(scenario, moves, "unit_zh")
        middle = min(max(present, low), high)
        names = (str(row["name_zh"]), str(row["name_en"]))
        source = UncertainInput(
            str(row["lever_id"]), low, middle, high, "uniform", str(unit), str(row["basis"]), *names, str(unit_zh)
        )
        first = min(processes[p].first_day for p in reached)
        day = float(max((_date(row["earliest_effect"]) - first).days, 0))
        found.append(Lever(source, moves, day, reached))
    return found


def lever_table(scenario: Any, levers: list[Lever]) -> pd.DataFrame:
    """Every lever of the registry: sampled over its range, or why not, in words."""
    sampled = {lever.source.input_id: lever for lever in levers}
    rows: list[tuple[Any, ...]] = []
    for row in _rows(scenario):
        lever = sampled.get(str(row["lever_id"]))
        key = "sampled" if lever else "elsewhere" if _moves(row) in REACHES else "planned"
        numbers = (row["low"], row["high"], None) if lever is None else _numbers(lever)
        units = (row["unit"], row["unit_zh"]) if lever is None else (lever.source.unit, lever.source.unit_zh)
        said = (text(f"explore.lever_{key}", lang, path=row["path"]) for lang in LANGUAGES)
        process = ";".join(lever.processes) if lever else ""
        told = (row["lever_id"], row["name_zh"], row["name_en"], lever is not None, process)
        rows.append((*told, *numbers, *units, str(_date(row["earliest_effect"])), *said))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _numbers(lever: Lever) -> tuple[float, float, float]:
    return lever.source.low, lever.source.high, lever.source.mode


def _rows(scenario: Any) -> Iterator[dict[str, Any]]:
    for row in scenario.table("levers").to_dict("records"):
        yield {str(k): v for k, v in row.items()}


def _moves(row: Mapping[str, Any]) -> str:
    """The id of ``REACHES`` that a lever moves; empty where its path is another."""
    cell = _CELL.fullmatch(str(row["path"]))
    return OFFICERS_SCALE if row["path"] == _OFFICERS else cell["id"] if cell else ""


def _parameter(scenario: Any, parameter_id: str) -> Mapping[str, Any]:
    for name, table in scenario.tables.items():
        if name.endswith("_parameters") and "parameter_id" in table:
            own = table[table["parameter_id"] == parameter_id]
            if len(own):
                return {str(k): v for k, v in own.iloc[0].to_dict().items()}
    raise KeyError(parameter_id)


def _present(scenario: Any, moves: str) -> float:
    return 1.0 if moves == OFFICERS_SCALE else float(_parameter(scenario, moves)["mode"])


def _unit(scenario: Any, moves: str, column: str) -> str:
    return str(_parameter(scenario, moves).get(column, ""))


def _date(value: Any) -> date:
    return date.fromisoformat(str(value)[:10])
