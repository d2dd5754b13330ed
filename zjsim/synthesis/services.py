"""Firms by city and class, and teachers, teams and service areas by institution: none of it is public.

Every function takes the registries it needs as tables and gives back one registry as a table, the same rows in the same
order every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.synthesis.proportional import largest_remainder
from zjsim.synthesis.seats import csv_bytes

Tables = Mapping[str, pd.DataFrame]

BATCH6_LITTLE_GIANTS = {
    "330100": 156,
    "330200": 66,
    "330300": 21,
    "330400": 51,
    "330500": 31,
    "330600": 22,
    "330700": 11,
    "330800": 10,
    "330900": 1,
    "331000": 22,
    "331100": 9,
}
"""Little giants of batch 6 by city (published 2024-09, adds up to 400): source ``src_little_giants_2024``."""

HERITAGE_BRANDS = {
    "330100": 44,
    "330200": 12,
    "330300": 10,
    "330400": 7,
    "330500": 10,
    "330600": 17,
    "330700": 6,
    "330800": 5,
    "330900": 3,
    "331000": 4,
    "331100": 6,
}
"""China time-honoured brands by city (published 2024, adds up to 124): source ``src_heritage_brands_2024``."""

TEAM_PERSONS = "PP28"
REPEAT_CHANCE = "PP33"
TEACHERS_UNDERGRADUATE, TEACHERS_VOCATIONAL, SHARE_IN_TEAMS, HOME_SHARE = "SP01", "SP02", "SP03", "SP22"
CONTRACT_CHAIN = ("SP05", "SP06", "SP07", "SP08", "SP09", "SP10")
"""Contracts per institution → Zhejiang → development and services → with firms → in the province → engagements."""


def modes(table: pd.DataFrame) -> dict[str, float]:
    """Most likely values of a table of parameters, by id."""
    return {str(i): float(m) for i, m in zip(table["parameter_id"], table["mode"], strict=True)}


def institution_kind(row: Mapping[Any, Any]) -> str:
    """The kind of an institution (a row of ``universities``) that the weights speak of."""
    if row["double_first_class"]:
        return "double_first_class"
    if row["provincial_key_university"]:
        return "provincial_key"
    if row["ownership"] == "sino_foreign":
        return "sino_foreign"
    private = row["ownership"] in ("private", "independent")
    if row["level"] == "undergraduate" and not row["double_high_plan"]:
        return "private_undergraduate" if private else "public_undergraduate"
    if row["double_high_plan"]:
        return "double_high_vocational"
    return "private_vocational" if private else "public_vocational"


def institution_weight(tables: Tables, column: str) -> NDArray[np.float64]:
    """Weight of every institution, in the order of ``universities``: by kind × by category."""
    weights = tables["institution_weights"].set_index(["dimension", "value"])[column]
    universities = tables["universities"].to_dict("records")
    return np.array([weights["kind", institution_kind(u)] * weights["category", u["category"]] for u in universities])


def enterprises(tables: Tables) -> pd.DataFrame:
    """Firms and first requests a year by city and class (registry ``enterprises``).

    Little giants follow the published split of batch 6, heritage firms the published split of brands; chain leaders
    and specialised SMEs follow the little giants, the other firms the residents of 2020. The province's requests are
    those that the national number of contracts implies (:data:`CONTRACT_CHAIN`), less the repeat services, which come
    on top in the simulation; every firm's share of them follows the weight of its class.
    """
    cities = sorted(tables["cities"]["city_code"])
    residents = tables["counties"].groupby("city_code")["population_2020"].sum()
    giants = [BATCH6_LITTLE_GIANTS[c] for c in cities]
    splits = {
        "little_giant": giants,
        "chain_leader": giants,
        "heritage": [HERITAGE_BRANDS[c] for c in cities],
        "specialised_sme": giants,
        "other": [float(residents[c]) for c in cities],
    }
    classes = tables["firm_classes"].to_dict("records")
    firms = {
        k["firm_class"]: largest_remainder(np.array(splits[k["firm_class"]]), int(k["firms_total"])) for k in classes
    }
    value = modes(tables["service_parameters"])
    requests = len(tables["universities"]) * float(np.prod([value[p] for p in CONTRACT_CHAIN]))
    first = requests * (1 - modes(tables["process_parameters"])[REPEAT_CHANCE])
    per_weight = first / sum(float(k["request_weight"]) * int(firms[k["firm_class"]].sum()) for k in classes)
    rows = [
        {
            "city_code": city,
            "firm_class": k["firm_class"],
            "firms": int(firms[k["firm_class"]][n]),
            "requests_per_firm_year": round(per_weight * float(k["request_weight"]), 5),
            "source_id": "method_enterprises",
            "basis": "synthetic",
        }
        for n, city in enumerate(cities)
        for k in classes
    ]
    return pd.DataFrame(rows)


def service_teams(tables: Tables) -> pd.DataFrame:
    """Teachers and service teams by institution (registry ``service_teams``).

    The teachers of each level are split by :func:`institution_weight`; teams = teachers × share that takes part ÷
    persons in a team, at least one.
    """
    universities = tables["universities"].reset_index(drop=True)
    value = modes(tables["service_parameters"])
    weight = institution_weight(tables, "staff_weight")
    teachers = np.zeros(len(universities), dtype=np.int64)
    totals = {"undergraduate": TEACHERS_UNDERGRADUATE, "vocational": TEACHERS_VOCATIONAL}
    for level, parameter in totals.items():
        at = np.flatnonzero(universities["level"] == level)
        teachers[at] = largest_remainder(weight[at], int(value[parameter]))
    persons = modes(tables["process_parameters"])[TEAM_PERSONS]
    teams = np.maximum(1, np.rint(teachers * value[SHARE_IN_TEAMS] / persons)).astype(np.int64)
    found = pd.DataFrame({"moe_code": universities["moe_code"], "teachers": teachers, "teams": teams})
    found = found.assign(source_id="method_service_teams", basis="synthetic")
    return found.sort_values("moe_code", ignore_index=True)


def team_deployment(tables: Tables, firms: pd.DataFrame) -> pd.DataFrame:
    """Where the teams of each institution serve (registry ``team_deployment``; ``firms`` = :func:`enterprises`).

    The home city has the home share; the rest goes to the other cities by their requests, for undergraduate
    institutions and Double-High colleges; the other colleges serve their home city alone.
    """
    home = modes(tables["service_parameters"])[HOME_SHARE]
    requests = (firms["firms"] * firms["requests_per_firm_year"]).groupby(firms["city_code"]).sum().sort_index()
    rows = []
    for u in tables["universities"].sort_values("moe_code").to_dict("records"):
        if u["level"] == "vocational" and not u["double_high_plan"]:
            shares = {u["city_code"]: 1.0}
        else:
            elsewhere = requests.drop(u["city_code"])
            parts = largest_remainder(elsewhere.to_numpy(), round((1 - home) * 10_000)) / 10_000
            shares = {u["city_code"]: home, **dict(zip(elsewhere.index, parts, strict=True))}
        rows += [{"moe_code": u["moe_code"], "city_code": c, "share": round(shares[c], 4)} for c in sorted(shares)]
    found = pd.DataFrame(rows)
    return found[found["share"] > 0].assign(source_id="method_service_teams", basis="synthetic").reset_index(drop=True)


def registry_csv(table: pd.DataFrame) -> bytes:
    """A derived registry as the bytes of its file: booleans as yes / no, numbers without trailing zeros."""
    words = {name: table[name].map({True: "yes", False: "no"}) for name in table.columns[table.dtypes == np.bool_]}
    return csv_bytes(table.assign(**words))


def derive(tables: Tables) -> dict[str, pd.DataFrame]:
    """The three derived registries of this theme."""
    firms = enterprises(tables)
    teams = service_teams(tables)
    return {"enterprises": firms, "service_teams": teams, "team_deployment": team_deployment(tables, firms)}
