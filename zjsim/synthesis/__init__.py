"""Documented, seeded, re-runnable methods that derive registries from public ones; all they write is labelled."""
