"""The sibling rule by county at the as-of date: which counties run it is not published as a list."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import pandas as pd

from zjsim.synthesis.services import modes

Tables = Mapping[str, pd.DataFrame]

SEED = "zjsim sibling_rule 2024"
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
