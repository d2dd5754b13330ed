"""Scenarios: a folder of registries and parameters, read and checked as a whole."""
