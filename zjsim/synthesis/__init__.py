"""Documented, seeded, re-runnable methods that derive registries from public ones; everything they write is labelled."""
