"""The data dictionary, generated from the declarations: every registry and column, in Markdown or as a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from zjsim.tables.schema import Column, Registry
from zjsim.texts import Language, text

_COLUMNS = ("name", "title", "kind", "unit", "required", "allowed", "help")


def _allowed(column: Column, lang: Language) -> str:
    """What a cell may hold, in words."""
    parts = []
    if column.choices:
        parts.append(", ".join(column.choices))
    if column.minimum is not None:
        parts.append(f"≥ {column.minimum:g}")
    if column.maximum is not None:
        parts.append(f"≤ {column.maximum:g}")
    if column.pattern:
        parts.append(column.pattern)
    if column.ref:
        parts.append("→ " + column.ref.replace("|", " / "))
    if column.separator:
        parts.append(text("tables.dictionary.list", lang, separator=column.separator))
    return "; ".join(parts)


def _cells(column: Column, registry: Registry, lang: Language) -> list[str]:
    zh = lang == "zh"
    required = "key" if column.name in registry.key else "yes" if column.required else "no"
    return [
        column.name,
        column.zh if zh else column.en,
        text(f"tables.dictionary.kind.{column.kind}", lang),
        column.unit,
        text(f"tables.dictionary.{required}", lang),
        _allowed(column, lang),
        column.help_zh if zh else column.help_en,
    ]


def _notes(registry: Registry, lang: Language) -> list[str]:
    zh = lang == "zh"
    said = [registry.help_zh if zh else registry.help_en]
    if not registry.required:
        said.append(text("tables.dictionary.optional", lang))
    return [s for s in said if s]


def _heads(lang: Language) -> list[str]:
    return [text(f"tables.dictionary.column.{name}", lang) for name in _COLUMNS]


def _by_registry(rules: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for registry, said in rules:
        found.setdefault(registry, []).append(said)
    return found


def dictionary_markdown(
    registries: Mapping[str, Registry], lang: Language, rules: Iterable[tuple[str, str]] = ()
) -> str:
    """The dictionary as Markdown: one section per registry in the declared order.

    ``rules`` are pairs of a registry and what a check beyond single cells asks of it, in ``lang``.
    """
    asked = _by_registry(rules)

    def cell(value: str) -> str:
        return value.replace("|", "\\|").replace("\n", " ")

    lines = [f"# {text('tables.dictionary.title', lang)}", "", text("tables.dictionary.intro", lang).strip(), ""]
    for registry in registries.values():
        lines += [f"## {registry.name} · {registry.zh if lang == 'zh' else registry.en}", ""]
        for note in _notes(registry, lang):
            lines += [note, ""]
        lines += ["| " + " | ".join(_heads(lang)) + " |", "|" + " --- |" * len(_COLUMNS)]
        for column in registry.columns:
            cells = _cells(column, registry, lang)
            cells[0] = f"`{cells[0]}`"
            cells[5] = f"`{cells[5]}`" if cells[5] else ""
            lines.append("| " + " | ".join(map(cell, cells)) + " |")
        lines.append("")
        if registry.name in asked:
            lines += [text("tables.dictionary.rules", lang), "", *(f"- {said}" for said in asked[registry.name]), ""]
    return "\n".join(lines)


_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}table{border-collapse:collapse;"
    "width:100%}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "th{background:#d9e1f2}code{white-space:pre-wrap;word-break:break-all}nav a{margin-right:.8rem}"
)


def dictionary_html(registries: Mapping[str, Registry], lang: Language, rules: Iterable[tuple[str, str]] = ()) -> str:
    """The dictionary as one page without outside resources; ``rules`` as in :func:`dictionary_markdown`."""
    asked = _by_registry(rules)
    title = escape(text("tables.dictionary.title", lang))
    parts = [
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>',
        f"<h1>{title}</h1><p>{escape(text('tables.dictionary.intro', lang).strip())}</p><nav>",
        *(f'<a href="#{name}">{escape(name)}</a>' for name in registries),
        "</nav>",
    ]
    heads = "".join(f"<th>{escape(h)}</th>" for h in _heads(lang))
    for registry in registries.values():
        parts.append(
            f'<h2 id="{registry.name}">{registry.name} · {escape(registry.zh if lang == "zh" else registry.en)}</h2>'
        )
        parts += [f"<p>{escape(note)}</p>" for note in _notes(registry, lang)]
        parts.append(f"<table><tr>{heads}</tr>")
        for column in registry.columns:
            cells = [escape(c) for c in _cells(column, registry, lang)]
            cells[0], cells[5] = f"<code>{cells[0]}</code>", f"<code>{cells[5]}</code>" if cells[5] else ""
            parts.append("<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
        parts.append("</table>")
        if registry.name in asked:
            items = "".join(f"<li>{escape(said)}</li>" for said in asked[registry.name])
            parts.append(f"<p>{escape(text('tables.dictionary.rules', lang))}</p><ul>{items}</ul>")
    return "\n".join([*parts, "</html>", ""])
