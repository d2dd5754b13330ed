"""``zjsim replay``: a run again from its manifest, and what differs, where and why.

A run follows from its inputs, options, seed and version, so that running it again gives every byte again - unless a
solve was stopped by the clock, inputs have changed, or other software computes it. A limit by work or by gap strikes at
the same place on every machine and is no such reason.
"""

from __future__ import annotations

import csv
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.archive import ArchiveError, archived_folder, kept_out
from zjsim.replayable import standings, stopped_by_clock
from zjsim.report.finished import RunTables, read_run
from zjsim.runfolder import output_hashes, sha256_of
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import changed_inputs
from zjsim.texts import Language, text

if TYPE_CHECKING:
    from zjsim.scenario import Scenario

_NOTES = ("archived",)
"""What has to be said but explains no difference."""
MOST_CELLS = 3
"""Cells of one table that differ are told one by one up to this number."""
INTERNAL = "internal/"
Row = dict[str, str]


@dataclass(frozen=True)
class Difference:
    """A file that is not the same: ``kind`` is changed, missing (in the second run), added; touched or gone since.

    ``detail`` holds the values of the sentence about it: of a table how many cells differ and the first of them.
    """

    file: str
    kind: str
    detail: Mapping[str, Any]

    def sentence(self, lang: Language) -> str:
        """What differs, in ``lang``."""
        told = next((f"{self.kind}_{what}" for what in ("cells", "parts", "line") if what in self.detail), self.kind)
        return text(f"replay.{told}", lang, file=self.file, **self.detail)


@dataclass(frozen=True)
class Replay:
    """What running again came to: files compared, differences, and reasons by key with their values."""

    files: int
    differences: tuple[Difference, ...]
    reasons: tuple[tuple[str, Mapping[str, Any]], ...]
    folder: Path | None = None

    def lines(self, lang: Language) -> list[str]:
        """The report, a sentence in each line."""
        again = [d for d in self.differences if d.kind not in ("touched", "gone")]
        if not self.differences:
            said = [text("replay.equal", lang, files=self.files)]
        elif not again:  # it came out the same; what lies there was altered
            said = [text("replay.equal_but_touched", lang, files=self.files, n=len(self.differences))]
        else:
            said = [text("replay.different", lang, files=self.files, n=len(self.differences))]
        said += [f"  {d.sentence(lang)}" for d in self.differences]
        between = text("run.between", lang)
        for key, values in self.reasons:
            told = {k: between.join(text(f"run.problem_{p}", lang) for p in str(v).split(";")) if k == "problems" else v
                    for k, v in values.items()}  # fmt: skip
            kind = key if again or key in _NOTES else f"{key}_equal"
            said.append(text(f"replay.why.{kind}", lang, **told))
        if again and not any(key not in _NOTES for key, _ in self.reasons):
            said.append(text("replay.why.unknown", lang))
        return said


def replay(
    folder: Path,
    *,
    scenario: str | None = None,
    out: Path | None = None,
    workers: int = 1,
    lang: Language = "zh",
    progress: Callable[[str, float], None] | None = None,
) -> Replay:
    """Run the run in ``folder`` again and compare every output with what its manifest says and what lies there.

    The scenario is that of the manifest's name, or ``scenario``; if its files have changed since, the inputs that the
    run folder keeps are used. ``out`` keeps the second run. Raises ``InputErrors`` if no run lies there or its inputs
    are nowhere to be had.
    """
    from zjsim.run import run

    manifest = read_run(folder).manifest

    with ExitStack() as stack:
        loaded, reasons = _scenario_of(folder, manifest, scenario, stack)
        place = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zjsim-replay-")))
        again = run(
            loaded, seed=manifest["seed"], replications=manifest["replications"], workers=workers, out=place,
            lang=manifest["lang"], progress=progress, event_log=manifest.get("event_log"),
        )  # fmt: skip
        differences = tuple(compare(folder, manifest, again.folder))
        reasons += _software(manifest, again.manifest)
        reasons += _clocks(folder, manifest, again.folder, again.manifest)
        return Replay(len(manifest["outputs"]), differences, tuple(reasons), again.folder if out else None)


def _scenario_of(
    folder: Path, manifest: Mapping[str, Any], scenario: str | None, stack: ExitStack
) -> tuple[Scenario, list[tuple[str, Mapping[str, Any]]]]:
    """The scenario with the inputs of the run, and what has to be said of where they come from."""
    from zjsim.scenario import load

    wanted = manifest["inputs"]
    said = ""
    try:
        loaded = load(scenario or manifest["scenario"], sets=tuple(manifest["sets"]))
        changed = changed_inputs(wanted, loaded.file_hashes)
        if not changed:
            return loaded, []
        said = _first(changed)
    except InputErrors as error:
        if scenario is not None:
            raise
        said = error.findings[0].file if error.findings else str(manifest["scenario"])
    try:
        kept = stack.enter_context(archived_folder(folder, manifest))
        reasons: list[tuple[str, Mapping[str, Any]]] = [("archived", {"names": said})]
        missing = [place for place in wanted if kept_out(place)]
        if missing:
            reasons.append(("kept_out", {"names": _first(missing)}))
        return load(kept, sets=tuple(manifest["sets"])), reasons
    except ArchiveError as error:
        raise InputErrors([finding("inputs", str(folder), value=said, theme="replay.rule")]) from error


def _first(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def compare(folder: Path, manifest: Mapping[str, Any], other: Path) -> Iterator[Difference]:
    """Every output of the manifest that is not byte-equal in ``other``, and what only one of both has."""
    mine, theirs = manifest["outputs"], output_hashes(other)
    if not any(name.startswith(INTERNAL) for name in mine):  # passed on without what stays inside
        theirs = {name: said for name, said in theirs.items() if not name.startswith(INTERNAL)}
    for name in sorted(mine.keys() | theirs):
        own = folder / name
        if name not in mine:
            yield Difference(name, "added", {})
            continue
        touched = own.is_file() and sha256_of(own) != mine[name]
        if not own.is_file():
            yield Difference(name, "gone", {})
        elif touched:  # what was there can be told where running again gives it again
            yield Difference(name, "touched", _detail(other / name, own) if theirs.get(name) == mine[name] else {})
        if name not in theirs:
            yield Difference(name, "missing", {})
        elif theirs[name] != mine[name]:
            yield Difference(name, "changed", {} if touched else _detail(own, other / name))


def _detail(first: Path, second: Path) -> dict[str, Any]:
    """What differs between two files: cells of tables, parts of workbooks and archives, else the first other line."""
    if not first.is_file():
        return {}
    if first.suffix in (".xlsx", ".zip"):
        return _parts(first, second)
    if first.suffix != ".csv":
        return {} if first.suffix == ".png" else _line(first, second)
    old, new = _rows(first), _rows(second)
    heads = [h for h in old[0] if h in new[0]] if old and new else []
    at = [(old[0].index(h), new[0].index(h)) for h in heads]
    found, count, largest = list[str](), 0, 0.0
    for line, (before, after) in enumerate(zip(old[1:], new[1:], strict=False), start=2):
        for head, (i, j) in zip(heads, at, strict=True):
            if before[i] != after[j]:
                count += 1
                largest = max(largest, _apart(before[i], after[j]))
                if len(found) < MOST_CELLS:
                    found.append(f"{line}:{head} {before[i] or '∅'} → {after[j] or '∅'}")
    rows = f"{len(old) - 1} → {len(new) - 1}"
    return {"cells": count, "rows": rows, "first": "; ".join(found) or "–", "largest": f"{largest:.2g}"}


def _parts(first: Path, second: Path) -> dict[str, Any]:
    """Names of the parts inside that differ or that one of both lacks."""
    try:
        with zipfile.ZipFile(first) as old, zipfile.ZipFile(second) as new:
            names = [{i.filename: i.CRC for i in archive.infolist()} for archive in (old, new)]
    except zipfile.BadZipFile:
        return {}
    return {"parts": _first(sorted(n for n in names[0].keys() | names[1] if names[0].get(n) != names[1].get(n))) or "–"}


def _line(first: Path, second: Path) -> dict[str, Any]:
    """The number of the first line that differs."""
    lines = zip_longest(first.read_bytes().splitlines(), second.read_bytes().splitlines())
    return {"line": next((n for n, (a, b) in enumerate(lines, start=1) if a != b), 1)}


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def _apart(first: str, second: str) -> float:
    """The relative difference of two numbers; 1 where one is no number."""
    try:
        a, b = float(first), float(second)
    except ValueError:
        return 1.0
    return abs(a - b) / max(abs(a), abs(b), 1e-300)


def _software(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Programs of other versions than those of the run."""
    pairs = {"zjsim": (mine["zjsim"], theirs["zjsim"]), "Python": (mine["python"], theirs["python"])}
    for name in sorted(mine["libraries"].keys() | theirs["libraries"].keys()):
        pairs[name] = (mine["libraries"].get(name, "–"), theirs["libraries"].get(name, "–"))
    other = [f"{name} {a} → {b}" for name, (a, b) in pairs.items() if a != b]
    return [("software", {"names": ", ".join(other)})] if other else []


def _clocks(
    folder: Path, mine: Mapping[str, Any], again: Path, theirs: Mapping[str, Any]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Solves that the clock stopped in either run."""
    found = {
        p
        for manifest, place in ((mine, folder), (theirs, again))
        for p in stopped_by_clock(manifest["parameters"], manifest["solves"], standings(RunTables(place / "tables")))
    }
    return [("clock", {"problems": ";".join(sorted(found))})] if found else []
