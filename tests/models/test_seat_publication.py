"""An attack by linear programming on everything that is published of a run and of runs on the same children."""

from __future__ import annotations

import math
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack
from zjsim.models import seat_publication
from zjsim.models.seat_data import GRADES, STAGE_OF, STAGES, County, Stage
from zjsim.models.seat_publication import demand_tables, money_step, published_tables
from zjsim.models.seat_repairs import repairs, rule_repairs, senior
from zjsim.models.seat_staff import staff
from zjsim.models.seat_tables import CountyPlan, plan_tables
from zjsim.models.share_publication import step

from zjsim.scenario.parameters import SeatParameters
from zjsim.solve.results import Stage as Goal
from zjsim.tables.published import SHARES, SUPPRESSED, TABLES

MINIMUM, WIDTH = 10, 5.0
YEARS = (2025, 2026)
CODES = ("330102", "330105", "330106")
PRICE = {"primary": 8_000.0, "junior": 10_000.0}
PRICES = {(c, s): p for c in CODES for s, p in PRICE.items()}
USABLE = 20
GOALS = ("local_without_seat", "covered_without_place", "public_share_fall", "bought_with_idle_rooms")
Tables = dict[str, pd.DataFrame]


def demand_of(seed: int, mean: float) -> pd.DataFrame:
    """Children by county, year and grade, the year before the plan among them."""
    r = np.random.default_rng(seed)
    rows = []
    for code in CODES:
        size = mean * r.choice([0.1, 1.0, 3.0])
        for year in (YEARS[0] - 1, *YEARS):
            for grade in GRADES:
                migrant = int(r.poisson(size / 3))
                permit = int(r.binomial(migrant, 0.7))
                eligible = int(r.binomial(permit, 0.8))
                local = int(r.poisson(size))
                rows.append((code, year, grade, local, migrant, permit, eligible))
    names = [
        "county_code",
        "year",
        "grade",
        "local_children",
        "migrant_children",
        "permit_holders",
        "eligible_children",
    ]
    return pd.DataFrame(rows, columns=names)


def tables_of(demand: pd.DataFrame, other: int) -> Tables:
    """Tables of a plan drawn at random for these children; ``other`` gives another plan."""
    r = np.random.default_rng([7, other])
    norms = pd.DataFrame(columns=["norm_id", "value", "source_id"])
    parameters = pd.DataFrame({"parameter_id": ["CP10"], "mode": [0.3]})
    registries = {"seat_demand": demand, "seat_norms": norms, "placement_parameters": parameters}
    scenario: Any = SimpleNamespace(parameters=SimpleNamespace(seats=SeatParameters()), table=registries.__getitem__)
    plans = [_plan(demand[demand["county_code"] == code], code, r) for code in CODES]
    found = [{g.name: None for g in p.stages if g.value} for p in plans]
    tables = plan_tables(plans, scenario)
    tables |= {
        "seat_repairs": repairs(plans, found),
        "seat_rule_repairs": rule_repairs(plans, found),
        "seat_senior": senior(plans, scenario),
        "seat_staff": staff(plans, scenario),
    }
    return tables


def _stage(s: str) -> Stage:
    return Stage(
        usable_seats_per_class=USABLE, classrooms=40, base_classes=0, extension_rooms_max=0, extension_rooms_min=0,
        extension_cost=1.0, extension_from=2030, extension_instalments=1, school_sites=0, school_rooms_min=0,
        school_rooms_max=0, school_cost=1.0, school_from=2030, school_instalments=1, equip_cost=3.0, running_cost=2.0,
        staff_per_class=2.0, staffed_classes=dict.fromkeys(YEARS, 40), purchase_places_max=500,
        purchase_price=PRICE[s] / 1e4, staff=dict.fromkeys(YEARS, 80.0),
    )  # fmt: skip


def _plan(demand: pd.DataFrame, code: str, r: np.random.Generator) -> CountyPlan:
    cells = [(g, y) for y in YEARS for g in GRADES]
    at = demand.set_index(["grade", "year"]).sort_index()
    local, migrant, covered = (
        {k: int(at.at[k, n]) for k in cells} for n in ("local_children", "migrant_children", "permit_holders")
    )
    county = County(
        code=code, name_zh="例县", name_en="Example", city_code="330100", years=YEARS, local=local, migrant=migrant,
        covered=covered, classes_now=dict.fromkeys(GRADES, 1), classes_base=dict.fromkeys(cells, 1),
        private_places={(s, y): 500 for s in STAGES for y in YEARS}, base_public_share=0.8,
        budget=dict.fromkeys(YEARS, 60.0), stages={s: _stage(s) for s in STAGES},
    )  # fmt: skip
    none = {(s, y): 0 for s in STAGES for y in YEARS}
    sits: dict[str, dict[tuple[int, int], int]] = {n: {} for n in ("local", "covered", "other", "bought", "classes")}
    for k in cells:
        missing, away = (int(r.integers(0, 5)) if r.random() < 0.15 else 0 for _ in range(2))
        sits["local"][k] = local[k] - min(missing, local[k])
        waiting = min(covered[k], int(r.integers(0, 7)) if r.random() < 0.3 else 0)
        sits["bought"][k] = waiting - min(waiting, away)
        sits["covered"][k] = covered[k] - waiting
        sits["other"][k] = int(r.binomial(migrant[k] - covered[k], 0.5))
        seated = sits["local"][k] + sits["covered"][k] + sits["other"][k]
        sits["classes"][k] = -(-seated // USABLE)
    short = {
        "local_without_seat": sum(local[k] - sits["local"][k] for k in cells),
        "covered_without_place": sum(covered[k] - sits["covered"][k] - sits["bought"][k] for k in cells),
    }
    stages = tuple(Goal(n, "minimise", float(short.get(n, 0)), 0.0, 0.0, "children") for n in GOALS)
    return CountyPlan(
        county, sits["classes"], sits["local"], sits["covered"], sits["other"], sits["bought"], none, none, none,
        dict.fromkeys(YEARS, 0), stages, 0.0,
    )  # fmt: skip


def published(tables: Tables, before: tuple[Tables, ...] = ()) -> Tables:
    return published_tables(tables, minimum=MINIMUM, prices=PRICES, before=before)


_PARTS = {
    "place_share_permit_holders": ("unplaced", "guaranteed"),
    "public_share_public_only": ("placed_public", "placed_public_other", "migrant"),
    "public_share_with_purchased": ("placed_public", "placed_public_other", "placed_purchased", "migrant"),
    "permit_public_place_share": ("placed_public", "guaranteed"),
}
"""Shares by county and the counts of which they would be the plan's."""


def with_shares(tables: Tables, spread: float, seed: int) -> Tables:
    """Beside a plan the shares of its counties in simulated futures: its own, moved by about ``spread``."""
    r = np.random.default_rng([11, seed])
    rows = []
    for e in tables["seat_expansion"].to_dict("records"):
        for outcome, names in _PARTS.items():
            part, whole = sum(e[n] for n in names[:-1]), max(1, e[names[-1]])
            own = 1 - part / whole if "unplaced" in names else part / whole
            futures = np.clip(own + spread * r.normal(size=20), 0.0, 1.0)
            low, middle, high = np.quantile(futures, [0.05, 0.5, 0.95])
            figures = {"mean": futures.mean(), "p05": low, "p50": middle, "p95": high, "p_all": 0.0}
            place = {"year": e["year"], "outcome": outcome, "place_code": e["county_code"]}
            rows.append({**place, **figures, "replications": 20, "_step": step(e["eligible"], MINIMUM)})
    return tables | {SHARES: pd.DataFrame(rows)}


class Attack:
    """What somebody can work out who has several publications on the same children and a solver; its own algebra."""

    def __init__(
        self, publications: list[Tables], prices: Any = PRICES, usable: Any = None, *, listed: bool = True
    ) -> None:
        """``listed``: a place that no table of shortfalls names is short of nobody; without counts they name none."""
        self.listed = listed
        self.prices, self.usable = prices, usable or defaultdict(lambda: USABLE)
        self.codes, self.years = (sorted(set(publications[0]["seat_expansion"][c])) for c in ("county_code", "year"))
        self.number: dict[Any, int] = {}
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.told: dict[int, float] = {}
        self.hidden: set[Any] = set()
        for p, tables in enumerate(publications):
            self._expansion(p, tables["seat_expansion"], tables["seat_summary"])
            self._stages(p, tables)
            self._senior(tables["seat_senior"])
            if SHARES in tables:
                self._shares(p, tables[SHARES])

    def v(self, *key: Any) -> int:
        return self.number.setdefault(key, len(self.number))

    def cell(self, value: float, *key: Any) -> int:
        u = self.v(*key)
        if math.isnan(value):
            self.hidden.add(key)
        else:
            assert self.told.get(u, value) == value, (key, value, self.told[u])
            self.told[u] = float(value)
        return u

    def row(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        sums: dict[int, float] = defaultdict(float)
        for u, c in terms:
            sums[u] += c
        self.rows.append((dict(sums), low, high))

    def total(self, whole: int, parts: list[int]) -> None:
        self.row([(whole, -1.0), *((u, 1.0) for u in parts)], 0, 0)

    @staticmethod
    def _key(p: int, column: str, code: str, year: int) -> tuple[Any, ...]:
        """Children are the same in every publication, where they are is not."""
        inputs = ("demand", "local", "migrant", "guaranteed", "eligible")
        return ("children", column, code, year) if column in inputs else (p, column, code, year)

    def _expansion(self, p: int, t: pd.DataFrame, summary: pd.DataFrame) -> None:
        names = (*TABLES["seat_expansion"].counts, *TABLES["seat_expansion"].beside)
        of: dict[tuple[str, int, str], int] = {}
        for r in t.to_dict("records"):
            code, year = str(r["county_code"]), int(r["year"])
            u = {n: self.cell(r[n], *self._key(p, n, code, year)) for n in names}
            of |= {(code, year, n): x for n, x in u.items()}
            self.total(u["demand"], [u["local"], u["migrant"]])
            self.total(u["local"], [u["placed_local"], u["local_unplaced"]])
            self.total(u["guaranteed"], [u["placed_public"], u["placed_purchased"], u["unplaced"]])
            self.total(u["migrant"], [u["guaranteed"], u["placed_public_other"], u["others_outside_public"]])
            filled = [u[n] for n in ("placed_local", "placed_public", "placed_public_other", "empty_seats")]
            self.row([(x, 1.0) for x in filled], r["public_seats"], r["public_seats"])
            self.row([(u["eligible"], 1.0), (u["guaranteed"], -1.0)], -np.inf, 0)
            public = [(u["placed_public"], 1.0), (u["placed_public_other"], 1.0)]
            more = [*public, (u["placed_purchased"], 1.0)]
            for share, terms in (("public_share", public), ("public_share_with_purchased", more)):
                if not math.isnan(r[share]) and not math.isnan(r["migrant"]):
                    self.row(terms, (r[share] - 5e-7) * r["migrant"], (r[share] + 5e-7) * r["migrant"])
                elif not math.isnan(r[share]):
                    self.row([*terms, (u["migrant"], 5e-7 - r[share])], 0, np.inf)
                    self.row([*terms, (u["migrant"], -5e-7 - r[share])], -np.inf, 0)
            # Money: what is left of the cost is the purchases, to the nearest step.
            bought = [(self.v(p, "bought", code, year, s), self.prices[code, s] / 1e4) for s in STAGES]
            rest = r["cost_yuan"] - sum(r[f"{k}_cost_yuan"] for k in ("capital", "equip", "running"))
            half = money_step(self.prices) / 2
            for spent in (rest, r["purchase_cost_yuan"]):
                self.row(bought, (spent - half) / 1e4 - 1e-6, (spent + half) / 1e4 + 1e-6)
            self.total(u["placed_purchased"], [x for x, _ in bought])
        for r in summary.to_dict("records"):
            year = int(r["year"])
            for n in names:
                whole = self.cell(r[n], *self._key(p, n, "", year))
                self.total(whole, [of[code, year, n] for code in self.codes])

    def _stages(self, p: int, tables: Tables) -> None:
        at = [(code, year) for code in self.codes for year in self.years]
        for r in tables["seat_rooms"].to_dict("records"):
            self.cell(r["purchased"], p, "bought", r["county_code"], r["year"], r["stage"])
        short = {"local_without_seat": "local_unplaced", "covered_without_place": "unplaced"}
        seen = set()
        for r in tables["seat_shortfalls"].to_dict("records"):
            if r["rule"] not in (*short, "bought_with_idle_rooms"):
                continue
            what = short.get(r["rule"], "bought")
            u = self.cell(r["amount"], p, what, r["county_code"], r["year"], r["stage"])
            self.row([(u, 1.0)], 1, np.inf)
            seen.add((what, r["county_code"], r["year"], r["stage"]))
        listed = set()
        for r in tables["seat_repairs"].to_dict("records"):
            k = (r["county_code"], r["year"], r["stage"])
            listed.add(k)
            self.cell(r["placed_purchased"], p, "bought", *k)
            self.cell(r["short_without_plan"], p, "before", *k)
            self.total(self.cell(r["still_short"], p, "still", *k), [self.v(p, w, *k) for w in short.values()])
            self.row([(self.v(p, "still", *k), 1.0)], 0, self.usable[k[0], k[2]] * r["classes_missing"])
        needs = tables["seat_staff"].set_index(["county_code", "year", "stage"])["classes_for_all"].to_dict()
        base = tables["seat_classes"].groupby(["county_code", "year", "stage"])["classes_base"].sum().to_dict()
        for code, year in at:
            for what in short.values():
                for s in STAGES:
                    if self.listed and (what, code, year, s) not in seen:
                        self.row([(self.v(p, what, code, year, s), 1.0)], 0, 0)
                self.total(self.v(p, what, code, year), [self.v(p, what, code, year, s) for s in STAGES])
            for s in STAGES:
                if self.listed and (code, year, s) not in listed:
                    self.row([(self.v(p, "before", code, year, s), 1.0)], 0, 0)
            children = [(self.v("children", n, code, year), 1.0) for n in ("local", "guaranteed")]
            size = {s: self.usable[code, s] for s in STAGES}
            most = sum(size[s] * needs[code, year, s] for s in STAGES)
            self.row(children, most - sum(size[s] * len(grades) for s, grades in STAGES.items()), most)
            without = [(self.v(p, "before", code, year, s), -1.0) for s in STAGES]
            self.row([*children, *without], -np.inf, float(sum(size[s] * base[code, year, s] for s in STAGES)))

    def _senior(self, t: pd.DataFrame) -> None:
        for r in t.to_dict("records"):
            code, year = r["county_code"], r["year"]
            u = {n: self.cell(r[n], n, code, year) for n in TABLES["seat_senior"].counts}
            self.total(u["senior_places_wanted"], [u["leavers_local"], u["leavers_migrant"]])
            wholes = {
                "leavers_permit": ("leavers_migrant", code, year),
                "entrants_eligible": ("children", "eligible", code, year),
            }
            if year > self.years[0]:
                for a, b in (
                    ("leavers_local", "local"),
                    ("leavers_migrant", "migrant"),
                    ("leavers_permit", "guaranteed"),
                ):
                    self.row([(u[a], 1.0), (self.v("children", b, code, year - 1), -1.0)], -np.inf, 0)
            for a, whole in wholes.items():
                self.row([(u[a], 1.0), (self.v(*whole), -1.0)], -np.inf, 0)

    def _shares(self, p: int, t: pd.DataFrame) -> None:
        """Whoever takes the futures for the plan: its share lies between 5 % and 95 %, each rounded (``_step``)."""
        for r in t[t["mean"].notna()].to_dict("records"):
            low, high = r["p05"] - r["_step"] / 2, r["p95"] + r["_step"] / 2
            of = {n: self.v(*self._key(p, n, r["place_code"], r["year"])) for n in _PARTS[r["outcome"]]}
            whole = of.pop("guaranteed", None) or of.pop("migrant")
            if "unplaced" in of:  # a share of those who are not left out
                low, high = 1 - high, 1 - low
            self.row([*((u, 1.0) for u in of.values()), (whole, -low)], 0, np.inf)
            self.row([*((u, 1.0) for u in of.values()), (whole, -high)], -np.inf, 0)

    def widths(self) -> dict[Any, float]:
        """How closely each hidden count is told (not followed further than :data:`WIDTH`)."""
        dark = sorted({u for terms, _, _ in self.rows for u in terms if u not in self.told})
        place, n = {u: i for i, u in enumerate(dark)}, len(dark)
        rows = []
        for terms, low, high in self.rows:
            known = sum(c * self.told[u] for u, c in terms.items() if u in self.told)
            if left := {place[u]: c for u, c in terms.items() if u in place}:
                rows.append((left, low - known, high - known))
        at = [(i, u, c) for i, (terms, _, _) in enumerate(rows) for u, c in terms.items()]
        row, column, value = zip(*at, strict=True)
        a = csr_matrix((value, (row, column)), (len(rows), n))
        low, high = (np.array([row[k] for row in rows], dtype=float) for k in (1, 2))
        same = np.isclose(low, high, rtol=0, atol=1e-9)
        up, down = np.isfinite(high) & ~same, np.isfinite(low) & ~same
        less = vstack([a[up], -a[down]])
        right = np.concatenate([high[up], -low[down]])
        lows, highs = np.full(n, np.inf), np.full(n, -np.inf)
        for key in sorted(self.hidden, key=str):
            u = place.get(self.number[key], -1)
            for sign in (1, -1):
                if u < 0 or highs[u] - lows[u] >= WIDTH:
                    break  # every world found so far widens all ranges
                cost = np.zeros(n)
                cost[u] = sign
                answer = linprog(cost, less, right, a[same], high[same], bounds=(0, 1e7), method="highs")
                assert answer.status == 0, (key, answer.message)
                lows, highs = np.minimum(lows, answer.x), np.maximum(highs, answer.x)
        told = {key for key in self.hidden if self.number[key] in self.told}
        free = {key for key in self.hidden - told if self.number[key] not in place}
        return {
            k: 0.0 if k in told else np.inf if k in free else highs[place[self.number[k]]] - lows[place[self.number[k]]]
            for k in self.hidden
        }


@pytest.mark.parametrize(("seed", "mean"), [(s, m) for s in range(4) for m in (6.0, 30.0)])
def test_no_hidden_count_is_told(seed: int, mean: float) -> None:
    """A run beside another plan for the same children (who knows both knows all of each)."""
    demand = demand_of(seed, mean)
    widths = Attack([published(tables_of(demand, other)) for other in (seed, 100 + seed)]).widths()
    assert widths, "small counts occur"
    assert not {k: w for k, w in widths.items() if w < WIDTH - 1e-6}


@pytest.mark.parametrize("spread", [0.0, 1e-4, 0.004, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_no_hidden_count_is_told_by_shares_of_futures_either(seed: int, spread: float) -> None:
    """Counties large enough for their shares to be published; the futures agree, nearly agree, or differ."""
    tables = with_shares(tables_of(demand_of(seed, 600.0), seed), spread, seed)
    shown = published(tables)
    kept = shown[SHARES]["mean"].notna()
    assert kept.any(), "shares are published"
    attack = Attack([shown])
    widths = attack.widths()
    assert widths
    assert not {k: w for k, w in widths.items() if w < WIDTH - 1e-6}


@pytest.mark.parametrize(("mean", "spread"), [(2.0, 0.0), (6.0, 0.0), (30.0, 0.0), (600.0, 0.004)])
@pytest.mark.parametrize("seed", range(3))
def test_without_counts_none_is_told_by_classes_seats_and_money(seed: int, mean: float, spread: float) -> None:
    """The run whose small counts cannot be protected: two plans for the same children, and shares of futures."""
    demand = demand_of(seed, mean)
    exact = [with_shares(tables_of(demand, other), spread, seed) for other in (seed, 100 + seed)]
    shown = [published_tables(t, minimum=MINIMUM, prices=PRICES, no_counts=True) for t in exact]
    widths = Attack(shown, listed=False).widths()
    assert len(widths) > 50
    assert not {k: w for k, w in widths.items() if w < WIDTH - 1e-6}


def test_hiding_small_counts_alone_would_give_some_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat_publication, "conceal", lambda known, values, hidden, order, **_: set(hidden))
    widths = Attack([published(tables_of(demand_of(1, 30.0), 1))]).widths()
    assert min(widths.values()) < WIDTH


def test_what_is_shown_is_true_and_no_small_count() -> None:
    tables = tables_of(demand_of(2, 30.0), 2)
    shown = published(tables)
    kept = 0
    for name, rule in TABLES.items():
        for column in rule.counts if name in shown else ():
            exact = tables[name]
            there = shown[name][column].notna()
            if name == "seat_shortfalls":
                exact = exact.merge(shown[name][["county_code", "year", "stage", "rule", "reading"]])
                there &= shown[name]["unit"] == "children"
                there &= ~shown[name]["rule"].isin(["public_share_fall"])
            assert (shown[name].loc[there, column] == exact.loc[there, column]).all(), (name, column)
            assert not exact.loc[there, column].between(0, MINIMUM, inclusive="neither").any(), (name, column)
            kept += int(there.sum())
            marked = shown[name][SUPPRESSED].str.split(";").map(lambda gone, c=column: c in gone)
            assert (marked == shown[name][column].isna()).all()
        assert not set(rule.withheld) & set(shown.get(name, pd.DataFrame()).columns)
    assert kept > 50, "large counts stay"


def test_money_is_rounded_and_adds_up() -> None:
    """Twenty places at 10,000 yuan: purchases in steps of 200,000, costs and sums made from them."""
    assert money_step(PRICES) == 200_000
    assert money_step({("c", "s"): 12_000.0}) == 500_000
    shown = published(tables_of(demand_of(2, 30.0), 2))
    t, province = shown["seat_expansion"], shown["seat_summary"].set_index("year")
    assert (t["purchase_cost_yuan"] % 200_000 == 0).all()
    parts = t[["capital_cost_yuan", "equip_cost_yuan", "running_cost_yuan", "purchase_cost_yuan"]].sum(axis=1)
    assert np.allclose(parts, t["cost_yuan"])
    assert np.allclose(t.groupby("year")["cost_yuan"].sum(), province["cost_yuan"])


def test_sentences_say_no_hidden_number() -> None:
    tables = tables_of(demand_of(3, 30.0), 3)
    shown = published(tables)
    seen = 0
    for name in ("seat_shortfalls", "seat_repairs", "seat_rule_repairs"):
        for row in shown[name].to_dict("records"):
            if row[SUPPRESSED]:
                seen += 1
                assert "若干（不公布）" in row["why_zh"], row
                assert "an undisclosed number of" in row["why_en"]
    assert seen > 5
    told = shown["seat_shortfalls"]
    purchases = told[told["rule"] == "covered_without_place"]["why_en"]
    assert purchases.str.contains("purchased places stand in the seat expansion").all()


def test_what_a_parent_hides_stays_hidden() -> None:
    """A scenario with twice the migrant children says nothing that halves to a hidden count of its parent."""
    parent = demand_of(5, 2.0)
    more = ["migrant_children", "permit_holders", "eligible_children"]
    child = parent.assign(**{c: 2 * parent[c] for c in more})
    before = demand_tables(parent, "permit_holders", YEARS)
    base, plain, shown = (
        published(tables_of(d, 5), b)["seat_expansion"] for d, b in ((parent, ()), (child, ()), (child, (before,)))
    )
    assert (base["eligible"].isna() & plain["eligible"].notna()).any(), "hidden in the parent, shown without it"
    for column in ("migrant", "guaranteed", "eligible"):
        assert not (base[column].isna() & shown[column].notna()).any()


def test_unknown_tables_and_columns_do_not_go_out() -> None:
    tables = tables_of(demand_of(2, 30.0), 2)
    tables["seat_new"] = tables["seat_expansion"]
    tables["seat_expansion"] = tables["seat_expansion"].assign(new_count=3)
    shown = published(tables)
    assert "seat_new" not in shown
    assert "new_count" not in shown["seat_expansion"]


def test_where_a_small_count_cannot_be_protected_no_count_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who knows of a county's permit holders to within three (here because someone else says so)."""
    tables = tables_of(demand_of(2, 6.0), 2)
    small = tables["seat_expansion"].query(f"0 < eligible < {MINIMUM}").iloc[0]
    place = (small["county_code"], small["year"])
    whole = seat_publication.demand

    def told(c: Any, own: Tables) -> None:
        whole(c, own)
        c.known.between([(c.of["eligible", *place], 1.0)], small["eligible"] - 1.0, small["eligible"] + 2.0)

    monkeypatch.setattr(seat_publication, "demand", told)
    with pytest.raises(seat_publication.NotProtected) as refused:
        published(tables)
    assert refused.value.places == (f"{place[0]} {place[1]}",)
    shown = published_tables(tables, minimum=MINIMUM, prices=PRICES, no_counts=True)
    for name, rule in TABLES.items():
        if name in shown:
            for column in (*rule.counts, *rule.beside, *rule.follows):
                assert shown[name][column].isna().all(), (name, column)
    for name in ("seat_shortfalls", "seat_repairs", "seat_rule_repairs"):
        assert shown[name].empty, name
    assert shown["seat_expansion"]["classes"].notna().all(), "what is built stays"


def test_stage_of_grades_is_that_of_the_plan() -> None:
    """The toys' stages are those of the law: grades 1-6 and 7-9."""
    assert [STAGE_OF[g] for g in (1, 6, 7, 9)] == ["primary", "primary", "junior", "junior"]
