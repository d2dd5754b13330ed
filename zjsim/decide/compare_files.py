"""A comparison as files: tables, workbook, page and figure in one folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zjsim.decide.compare import Comparison, compare
from zjsim.runfolder import NotARunFolderError, output_hashes, published, run_id, write_manifest
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import Language


def write_comparison(
    base: str | Path, others: Sequence[str | Path], out: str | Path, lang: Language = "zh"
) -> tuple[Path, Comparison]:
    """Compare and write ``out/<base scenario>/<name>/``; returns the folder and the comparison.

    The name follows from the runs compared and the language: the same comparison replaces itself. Raises
    ``InputErrors`` as :func:`zjsim.decide.compare.compare` does, and where the folder cannot be written.
    """
    from zjsim.report.comparison_book import write_comparison_book
    from zjsim.report.figures import draw_compared
    from zjsim.report.page import write_page

    made = compare(base, others)
    manifest = _manifest(made, lang)
    try:
        with published(Path(out), str(manifest["base"]["scenario"]), str(manifest["run_id"])) as (partial, final):
            (partial / "tables").mkdir()
            for name, table in made.tables.items():
                write_csv(table, partial / "tables" / f"{name}.csv")
            write_comparison_book(partial / "comparison.xlsx", made.tables, lang)
            if len(made.tables["target_changes"]):
                (partial / "figures").mkdir()
                draw_compared(partial / "figures", manifest, made.tables, lang)
            write_page(partial / "report.html", manifest, made.tables, lang)
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    return final, made


def _manifest(made: Comparison, lang: Language) -> dict[str, Any]:
    """What was compared. Of the runs only hashes of what they publish: that of an exact table tells a hidden count."""

    def named(manifest: Mapping[str, Any]) -> dict[str, Any]:
        told = {key: manifest.get(key) for key in ("scenario", "run_id", "zjsim", "seed", "replications")}
        return {**told, "outputs": {n: h for n, h in manifest["outputs"].items() if n.startswith("tables/")}}

    identity = {
        "kind": "comparison",
        "base": named(made.base.manifest),
        "others": [named(o.manifest) for o in made.others],
        "lang": lang,
    }
    return {**identity, "run_id": run_id(identity)}
