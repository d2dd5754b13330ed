"""Stable places with families: by hand, the classic market without any, and brute force over all outcomes."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from zjsim.models.deferred_acceptance import choices_from_lists, deferred_acceptance
from zjsim.models.stable_families import Market, schools_propose, stable_with_families


def market(
    lists: list[list[int]],
    queue: list[list[int]],
    seats: list[int],
    families: list[list[int]],
    site: list[int] | None = None,
) -> Market:
    """``queue``: children of each section, strongest first."""
    choices = choices_from_lists(lists)
    rank = [queue[s].index(i) for i, s in zip(choices.child().tolist(), choices.school.tolist(), strict=True)]
    return Market(choices, rank, seats, list(range(len(seats))) if site is None else site, families)


def test_by_hand() -> None:
    """Two siblings of two grades, sections 0, 1 (school 0: grades 1, 2) and 2, 3 (school 1); one seat each.

    A stronger child holds the elder's seat at school 0, so both go to school 1; alone the younger stays at school 0.
    """
    lists = [[0, 2], [1, 3], [1]]
    queue = [[0], [2, 1], [0], [1]]
    joint = stable_with_families(market(lists, queue, [1, 1, 1, 1], [[0, 1]], [0, 0, 1, 1]))
    assert (joint.status, joint.choice.tolist(), joint.together) == ("found", [1, 1, 0], (1,))
    alone = stable_with_families(market(lists, queue, [1, 1, 1, 1], [], [0, 0, 1, 1]))
    assert alone.choice.tolist() == [0, 1, 0]


def test_a_market_without_a_stable_outcome() -> None:
    """Twins 0 and 1 and a single 2, two seats at school 0 and one at school 1.

    School 0 takes 0, then 2, then 1; school 1 takes 0 before 2. Together at school 0 the twins shut out the single
    with a claim above the second twin; apart, one of them and the single leave the family wanting.
    """
    found = stable_with_families(market([[0], [0], [0]], [[0, 2, 1]], [2], [[0, 1]]))
    assert found.status == "found"
    assert found.choice.tolist() == [0, -1, 0]
    lists = [[0, 1], [0, 1], [1, 0]]
    queue = [[0, 2, 1], [0, 1, 2]]
    for seats in ([2, 1], [1, 1], [2, 2]):
        one = market(lists, queue, seats, [[0, 1]])
        assert (stable_with_families(one).status == "found") == bool(all_stable(one))


def all_stable(m: Market, dropped: tuple[int, ...] = ()) -> set[tuple[int, ...]]:
    """Every stable outcome, from the words of the definition."""
    n = m.choices.n_children
    lists = [m.choices.school[m.choices.start[i] : m.choices.start[i + 1]].tolist() for i in range(n)]
    claim = {(i, s): (int(m.priority[m.choices.start[i] + k]), i) for i in range(n) for k, s in enumerate(lists[i])}
    seats, site = m.seats.tolist(), m.site.tolist()
    found = set()
    for way in itertools.product(*(range(-1, len(own)) for own in lists)):
        at = {i: lists[i][k] for i, k in enumerate(way) if k >= 0}
        load = Counter(at.values())
        if any(n > seats[s] for s, n in load.items()):
            continue

        def wants(i: int, s: int, at: dict[int, int] = at, load: Counter[int] = load) -> bool:
            return load[s] < seats[s] or any(claim[j, s] > claim[i, s] for j, t in at.items() if t == s)

        stable = True
        together = {}
        for f, family in enumerate(m.families):
            schools = {site[at[i]] if i in at else -1 for i in family}
            together[f] = schools.pop() if len(schools) == 1 else -1
            if f in dropped:
                together[f] = -1
        for i in range(n):
            f = int(m.family_of[i])
            here = together.get(f, -1)
            for s in lists[i][: way[i] if way[i] >= 0 else None]:
                if (here == -1 or site[s] == here) and wants(i, s):
                    stable = False
        for f, family in enumerate(m.families):
            if f in dropped or not stable:
                continue
            sums = {}
            for s in set(site):
                places = [[k for k, t in enumerate(lists[i]) if site[t] == s] for i in family]
                if all(places):
                    sums[s] = (sum(p[0] for p in places), s)
            for s in sums:
                if together[f] != -1 and sums[s] >= sums[together[f]]:
                    continue
                for new in itertools.product(*([t for t in lists[i] if site[t] == s] for i in family)):
                    after = {j: t for j, t in at.items() if j not in family} | dict(zip(family, new, strict=True))
                    fits = True
                    for i, t in zip(family, new, strict=True):
                        stronger = sum(u == t and claim[j, t] < claim[i, t] for j, u in after.items())
                        fits &= stronger < seats[t]
                    stable &= not fits
        if stable:
            found.add(way)
    return found


def random_market(seed: int) -> Market:
    rng = np.random.Generator(np.random.Philox(key=[41, seed]))
    n, n_sections = int(rng.integers(3, 6)), int(rng.integers(2, 5))
    site = np.sort(rng.integers(0, max(2, n_sections - 1), n_sections)).tolist()
    lists = [rng.permutation(n_sections)[: int(rng.integers(1, n_sections + 1))].tolist() for _ in range(n)]
    queue = [rng.permutation(n).tolist() for _ in range(n_sections)]
    seats = rng.integers(0, 3, n_sections).tolist()
    members = rng.permutation(n)
    families = [members[:2].tolist()] + ([members[2:4].tolist()] if n >= 4 and rng.random() < 0.7 else [])
    return market(lists, queue, seats, families, site)


def test_equals_brute_force() -> None:
    seen: Counter[str] = Counter()
    for seed in range(400):
        m = random_market(seed)
        found = stable_with_families(m)
        stable = all_stable(m)
        assert (found.status == "found") == bool(stable), seed
        assert found.status != "undecided"
        assert tuple(found.choice.tolist()) in (stable or all_stable(m, found.dropped)), seed
        if found.status == "refuted":
            fewer = itertools.combinations(range(len(m.families)), len(found.dropped) - 1)
            assert not any(all_stable(m, gone) for gone in fewer), seed
        seen[found.status] += 1
    assert seen["refuted"] >= 3
    assert seen["found"] >= 300


def test_schools_propose_to_the_other_end() -> None:
    """Without families: the outcome best for schools is worst for children, the same children have places."""
    for seed in range(60):
        m = random_market(seed)
        best = deferred_acceptance(m.choices, m.priority, m.seats).choice
        worst = schools_propose(m.choices, m.priority, m.seats)
        assert ((best >= 0) == (worst >= 0)).all()
        assert (best <= worst).all()


def test_what_does_not_fit_is_told_and_a_limit_is_kept() -> None:
    with pytest.raises(ValueError, match="one family at most"):
        market([[0], [0]], [[0, 1]], [1], [[0, 1], [1]])
    with pytest.raises(ValueError, match="must have 1 entries"):
        market([[0], [0]], [[0, 1]], [1], [[0, 1]], [0, 1])
    assert stable_with_families(random_market(0), limit=0).status == "undecided"
