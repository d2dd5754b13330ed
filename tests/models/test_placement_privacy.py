"""An attack by linear programming on everything that is published of a placement and of its base."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from zjsim.models.placement_publication import PUBLISHED, publication

from zjsim.solve.disclosure import LEAST_WIDTH, Reader, Relations

MODES = ("priority", "utilitarian")
MINIMUM = 10


def county(
    seed: int, schools: int = 3, grades: int = 2, tiers: int = 3, other: int = 0, mean: float = 20.0
) -> dict[str, pd.DataFrame]:
    """Tables of a county placed at random; ``other`` gives another placement of the same children."""
    children = np.random.default_rng(seed).poisson(mean, (grades, tiers))
    rng = np.random.default_rng(1000 * seed + other)
    front = {"county_code": "330922", "year": 2025}
    kinds = ["public"] * (schools - 1) + ["purchased"]
    placed, unplaced, fair = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    better = np.stack([rng.multinomial(n, [0.1, 0.8, 0.1]) for n in children.ravel()]).reshape(grades, tiers, 3)
    for mode in MODES:
        share = np.append(rng.dirichlet(np.ones(schools)) * 0.97, 0.03)
        at = np.stack([rng.multinomial(n, share) for n in children.ravel()]).reshape(grades, tiers, schools + 1)
        for g in range(grades):
            left = int(at[g, :, -1].sum())
            unplaced.append(
                {"mode": mode, **front, "grade": g + 1, "children": int(children[g].sum()), "unplaced": left,
                 "without_school": left // 2, "seats_left": 5, "seats_needed": left}
            )  # fmt: skip
            placed += [
                {"mode": mode, **front, "school_id": f"S{s}", "kind": kinds[s], "grade": g + 1, "tier": t + 1,
                 "children": int(at[g, t, s])}
                for t in range(tiers) for s in range(schools) if at[g, t, s]
            ]  # fmt: skip
        rows = []
        for t in range(tiers):
            whole, none = int(children[:, t].sum()), int(at[:, t, -1].sum())
            bought = int(at[:, t, schools - 1].sum())
            first, siblings = int((whole - none) * 0.7), int(whole * 0.2)
            rows.append(
                {"who": f"tier_{t + 1}", "children": whole, "placed": whole - none, "unplaced": none,
                 "public": whole - none - bought, "purchased": bought, "self_paid": 0, "own_first": first,
                 "siblings": siblings, "siblings_together": siblings // 2}
            )  # fmt: skip
        total = {"who": "migrant", **{k: sum(r[k] for r in rows) for k in rows[0] if k != "who"}}
        for row in (total, *rows):
            odds = {"public_share": row["public"] / max(row["placed"], 1), "mean_distance_km": 1.0}
            fair.append({"mode": mode, **front, **row, **odds})
    differences = [
        {**front, "grade": g + 1, "tier": t + 1, "children": int(children[g, t]),
         "better_by_claims": int(better[g, t, 0]), "equal": int(better[g, t, 1]),
         "better_by_goals": int(better[g, t, 2])}
        for g in range(grades) for t in range(tiers)
    ]  # fmt: skip
    envy = pd.DataFrame(
        columns=["mode", "county_code", "year", "grade", "school_id", "kind", "tier", "rule", "children"]
    )
    return {
        "placement": pd.DataFrame(placed),
        "placement_fairness": pd.DataFrame(fair),
        "placement_unplaced": pd.DataFrame(unplaced),
        "placement_envy": envy.astype({"children": "int64"}),
        "placement_difference": pd.DataFrame(differences),
    }


class Attack:
    """What somebody can work out who has several publications of the same children and a solver; its own algebra."""

    def __init__(self, publications: list[dict[str, pd.DataFrame]]) -> None:
        self.number: dict[Any, int] = {}
        self.rows: list[dict[int, float]] = []
        self.right: list[float] = []
        self.less: list[dict[int, float]] = []
        self.hidden: list[Any] = []
        for p, tables in enumerate(publications):
            self._publication(p, tables)

    def _v(self, key: Any) -> int:
        return self.number.setdefault(key, len(self.number))

    def _cell(self, key: Any, value: float) -> int:
        v = self._v(key)
        if np.isnan(value):
            self.hidden.append(key)
        else:
            self._equal({v: 1.0}, float(value))
        return v

    def _equal(self, row: dict[int, float], right: float = 0.0) -> None:
        self.rows.append(row)
        self.right.append(right)

    def _sum(self, total: int, parts: list[int]) -> None:
        row: dict[int, float] = defaultdict(float)
        row[total] -= 1.0
        for v in parts:
            row[v] += 1.0
        self._equal(dict(row))

    def _publication(self, p: int, tables: dict[str, pd.DataFrame]) -> None:
        x: dict[tuple[int, int], int] = {}
        for r in tables["placement_difference"].to_dict("records"):
            x[r["grade"], r["tier"]] = self._v(("children", r["grade"], r["tier"]))
            own = self._cell((p, "difference", r["grade"], r["tier"]), r["children"])
            self._sum(own, [x[r["grade"], r["tier"]]])
            parts = ("better_by_claims", "equal", "better_by_goals")
            self._sum(own, [self._cell((p, "difference", r["grade"], r["tier"], c), r[c]) for c in parts])
        for mode in MODES:
            by_pair, by_kind = defaultdict(list), defaultdict(list)
            part = tables["placement"][tables["placement"]["mode"] == mode]
            for r in part.to_dict("records"):
                v = self._cell((p, mode, r["school_id"], r["grade"], r["tier"]), r["children"])
                by_pair[r["grade"], r["tier"]].append(v)
                by_kind[r["tier"], r["kind"]].append(v)
            for pair, whole in x.items():
                self._sum(whole, [*by_pair[pair], self._v((p, mode, "none", *pair))])
            told = tables["placement_unplaced"]
            for r in told[told["mode"] == mode].to_dict("records"):
                pairs = [pair for pair in x if pair[0] == r["grade"]]
                self._sum(self._cell((p, mode, "grade", r["grade"]), r["children"]), [x[pair] for pair in pairs])
                none = self._cell((p, mode, "left", r["grade"]), r["unplaced"])
                self._sum(none, [self._v((p, mode, "none", *pair)) for pair in pairs])
                away = self._cell((p, mode, "away", r["grade"]), r["without_school"])
                self.less.append({away: 1.0, none: -1.0})
            self._fair(p, mode, tables["placement_fairness"], x, by_kind)

    def _fair(self, p: int, mode: str, table: pd.DataFrame, x: Any, by_kind: Any) -> None:
        columns = PUBLISHED["placement_fairness"].counts
        rows = {
            r["who"]: {c: self._cell((p, mode, r["who"], c), r[c]) for c in columns}
            for r in table[table["mode"] == mode].to_dict("records")
        }
        for who, v in rows.items():
            self._sum(v["children"], [v["placed"], v["unplaced"]])
            self._sum(v["placed"], [v["public"], v["purchased"], v["self_paid"]])
            for a, b in (("own_first", "placed"), ("siblings", "children"), ("siblings_together", "siblings")):
                self.less.append({v[a]: 1.0, v[b]: -1.0})
            if who != "migrant":
                tier = int(who.removeprefix("tier_"))
                self._sum(v["children"], [u for pair, u in x.items() if pair[1] == tier])
                for kind in ("public", "purchased"):
                    if by_kind[tier, kind]:
                        self._sum(v[kind], by_kind[tier, kind])
        for c in columns:
            self._sum(rows["migrant"][c], [v[c] for who, v in rows.items() if who != "migrant"])

    def widths(self) -> list[float]:
        """The width of what can be known of every hidden count."""
        n = len(self.number)

        def dense(rows: list[dict[int, float]]) -> Any:
            matrix = np.zeros((len(rows), n))
            for i, row in enumerate(rows):
                for v, c in row.items():
                    matrix[i, v] += c
            return matrix

        equal, less = dense(self.rows), dense(self.less)
        found = []
        for key in self.hidden:
            ends = []
            for sign in (1.0, -1.0):
                cost = np.zeros(n)
                cost[self.number[key]] = sign
                done = linprog(cost, less, np.zeros(len(less)), equal, np.array(self.right), (0, 500), method="highs")
                assert done.status == 0, done.message
                ends.append(sign * done.fun)
            found.append(ends[1] - ends[0])
        return found


def test_no_hidden_count_of_a_placement_and_its_base_can_be_told() -> None:
    published = [publication(county(2, other=other), MINIMUM) for other in (0, 1)]
    for attack in (Attack(published[:1]), Attack(published)):
        widths = attack.widths()
        assert len(widths) > 20
        assert min(widths) >= LEAST_WIDTH - 1e-6


def test_hiding_small_counts_alone_would_give_some_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zjsim.models.placement_publication.protect", lambda own, counts, dark, before: dark)
    assert min(Attack([publication(county(1), MINIMUM)]).widths()) < LEAST_WIDTH


def test_what_is_shown_is_true_and_small_counts_are_not() -> None:
    tables = county(3)
    shown = publication(tables, MINIMUM)
    kept = 0
    for name, rule in PUBLISHED.items():
        for column in rule.counts:
            there = shown[name][column].notna()
            assert (shown[name].loc[there, column] == tables[name].loc[there, column]).all()
            assert not tables[name].loc[there, column].between(1, MINIMUM - 1).any()
            kept += int(there.sum())
    assert kept > 20, "large counts stay"


def test_ranges_of_a_toy() -> None:
    """a + b = 12, c ≤ a and b ≤ d: with c = 4 and d = 300 shown, a is 4..12 and b 0..8; with d = 3, a is 9..12."""
    known = Relations()
    total, a, b, c, d = (known.cell("t", i, "n") for i in range(5))
    known.adds_up(total, [a, b])
    known.within(c, a)
    shown = {total: 12.0, c: 4.0, d: 300.0}
    known.within(b, d)
    reader = Reader(known, shown)
    assert reader.ranges([a, b], enough=100) == {a: (4.0, 12.0), b: (0.0, 8.0)}
    assert reader.tells([a, b], 5.0) == []
    reader = Reader(known, {**shown, d: 3.0})
    assert reader.ranges([a, b], enough=100) == {a: (9.0, 12.0), b: (0.0, 3.0)}
    assert reader.tells([a, b], 5.0) == [a, b]
    assert Reader(known, {total: 12.0, c: 4.0}).tells([a, b], 5.0) == []
    with pytest.raises(ValueError, match="contradict"):
        Reader(known, {total: 1.0, c: 4.0}).ranges([a])


def test_a_large_county_is_no_contradiction() -> None:
    """Children with local hukou of a large county are more than a hundred thousand."""
    known = Relations()
    parts = [known.unknown(), known.unknown()]
    whole = known.unknown()
    known.adds_up(whole, parts)
    assert Reader(known, {whole: 250_000.0}).ranges(parts, enough=5.0)[parts[0]][1] >= 5
