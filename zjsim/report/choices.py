"""Why the assignment is what it is, as the workbook shows it: choices that matter, their classes and frequencies."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zjsim.report.words import is_true
from zjsim.texts import Language, text

LEAST_FREQUENCY = 0.1
"""A choice that the plan does not take is shown if it is chosen in at least this share of draws."""

PROBLEMS = ("lead", "heritage", "support")
"""The assignments in the order of their sheets."""

_KEY = ["problem", "industry_id", "role", "moe_code", "discipline_code"]
_FREQUENCY = ["draws", "times", "frequency", "frequency_low", "frequency_high"]


def explained_choices(tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    """``assignment_explanations`` with frequencies: what the plan takes, and what could well stand in its place.

    The latter are choices that some plan without loss takes, and those taken in at least :data:`LEAST_FREQUENCY` of
    draws; one that no draw takes has the frequency 0. By assignment and industry, the plan's own first, then the most
    frequent.
    """
    table = tables["assignment_explanations"]
    drawn = tables.get("assignment_frequencies", pd.DataFrame(columns=[*_KEY, *_FREQUENCY]))
    table = table.merge(drawn[[*_KEY, *_FREQUENCY]], on=_KEY, how="left", sort=False)
    table = table.astype(dict.fromkeys(_FREQUENCY, "float64"))
    draws = table["problem"].map(dict(zip(drawn["problem"], drawn["draws"], strict=True))).astype("float64")
    never = table["frequency"].isna() & draws.notna()
    table.loc[never, ["times", "frequency"]] = 0.0
    table["draws"] = draws
    taken = is_true(table["in_plan"])
    close = (table["class_0"] == "swappable") | (table["frequency"] >= LEAST_FREQUENCY)
    table = table.assign(instead=[_named(said, tables, lang) for said in table["instead"]])
    order = pd.DataFrame(
        {
            "problem": [PROBLEMS.index(p) if p in PROBLEMS else len(PROBLEMS) for p in table["problem"]],
            "industry": table["industry_id"],
            "role": table["role"],
            "other": ~taken,
            "frequency": -table["frequency"].fillna(0.0),
        }
    )
    return table.loc[order[taken | close].sort_values(list(order.columns), kind="stable").index].reset_index(drop=True)


def stated_prices(table: pd.DataFrame) -> pd.DataFrame:
    """``assignment_prices`` without the goals that only break ties: what they lose matters to nobody."""
    return table[~table["later_goal"].str.endswith("_tie_break")].reset_index(drop=True)


def _named(said: object, tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    """Institutions and disciplines of ``code/discipline;code`` by their names."""
    if not isinstance(said, str) or not said:
        return ""
    names = _names(tables["assignment_explanations"], lang)
    found = []
    for one in said.split(";"):
        code, _, discipline = one.partition("/")
        values = {"university": names.get(code, code), "discipline": names.get(discipline, discipline)}
        found.append(text("report.choice_with_discipline", lang, **values) if discipline else values["university"])
    return ("；" if lang == "zh" else "; ").join(found)


def _names(table: pd.DataFrame, lang: Language) -> dict[str, str]:
    pairs = (("moe_code", f"university_{lang}"), ("discipline_code", f"discipline_{lang}"))
    return {str(code): str(name) for c, n in pairs for code, name in zip(table[c], table[n], strict=True) if name}
