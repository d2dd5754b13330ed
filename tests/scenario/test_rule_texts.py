"""Every rule of the checks is told in the data dictionary, in both languages."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from zjsim.scenario import rule_texts
from zjsim.scenario.checks import registered_rules
from zjsim.tables.dictionary import dictionary_html, dictionary_markdown
from zjsim.tables.registries import REGISTRIES
from zjsim.texts import LANGUAGES, Language, catalogue

TEXTS = {key.rpartition(".")[2] for key in catalogue() if key.startswith("scenario.check.")}


def test_every_rule_has_its_text_and_every_text_its_rule() -> None:
    list(rule_texts("en"))
    assert {name for _, name in registered_rules()} == TEXTS
    assert len(TEXTS) > 60


def test_names_of_rules_are_unique() -> None:
    """Two rules may share a name only if one function is registered for one registry after another."""
    list(rule_texts("en"))
    names = Counter(name for _, name in registered_rules())
    assert {name for name, count in names.items() if count > 1} == {"range_of_parameters"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_is_told_at_each_of_its_registries(lang: Language) -> None:
    told = list(rule_texts(lang))
    wanted = Counter(registry for registry, _ in {(r, n) for registries, n in registered_rules() for r in registries})
    assert Counter(registry for registry, _ in told) == wanted
    assert set(wanted) <= set(REGISTRIES)
    assert len(set(told)) == len(told)
    assert all(bool(re.search("[\u4e00-\u9fff]", said)) == (lang == "zh") for _, said in told)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_dictionary_lists_them_under_their_registry(lang: Language) -> None:
    told = list(rule_texts(lang))
    sections = re.split(r"^## ", dictionary_markdown(REGISTRIES, lang, told), flags=re.MULTILINE)[1:]
    listed = [(s.split(" ")[0], line[2:]) for s in sections for line in s.splitlines() if line.startswith("- ")]
    assert sorted(listed) == sorted(told)
    assert dictionary_html(REGISTRIES, lang, told).count("<li>") == len(told)
    assert "<li>" not in dictionary_html(REGISTRIES, lang)
