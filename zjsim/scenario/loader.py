"""Loading a scenario: its chain of parents, its parameters and registries, all checks, one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import zjsim.scenario.actual_checks
import zjsim.scenario.date_checks
import zjsim.scenario.paths
import zjsim.scenario.range_checks
import zjsim.scenario.reach_checks
import zjsim.scenario.school_checks
import zjsim.scenario.total_checks  # noqa: F401 - their rules register themselves
from zjsim.scenario.changes import Change, Level
from zjsim.scenario.checks import check_scenario
from zjsim.scenario.folders import SCENARIO_FILE, find_folder
from zjsim.scenario.gather import Gathered, gather, read_chain
from zjsim.scenario.overlay import set_cells
from zjsim.scenario.parameters import Header, Parameters
from zjsim.scenario.sets import split_sets
from zjsim.scenario.settings import Place, Settings, merge, validate
from zjsim.tables.errors import Finding, InputErrors
from zjsim.tables.reader import SourceFile, check_tables
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.typed import empty_frame
from zjsim.tables.values import nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scenario:
    """A scenario that passed every check.

    ``tables`` holds a typed frame for every declared registry (no rows where an optional one is absent);
    ``lines[registry][i]`` is the file line of row i; ``files`` says what was read, by registry name, and by
    ``<scenario>/scenario.toml`` for the parameters of the scenario and of each it extends; ``sets`` are the
    ``--set`` options applied; ``base`` is the scenario it extends ("" for none); ``notices`` are remarks that do
    not forbid to go on. ``levels`` are the scenarios of the chain in the order in which they are merged (the farthest
    parent first), ``changes`` every cell that an override or ``--set`` changed, in that order; ``origins`` says for
    each registry which cells (row, column) do not come from its table and where they were written, ``places`` the same
    for the parameters by dotted key.
    """

    name: str
    parameters: Parameters
    tables: dict[str, pd.DataFrame] = field(repr=False)
    files: dict[str, SourceFile] = field(repr=False)
    lines: dict[str, NDArray[np.int64]] = field(repr=False)
    notices: tuple[Finding, ...] = ()
    base: str = ""
    sets: tuple[str, ...] = ()
    changes: tuple[Change, ...] = field(default=(), repr=False)
    levels: tuple[Level, ...] = field(default=(), repr=False)
    origins: Mapping[str, Mapping[tuple[int, str], Place]] = field(default_factory=dict, repr=False)
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)

    @property
    def header(self) -> Header:
        """Title, author, date and description."""
        return self.parameters.header

    @property
    def file_hashes(self) -> dict[str, str]:
        """SHA-256 of every file that was read, by its place (``baseline/registries/counties.csv``), sorted."""
        return dict(sorted((source.place, source.sha256) for source in self.files.values()))

    def place(self, registry: str, row: int, column: str) -> Place:
        """File and line on which the value of a cell is written: its table, an override, or ``--set``."""
        if (row, column) in self.origins.get(registry, {}):
            return self.origins[registry][row, column]
        return (self.files[registry].place if registry in self.files else "", int(self.lines[registry][row]))

    def table(self, name: str) -> pd.DataFrame:
        """The registry ``name``; raises ``KeyError`` with the nearest name if there is none."""
        if name not in self.tables:
            raise KeyError(f"no registry {name!r}; did you mean {nearest(name, list(self.tables))!r}?")
        return self.tables[name]


def load(name_or_path: str | Path, sets: Sequence[str] = ()) -> Scenario:
    """Read and check a scenario, a built-in name or a folder, with ``--set`` values over it.

    Raises ``InputErrors`` with every fault of every file.
    """
    folder, notices = find_folder(name_or_path)
    chain, broken = read_chain(folder)
    gathered = gather(chain, broken)
    gathered.findings[:0] = notices
    base = chain[1][0].name if len(chain) > 1 else ""
    return assemble(folder.name, gathered, base=base, sets=tuple(sets))


def assemble(
    name: str, gathered: Gathered, *, base: str = "", sets: tuple[str, ...] = (), label: str = SCENARIO_FILE
) -> Scenario:
    """Put ``--set`` values over what was gathered, check everything, and make a scenario of it.

    ``label`` names the file of the parameters in messages. Raises ``InputErrors`` with every fault.
    """
    over, cells, found = split_sets(sets, list(REGISTRIES))
    gathered.findings += found
    changes, found = set_cells(gathered.raws, REGISTRIES, cells)
    gathered.findings += found
    settings = merge_over(gathered.settings, over)
    parameters: Parameters | None = None
    unread = (SCENARIO_FILE, "[scenario]")
    if not any(f.file.endswith(unread) and f.severity == "error" for f in gathered.findings):
        parameters, found = validate(settings, label)
        gathered.findings += found
    in_order = {name: gathered.raws[name] for name in REGISTRIES if name in gathered.raws}
    read = check_tables(in_order, REGISTRIES)
    absent = {n: empty_frame(r) for n, r in REGISTRIES.items() if not r.required and n not in gathered.raws}
    tables = {n: t for n in REGISTRIES if (t := read.tables.get(n, absent.get(n))) is not None}
    found = check_scenario(tables, read.lines, {n: r.file for n, r in in_order.items()}, parameters, in_order)
    findings = [*gathered.findings, *read.findings, *found]
    if parameters is None or any(f.severity == "error" for f in findings):
        raise InputErrors(findings)
    for registry in absent:
        read.lines[registry] = np.empty(0, dtype=np.int64)
    return Scenario(
        name=name,
        parameters=parameters,
        tables=tables,
        files=gathered.files,
        lines=read.lines,
        notices=tuple(findings),
        base=base,
        sets=sets,
        changes=(*gathered.changes, *changes),
        levels=gathered.levels,
        origins={registry: raw.origins for registry, raw in in_order.items() if raw.origins},
        places=settings.places,
    )


def merge_over(settings: Settings, over: Settings) -> Settings:
    """``over`` (the command line) on top of the merged files; unlike a child it may change the header key by key."""
    merged = merge(settings, over)
    header = {**settings.values.get("header", {}), **over.values.get("header", {})}
    if header:
        merged.values["header"] = header
    merged.places = {**settings.places, **over.places}
    return merged
