"""What the checks beyond single cells ask for, by registry and in words: for the data dictionary."""

from __future__ import annotations

from collections.abc import Iterator

import zjsim.scenario.loader  # noqa: F401 - the rules of every file register themselves
from zjsim.scenario.checks import registered_rules
from zjsim.texts import Language, text


def rule_texts(lang: Language) -> Iterator[tuple[str, str]]:
    """Pairs of a registry and what a rule asks of it; a rule over several registries is told at each of them.

    The other registries that the rule looks at are named after its text.
    """
    told: set[tuple[str, str]] = set()
    for registries, name in registered_rules():
        said = text(f"scenario.check.{name}", lang)
        for registry in registries:
            if (registry, name) not in told:
                told.add((registry, name))
                others = ", ".join(other for other in registries if other != registry)
                yield registry, said + (text("scenario.check_with", lang, others=others) if others else "")
