"""Scenarios: a folder of registries and parameters, read and checked as a whole.

``load(name_or_path, sets=())`` gives a :class:`Scenario` or raises ``InputErrors``; ``builtin_names()`` lists what is
shipped. Nothing heavy is imported before one of them is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zjsim.scenario.folders import builtin_names as builtin_names
    from zjsim.scenario.loader import Scenario as Scenario
    from zjsim.scenario.loader import load as load
    from zjsim.scenario.told_rules import rule_texts as rule_texts

__all__ = ["Scenario", "builtin_names", "load", "rule_texts"]
_HOMES = {"Scenario": "loader", "builtin_names": "folders", "load": "loader", "rule_texts": "told_rules"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zjsim.scenario' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"zjsim.scenario.{_HOMES[name]}"), name)
