"""Data of the baseline scenario."""
