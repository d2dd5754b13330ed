"""The command that runs the known-answer suite of the simulation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from zjsim.commands.kit import LEAST, OK, Kit, Lang, cores
from zjsim.texts import text

FAILED = 4


def register(kit: Kit) -> None:
    """Add the command."""
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    out_option = kit.option("--out", key="validate_out", default=Path("validation.md"), metavar="FILE")

    @kit.command("validate")
    def validate(
        workers: int = workers_option,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.simulate.reference_suite import CASES, interval_checks, run_suite
        from zjsim.validation import agrees, all_passed, write_page

        def progress(done: int, total: int) -> None:
            if not json_output and (done == total or done % 10 == 0):
                print(text("validate.progress", lang.value, done=done, total=total), file=sys.stderr, flush=True)

        answers, checks = run_suite(workers, progress), interval_checks()
        write_page(out, CASES, answers, checks, lang.value)
        passed = all_passed(CASES, answers, checks)
        failed = [(c, a) for c, found in zip(CASES, answers, strict=True) for a in found if not agrees(c, a)]
        if json_output:
            said = {"page": str(out), "passed": passed, "failed": [f"{a.family}: {a.quantity}" for _, a in failed]}
            print(json.dumps(said, ensure_ascii=False, indent=1))
        else:
            for _, a in failed:
                print(
                    f"{a.family}: {a.quantity}: {a.value:.6g}, {a.estimate:.6g} ± {a.half_width:.2g}", file=sys.stderr
                )
            print(text("validate.passed" if passed else "validate.failed", lang.value, page=out))
        return OK if passed else FAILED
