"""The command that says what to begin now when demand for seats is uncertain."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from zjsim.commands.kit import LEAST, OK, Kit, Lang
from zjsim.texts import Language, text

AUDIT_FAILED, STOPPED = 4, 5


def register(kit: Kit) -> None:
    """Add the command."""
    county_option = kit.option("--county", key="hedge_county", metavar="CODE")
    workers_option = kit.option("--workers", key="workers", default=1, min=LEAST["workers"])
    out_option = kit.option("--out", key="hedge_out", default=Path("results/hedge"), metavar="DIR")

    @kit.command("hedge")
    def hedge(
        scenario: str = kit.scenario,
        county: list[str] | None = county_option,
        workers: int = workers_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.hedging import hedge_scenario
        from zjsim.models.hedge_solve import HedgeStopped

        said: Language = "zh" if lang.value == "zh" else "en"
        try:
            done = hedge_scenario(
                scenario, out, counties=tuple(county or ()), workers=workers, sets=tuple(sets or ()), lang=said
            )
        except HedgeStopped as stopped:
            print(text("hedge.stopped", said, reason=stopped), file=sys.stderr)
            return STOPPED
        names = ("hedged", "wait_and_see", "mean_value", "vss", "evpi", "start_cost_hedged")
        if json_output:
            answer = {
                "folder": str(done.folder) if done.folder else None,
                "counties": len(done.tables["hedge_areas"]),
                "yuan": {name: done.value(name) for name in names},
                "decisions": {d: done.counties(d) for d in ("begin_now", "wait", "enough")},
                "findings": [{"rule": f.rule, "zh": f.zh, "en": f.en} for f in done.findings],
            }
            print(json.dumps(answer, ensure_ascii=False, indent=1))
        elif done.findings:
            print(text("hedge.audit_failed", said, count=len(done.findings)), file=sys.stderr)
            for fault in done.findings:
                print(f"  {fault.zh if said == 'zh' else fault.en}", file=sys.stderr)
        else:
            print(_summary(done, said))
        return AUDIT_FAILED if done.findings else OK


def _summary(done: object, lang: Language) -> str:
    from zjsim.hedging import HedgeDone

    if not isinstance(done, HedgeDone):
        raise TypeError("a result of zjsim hedge is wanted")

    def money(name: str) -> str:
        yuan = done.value(name)
        return text("hedge.money", lang, amount=f"{yuan / 1e4:,.0f}" if lang == "zh" else f"{yuan / 1e6:,.2f}")

    areas = done.tables["hedge_areas"]
    lines = [
        text(
            "hedge.done",
            lang,
            folder=done.folder,
            areas=len(areas),
            scenarios=int(done.tables["hedge_scenarios"]["scenario"].max()),
            fresh=int(done.tables["hedge_fresh"]["future"].max()),
            cost=money("hedged"),
            seen=money("wait_and_see"),
            vss=money("vss"),
            start=money("start_cost_hedged"),
            now=done.counties("begin_now"),
            wait=done.counties("wait"),
            enough=done.counties("enough"),
        )
    ]
    lines += done.tables["hedge_statements"][lang].tolist()
    lines += areas.loc[areas["decision"] == "begin_now", f"advice_{lang}"].tolist()
    return "\n".join(str(line) for line in lines)
