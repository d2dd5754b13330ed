"""Every registry of a scenario, one theme per file."""

from __future__ import annotations

from importlib import import_module

from zjsim.tables.schema import Registry

_THEMES = (
    "plan",
    "places",
    "institutions",
    "industries",
    "assignment",
    "seats",
    "demand_uncertainties",
    "schools",
    "seat_zones",
    "training",
    "services",
    "patents",
    "people",
    "programmes",
    "locations",
    "talent",
    "parameters",
    "tracking",
    "levers",
)


def _collect() -> dict[str, Registry]:
    found: dict[str, Registry] = {}
    for theme in _THEMES:
        for registry in import_module(f"{__name__}.{theme}").REGISTRIES:
            if registry.name in found:
                raise ValueError(f"registry {registry.name} is declared twice")
            found[registry.name] = registry
    return found


REGISTRIES: dict[str, Registry] = _collect()
