"""The READMEs' sections on using parts from Python: their examples run, and both languages run the same code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = {
    ("placement", "README.md"): "## Placement from Python",
    ("placement", "README.zh.md"): "## 在 Python 中安排学位",
    ("decisions", "README.md"): "## Decisions from Python",
    ("decisions", "README.zh.md"): "## 在 Python 中辅助决策",
}
ASSERTIONS = {"placement": 8, "decisions": 6}


def code(theme: str, name: str) -> str:
    section = (ROOT / name).read_text("utf-8").split(SECTIONS[theme, name])[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))


@pytest.mark.parametrize(("theme", "name"), SECTIONS)
def test_the_examples_run(theme: str, name: str) -> None:
    exec(compile(code(theme, name), name, "exec"), {})


@pytest.mark.parametrize("theme", ASSERTIONS)
def test_both_languages_show_the_same_code(theme: str) -> None:
    names = ("README.md", "README.zh.md")
    plain = [re.sub(r'\s+#.*|^#.*|""".*"""', "", code(theme, name), flags=re.MULTILINE) for name in names]
    assert plain[0] == plain[1]
    assert plain[0].count("assert ") == ASSERTIONS[theme]
