"""The sibling rule and the points rule by county at the as-of date: no list says which counties run them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import pandas as pd

from zjsim.synthesis.services import modes

Tables = Mapping[str, pd.DataFrame]

SEED = "zjsim sibling_rule 2024"
POINTS_SEED = "zjsim points_rule 2024"
POINTS_IN_FORCE = {"district": "GP20", "city": "GP21", "county": "GP22"}
SHARE_IN_FORCE = {"district": "GP16", "city": "GP17", "county": "GP18"}
REPORTED = {"330102": True}
"""Counties whose state was reported (上城区): source ``src_sibling_trial_2022``."""


def unit_number(seed: str, entity: str) -> float:
    """A number in [0, 1) that depends on ``seed`` and ``entity`` alone: another county changes nobody else's."""
    return int.from_bytes(blake2b(f"{seed}\x1f{entity}".encode(), digest_size=8).digest(), "big") / 2**64


def sibling_rule(tables: Tables) -> pd.DataFrame:
    """State of each county (registry ``sibling_rule``): reported, or drawn with the share of its kind of county."""
    share = modes(tables["programme_parameters"])
    rows = []
    for county in tables["counties"].sort_values("county_code").to_dict("records"):
        code = county["county_code"]
        reported = code in REPORTED
        drawn = unit_number(SEED, code) < share[SHARE_IN_FORCE[county["kind"]]]
        rows.append(
            {
                "county_code": code,
                "in_force": REPORTED.get(code, drawn),
                "source_id": "src_sibling_trial_2022" if reported else "method_sibling_rule",
                "basis": "press" if reported else "synthetic",
            }
        )
    return pd.DataFrame(rows)


def points_rule(tables: Tables) -> pd.DataFrame:
    """State of each county (registry ``points_rule``, M109): where a rule of admission of its own speaks of points it
    is in force, with that rule's source and basis; else drawn with the share of its kind of county."""
    share = modes(tables["programme_parameters"])
    rules = tables["admission_rules"].sort_values("rule_id")
    speaks = rules[rules["summary_zh"].str.contains("积分")].drop_duplicates("place_code")
    reported = {row["place_code"]: (row["source_id"], row["basis"]) for row in speaks.to_dict("records")}
    rows = []
    for county in tables["counties"].sort_values("county_code").to_dict("records"):
        code = county["county_code"]
        source, basis = reported.get(code, ("method_points_rule", "synthetic"))
        drawn = unit_number(POINTS_SEED, code) < share[POINTS_IN_FORCE[county["kind"]]]
        rows.append({"county_code": code, "in_force": code in reported or drawn, "source_id": source, "basis": basis})
    return pd.DataFrame(rows)
