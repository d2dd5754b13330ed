"""Every text exists in both languages, with the same values to fill in, and every text asked for exists."""

import ast
import re
import string
from pathlib import Path

import pytest

from zjsim.texts import LANGUAGES, catalogue, text

ROOT = Path(__file__).parents[2]


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_text_has_both_languages_and_the_same_values(key: str) -> None:
    entry = catalogue()[key]
    assert set(entry) == set(LANGUAGES), key
    assert all(entry[lang].strip() for lang in LANGUAGES), key
    assert fields(entry["zh"]) == fields(entry["en"]), key


def test_chinese_texts_are_chinese() -> None:
    def words(template: str) -> str:
        return re.sub(r"\{[^{}]*\}", "", template)

    without = [
        key
        for key, entry in catalogue().items()
        if not re.search(r"[\u4e00-\u9fff]", words(entry["zh"])) and re.search("[a-z]{4}", words(entry["zh"]))
    ]
    assert not without


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("no.such.text", "zh")


def literal_keys() -> list[tuple[str, str]]:
    found = []
    for folder in ("zjsim", "models"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                first = node.args[0]
                if name == "text" and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append((str(path.relative_to(ROOT)), first.value))
    return found


def test_every_text_asked_for_exists() -> None:
    missing = [(path, key) for path, key in literal_keys() if key not in catalogue()]
    assert not missing
