"""The page of ``zjsim validate``: every known answer, what the kernel gives, and whether they agree.

Markdown, or a page for the browser where the file's name ends in ``.html``.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.texts import Language, catalogue, text

if TYPE_CHECKING:
    from zjsim.simulate.reference_suite import Case, Check
    from zjsim.simulate.references import Answer

Table = tuple[list[str], list[str], list[list[str]]]
"""Headings, Markdown's marks of alignment, and rows; the last column says whether it agrees."""


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
    """Write the page to ``path``; the same bytes for the same answers."""
    pairs = [(case, a) for case, found in zip(cases, answers, strict=True) for a in found]
    good = sum(agrees(case, a) for case, a in pairs) + sum(c.passed for c in checks)
    simulated = sum(a.simulated for _, a in pairs)
    said = [
        text("validate.summary", lang, good=good, all=len(pairs) + len(checks), cases=len(cases), simulated=simulated),
        text("validate.method", lang),
    ]
    tables = [_answers_table(pairs, lang), _checks_table(checks, lang)]
    page = (_html if path.suffix.lower() in (".html", ".htm") else _markdown)(said, tables, lang)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8", newline="\n")


def _answers_table(pairs: list[tuple[Case, Answer]], lang: Language) -> Table:
    columns = ("family", "case", "quantity", "value", "estimate", "half", "result")
    rows = []
    for case, a in pairs:
        estimate = f"{a.estimate:.6g}" if a.simulated else text("validate.analytic", lang)
        half = f"{a.half_width:.2g}" if a.simulated else ""
        result = text("validate.pass" if agrees(case, a) else "validate.fail", lang)
        named = (_named("family", a.family, lang), _said(case.parameters), _named("quantity", a.quantity, lang))
        rows.append([*named, f"{a.value:.10g}", estimate, half, result])
    return [text(f"validate.column_{c}", lang) for c in columns], ["---"] * 3 + ["---:"] * 3 + ["---"], rows


def _checks_table(checks: list[Check], lang: Language) -> Table:
    rows = []
    for check in checks:
        result = text("validate.pass" if check.passed else "validate.fail", lang)
        name = text(f"validate.check_{check.name}", lang)
        rows.append([name, f"{check.found:.4f}", f"{check.low:.4g} – {min(check.high, 1.0):.4g}", result])
    columns = ("check", "found", "wanted", "result")
    return [text(f"validate.column_{c}", lang) for c in columns], ["---"] * 4, rows


def _markdown(said: list[str], tables: list[Table], lang: Language) -> str:
    lines = [f"# {text('validate.title', lang)}"]
    for sentence in said:
        lines += ["", sentence]
    for n, (head, marks, rows) in enumerate(tables):
        lines += ["", f"## {text('validate.intervals', lang)}", ""] if n else [""]
        lines += [_row(head), _row(marks), *map(_row, rows)]
    return "\n".join(lines) + "\n"


STYLE = (
    "body{font:14px/1.5 'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',sans-serif;margin:2em auto;"
    "max-width:75em;padding:0 1em}table{border-collapse:collapse;width:100%}"
    "th,td{border-bottom:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "th{white-space:nowrap}.right{text-align:right!important;white-space:nowrap}td.last{white-space:nowrap}"
    "tr.fail td{background:#fdd;font-weight:bold}"
)


def _html(said: list[str], tables: list[Table], lang: Language) -> str:
    title, bad = escape(text("validate.title", lang)), text("validate.fail", lang)
    code = "zh-CN" if lang == "zh" else "en"
    lines = ["<!DOCTYPE html>", f'<html lang="{code}"><head><meta charset="utf-8"><title>{title}</title>']
    lines += [f"<style>{STYLE}</style></head><body>", f"<h1>{title}</h1>", *(f"<p>{escape(s)}</p>" for s in said)]
    for n, (head, marks, rows) in enumerate(tables):
        lines += [f"<h2>{escape(text('validate.intervals', lang))}</h2>"] if n else []
        kinds = ["right" if mark.endswith(":") else "" for mark in marks[:-1]] + ["last"]
        named = (f'<th class="{k}">{escape(h)}</th>' for k, h in zip(kinds, head, strict=True))
        lines.append("<table><thead><tr>" + "".join(named) + "</tr></thead><tbody>")
        for row in rows:
            cells = (f'<td class="{k}">{escape(c)}</td>' for k, c in zip(kinds, row, strict=True))
            lines.append(f'<tr class="{"fail" if row[-1] == bad else "pass"}">' + "".join(cells) + "</tr>")
        lines.append("</tbody></table>")
    return "\n".join([*lines, "</body></html>"]) + "\n"


def _named(kind: str, name: str, lang: Language) -> str:
    """A family or a quantity in words; symbols of queueing theory (Lq, Wq, P(wait)) stand for themselves."""
    key = f"validate.{kind}.{name.lower().replace('/', '_').replace(' ', '_')}"
    return text(key, lang) if key in catalogue() else name


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _said(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())
