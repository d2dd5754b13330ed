"""Re-check of a division of targets from its tables and the registries alone; nothing of the models is used (M123).

Sums exactly, limits exactly, proportions to within one unit, equal burdens by every single exchange of a unit,
probabilities by what they must obey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
_KEY = "allocate.audit."
_PROPORTIONAL = ("by_capacity", "by_need", "by_mixture")
_NEAR = 1.0 + 1e-6


def check(made: Tables, tables: Tables, mix: tuple[float, float, float]) -> list[Finding]:
    """Every rule that the tables of ``zjsim allocate-targets`` break; empty when none."""
    found: list[Finding] = []
    divided = made["allocation_targets"]
    for target in divided[divided["status"] == "divided"].to_dict("records"):
        name = str(target["target_id"])
        cities = made["allocation_cities"][made["allocation_cities"]["target_id"] == name]
        counties = made["allocation_counties"][made["allocation_counties"]["target_id"] == name]
        bound = float(tables["targets"].set_index(["target_id", "reading"]).loc[(name, target["reading"]), "bound"])
        if cities.empty:
            found.append(_at("nothing", name, "", ""))
        for rule, own in cities.groupby("rule", sort=True):
            below = counties[counties["rule"] == rule]
            found += [*_totals(name, str(rule), own, below, bound), *_limits(name, str(rule), own, below)]
            found += [*_places(name, str(rule), own, below, tables), *_proportion(name, str(rule), own, below, mix)]
            found += [*_chances(name, str(rule), own, made["allocation_rules"])]
            if rule == "equal_effort":
                found += _burdens(name, own)
    for target in divided[divided["status"] == "short"].to_dict("records"):
        found += _repair({str(k): v for k, v in target.items()}, made["allocation_repairs"])
    return found


def _at(rule: str, target: str, division: str, area: str, **values: object) -> Finding:
    words = {"target": target, "division": division, "area": area, "value": "", "limit": "", **values}
    return finding(f"allocation_{rule}", _KEY + rule, **words)


def _totals(name: str, rule: str, cities: pd.DataFrame, counties: pd.DataFrame, bound: float) -> Iterator[Finding]:
    """The province's total to the last unit, and each city's part in its counties."""
    total = int(cities["allotted"].sum())
    if total != round(bound):
        yield _at("total", name, rule, "330000", value=total, limit=round(bound))
    by_city = counties.groupby("city_code")["allotted"].sum()
    for code, part in zip(cities["area_code"].astype(str), cities["allotted"], strict=True):
        below = int(by_city.get(code, 0))
        if below != part:
            yield _at("city", name, rule, code, value=below, limit=int(part))


def _limits(name: str, rule: str, cities: pd.DataFrame, counties: pd.DataFrame) -> Iterator[Finding]:
    """Nothing above capacity, nothing below what was done, whole numbers; a city can do what its counties can."""
    for row in pd.concat([cities, counties]).to_dict("records"):
        if row["allotted"] != int(row["allotted"]) or row["allotted"] > row["capacity"]:
            yield _at("capacity", name, rule, row["area_code"], value=row["allotted"], limit=row["capacity"])
        if row["allotted"] < min(row["done"], row["capacity"]):
            yield _at("done", name, rule, row["area_code"], value=row["allotted"], limit=row["done"])
    below = counties.groupby("city_code")["capacity"].sum()
    for code, most in zip(cities["area_code"].astype(str), cities["capacity"], strict=True):
        if int(below.get(code, 0)) != most:
            yield _at("city_capacity", name, rule, code, value=most, limit=int(below.get(code, 0)))


def _places(name: str, rule: str, cities: pd.DataFrame, counties: pd.DataFrame, tables: Tables) -> Iterator[Finding]:
    """Every city and every county of the registries, once, each in its own city; key firms and rules recounted."""
    registry = tables["counties"].set_index("county_code")["city_code"]
    own = dict(zip(counties["area_code"].astype(str), counties["city_code"].astype(str), strict=True))
    if len(own) != len(counties) or own != registry.to_dict() or set(cities["area_code"].astype(str)) != set(registry):
        yield _at("places", name, rule, "")
    if name == "key_enterprises":
        classes = tables["firm_classes"]
        keys = set(classes.loc[classes["is_key_firm"].astype(bool), "firm_class"])
        firms = (
            tables["enterprises"][tables["enterprises"]["firm_class"].isin(keys)].groupby("city_code")["firms"].sum()
        )
        for code, most in zip(cities["area_code"].astype(str), cities["capacity"], strict=True):
            if most != int(firms.get(code, 0)):
                yield _at("recount", name, rule, code, value=most, limit=int(firms.get(code, 0)))
    if name == "sibling_rule" and (counties["capacity"] != 1).any():
        yield _at("recount", name, rule, "", value=int(counties["capacity"].max()), limit=1)


def _proportion(
    name: str, rule: str, cities: pd.DataFrame, counties: pd.DataFrame, mix: tuple[float, float, float]
) -> Iterator[Finding]:
    """Each part within one unit of clip(λ · weight, done, capacity) for one λ, cities and the counties of each."""
    if rule not in _PROPORTIONAL:
        return
    groups = [("330000", cities), *((str(c), g) for c, g in counties.groupby("city_code"))]
    for area, rows in groups:
        x, u = rows["allotted"].to_numpy(dtype=float), rows["capacity"].to_numpy(dtype=float)
        low, need = np.minimum(rows["done"].to_numpy(dtype=float), u), rows["need"].to_numpy(dtype=float)
        open_ = (u > 0).astype(float)
        w: Any = {"by_capacity": u, "by_need": need}.get(rule)
        if w is None:
            parts = [p / p.sum() if p.sum() > 0 else p for p in (need * open_, u, open_)]
            w = sum(a * p for a, p in zip(mix, parts, strict=True))
        want = _scaled(np.asarray(w, dtype=float), low, u, x.sum())
        if (apart := float(np.abs(x - want).max(initial=0.0))) > _NEAR:
            yield _at("proportion", name, rule, area, value=f"{apart:.3f}", limit=1)


def _scaled(w: Any, low: Any, high: Any, total: float) -> Any:
    """clip(λ w, low, high) that adds up to ``total``; what is beyond all weighted places goes on by room."""
    reach = np.where(w > 0, high, low)
    if reach.sum() <= total:
        room = high - reach
        return reach + (room * (total - reach.sum()) / room.sum() if room.sum() > 0 else 0.0)
    a, b = 0.0, float((high[w > 0] / w[w > 0]).max())
    for _ in range(100):
        m = (a + b) / 2
        a, b = (m, b) if np.clip(m * w, low, high).sum() < total else (a, m)
    return np.clip(b * w, low, high)


def _burdens(name: str, cities: pd.DataFrame) -> Iterator[Finding]:
    """No unit taken from one city and given to another makes the greater of their two burdens smaller."""
    u = cities["capacity"].to_numpy(dtype=float)
    low = np.minimum(cities["done"].to_numpy(dtype=float), u)
    s = np.clip(np.floor(cities["expected"].fillna(0.0).to_numpy(dtype=float) + 1e-9), low, u)
    x, codes = cities["allotted"].to_numpy(dtype=float), cities["area_code"].astype(str).tolist()
    base, span = (s, u - s) if x.sum() > s.sum() else (np.zeros_like(s), s)
    for i in range(len(x)):
        for j in range(len(x)):
            if i == j or x[i] <= low[i] or x[j] >= u[j] or span[i] <= 0 or span[j] <= 0:
                continue
            before = max((x[i] - base[i]) / span[i], (x[j] - base[j]) / span[j])
            after = max((x[i] - 1 - base[i]) / span[i], (x[j] + 1 - base[j]) / span[j])
            if after < before - 1e-12:
                yield _at("burden", name, "equal_effort", codes[i], value=f"{before:.6f}", limit=f"{after:.6f}")
                return


def _chances(name: str, rule: str, cities: pd.DataFrame, rules: pd.DataFrame) -> Iterator[Finding]:
    """All together are met no more often than the rarest, and no less often than the misses of all leave."""
    own = rules[(rules["target_id"] == name) & (rules["rule"] == rule)]
    if len(own) != 1:
        yield _at("rules", name, rule, "", value=len(own), limit=1)
        return
    p, together = cities["p_meet"].dropna(), own["p_all"].iloc[0]
    if p.empty:
        return
    least = max(0.0, 1 - float((1 - p).sum()))
    if not least - 1e-9 <= together <= float(p.min()) + 1e-9:
        yield _at("chance", name, rule, "", value=f"{together:.4f}", limit=f"{least:.4f}–{p.min():.4f}")


def _repair(target: Mapping[str, Any], repairs: pd.DataFrame) -> Iterator[Finding]:
    """What is to be added is exactly what is missing."""
    if target["missing"] <= 0:
        return
    name = str(target["target_id"])
    added = int(repairs.loc[repairs["target_id"] == name, "add"].sum())
    if added != target["missing"] or target["missing"] != round(target["total"]) - target["capacity"]:
        yield _at("repair", name, "", "", value=added, limit=target["missing"])
