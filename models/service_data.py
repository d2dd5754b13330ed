"""What the model of enterprise service knows of the province: firms, teams, where they serve, and who is assigned."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.past import Past, past
from zjsim.models.people import SERVICE_IDS, People, people_data, service_areas
from zjsim.models.process_tools import Horizon, Ints, ParameterSet, city_of, horizon, parameter_set, records

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario
    from zjsim.simulate.inputs import UncertainInput

SEASON = "PP31"


def service_parameter_ids() -> tuple[str, ...]:
    """The parameters of this process (SP01, SP02 and SP22 only derive registries; those of people are theirs)."""
    engagement = ("PP24", "PP25", "PP26", "PP27", "PP28", "PP29", "PP32a", "PP32b", "PP32c", "PP33", "PP34")
    return (*engagement, *(f"SP{n:02d}" for n in (*range(3, 22), *range(23, 28))))


@dataclass(frozen=True, slots=True)
class FirmGroup:
    """Firms of one class in one city; key firms carry numbers from ``first_key_firm`` on (-1: not key firms)."""

    city: int
    city_code: str
    firm_class: str
    firms: int
    requests_per_firm_year: float
    priority: int
    first_key_firm: int


@dataclass(frozen=True, slots=True)
class ServiceData:
    """Firms, institutions and the plan's assignments, by index into ``cities``, ``institutions``, ``industries``.

    ``area_of[city]``: institutions that serve the city; ``weight_of[city]``: how often each is asked first;
    ``cities_of[institution]``: the cities it serves; ``mix_of[city]`` and ``heritage_mix_of[city]``: (industry, number
    of its places there); ``assigned[industry]``: lead or paired institutions, in order; ``little_giants``: (city
    code, first key firm, firms); ``counties``: by city; ``people``: the ledger from which their staff comes.
    """

    horizon: Horizon
    parameters: ParameterSet
    season: tuple[float, ...]
    cities: tuple[str, ...]
    counties: Mapping[str, int]
    groups: tuple[FirmGroup, ...]
    key_firms: int
    institutions: tuple[str, ...]
    people: People
    area_of: tuple[tuple[int, ...], ...]
    weight_of: tuple[tuple[float, ...], ...]
    cities_of: tuple[tuple[int, ...], ...]
    industries: tuple[str, ...]
    mix_of: tuple[tuple[tuple[int, int], ...], ...]
    heritage_mix_of: tuple[tuple[tuple[int, int], ...], ...]
    assigned: tuple[tuple[int, ...], ...]
    past: Past

    @property
    def years(self) -> tuple[int, ...]:
        """The simulated years."""
        return self.horizon.years

    @property
    def key_firm_cities(self) -> tuple[int, ...]:
        """The city (index) of every key firm, by its number."""
        found = [0] * self.key_firms
        for g in self.groups:
            if g.first_key_firm >= 0:
                found[g.first_key_firm : g.first_key_firm + g.firms] = [g.city] * g.firms
        return tuple(found)

    @property
    def firm_classes(self) -> tuple[str, ...]:
        """The classes of firms, in order."""
        return tuple(sorted({g.firm_class for g in self.groups}))

    def firms(self) -> tuple[tuple[int, ...], Ints]:
        """Numbers of all firms: the first one of every group, and the city (index) of every firm.

        Key firms come first, with their own numbers; then the firms of the other groups, in order.
        """
        first, following = [], self.key_firms
        for g in self.groups:
            first.append(g.first_key_firm if g.first_key_firm >= 0 else following)
            following += 0 if g.first_key_firm >= 0 else g.firms
        city = np.zeros(following, dtype=np.int64)
        for number, g in zip(first, self.groups, strict=True):
            city[number : number + g.firms] = g.city
        return tuple(first), city

    @property
    def little_giants(self) -> tuple[tuple[str, int, int], ...]:
        """Where the vice-presidents go: city code, number of its first little giant, how many."""
        return tuple((g.city_code, g.first_key_firm, g.firms) for g in self.groups if g.firm_class == "little_giant")


def uncertain_inputs(data: ServiceData) -> tuple[UncertainInput, ...]:
    """Every number of this process that no public document settles, those of the ledger of people included."""
    return (*data.people.uncertain(SERVICE_IDS), *data.parameters.uncertain())


def enterprise_service_data(scenario: Scenario, plan: Mapping[str, pd.DataFrame]) -> ServiceData:
    """Read the registries of a scenario and a plan's assignments (``lead_assignments``, ``heritage_pairs``).

    Without these tables nothing is routed and nobody releases further staff: the difference is the plan's value.
    """
    places = _places(scenario.table("industry_places"))
    industries = tuple(sorted({i for i, _ in places if i.startswith(("C", "H"))}))
    people = people_data(scenario, plan)
    institutions = people.institutions
    assigned = _assigned(plan, industries, institutions)
    firms = scenario.table("enterprises").sort_values(["city_code", "firm_class"])
    cities = tuple(sorted(set(firms["city_code"])))
    areas = service_areas(scenario.table("team_deployment"), scenario.table("service_teams"), cities, institutions)
    for industry, leads in zip(industries, assigned, strict=True):  # leads serve their industry's places (M011)
        for city in [c for i, c in places if i == industry and c in cities]:
            for lead in leads:
                areas[city].setdefault(lead, 0.0)
    area_of = tuple(tuple(sorted(areas[c])) for c in cities)
    groups, key_firms = _groups(firms, scenario.table("firm_classes"), cities)
    when = horizon(scenario.parameters.time)
    parameters = (scenario.table("process_parameters"), scenario.table("service_parameters"))
    chosen = parameter_set(parameters, service_parameter_ids())
    months = scenario.table("monthly_indices")
    season = months[months["index_id"] == SEASON].sort_values("month")["value"]
    return ServiceData(
        horizon=when,
        parameters=chosen,
        season=tuple(float(v) for v in season),
        cities=cities,
        counties=dict(sorted(Counter(scenario.table("counties")["city_code"]).items())),
        groups=groups,
        key_firms=key_firms,
        institutions=institutions,
        people=people,
        area_of=area_of,
        weight_of=tuple(tuple(areas[c][i] for i in sorted(areas[c])) for c in cities),
        cities_of=tuple(tuple(n for n, area in enumerate(area_of) if i in area) for i in range(len(institutions))),
        industries=industries,
        mix_of=tuple(_mix(places, industries, c, "C") for c in cities),
        heritage_mix_of=tuple(_mix(places, industries, c, "H") for c in cities),
        assigned=assigned,
        past=past(scenario),
    )


def _places(table: pd.DataFrame) -> Counter[tuple[str, str]]:
    """How many places (counties, or the city as a whole) an industry has in a city."""
    pairs = zip(table["industry_id"], table["place_code"], strict=True)
    return Counter((industry, city_of(place)) for industry, place in pairs)


def _mix(
    places: Counter[tuple[str, str]], industries: tuple[str, ...], city: str, initial: str
) -> tuple[tuple[int, int], ...]:
    return tuple(
        (n, places[i, city]) for n, i in enumerate(industries) if i.startswith(initial) and places[i, city] > 0
    )


def _assigned(
    plan: Mapping[str, pd.DataFrame], industries: tuple[str, ...], institutions: tuple[str, ...]
) -> tuple[tuple[int, ...], ...]:
    """Institutions the plan assigns to each industry, each once: leads and pairs in its order, then supports."""
    index = {code: n for n, code in enumerate(institutions)}
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for name in ("lead_assignments", "heritage_pairs", "support_assignments"):  # who leads is asked first
        if name in plan:
            for industry, code in zip(plan[name]["industry_id"], plan[name]["moe_code"], strict=True):
                if code in index:
                    found[str(industry)][index[code]] = None
    return tuple(tuple(found.get(i, ())) for i in industries)


def _groups(firms: pd.DataFrame, classes: pd.DataFrame, cities: tuple[str, ...]) -> tuple[tuple[FirmGroup, ...], int]:
    kinds = {row["firm_class"]: row for row in records(classes)}
    groups, key_firms = [], 0
    for row in records(firms):
        kind = kinds[row["firm_class"]]
        first = key_firms if kind["is_key_firm"] else -1
        key_firms += int(row["firms"]) if kind["is_key_firm"] else 0
        city = cities.index(row["city_code"])
        rate = float(row["requests_per_firm_year"])
        groups.append(
            FirmGroup(city, row["city_code"], row["firm_class"], int(row["firms"]), rate, int(kind["priority"]), first)
        )
    return tuple(groups), key_firms
