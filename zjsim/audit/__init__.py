"""Checks of an exported plan from its tables alone; shares no code with the formulations."""
