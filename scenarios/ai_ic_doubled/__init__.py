"""A built-in what-if scenario."""
