"""The READMEs' section on placement from Python: its examples run, and both languages run the same code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = {"README.md": "## Placement from Python", "README.zh.md": "## 在 Python 中安排学位"}


def code(name: str) -> str:
    section = (ROOT / name).read_text("utf-8").split(SECTIONS[name])[1].split("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 3
    return "\n".join(blocks)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_examples_run(name: str) -> None:
    exec(compile(code(name), name, "exec"), {})


def test_both_languages_show_the_same_code() -> None:
    plain = [re.sub(r"\s+#.*", "", code(name)) for name in SECTIONS]
    assert plain[0] == plain[1]
    assert plain[0].count("assert ") == 8
