"""The part of a run that plans: each model in turn, given what those before it decided, or why there is no plan.

The heavy rooms are imported where they are used, so that the command line can import :class:`RunRefused` at no cost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.clock import Clock
from zjsim.runfolder import SOLVER_LOG
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped
from zjsim.texts import Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

    Tables = dict[str, pd.DataFrame]

OK, INPUT_ERROR, INFEASIBLE, AUDIT_FAILED, STOPPED = 0, 2, 3, 4, 5
"""Exit codes of the command line (1 is an internal error)."""


class RunRefused(Exception):  # noqa: N818 - a name agreed with the command line
    """There is nothing to export, and why: in Chinese and English, with the exit code of the command line."""

    def __init__(self, exit_code: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.exit_code, self.zh, self.en = exit_code, zh, en

    def sentence(self, lang: Language) -> str:
        """The reason in language ``lang``."""
        return self.zh if lang == "zh" else self.en


def solve_all(scenario: Scenario, clock: Clock, workers: int = 1) -> tuple[Tables, dict[str, Any], bytes]:
    """Tables of all plans, what the manifest says of each solve, and the solver's log.

    Leads and pairs come first, then locations, which know them; talent supply knows both; seats stand alone, their
    counties solved by ``workers`` processes. Raises :class:`RunRefused` where one has no plan.
    """
    plan: Tables = {}
    solves: dict[str, Any] = {}
    logs: list[bytes] = []

    def take(step: str, problem: str, solve: Callable[[str], Result[Tables]]) -> None:
        with clock.step(step):
            answer, log = _logged(solve)
            tables, solves[problem] = _accepted(answer, problem)
        plan.update(tables)
        logs.append(log)

    take("assign", "assignment", lambda log: _assign(scenario, log))
    take("locations", "locations", lambda log: _locations(scenario, plan, clock.within, log))
    take("talent", "talent", lambda log: _talent(scenario, plan, clock.within, log))
    take("seats", "seats", lambda log: _seats(scenario, clock.within, log, workers))
    return plan, solves, b"".join(logs)


def _logged(solve: Callable[[str], Result[Tables]]) -> tuple[Result[Tables], bytes]:
    """What ``solve`` answers, and what its solver wrote into the file it was given meanwhile."""
    with tempfile.TemporaryDirectory(prefix="zjsim-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / Path(SOLVER_LOG).name
        answer = solve(str(log))
        return answer, log.read_bytes() if log.is_file() else b""


def _assign(scenario: Scenario, log_file: str) -> Result[Tables]:
    from zjsim.models.lead_discipline import solve_assignment

    return solve_assignment(scenario, log_file=log_file)


def _locations(scenario: Scenario, plan: Tables, progress: Callable[[int, int], None], log_file: str) -> Result[Tables]:
    from zjsim.models.locations import solve_locations

    return solve_locations(scenario, plan, progress=progress, log_file=log_file)


def _talent(scenario: Scenario, plan: Tables, progress: Callable[[int, int], None], log_file: str) -> Result[Tables]:
    from zjsim.models.talent_plan import solve_talent

    return solve_talent(scenario, plan, progress=progress, log_file=log_file)


def _seats(scenario: Scenario, progress: Callable[[int, int], None], log_file: str, workers: int) -> Result[Tables]:
    from zjsim.models.seat_expansion import solve_seats

    return solve_seats(scenario, progress=progress, log_file=log_file, workers=workers)


def _accepted(result: Result[Tables], problem: str) -> tuple[Tables, dict[str, Any]]:
    """The plan's tables and what the manifest says of the solve; without a plan the run is refused."""
    match result:
        case Optimal(plan, stages):
            return plan, {
                "status": "optimal",
                "gap": 0.0,
                "bound": _stage(stages[0], problem)["bound"] if stages else None,
                "stages": [_stage(s, problem) for s in stages],
            }
        case Feasible(plan, stages, bound, gap):
            first = next((s for s in stages if s.gap > 0), None)
            bound = bound if first is None or problem != "seats" else _stage(first, problem)["bound"]
            return plan, {
                "status": "feasible",
                "gap": gap,
                "bound": bound,
                "stages": [_stage(s, problem) for s in stages],
            }
        case Infeasible(conflict):
            raise RunRefused(
                INFEASIBLE,
                text("run.infeasible", "zh", problem=text(f"run.problem_{problem}", "zh"), why=conflict.zh)
                + (text("run.repair", "zh", how=conflict.repair_zh) if conflict.repair_zh else ""),
                text("run.infeasible", "en", problem=text(f"run.problem_{problem}", "en"), why=conflict.en)
                + (text("run.repair", "en", how=conflict.repair_en) if conflict.repair_en else ""),
            )
        case Stopped(reason):
            raise RunRefused(STOPPED, _stopped(problem, reason, "zh"), _stopped(problem, reason, "en"))
    raise TypeError(f"not a result of a solve: {result!r}")


def _stopped(problem: str, reason: str, lang: Language) -> str:
    """What stopped a solve before it had any plan, and which limit to raise."""
    limits = ("solver.time_limit_s", "seats.county_time_limit_s") if problem == "seats" else ("solver.time_limit_s",)
    why = reason.replace(_SOLVERS_WORDS, text("run.time_limit", lang))
    values = {"reason": why, "limits": text("run.between", lang).join(limits)}
    return text("run.stopped", lang, problem=text(f"run.problem_{problem}", lang), **values)


_SOLVERS_WORDS = "Time limit reached"


def _stage(stage: Any, problem: str) -> dict[str, Any]:
    """A goal as the manifest says it; how many children or what money with purchases in it stays inside the run."""
    said = {k: getattr(stage, k) for k in ("name", "sense", "value", "bound", "gap", "unit", "tolerance")}
    if stage.by_clock is not None:
        said["by_clock"] = stage.by_clock
    return said | {"value": None, "bound": None} if problem == "seats" and stage.unit in _ABOUT_CHILDREN else said


_ABOUT_CHILDREN = ("child-years", "children", "km", "10k yuan")
"""Units of the goals of the seat plan whose sums would help to tell a hidden count (``internal/seat_stages.csv``)."""
