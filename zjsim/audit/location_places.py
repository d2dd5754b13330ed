"""Which groups of need a location's service may serve."""

from __future__ import annotations


def service_of(theme: str, service: str) -> tuple[str, ...]:
    """The groups of need that a service meets."""
    if theme == "kindergartens":
        return ("employees", "residents") if service == "park" else ()
    if theme == "campuses":
        return ("training",) if service == "training" else ()
    if theme == "practice_centres":
        return ("practice",) if service == "practice" else ()
    return (service,)
