"""What the lead and the heritage assignment share: special rules of the planner, names, and requirements in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyomo.environ as pyo

from zjsim.solve.conflicts import Requirement
from zjsim.texts import Language, text


@dataclass(frozen=True, slots=True)
class SpecialRule:
    """A row of the registry ``rules``: what a planner pins, forbids or pairs. Empty fields match everything."""

    rule_id: str
    kind: str
    industry_id: str = ""
    moe_code: str = ""
    discipline_code: str = ""
    role: str = ""
    paired_industry_id: str = ""

    def matches(self, industry_id: str, moe_code: str, discipline_code: str = "", role: str = "lead") -> bool:
        """Whether an assignment of this institution and discipline to this industry in this role is meant."""
        return (
            self.industry_id in ("", industry_id)
            and self.moe_code in ("", moe_code)
            and self.discipline_code in ("", discipline_code)
            and self.role in ("", role)
        )


@dataclass(frozen=True, slots=True)
class Names:
    """Names of industries, institutions and disciplines for sentences: key → (Chinese, English)."""

    industries: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    universities: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    disciplines: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def place(self, code: str, lang: Language) -> str:
        """The county's or city's name, or its code."""
        return _pick(self.places.get(code), code, lang)

    def industry(self, industry_id: str, lang: Language) -> str:
        """The industry's name, or its id where it has none."""
        return _pick(self.industries.get(industry_id), industry_id, lang)

    def university(self, moe_code: str, lang: Language) -> str:
        """The institution's name, or its code."""
        return _pick(self.universities.get(moe_code), moe_code, lang)

    def discipline(self, moe_code: str, code: str, lang: Language) -> str:
        """Institution and discipline in one phrase; the institution alone where no discipline is meant."""
        if not code:
            return self.university(moe_code, lang)
        own = _pick(self.disciplines.get((moe_code, code)), code, lang)
        return text("assignment.discipline_of", lang, university=self.university(moe_code, lang), discipline=own)


def special_rules(
    table: pd.DataFrame, industries: Sequence[str], roles: Sequence[str] = ("lead",)
) -> tuple[SpecialRule, ...]:
    """The rules that concern these industries and roles, by id (a forbidden rule without an industry concerns all).

    A rule without a role concerns every role; what is pinned or paired without one concerns those who lead, not those
    who support.
    """
    known = set(industries)
    rules = (
        SpecialRule(
            r.rule_id, r.kind, r.industry_id, r.moe_code, r.discipline_code, r.role, r.paired_industry_id
        )
        for r in rows_of(table)
    )  # fmt: skip
    kept = (r for r in rules if r.industry_id in known or (not r.industry_id and r.kind == "forbidden"))
    ours = (r for r in kept if r.role in roles or (not r.role and (r.kind == "forbidden" or "lead" in roles)))
    return tuple(sorted(ours, key=lambda r: r.rule_id))


def names_of(tables: Mapping[str, pd.DataFrame]) -> Names:
    """Names from the registries."""
    i, u, d = tables["industries"], tables["universities"], tables["disciplines"]
    return Names(
        dict(zip(i["industry_id"], zip(i["name_zh"], i["name_en"], strict=True), strict=True)),
        dict(zip(u["moe_code"], zip(u["name_zh"], u["name_en"], strict=True), strict=True)),
        dict(
            zip(
                zip(d["moe_code"], d["discipline_code"], strict=True),
                zip(d["name_zh"], d["name_en"], strict=True),
                strict=True,
            )
        ),
        {
            code: (row.name_zh, row.name_en)
            for name, key in (("cities", "city_code"), ("counties", "county_code"))
            for code, row in zip(tables[name][key], rows_of(tables[name]), strict=True)
        },
    )


def rows_of(table: pd.DataFrame) -> Iterable[Any]:
    """The rows of a registry as named tuples."""
    return table.itertuples(index=False)


SPECIAL = frozenset(
    f"{kind}_{what}" for kind in ("pinned", "forbidden", "paired") for what in ("leads", "pairs", "supports")
)
"""Rules of the planner's own: a repair gives them up as a whole."""

LAST_RESORT = frozenset(
    (
        "one_lead_per_industry",
        "one_heritage_lead",
        "one_heritage_partner",
        "two_institutions",
        "one_part_per_institution",
    )
)
"""Rules that say what an assignment is: a repair gives them up only where nothing else helps."""

SWITCHES = frozenset(("undergraduate_leads",))
"""Rules that a scenario turns on or off: a repair turns them off."""

THRESHOLDS = frozenset(("minimum_relevance", "minimum_craft", "support_relevance"))
"""Rules with a row per candidate below a threshold of its industry: a repair lowers the industry's threshold."""

_LAST_RESORT_WEIGHT = 1000.0

Describe = Callable[[Any, Language], dict[str, object]]


def requirements(
    model: pyo.ConcreteModel, describe: Mapping[str, Describe], order: Sequence[str]
) -> tuple[Requirement, ...]:
    """What each row of every rule in ``order`` requires; a rule's text is ``assignment.rules.<rule>``.

    The rows of a threshold make one requirement per industry, by which the threshold is lowered there; the rows of a
    pair one per rule of the planner's. Every requirement can give, some at a high price, so that each conflict has a
    repair, told in the units of the inputs.

    ``describe[rule](index, lang)`` gives the values of the text. Rules that the model was built without are left out.
    """
    found = []
    for rule in order:
        component = model.find_component(rule)
        if component is None:
            continue
        last, threshold = rule in LAST_RESORT, rule in THRESHOLDS
        # What the planner lowers or gives up as one is one requirement: a threshold by industry, a pair by its rule.
        grouped = threshold or rule in ("paired_leads", "paired_pairs")
        weight, whole = _LAST_RESORT_WEIGHT if last else 1.0, last or rule in SPECIAL or rule in SWITCHES
        rows: dict[Any, list[Any]] = {}
        for index in component:
            rows.setdefault(index[0] if grouped else index, []).append(component[index])
        for index, own in rows.items():
            zh = text(f"assignment.rules.{rule}", "zh", **describe[rule](index, "zh"))
            en = text(f"assignment.rules.{rule}", "en", **describe[rule](index, "en"))
            key = ",".join(map(str, index)) if isinstance(index, tuple) else str(index)
            found.append(
                Requirement(
                    f"{rule}[{key}]", tuple(own), zh, en, weight, give_up=whole, together=threshold
                )
            )  # fmt: skip
    return tuple(found)


def rules_of_kind(m: pyo.ConcreteModel, kind: str) -> list[str]:
    """Ids of the special rules of this kind, in order."""
    return sorted(k for k, special in m.special.items() if special.kind == kind)


def describe_special(rule: SpecialRule, names: Names, lang: Language) -> dict[str, object]:
    """What the texts of special rules need: who, whom, and which role."""
    who = names.discipline(rule.moe_code, rule.discipline_code, lang) if rule.moe_code else text(
        "assignment.any_institution", lang
    )  # fmt: skip
    return {
        "rule": rule.rule_id,
        "who": who,
        "industry": names.industry(rule.industry_id, lang)
        if rule.industry_id
        else text("assignment.any_industry", lang),
        "other": names.industry(rule.paired_industry_id, lang),
        "role": text(f"assignment.roles.{rule.role or 'any'}", lang),
    }


def _pick(pair: tuple[str, str] | None, fallback: str, lang: Language) -> str:
    return fallback if pair is None else pair[0 if lang == "zh" else 1] or fallback
