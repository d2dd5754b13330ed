"""The command that places one school year's migrant children."""

from __future__ import annotations

import json
import math
import sys
from enum import StrEnum
from pathlib import Path

from zjsim.commands.kit import LEAST, OK, Kit, Lang
from zjsim.texts import Language, text

AUDIT_FAILED, STOPPED = 4, 5


class Mode(StrEnum):
    """Ways to place: by claims, by goals, both and their difference, or by collected choices with families as one."""

    priority = "priority"
    utilitarian = "utilitarian"
    both = "both"
    preference = "preference"


def register(kit: Kit) -> None:
    """Add the command."""
    county_option = kit.option("--county", key="place_county", metavar="CODE")
    mode_option = kit.option("--mode", key="place_mode", default=Mode.both)
    workers_option = kit.option("--workers", key="workers", default=1, min=LEAST["workers"])
    plan_option = kit.option("--plan", key="place_plan", default=None, metavar="RUN")
    out_option = kit.option("--out", key="place_out", default=Path("results/placement"), metavar="DIR")

    @kit.command("place")
    def place(
        scenario: str = kit.scenario,
        county: list[str] | None = county_option,
        mode: Mode = mode_option,
        workers: int = workers_option,
        plan: Path | None = plan_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.models.placement_joint import PlacementStopped
        from zjsim.placing import place_scenario

        modes = ("priority", "utilitarian") if mode is Mode.both else (mode.value,)
        said_in: Language = "zh" if lang.value == "zh" else "en"
        try:
            done = place_scenario(
                scenario,
                out,
                counties=county,
                modes=modes,
                workers=workers,
                sets=tuple(sets or ()),
                plan=plan,
                lang=said_in,
            )
        except PlacementStopped as stopped:
            print(text("placement.stopped", lang.value, reason=stopped), file=sys.stderr)
            return STOPPED
        unplaced = done.unplaced()
        if json_output:
            said = {
                "folder": str(done.folder) if done.folder else None,
                "year": done.year,
                "counties": done.counties(),
                "children": done.children(),
                "unplaced": unplaced,
                "findings": [{"rule": f.rule, "zh": f.zh, "en": f.en} for f in done.findings],
            }
            print(json.dumps(said, ensure_ascii=False, indent=1))
        elif done.findings:
            print(text("placement.audit_failed", lang.value, count=len(done.findings)), file=sys.stderr)
            for fault in done.findings:
                print(f"  {fault.zh if lang.value == 'zh' else fault.en}", file=sys.stderr)
        else:
            blank = text("placement.not_asked", lang.value)
            numbers = {name: str(unplaced.get(name, blank)) for name in ("priority", "utilitarian")}
            counts = {"year": done.year, "counties": done.counties(), "children": done.children()}
            if mode is Mode.preference:
                counts["unplaced"] = unplaced.get("preference", 0)
                print(text("placement.done_preference", lang.value, folder=done.folder, **counts))
                for row in done.plan["placement_stability"].to_dict("records"):
                    print(f"{row['county_code']}: {row[lang.value]}")
                return OK
            print(text("placement.done", lang.value, folder=done.folder, **counts, **numbers))
            for name, (value, before, gap) in done.coupled().items():
                shown = f"{gap:.2%}" if math.isfinite(gap) else text("placement.unproven", lang.value)
                goal = text(f"placement.goal.{name}", lang.value)
                print(text("placement.coupled_line", lang.value, goal=goal, value=value, before=before, gap=shown))
        return AUDIT_FAILED if done.findings else OK
