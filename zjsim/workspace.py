"""``zjsim init``: a folder to work in, with the built-in scenarios, an empty workbook, the dictionary and a guide."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from zjsim.scenario import builtin_names, load, rule_texts
from zjsim.scenario.exchange import export_inputs
from zjsim.scenario.folders import builtin_home
from zjsim.tables.dictionary import dictionary_html
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.registries import REGISTRIES
from zjsim.texts import LANGUAGES, text

_LEFT_OUT = ("__init__.py", "__pycache__")
FIRST = "my-scenario"
"""The scenario that a new workspace begins with: it extends the baseline and changes nothing yet."""

_FIRST_TOML = """extends = "baseline"

[header]
title_zh = "我的方案"
title_en = "My scenario"
author = ""
date = 2025-01-01
reference = ""
description_zh = ""
description_en = ""
"""
_EXAMPLE = """county_code,year,grade,op,migrant_children,permit_holders,eligible_children,basis,reason
3301*,2026..2032,*,scale,1.1,1.1,1.1,assumption,杭州随迁子女增长一成 / one tenth more in Hangzhou
"""


def make_workspace(folder: Path) -> None:
    """Make ``folder``; it must not exist or be empty. Raises ``InputErrors`` otherwise, and writes nothing then."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputErrors([finding("init_exists", str(folder), theme="scenario.rule")])
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        _fill(partial)
        partial.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _fill(folder: Path) -> None:
    scenarios = folder / "scenarios"
    for name in builtin_names():
        shutil.copytree(builtin_home() / name, scenarios / name, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    own = scenarios / FIRST
    (own / "overrides").mkdir(parents=True)
    comments = "".join(f"# {text('scenario.workspace.first', lang)}\n" for lang in LANGUAGES)
    (own / "scenario.toml").write_text(comments + _FIRST_TOML, "utf-8")
    rules = "".join(text("scenario.workspace.overrides", lang).lstrip() + "\n" for lang in LANGUAGES)
    (own / "overrides" / "README.txt").write_text(rules + _EXAMPLE, "utf-8")
    (folder / "templates").mkdir()
    export_inputs(load("baseline"), folder / "templates" / "inputs.xlsx", template=True)
    (folder / "docs").mkdir()
    for lang in LANGUAGES:
        page = dictionary_html(REGISTRIES, lang, rule_texts(lang))
        (folder / "docs" / f"dictionary.{lang}.html").write_text(page, "utf-8")
        name = "使用说明.md" if lang == "zh" else "GUIDE.md"
        names = ", ".join(n for n in builtin_names() if n != "baseline")
        (folder / name).write_text(text("scenario.workspace.guide", lang, names=names).lstrip(), "utf-8")
