"""Tables of seat expansion under uncertainty for publication (M108, M110).

By area only decisions, openings and money go out; children expected without a place, and what they or purchased places
cost by themselves, stay inside, and money that holds a price times children is rounded to ten of the dearest of them.
Sums over areas are treated alike, because one area alone can be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from zjsim.models.hedge_sentences import statements
from zjsim.models.seat_publication import money_step
from zjsim.models.seat_relations import rounded

from zjsim.tables.published import SUPPRESSED
from zjsim.texts import LANGUAGES, Language, text

_WITHHELD: Mapping[str, tuple[str, ...]] = {
    "hedge_areas": ("expected_local_short", "expected_without_place", "expected_share_fall"),
    "hedge_plans": (
        *("expected_local_short", "expected_without_place", "expected_share_fall", "expected_purchase_yuan"),
        *("expected_penalty_yuan", "expected_overrun_yuan"),
    ),
    "hedge_openings": (),
    "hedge_values": (),
    "hedge_scenarios": ("entrants_later_births",),
    "hedge_evaluation": (),
    "hedge_fresh": (),
    "hedge_empty_seats": (),
    "hedge_inputs": (),
}
"""Tables that go out, and their columns that do not; the others stay inside."""
_EXACT = ("start_cost_yuan", "mean_value_start_cost_yuan", "expected_capital_yuan", "idle_capital_yuan")
"""Money of building alone."""
_CHILDREN = ("local_short", "without_place", "share_fall")
_FIGURES = ("mean", "mean_low", "mean_high", "p05", "p50", "p95")


def hedge_publication(
    tables: Mapping[str, pd.DataFrame], *, minimum: int, dearest_yuan: float, cvar_level: float
) -> dict[str, pd.DataFrame]:
    """The tables that go out; ``dearest_yuan``: the most that one child without a place is priced at."""
    step = money_step({("", ""): dearest_yuan}) / 2
    said = statements(tables, cvar_level, minimum=minimum, money_step=step).assign(**{SUPPRESSED: ""})
    told = {n: _published(tables[n], gone, minimum, step) for n, gone in _WITHHELD.items() if n in tables}
    return {"hedge_statements": said, **told}


def _published(table: pd.DataFrame, gone: tuple[str, ...], minimum: int, step: float) -> pd.DataFrame:
    result = table.drop(columns=[c for c in gone if c in table]).reset_index(drop=True)
    names = pd.Series([""] * len(result), index=result.index, dtype=object)
    for column in result.columns:
        if (column.endswith("_yuan") or column == "yuan") and column not in _EXACT:
            result[column] = [rounded(v, step) if v == v else v for v in result[column].astype(float)]
    measured = result.get("measure")
    for column in (c for c in result.columns if c in _CHILDREN or (measured is not None and c in _FIGURES)):
        value = result[column].astype(float)
        about = pd.Series(True, index=result.index) if measured is None else measured.isin(_CHILDREN)
        if measured is not None:
            value = value.mask(~about, pd.Series([rounded(v, step) if v == v else v for v in value], index=value.index))
        small = about & (value > 0) & (value < minimum)
        result[column] = value.mask(small)
        names = names.mask(small, names + column + ";")
    if "advice_zh" in result:
        for lang in LANGUAGES:
            said = [_without_children(str(v), lang) for v in result[f"advice_{lang}"]]
            result[f"advice_{lang}"] = pd.Series(said, index=result.index, dtype=object)
    return result.assign(**{SUPPRESSED: names.str.rstrip(";")})


def _without_children(said: str, lang: Language) -> str:
    """The advice without how many children it leaves short."""
    before, after = text("hedge.advice.short", lang, children="\0").split("\0")
    start = said.find(before)
    if start < 0:
        return said
    end = said.find(after, start + len(before))
    return (
        said[:start]
        + text("hedge.advice.short", lang, children=text("published.some", lang))
        + said[end + len(after) :]
    )
