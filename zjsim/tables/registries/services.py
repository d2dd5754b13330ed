"""Registries of the theme: services."""

from __future__ import annotations

from zjsim.tables.schema import Registry

REGISTRIES: tuple[Registry, ...] = ()
