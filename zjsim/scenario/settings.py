"""``scenario.toml``: read, merged key by key, checked by the classes of ``parameters``."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from zjsim.scenario.parameters import Parameters
from zjsim.tables.errors import Finding, finding
from zjsim.tables.values import INTEGER, nearest, plain

Place = tuple[str, int | None]
"""File and line on which a key was set."""


@dataclass(slots=True)
class Settings:
    """Values of ``scenario.toml`` as nested dictionaries, and where each was set (by dotted key)."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)


def read_toml(data: bytes, label: str) -> tuple[Settings, list[Finding]]:
    """The settings in a ``scenario.toml``; what cannot be read is told with its line."""
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Settings(), [finding("toml_encoding", label, line=line, theme="scenario.rule")]
    try:
        values = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Settings(), [_syntax(error, content, label)]
    lines = _lines_of_keys(content)
    settings = Settings(values)
    settings.places.update({section: (label, line) for section, line in lines.items()})
    for path, _ in leaves(values):
        settings.places[path] = (label, _line_of(path, lines))
    return settings, []


def _syntax(error: Exception, content: str, label: str) -> Finding:
    said = str(error)
    at = re.search(r"at line (\d+), column (\d+)", said)
    end = content.count("\n") + 1
    line = int(at[1]) if at else end
    reason = re.sub(r"\s*\(at .*\)$", "", said)
    rule = "toml_twice" if "Cannot overwrite" in reason or "Cannot declare" in reason else "toml_syntax"
    value = content.splitlines()[line - 1].strip() if 0 < line <= len(content.splitlines()) else ""
    return finding(rule, label, line=line, value=value, theme="scenario.rule", reason=reason)


def _lines_of_keys(content: str) -> dict[str, int]:
    """Line of each ``key = …`` and ``[section]``, by dotted name, as far as a plain look can tell."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(content.splitlines(), 1):
        if head := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line):
            section = head[1].replace('"', "").replace(" ", "") + "."
            lines.setdefault(section.rstrip("."), number)
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            lines.setdefault(section + key[1].replace('"', "").replace("'", ""), number)
    return lines


def _line_of(path: str, lines: Mapping[str, int]) -> int | None:
    while path:
        if path in lines:
            return lines[path]
        path = path.rpartition(".")[0]
    return None


def leaves(node: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted paths and values of nested tables, in order."""
    found: list[tuple[str, Any]] = []
    for key, value in node.items():
        if isinstance(value, dict) and value:
            found += leaves(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found


def merge(parent: Settings, child: Settings) -> Settings:
    """The child's keys over the parent's, key by key. The header is never inherited: it says what this scenario is."""
    values = _over({k: v for k, v in parent.values.items() if k != "header"}, child.values)
    places = {k: p for k, p in parent.places.items() if not k.startswith("header.")}
    return Settings(values, {**places, **child.places})


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def validate(settings: Settings, label: str) -> tuple[Parameters | None, list[Finding]]:
    """The parameters of a scenario, or every fault of its keys and values."""
    odd = [
        _fault("toml_value", path, settings, label, value=str(value))
        for path, value in leaves(settings.values)
        if isinstance(value, float) and not abs(value) < float("inf")
    ]
    if odd:
        return None, odd
    try:
        values = _with_default_entries(Parameters, settings.values)
        return Parameters.model_validate_json(json.dumps(values, default=_plain), strict=True), []
    except ValidationError as error:
        return None, [_translate(e, settings, label) for e in error.errors(include_url=False)]


def _with_default_entries(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` where a table of numbers given in part keeps its default entries: key by key, as files merge."""
    filled = dict(values)
    for name, info in model.model_fields.items():
        given = values.get(name)
        if not isinstance(given, dict):
            continue
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            filled[name] = _with_default_entries(info.annotation, given)
        elif isinstance(info.default, dict):
            filled[name] = {**info.default, **given}
    return filled


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _fault(
    rule: str, path: str, settings: Settings, label: str, value: str = "", fix: str = "", **words: object
) -> Finding:
    """A finding at the place where the key ``path``, or the section around it, was set."""
    key, place = path, settings.places.get(path)
    while place is None and key:
        inside = [p for k, p in settings.places.items() if k.startswith(key + ".")]
        place = inside[0] if inside and key == path else None
        key = key.rpartition(".")[0]
        place = place or settings.places.get(key)
    file, line = place or (label, None)
    return finding(rule, file, line=line, column=path, value=value, fix=fix, theme="scenario.rule", words=words)


_TYPES = {
    "int": ("整数", "an integer"),
    "float": ("数", "a number"),
    "bool": ("true 或 false", "true or false"),
    "string": ("文字", "a text"),
    "date": ("日期(写作 2024-12-31)", "a date (written 2024-12-31)"),
    "model": ("一节 [ ]", "a section [ ]"),
    "dict": ("一节 [ ]", "a section [ ]"),
    "tuple": ("列表 [ , ]", "a list [ , ]"),
    "list": ("列表 [ , ]", "a list [ , ]"),
    "set": ("列表 [ , ]", "a list [ , ]"),
    "frozen": ("列表 [ , ]", "a list [ , ]"),
}
_LIMITS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", "≥"),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "≤"),
}


def _translate(error: Any, settings: Settings, label: str) -> Finding:
    """One fault found by pydantic, in the planner's words."""
    kind: str = error["type"]
    path = ".".join(str(part) for part in error["loc"])
    raw = error.get("input")
    value = json.dumps(raw, ensure_ascii=False, default=str) if not isinstance(raw, str) else raw
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _fault("key_unknown", path, settings, label, fix=nearest_path(path))
    if kind == "missing":
        return _fault("key_missing", path, settings, label)
    if kind in _LIMITS:
        name, sign = _LIMITS[kind]
        return _fault("key_range", path, settings, label, value=value, limit=f"{sign} {context[name]}")
    if kind in ("literal_error", "enum"):
        choices = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        fix = nearest(value, [c.strip() for c in choices.split(",")])
        return _fault("key_choice", path, settings, label, value=value, fix=fix, choices=choices)
    if kind == "value_error":
        reason = str(context.get("error", error["msg"]))
        return _fault("key_rule", path, settings, label, value=value, reason=reason)
    wanted = _TYPES.get(kind.partition("_")[0])
    if wanted:
        fix = plain(value) if wanted[1].endswith(("integer", "number")) and INTEGER.fullmatch(plain(value)) else ""
        return _fault("key_type", path, settings, label, value=value, fix=fix, wanted=wanted)
    return _fault("key_rule", path, settings, label, value=value, reason=error["msg"])


def annotation_of(path: str) -> Any:
    """The type of the parameter at a dotted path (None if there is none)."""
    node: Any = Parameters
    for part in path.split("."):
        if isinstance(node, type) and issubclass(node, BaseModel):
            if part not in node.model_fields:
                return None
            node = node.model_fields[part].annotation
        elif get_origin(node) is dict:
            node = get_args(node)[1]
        else:
            return None
    return node


def known_paths() -> list[str]:
    """Dotted paths of all parameters, in declared order."""

    def walk(model: type[BaseModel], prefix: str) -> list[str]:
        paths: list[str] = []
        for name, info in model.model_fields.items():
            inner = info.annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                paths += walk(inner, f"{prefix}{name}.")
            else:
                paths.append(prefix + name)
        return paths

    return walk(Parameters, "")


def nearest_path(path: str) -> str:
    """The parameter that ``path`` was probably meant to be ("" if none is like it)."""
    known = known_paths()
    first, _, rest = path.partition(".")
    same = [k for k in known if k.rpartition(".")[2] == path.rpartition(".")[2]]
    sections = list(Parameters.model_fields)
    if first not in sections and len(same) == 1:
        return same[0]
    section = nearest(first, sections)
    if not rest:
        return "" if first in sections else section or nearest(path, known)
    inside = {k.partition(".")[2]: k for k in known if k.startswith(f"{section}.")}
    return inside.get(nearest(rest, list(inside)), "") or (same[0] if len(same) == 1 else "")
