"""Quarters of the plan: their names (``2025-Q1``), their last days, and which are over on a date."""

from __future__ import annotations

from datetime import date, timedelta

PLAN_START = date(2025, 1, 1)
"""The day from which the plan's targets count."""
PROVINCE = "330000"


def quarter_of(day: date) -> str:
    """The quarter in which ``day`` lies."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarter_end(quarter: str) -> date:
    """The last day of ``quarter``."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return (date(year + 1, 1, 1) if number == 4 else date(year, 3 * number + 1, 1)) - timedelta(days=1)


def quarters_until(day: date) -> tuple[str, ...]:
    """The plan's quarters that are over at the end of ``day``, in order."""
    named = [f"{year}-Q{n}" for year in range(PLAN_START.year, day.year + 1) for n in (1, 2, 3, 4)]
    return tuple(q for q in named if quarter_end(q) <= day)


def is_quarter_end(day: date) -> bool:
    """Whether a quarter ends on ``day``."""
    return quarter_end(quarter_of(day)) == day
