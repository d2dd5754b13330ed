"""Registries of the theme: plan."""

from __future__ import annotations

from zjsim.tables.schema import Registry

REGISTRIES: tuple[Registry, ...] = ()
