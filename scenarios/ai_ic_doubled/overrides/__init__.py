"""Rows that the what-if changes."""
