"""What a reader calls a row of a registry: its own name, or those of what its key points to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zjsim.tables.registries import REGISTRIES
from zjsim.texts import Language, catalogue, text

if TYPE_CHECKING:
    from zjsim.scenario import Scenario

_STEMS = ("name", "indicator", "title", "label")
_PLACES = ("area_code", "place_code")
"""Keys that are a county's code or a city's."""


class RowNames:
    """Names of rows in the registries of a scenario; each registry is looked through once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._known: dict[tuple[str, Language], Mapping[tuple[str, ...], str]] = {}

    def name(self, registry: str, key: Sequence[str], lang: Language) -> str:
        """The row's own name; of a row without one the names of what its key columns mean (codes where none)."""
        own = self._names(registry, lang).get(tuple(key), "")
        if own or registry not in REGISTRIES:
            return own
        parts = [self._part(c, v, lang) for c, v in zip(REGISTRIES[registry].key, key, strict=False)]
        return " · ".join(parts)

    def _part(self, column: str, value: str, lang: Language) -> str:
        if column in _PLACES:
            homes = ["counties", "cities"]
        else:
            homes = [n for n, r in REGISTRIES.items() if tuple(r.key) == (column,)]
        named = next((found for home in homes if (found := self._names(home, lang).get((value,), ""))), "")
        code = f"report.code.{value}"
        return named or (text(code, lang) if code in catalogue() else value)

    def _names(self, registry: str, lang: Language) -> Mapping[tuple[str, ...], str]:
        if (registry, lang) not in self._known:
            self._known[registry, lang] = self._read(registry, lang)
        return self._known[registry, lang]

    def _read(self, registry: str, lang: Language) -> Mapping[tuple[str, ...], str]:
        if registry not in REGISTRIES or registry not in self._scenario.tables:
            return {}
        declared, table = REGISTRIES[registry], self._scenario.table(registry)
        column = next(
            (f"{s}_{lang}" for s in _STEMS if f"{s}_{lang}" in declared.by_name and f"{s}_{lang}" in table), ""
        )
        if not column:
            return {}
        keys = zip(*(table[c].astype(str) for c in declared.key), strict=True)
        return dict(zip(keys, table[column].astype(str), strict=True))
