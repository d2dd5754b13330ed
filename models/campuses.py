"""County campuses and industry colleges, practice centres and embedded kindergartens: where, by whom and when.

*Campuses* (M060): a vocational college of city-level standing opens a campus or an industry college in a county with
concentrated industry and no college of its own; it serves the county and others like it within reach. Points of a host:
whether its field suits the county's industries, how near it is, and whether the county lies in its own city.

*Practice centres* (M049): in any county, serving need for practice places within their catchment; no host is named.

*Kindergartens* (M104, M105): in counties with parks or larger firms over the threshold of employees, at most one for
each threshold of employees; employees' children come first, other children of the county take what is left.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from zjsim.models.location_data import Ground, Score, Tables, Theme, weighted
from zjsim.models.location_rules import Need, Option, Place, city_of

CAMPUS, COLLEGE = "county_campus", "county_industry_college"
CENTRE, KINDERGARTEN = "practice_centre", "embedded_kindergarten"
TRAINING, PRACTICE, PARK = "training", "practice", "park"
EMPLOYEES, RESIDENTS = "employees", "residents"


def campus_theme(tables: Tables, parameters: Any) -> Theme:
    """The data of county campuses and industry colleges."""
    ground = Ground(tables, parameters)
    p, industry = ground.p, _industry(tables)
    kinds = {"county", "city"} | ({"district"} if p.campus_counties == "with_districts" else set())
    counties = [c for c, r in industry.items() if ground.kind_of_county[c] in kinds and not r["has_vocational_college"]]
    need = ground.need("campuses", counties)
    concentrated = [c for c in counties if industry[c]["concentration"] >= p.minimum_concentration]
    places = [Place(c, TRAINING) for c in concentrated]
    staff, starts, _ = ground.hosts("campuses")
    suits = _suits(tables)
    options: dict[Option, Score] = {}
    for host in standing(tables, p.campus_standing):
        for s in places:
            km = ground.km_to_host(host, s.county)
            suitable = suits(host, s.county)
            if host not in staff or km > p.campus_host_km or not suitable:
                continue
            parts = {
                "relevance": suitable / 3,
                "proximity": math.exp(-km / p.distance_decay_km),
                "assigned": float(_city(tables)[host] == city_of(s.county)),
            }
            score = Score(weighted(parts, p), parts, km)
            options |= {Option(kind, host, *s): score for kind in (CAMPUS, COLLEGE)}
    hosts = {o.host for o in options}
    return ground.theme(
        "campuses",
        options,
        need,
        ground.arcs(places, need, p.campus_reach_km),
        per_city=p.campuses_per_city,
        mountain_island_share=p.mountain_island_share,
        scores=options,
        staff={h: n for h, n in staff.items() if h in hosts},
        starts_of_host={h: n for h, n in starts.items() if h in hosts},
        most_in_county={(f"{CAMPUS};{COLLEGE}", c): p.campuses_per_county for c in concentrated},
    )


def standing(tables: Tables, reading: str) -> list[str]:
    """Vocational colleges that may open in counties: of the Double-High plan, or every public one (M060)."""
    u = tables["universities"]
    u = u[(u["level"] == "vocational") | u["vocational_undergraduate"]]
    chosen = u[u["double_high_plan"]] if reading == "double_high" else u[u["ownership"] == "public"]
    return sorted(chosen["moe_code"])


def practice_theme(tables: Tables, parameters: Any) -> Theme:
    """The data of practice centres."""
    ground = Ground(tables, parameters)
    p = ground.p
    need = ground.need("practice_centres")
    places = [Place(c, PRACTICE) for c in sorted(ground.kind_of_county)]
    return ground.theme(
        "practice_centres",
        [Option(CENTRE, "", *s) for s in places],
        need,
        ground.arcs(places, need, p.practice_reach_km),
        per_city=p.practice_centres_per_city,
        mountain_island_share=p.mountain_island_share,
        most_in_county={(CENTRE, s.county): p.practice_centres_per_county for s in places},
    )


def kindergarten_theme(tables: Tables, parameters: Any) -> Theme:
    """The data of embedded kindergartens; equity follows the parks, so mountain counties have no floor here."""
    ground = Ground(tables, parameters)
    p, industry = ground.p, _industry(tables)
    parks = {c: int(r["park_employees"]) // p.park_threshold_employees for c, r in industry.items()}
    over = sorted(c for c, n in parks.items() if n)
    need = ground.need("kindergartens", over)
    return ground.theme(
        "kindergartens",
        [Option(KINDERGARTEN, "", c, PARK) for c in over],
        need,
        {(Place(d.county, PARK), Need(*d)): 0.0 for d in need},
        per_city=p.kindergartens_per_city,
        mountain_island_share=0.0,
        priority={EMPLOYEES: 0, RESIDENTS: 1},
        own_group=EMPLOYEES,
        most_in_county={(KINDERGARTEN, c): parks[c] for c in over},
    )


def _industry(tables: Tables) -> dict[str, dict[str, Any]]:
    rows = tables["county_industry"].sort_values("county_code").to_dict("records")
    return {r["county_code"]: {str(k): v for k, v in r.items()} for r in rows}


def _city(tables: Tables) -> dict[str, str]:
    u = tables["universities"]
    return dict(zip(u["moe_code"], u["city_code"], strict=True))


def _suits(tables: Tables) -> Callable[[str, str], int]:
    """Relevance (0-3) of a college's field to a county: the best of its category over the main industries there.

    A county's industries are those of its own places, and of its city's.
    """
    r = tables["category_relevance"]
    relevance = {(c, i): int(n) for c, i, n in zip(r["category"], r["industry_id"], r["relevance"], strict=True)}
    main = set(tables["industries"].query("kind == 'provincial_cluster'")["industry_id"])
    at: dict[str, set[str]] = defaultdict(set)
    for industry, place in zip(*(tables["industry_places"][c] for c in ("industry_id", "place_code")), strict=True):
        at[place] |= {industry} & main
    u = tables["universities"]
    category = dict(zip(u["moe_code"], u["category"], strict=True))

    def suits(host: str, county: str) -> int:
        return max((relevance.get((category[host], i), 0) for i in at[county] | at[city_of(county)]), default=0)

    return suits
