"""What an audit says: a rule that an exported plan breaks."""

from __future__ import annotations

from dataclasses import dataclass

from zjsim.texts import text


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: its machine name, and a sentence in Chinese and in English."""

    rule: str
    zh: str
    en: str


def finding(rule: str, key: str, **values: object) -> Finding:
    """A finding whose sentences are the text ``key`` filled with ``values``."""
    return Finding(rule, text(key, "zh", **values), text(key, "en", **values))
