"""Templates of documents; an office may use its own instead."""
