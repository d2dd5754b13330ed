"""A problem of talent supply in blocks that share nothing, so that each is solved on its own.

Levels of education share teachers, places or the share of 理工农医 only where a host teaches both; graduates of years
that no admission can reach any more are settled. Every goal is a sum over blocks, so the blocks' best plans together
are the best plan, goal by goal.
"""

from __future__ import annotations

from dataclasses import replace

from zjsim.models.talent_terms import TalentData


def blocks(data: TalentData) -> tuple[TalentData, ...]:
    """The blocks of a problem: settled years first, then levels that share hosts, from the lowest level's id on."""
    known = tuple(sorted({i[2] for i in data.demand} & set(data.years)))
    found = []
    settled_until = min((data.first + g.duration for g in data.groups.values()), default=data.first)
    for levels in _families(data):
        groups = {g: group for g, group in data.groups.items() if g[1] in levels}
        hosts = {g[0] for g in groups}
        part = replace(
            data,
            groups=groups,
            demand={i: n for i, n in data.demand.items() if i[1] in levels},
            teachers={p: n for p, n in data.teachers.items() if any((g[0], g[2]) == p for g in groups)},
            places={h: n for h, n in data.places.items() if h in hosts},
            totals={i: n for i, n in data.totals.items() if i[0] in levels},
            orders={i: n for i, n in data.orders.items() if i[0] in groups},
        )
        settled = tuple(t for t in known if t < settled_until)
        if settled:
            found.append(replace(part, first=data.last + 1, market=settled, orders={}, totals={}))
        found.append(replace(part, market=tuple(t for t in known if t >= settled_until)))
    return tuple(found)


def _families(data: TalentData) -> list[frozenset[str]]:
    """Levels that are linked by a host or by the share that must not fall, linked ones together."""
    links = [{g[1] for g in data.groups if g[0] == h} for h in sorted({g[0] for g in data.groups})]
    if data.share_not_falling:
        links.append({g[1] for g, group in data.groups.items() if group.counted})
    families: list[set[str]] = []
    for link in [{i[1]} for i in data.demand] + links:
        touching = [f for f in families if f & link]
        families = [f for f in families if not f & link] + [set().union(link, *touching)]
    return [frozenset(f) for f in sorted(families, key=sorted)]
