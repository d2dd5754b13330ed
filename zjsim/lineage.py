"""Which tables of a run follow from which registries, parameters and rules.

Declared once, by theme; :mod:`zjsim.trace` follows it in both directions. The rules are the functions of the theme's
modules, and the modules themselves, whose docstring names a measure of the action plan; they are read from the source,
nothing is imported.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_MEASURE = re.compile(r"\bM(\d{3})\b(?:[–-]M(\d{3})\b)?")
_ASSIGNMENT = (
    "industries", "industry_places", "universities", "disciplines", "relevance", "category_relevance", "counties",
    "cities", "rules", "craft_links", "cooperation", "industry_loads", "lead_capacities",
)  # fmt: skip

_LOCATIONS = (
    "location_kinds", "location_need", "location_starts", "location_budgets", "location_parameters",
    "process_parameters", "programme_parameters", "programmes", "targets", "counties", "cities",
)  # fmt: skip
_LOCATION_RULES = ("location_rules", "location_goals", "location_targets")
_HOSTS = ("location_hosts", "universities", "category_relevance", "industries", "industry_places")


@dataclass(frozen=True, slots=True)
class Theme:
    """A part of a run: the begins of its tables' names, its modules, registries and sections of parameters."""

    name: str
    tables: tuple[str, ...]
    modules: tuple[str, ...]
    registries: tuple[str, ...]
    parameters: tuple[str, ...]


THEMES = (
    Theme(
        "hedge",
        ("hedge_",),
        ("hedge_rules", "hedge_scenarios", "hedge_solve", "seat_hedge"),
        (
            "seat_demand", "seat_capacity", "seat_options", "seat_budgets", "migrant_calibration", "counties",
            "demand_uncertainties",
        ),
        ("time", "seats", "hedge", "solver"),
    ),
    Theme("leads", ("lead_",), ("lead_discipline", "assignment_scores"), _ASSIGNMENT, ("assignment", "solver")),
    Theme("heritage", ("heritage_",), ("heritage", "assignment_scores"), _ASSIGNMENT, ("assignment", "solver")),
    Theme(
        "supports", ("support_",), ("assignment_support", "assignment_scores"), _ASSIGNMENT, ("assignment", "solver")
    ),
    Theme(
        "assignment",
        ("assignment_",),
        ("assignment_explanations", "assignment_pareto", "lead_discipline", "heritage"),
        _ASSIGNMENT,
        ("assignment", "solver"),
    ),
    Theme(
        "platforms",
        ("platform_plan",),
        ("platforms", *_LOCATION_RULES),
        (*_LOCATIONS, *_HOSTS, "disciplines", "relevance", "craft_links"),
        ("time", "locations", "assignment", "solver"),
    ),
    Theme(
        "campuses",
        ("campus_plan",),
        ("campuses", *_LOCATION_RULES),
        (*_LOCATIONS, *_HOSTS, "county_industry"),
        ("time", "locations", "solver"),
    ),
    Theme(
        "practice_centres",
        ("practice_centre_plan",),
        ("campuses", *_LOCATION_RULES),
        _LOCATIONS,
        ("time", "locations", "solver"),
    ),
    Theme(
        "kindergartens",
        ("kindergarten_plan",),
        ("campuses", *_LOCATION_RULES),
        (*_LOCATIONS, "county_industry"),
        ("time", "locations", "solver"),
    ),
    Theme(
        "locations",
        ("location_",),
        ("platforms", "campuses", *_LOCATION_RULES),
        (*_LOCATIONS, *_HOSTS, "county_industry"),
        ("time", "locations", "solver"),
    ),
    Theme(
        "talent",
        ("talent_",),
        (
            "talent_rules", "talent_model", "talent_data", "talent_supply", "talent_tables", "talent_report",
            "talent_prices", "talent_uncertainty", "talent_people", "people",
        ),
        (
            "programme_classes", "talent_sectors", "programme_groups", "programme_relevance", "graduate_demand",
            "demand_cases", "order_classes", "talent_parameters", "location_kinds", "universities", "cities",
            "institution_staff", "people_parameters", "service_teams", "training_providers",
        ),
        ("time", "talent", "solver"),
    ),
    Theme(
        "seats",
        ("seat_",),
        (
            "seat_rules", "seat_building_rules", "seat_switch_rules", "seat_zone_building", "seat_zone_rules",
            "seat_shortfalls", "seat_expansion", "seat_repairs",
        ),
        (
            "seat_demand", "seat_capacity", "seat_options", "seat_budgets", "migrant_calibration", "counties",
            "planning_zones", "seat_zones", "seat_norms", "placement_parameters",
        ),
        ("time", "seats", "solver"),
    ),
    Theme(
        "people",
        ("people_",),
        ("people", "people_posts", "people_tables", "location_effects"),
        (
            "institution_staff", "people_parameters", "service_teams", "team_deployment", "training_providers",
            "patents", "enterprises", "process_parameters", "service_parameters", "patent_parameters",
            "location_kinds", "location_parameters",
        ),
        ("time", "simulation"),
    ),
    Theme(
        "placement",
        ("placement",),
        (
            "placement_rules", "placement_data", "placement_matrix", "placement_modes", "placement_joint",
            "placement_coupled", "placement_preference", "placement_repairs", "placement_exchange",
            "deferred_acceptance", "stable_families",
        ),
        (
            "planning_zones", "residence_cells", "schools", "school_grades", "tier_rules", "child_groups",
            "sibling_rule", "school_choices", "counties",
        ),
        ("placement", "time", "solver"),
    ),
)  # fmt: skip
"""Plans. A table belongs to the first theme whose begin it has."""

PROCESSES = {
    "training": Theme(
        "training",
        (),
        (
            "training", "training_data", "training_classes", "training_supply", "training_yard", "training_book",
            "training_use", "outcomes_by_provider", "location_effects", "past",
        ),
        (
            "actuals", "training_providers", "training_sectors", "training_demand", "course_types",
            "training_calendar", "monthly_indices",
            "process_parameters", "training_parameters", "location_kinds", "location_parameters",
        ),
        ("time", "simulation"),
    ),
    "enterprise_service": Theme(
        "enterprise_service",
        (),
        (
            "enterprise_service", "service_requests", "people", "people_posts", "location_effects", "service_past",
            "service_firms", "service_use", "past",
        ),
        (
            "actuals", "enterprises", "firm_classes", "service_teams", "team_deployment", "industry_places",
            "monthly_indices", "counties", "process_parameters", "service_parameters", "location_kinds",
            "institution_staff", "people_parameters", "training_providers",
        ),
        ("time", "simulation"),
    ),
    "patent_transfer": Theme(
        "patent_transfer",
        (),
        ("patent_transfer", "patent_data", "people", "past"),
        (
            "actuals", "patents", "process_parameters", "service_parameters", "patent_parameters",
            "people_parameters",
        ),
        ("time", "patents", "simulation"),
    ),
    "programmes": Theme(
        "programmes",
        (),
        ("programmes", "programme_data", "programme_use", "past"),
        (
            "actuals", "programmes", "programme_batches", "sibling_rule", "points_rule", "counties",
            "process_parameters", "programme_parameters", "location_kinds", "location_parameters",
        ),
        ("time", "simulation"),
    ),
    "enrolment": Theme(
        "enrolment",
        (),
        ("enrolment", "past"),
        ("actuals", "seat_demand", "counties", "process_parameters", "programme_parameters"),
        ("time", "simulation"),
    ),
    "seats": Theme(
        "seats",
        (),
        ("seat_outcomes", "past"),
        ("actuals", "seat_demand", "seat_capacity", "seat_options", "seat_norms", "migrant_calibration", "counties"),
        ("time", "seats", "simulation"),
    ),
    "talent": Theme(
        "talent",
        (),
        ("talent_admissions", "past"),
        (
            "actuals", "programme_groups", "programme_classes", "programme_relevance", "graduate_demand",
            "demand_cases", "talent_parameters",
        ),
        ("time", "simulation"),
    ),
}  # fmt: skip
"""Simulated processes, as the tables of the simulation name them."""

BY_TARGET = (
    "target_feasibility", "plan_value", "targets_not_modelled", "deciding_inputs", "shortfall_distribution",
    "earliest_certainty", "replication_targets", "target_readings",
)  # fmt: skip
BY_PROCESS = (
    "yearly_outcomes", "uncertain_inputs", "design_points", "design_values", "simulation_settings", "resource_use",
    "resource_use_monthly", "marginal_values", "bottlenecks", "outcomes_by_city", "outcomes_by_county",
    "replication_outcomes",
    "training_by_provider", "event_log",
)  # fmt: skip
BY_REGISTRY = ("input_sources", "input_changes", "sources_used")
"""Tables about the inputs themselves: a row follows from the registry that it names."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A function (or module) whose docstring names measures: where it stands, its first sentence, and the measures."""

    function: str
    place: str
    said: str
    measures: tuple[str, ...]


def theme_of(table: str) -> Theme | None:
    """The theme of a table of a plan; None for the tables of the simulation, which follow from a process."""
    return next((t for t in THEMES if table.startswith(t.tables)), None)


def is_known(table: str) -> bool:
    """Whether a table of results has a lineage."""
    return theme_of(table) is not None or table in (*BY_TARGET, *BY_PROCESS, *BY_REGISTRY)


@cache
def rules_of(theme: Theme) -> tuple[Rule, ...]:
    """The rules in the modules of a theme, in the order of the source."""
    found = []
    for module in theme.modules:
        source = files("zjsim.models").joinpath(f"{module}.py")
        if not source.is_file():
            continue
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            # The text at the top of a module holds for all of it.
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and (said := ast.get_docstring(node)):
                measures = measures_in(said)
                if measures:
                    first = " ".join(said.split("\n\n")[0].split())
                    name, line = (module, 1) if isinstance(node, ast.Module) else (node.name, node.lineno)
                    found.append(Rule(name, f"models/{module}.py:{line}", first, measures))
    return tuple(found)


def measures_in(said: str) -> tuple[str, ...]:
    """The measures that a text names, in its order: M013 and M014 for ``M013–M014``."""
    spans = ((int(m[1]), int(m[2] or m[1])) for m in _MEASURE.finditer(said))
    return tuple(dict.fromkeys(f"M{number:03d}" for first, last in spans for number in range(first, last + 1)))
