"""A scenario with its plan, ready to be simulated: taken from a finished run, or planned now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.decide.runs import RunFiles, open_run
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import MANIFEST
from zjsim.tables.values import nearest

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

_PLAN_ENDS = ("_plan", "_assignments", "_pairs", "_coverage", "_targets", "_service")


@dataclass(frozen=True)
class Planned:
    """A scenario and the tables of its plan; ``label`` names it, ``seed`` is what it is simulated with."""

    label: str
    scenario: Scenario
    plan: Mapping[str, pd.DataFrame]
    seed: int


def planned(
    source: str | Path,
    sets: Sequence[str] = (),
    progress: Any = None,
    *,
    targets: tuple[str, Sequence[str]] = ("", ()),
    workers: int = 1,
) -> Planned:
    """The scenario and plan behind ``source``: a run folder (its inputs and plan are read again) or a scenario.

    A scenario is planned and audited now (about two minutes for the province, counties' seats by ``workers``
    processes); what is wrong with ``targets`` (the option and its names) is told before. Raises ``InputErrors``, or
    :class:`zjsim.chain.RunRefused` where there is no plan or its audit fails. ``sets`` belong to scenarios only:
    a run is what it is (``InputErrors``).
    """
    if is_run(source):
        if sets:
            raise InputErrors([finding("sets_of_a_run", "--set", value=" ".join(sets), theme="decide.rule")])
        run = open_run(source, only_runs=True)
        check_targets(run.scenario(), *targets)
        return Planned(run.label, run.scenario(), plan_tables(run), int(run.manifest["seed"]))
    from zjsim.chain import solve_all
    from zjsim.clock import Clock
    from zjsim.run import check_plan
    from zjsim.scenario import load

    scenario = load(source, sets=tuple(sets))
    check_targets(scenario, *targets)
    plan, _, _ = solve_all(scenario, Clock(progress), workers)
    check_plan(plan, scenario)
    return Planned(scenario.name, scenario, plan, scenario.parameters.simulation.seed)


def check_targets(scenario: Scenario, option: str, names: Sequence[str]) -> None:
    """Raise ``InputErrors`` with the nearest id for every one of ``names`` (id or id/reading) that is no target."""
    known = list(dict.fromkeys(scenario.table("targets")["target_id"]))
    said = [part.strip().partition("/")[0] for name in names for part in name.split(",")]
    wrong = [t for t in said if t and t not in known]
    if wrong:
        raise InputErrors(
            [finding("no_target", option, value=t, fix=nearest(t, known), theme="decide.rule") for t in wrong]
        )


def is_run(source: str | Path) -> bool:
    """Whether ``source`` is the folder of a run, or of a scenario's runs."""
    folder = Path(source)
    return folder.is_dir() and ((folder / MANIFEST).is_file() or any(folder.glob(f"*/{MANIFEST}")))


def plan_tables(run: RunFiles) -> dict[str, pd.DataFrame]:
    """The plan of a run as its models gave it: truth values as such, texts empty where there is none."""
    files = [Path(n) for n in run.manifest["outputs"] if n.startswith(("tables/", "internal/")) and n.endswith(".csv")]
    names = sorted({file.stem for file in files})
    return {
        name: typed(run.exact_table(name)) for name in names if name.startswith("seat_") or name.endswith(_PLAN_ENDS)
    }


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """A table read from a file with yes/no as truth values and unknown texts as ""."""
    columns = {}
    for name in table.columns:
        column = table[name]
        if column.dtype == object or str(column.dtype).startswith("str"):
            column = column.fillna("").astype(object)
            if len(column) and set(column.unique()) <= {"yes", "no"}:
                column = (column == "yes").astype(bool)
        columns[name] = column
    import pandas as pd

    return pd.DataFrame(columns)
