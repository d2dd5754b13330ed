"""Which tables of a run become sheets of the workbook, which of their columns are shown, and which hold codes."""

from __future__ import annotations

SHEETS = (
    "input_changes",
    "lead_assignments",
    "heritage_pairs",
    "support_assignments",
    "support_coverage",
    "assignment_explanations",
    "assignment_alternatives",
    "assignment_prices",
    "platform_plan",
    "campus_plan",
    "practice_centre_plan",
    "kindergarten_plan",
    "location_targets",
    "location_coverage",
    "location_limits",
    "talent_catalogue",
    "talent_programmes",
    "talent_shortfalls",
    "talent_mismatch",
    "talent_field_share",
    "talent_hours",
    "talent_prices",
    "talent_uncertainty",
    "seat_expansion",
    "seat_shortfalls",
    "seat_summary",
    "seat_repairs",
    "seat_rule_repairs",
    "seat_staff",
    "seat_zone_years",
    "seat_senior",
    "target_feasibility",
    "plan_value",
    "shortfall_distribution",
    "earliest_certainty",
    "deciding_inputs",
    "bottlenecks",
    "marginal_values",
    "yearly_outcomes",
    "outcomes_by_city",
    "outcomes_by_county",
    "training_by_provider",
    "people_summary",
    "people_ledger",
    "target_readings",
    "input_sources",
    "sources_used",
)
"""Tables of a run that become sheets, in order; one that the run does not have is left out."""

_OPENING = (
    "opening_id", "kind", "university", "industry", "city", "county", "mountain_island", "start_date", "open_date",
    "capacity", "capacity_unit", "served", "cost_points",
)  # fmt: skip

ESSENTIAL_OF_ANSWERS: dict[str, tuple[str, ...]] = {
    "seek_targets": (
        "indicator",
        "reading",
        "bound",
        "unit",
        "p_asked",
        "delta",
        "sample_met",
        "sample_made",
        "fresh_met",
        "fresh_made",
        "p_fresh",
        "p_fresh_low",
        "holds",
    ),
    "seek_tests": (
        "test",
        "why",
        "setting",
        "cost",
        "sample_met",
        "sample_made",
        "p_sample",
        "passed",
        "p_fresh",
        "p_fresh_low",
        "holds",
    ),
    "ranking": (
        "rank",
        "plan",
        "indicator",
        "unit",
        "mean",
        "mean_low",
        "mean_high",
        "share_met",
        "behind",
        "behind_low",
        "behind_high",
        "replications",
        "is_best",
    ),
}
"""The same for the wide tables of searches and rankings."""
ESSENTIAL: dict[str, tuple[str, ...]] = {
    "platform_plan": (*_OPENING, "staff", "staff_unit", "score", "distance_km"),
    "campus_plan": (*(c for c in _OPENING if c != "industry"), "staff", "staff_unit", "rooms", "score", "distance_km"),
    "practice_centre_plan": (*(c for c in _OPENING if c not in ("university", "industry")), "rooms"),
    "kindergarten_plan": tuple(c for c in _OPENING if c not in ("university", "industry")),
    "location_targets": (
        "kind", "target_number", "opened_before", "under_way", "wanted", "planned", "expected", "shortfall", "why",
        "repair",
    ),
    "location_coverage": ("theme", "city", "county", "mountain_island", "group", "need", "covered", "unmet", "share"),
    "location_limits": ("theme", "limit", "entity", "year", "used", "most", "binding"),
    "talent_catalogue": ("year", "rank", "class", "level", "scarcity", "missing", "graduates", "reason"),
    "talent_programmes": (
        "host", "level", "class", "pathway", "year", "action", "intake_announced", "intake", "intake_least",
        "intake_most", "order_seats", "joint", "graduates", "leads",
    ),
    "talent_shortfalls": (
        "sector", "level", "year", "priority", "demand", "filled", "unmet", "unmet_share", "why",
    ),
    "talent_mismatch": ("class", "level", "year", "graduates", "placed", "fitting_less", "idle", "idle_share", "why"),
    "talent_field_share": ("year", "admissions", "of_fields", "share", "share_least", "share_most"),
    "talent_hours": (
        "host", "year", "teachers_listed", "outside_hours", "training_hours", "outside_share", "away_share",
        "teachers", "teachers_needed", "teachers_free",
    ),
    "talent_prices": ("resource", "host", "class", "level", "step", "goal", "gain", "unit", "said"),
    "talent_uncertainty": ("goal", "unit", "two_stage", "mean_value", "known", "vss", "evpi", "said"),
    "lead_assignments": (
        "industry_id", "industry", "university", "discipline", "grade", "score", "score_low", "score_high",
        "distance_km", "nearest_place", "runner_up", "regret", "pinned",
    ),
    "heritage_pairs": (
        "industry_id", "industry", "role", "university", "level", "discipline", "grade", "score", "craft",
        "distance_km", "nearest_place", "runner_up", "regret", "pinned",
    ),
    "support_assignments": (
        "industry_id", "industry", "university", "level", "candidate", "discipline", "grade", "score", "score_low",
        "score_high", "distance_km", "nearest_place", "pinned",
    ),
    "support_coverage": ("industry_id", "industry", "kind", "place", "participants", "candidates", "required", "met"),
    "assignment_explanations": (
        "problem", "industry_id", "industry", "role", "university", "discipline", "in_plan", "class_0", "class_1",
        "class_5", "frequency", "score", "loss", "loss_share", "instead",
    ),
    "assignment_alternatives": (
        "problem", "alternative", "total_score", "loss", "change", "industry", "role", "university", "discipline",
        "score",
    ),
    "seat_expansion": (
        "county_code", "county", "year", "demand", "local", "guaranteed", "classes", "classes_opened", "rooms_added",
        "new_school_rooms", "public_seats", "placed_purchased", "local_unplaced", "unplaced", "public_share",
        "cost_yuan", "overrun_yuan", "basis",
    ),
    "seat_shortfalls": ("county", "year", "stage", "rule", "reading", "is_planned", "amount", "unit", "why", "basis"),
    "seat_summary": (
        "year", "demand", "local", "migrant", "guaranteed", "classes", "rooms_added", "public_seats",
        "placed_purchased", "local_unplaced", "unplaced", "public_share", "public_share_with_purchased", "cost_yuan",
        "counties_without_seats", "basis",
    ),
    "seat_repairs": (
        "county", "year", "stage", "short_without_plan", "classes_added", "rooms_added", "placed_purchased",
        "cost_yuan", "still_short", "rooms_missing", "staff_missing", "places_missing", "repair_yuan", "is_verified",
        "why", "basis",
    ),
    "seat_rule_repairs": (
        "county", "rule", "amount", "unit", "rooms_missing", "staff_missing", "places_missing", "budget_missing_yuan",
        "repair_yuan", "left_after", "is_verified", "why", "basis",
    ),
    "seat_staff": (
        "county", "year", "stage", "classes", "pupils_per_staff", "staff_per_class", "staff_needed", "staff_available",
        "staff_to_hire", "staff_for_all", "staff_missing", "staff_is_limit", "norm_source", "basis",
    ),
    "seat_zone_years": (
        "county", "zone_id", "zone_kind", "year", "stage", "local", "guaranteed", "rooms", "classes", "classes_opened",
        "extension_rooms", "new_school_rooms", "free_site_m2", "public_seats", "seated_local", "seated_migrant",
        "empty_seats", "placed_purchased", "purchased_here", "moved_in", "moved_out_local", "moved_out_migrant",
        "moved_too_far", "basis",
    ),
    "seat_senior": (
        "county", "year", "leavers_local", "leavers_migrant", "senior_places_wanted", "entrants_eligible",
        "talent_places_at_most", "basis",
    ),
    "target_feasibility": (
        "indicator", "reading", "is_default", "measures", "period", "bound", "unit", "deadline", "verdict", "p_meet",
        "p_low", "p_high", "p_worst", "p_best", "has_baseline",
    ),
    "plan_value": (
        "indicator", "measures", "bound", "unit", "p_with", "p_without", "p_difference", "p_difference_low",
        "p_difference_high", "mean_with", "mean_without", "difference", "difference_low", "difference_high",
    ),
    "deciding_inputs": (
        "indicator", "reading", "rank", "input", "low", "mode", "high", "unit", "basis", "break_even",
    ),
    "shortfall_distribution": (
        "indicator", "reading", "is_default", "bound", "unit", "p_miss", "expected_shortfall", "expected_excess",
        "margin_p05", "margin_p25", "margin_p50", "margin_p75", "margin_p95",
    ),
    "earliest_certainty": (
        "indicator", "reading", "is_default", "bound", "unit", "deadline", "p_required", "certain_from", "p_then",
        "half_from", "p_at_deadline", "days_before_deadline",
    ),
    "bottlenecks": (
        "year", "level", "rank", "place", "relief", "indicator", "gain_share_of_tenth", "gain", "target_unit", "unit",
        "utilisation", "mean_queue", "mean_wait_days", "lost_work", "use_unit", "lost_share",
    ),
    "marginal_values": (
        "relief", "place", "unit", "present", "indicator", "gain", "gain_low", "gain_high", "target_unit",
        "gain_share_of_tenth", "p_meet", "p_with", "p_change", "variance_reduction",
    ),
    "input_changes": ("registry", "column", "change", "cells", "key", "old", "new", "old_sum", "new_sum", "reason"),
    "target_readings": (
        "indicator", "reading", "is_default", "measures", "period", "bound", "unit", "deadline", "what_counts",
    ),
    "outcomes_by_city": ("indicator", "year", "place", "unit", "mean", "p05", "p50", "p95"),
    "outcomes_by_county": ("indicator", "year", "place", "unit", "mean", "p05", "p50", "p95", "p_all"),
    "training_by_provider": (
        "year", "provider", "level", "city", "classes_started", "person_times_all", "p05", "p95", "person_hours",
        "completed", "lost", "mean_wait_days", "trainer_share_used", "dual_share_used", "room_share_used",
        "evening_share_used",
    ),
    "people_summary": (
        "year", "staff_class", "activity", "available_hours", "allotted_hours", "allotted_share", "full_time_people",
        "used_hours", "unused_hours", "used_share",
    ),
    "people_ledger": (
        "year", "institution", "activity", "teachers", "available_hours", "allotted_hours", "used_hours",
        "used_hours_p95", "unused_hours", "used_share",
    ),
    "tasks": ("due", "begin", "who", "county_code", "county", "what", "amount", "unit"),
    "sources_used": ("registry", "title", "publisher", "year", "url", "rows"),
    "yearly_outcomes": ("indicator", "year", "status", "kind", "unit", "mean", "p05", "p50", "p95"),
}  # fmt: skip
"""Columns that are shown and printed; the others stand to their right, folded away. A table not named shows all."""

_BUILT = ("cost_points", "rooms")
TOTALS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("platform_plan", "campus_plan", "practice_centre_plan", "kindergarten_plan"), _BUILT),
    "location_targets": ("planned", "expected", "shortfall"),
    "seat_expansion": (
        "classes_opened", "rooms_added", "new_school_rooms", "placed_purchased", "local_unplaced", "unplaced",
        "cost_yuan", "overrun_yuan",
    ),
    "seat_summary": ("rooms_added", "placed_purchased", "local_unplaced", "unplaced", "cost_yuan"),
    "seat_repairs": ("placed_purchased", "cost_yuan", "repair_yuan"),
    "seat_zone_years": ("classes_opened", "extension_rooms", "new_school_rooms"),
}  # fmt: skip
"""Columns of amounts that add up over all rows of a sheet (levels of a year and shares do not)."""

BARS: dict[str, tuple[str, ...]] = {
    "lead_assignments": ("score",),
    "heritage_pairs": ("score",),
    "support_assignments": ("score",),
    "support_coverage": ("participants",),
    "assignment_explanations": ("frequency",),
    "assignment_alternatives": ("loss",),
    "platform_plan": ("served",),
    "campus_plan": ("served",),
    "practice_centre_plan": ("served",),
    "kindergarten_plan": ("served",),
    "location_targets": ("planned",),
    "location_coverage": ("share",),
    "location_limits": ("used",),
    "talent_catalogue": ("scarcity",),
    "talent_programmes": ("intake",),
    "talent_shortfalls": ("unmet_share",),
    "talent_mismatch": ("idle_share",),
    "talent_field_share": ("share",),
    "talent_hours": ("away_share",),
    "seat_expansion": ("rooms_added", "cost_yuan"),
    "seat_summary": ("rooms_added", "cost_yuan"),
    "seat_repairs": ("short_without_plan",),
    "seat_staff": ("staff_to_hire",),
    "seat_zone_years": ("public_seats",),
    "seat_senior": ("senior_places_wanted",),
    "seat_classes": ("public_seats",),
    "target_feasibility": ("p_meet",),
    "plan_value": ("p_with", "p_without"),
    "shortfall_distribution": ("p_miss",),
    "earliest_certainty": ("p_at_deadline",),
    "bottlenecks": ("gain_share_of_tenth", "utilisation"),
    "marginal_values": ("gain_share_of_tenth",),
    "training_by_provider": ("person_times_all",),
    "people_summary": ("used_share",),
    "people_ledger": ("used_share",),
    "input_sources": ("share_of_values",),
}
"""Columns that carry bars beside what falls short: one measure a sheet by which a reader compares its rows."""
FULL = ("p_meet", "p_with", "p_without", "p_miss", "p_at_deadline", "share", "share_of_values", "used_share")
"""Columns whose bar is full at 1."""

CODED = (
    "stage", "role", "status", "kind", "unit", "break_even_unit", "rule", "comparator", "level", "craft_source",
    "sense", "basis", "nearest_place_role", "candidate", "class_0", "class_1", "class_5", "change", "goal",
    "later_goal", "theme", "limit", "relevance_from", "capacity_unit", "staff_unit", "zone_kind",
    "pathway", "action", "resource", "staff_class",
)  # fmt: skip
"""Columns whose values are codes with a word in the texts."""
