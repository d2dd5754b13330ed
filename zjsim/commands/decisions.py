"""Commands that lead from runs to decisions."""

from __future__ import annotations

import json
from pathlib import Path

from zjsim.commands.kit import OK, Kit, Lang


def register(kit: Kit) -> None:
    """Add the commands of this theme."""
    base_argument = kit.argument("BASE", "compare_base", Path)
    others_argument = kit.argument("OTHER...", "compare_others", Path)
    out_option = kit.option("--out", key="compare_out", default=Path("results/comparisons"), metavar="DIR")

    @kit.command("compare")
    def compare(
        base: Path = base_argument,
        others: list[Path] = others_argument,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.compare_files import write_comparison
        from zjsim.report.comparison_book import headlines

        folder, made = write_comparison(base, others, out, lang.value)
        if json_output:
            rows = {name: len(table) for name, table in made.tables.items()}
            print(json.dumps({"folder": str(folder), "rows": rows}, ensure_ascii=False, indent=1))
        else:
            print("\n".join([*headlines(made.tables, lang.value), str(folder)]))
        return OK
