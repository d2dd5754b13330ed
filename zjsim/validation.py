"""The page of ``zjsim validate``: every known answer, what the kernel gives, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.texts import Language, catalogue, text

if TYPE_CHECKING:
    from zjsim.simulate.reference_suite import Case, Check
    from zjsim.simulate.references import Answer


def agrees(case: Case, answer: Answer) -> bool:
    """Whether an answer passed, and our formula gives the published value to ten digits."""
    published = case.published.get(answer.quantity, answer.value)
    return bool(answer.passed and abs(answer.value - published) <= 1e-10 + 1e-9 * abs(published))


def all_passed(cases: tuple[Case, ...], answers: list[list[Answer]], checks: list[Check]) -> bool:
    """Whether everything on the page agrees."""
    pairs = zip(cases, answers, strict=True)
    return all(agrees(case, a) for case, found in pairs for a in found) and all(c.passed for c in checks)


def write_page(
    path: Path, cases: tuple[Case, ...], answers: list[list[Answer]], checks: list[Check], lang: Language
) -> None:
    """Write the page as Markdown to ``path``; the same bytes for the same answers."""
    pairs = [(case, a) for case, found in zip(cases, answers, strict=True) for a in found]
    good = sum(agrees(case, a) for case, a in pairs) + sum(c.passed for c in checks)
    simulated = sum(a.simulated for _, a in pairs)
    lines = [
        f"# {text('validate.title', lang)}",
        "",
        text("validate.summary", lang, good=good, all=len(pairs) + len(checks), cases=len(cases), simulated=simulated),
        "",
        text("validate.method", lang),
        "",
        _row(
            [
                text(f"validate.column_{c}", lang)
                for c in ("family", "case", "quantity", "value", "estimate", "half", "result")
            ]
        ),
        _row(["---"] * 4 + ["---:"] * 2 + ["---"]),
    ]
    for case, a in pairs:
        estimate = f"{a.estimate:.6g}" if a.simulated else text("validate.analytic", lang)
        half = f"{a.half_width:.2g}" if a.simulated else ""
        result = text("validate.pass" if agrees(case, a) else "validate.fail", lang)
        named = (_named("family", a.family, lang), _said(case.parameters), _named("quantity", a.quantity, lang))
        lines.append(_row([*named, f"{a.value:.10g}", estimate, half, result]))
    lines += ["", f"## {text('validate.intervals', lang)}", ""]
    lines += [
        _row([text(f"validate.column_{c}", lang) for c in ("check", "found", "wanted", "result")]),
        _row(["---"] * 4),
    ]
    for check in checks:
        result = text("validate.pass" if check.passed else "validate.fail", lang)
        name = text(f"validate.check_{check.name}", lang)
        lines.append(_row([name, f"{check.found:.4f}", f"{check.low:.4g} – {min(check.high, 1.0):.4g}", result]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


def _named(kind: str, name: str, lang: Language) -> str:
    """A family or a quantity in words; symbols of queueing theory (Lq, Wq, P(wait)) stand for themselves."""
    key = f"validate.{kind}.{name.lower().replace('/', '_').replace(' ', '_')}"
    return text(key, lang) if key in catalogue() else name


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _said(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())
