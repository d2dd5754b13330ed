"""Sub-model of the simulation: what the seat plan achieves when demand and capacity turn out otherwise (M004, M112).

The plan's rooms stand; classes are the recourse of each school year: a county opens and closes them by grade within its
rooms and staff, seats local children first, then permit holders (those eligible by county rule before the others), buys
private places up to its cap, and offers further migrant children seats as far as the share of the plan and of the year
before ask for and empty seats allow. Everything is an array over counties; one replication takes a few milliseconds.
A school year that had begun by the as-of date is settled: its actual shares stand, and the next one is the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from zjsim.models.past import Past, past
from zjsim.models.process_tools import city_of
from zjsim.models.seat_data import GRADES, STAGES, County, HasTables, counties, first_year

from zjsim.simulate.inputs import UncertainInput, Values, sample
from zjsim.simulate.resources import Resource, exported, months_between, spread
from zjsim.simulate.streams import Streams

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
PROCESS = "seats"
OUTCOMES: dict[str, tuple[str, str]] = {
    "place_share_permit_holders": ("level", "share"),
    "place_share_county_rule": ("level", "share"),
    "place_share_all_residents": ("level", "share"),
    "public_share_public_only": ("level", "share"),
    "public_share_with_purchased": ("level", "share"),
    "permit_public_place_share": ("level", "share"),
}
"""Outcome → (kind, unit): shares of the province's migrant children at the end of each calendar year."""
_INPUTS = (
    "model_migrant_stock_factor",
    "model_migrant_growth_factor",
    "model_permit_share",
    "model_eligible_share",
    "model_capacity_factor",
    "model_purchase_cap_share",
)
PUBLIC_SHARE = "public_share_public_only"
_COLUMNS = {s: [g - 1 for g in grades] for s, grades in STAGES.items()}


@dataclass(frozen=True)
class SeatData:
    """Arrays by year, county and grade (or stage); the counties in the order of their codes.

    ``rooms``, ``staffed`` (classes with staff), ``cap`` (purchasable places) and ``private`` (private places) are by
    year, county and stage; ``plan_share`` is the public share of the plan by year and county.
    """

    years: tuple[int, ...]
    county_codes: tuple[str, ...]
    local: Floats
    migrant: Floats
    eligible: Floats
    permit: Floats
    usable: Floats
    rooms: Floats
    staffed: Floats
    cap: Floats
    private: Floats
    base_share: Floats
    plan_share: Floats
    inputs: tuple[UncertainInput, ...]
    as_of: date = date(2024, 12, 31)
    county_cities: tuple[str, ...] = ()


SEATS = "public_seats"


def resources(data: SeatData) -> tuple[Resource, ...]:
    """Public seats of compulsory education, by city."""
    return (Resource(SEATS, "seat-days", tuple(sorted(set(data.county_cities)))),) if data.county_cities else ()


def seat_data(scenario: HasTables, plan: Mapping[str, pd.DataFrame]) -> SeatData:
    """The data of the sub-model: registries of the scenario, rooms and public shares of the plan (may be empty)."""
    import pandas as pd

    time = scenario.parameters.time
    first = first_year(time.as_of, 0)
    years = tuple(range(first, time.horizon.year + 1))
    places = counties(scenario, first)
    codes = tuple(d.code for d in places)
    demand = scenario.table("seat_demand").set_index(["county_code", "year", "grade"]).sort_index()
    index = pd.MultiIndex.from_product([codes, years, GRADES])

    def by_grade(name: str) -> Floats:
        values = demand[name].reindex(index, fill_value=0).to_numpy(dtype=float)
        return np.ascontiguousarray(values.reshape(len(codes), len(years), len(GRADES)).transpose(1, 0, 2))

    def by_stage(value: Any) -> Floats:
        found = np.array([[[value(d, s, y) for s in STAGES] for d in places] for y in years], dtype=float)
        return found.reshape(len(years), len(places), len(STAGES))

    built = _rooms_built(plan, codes, years)
    shares = _plan_shares(plan, codes, years)
    return SeatData(
        years=years,
        county_codes=codes,
        local=by_grade("local_children"),
        migrant=by_grade("migrant_children"),
        eligible=by_grade("eligible_children"),
        permit=by_grade("permit_holders"),
        usable=np.array([[d.stages[s].usable_seats_per_class for s in STAGES] for d in places], dtype=float),
        rooms=by_stage(lambda d, s, y: d.stages[s].classrooms) + built,
        staffed=by_stage(lambda d, s, y: d.stages[s].staffed_classes[y]),
        cap=by_stage(lambda d, s, y: d.stages[s].purchase_places_max),
        private=by_stage(lambda d, s, y: d.private_places[s, y]),
        base_share=_base_share(past(scenario), places, years),
        plan_share=shares,
        inputs=_declared(scenario.table("seat_norms")),
        as_of=time.as_of,
        county_cities=tuple(city_of(c) for c in codes),
    )


def uncertain_inputs(data: SeatData) -> tuple[UncertainInput, ...]:
    """Every number of this sub-model that no public document settles (rows of ``seat_norms``)."""
    return data.inputs


def simulate_seats(data: SeatData, values: Values, streams: Streams) -> dict[str, Floats]:
    """One replication: outcome → one value per simulated year; ``by_county/<outcome>`` the share of every county, by
    (county, year), 1 where nobody is meant.

    ``values`` moves every input for all counties; only the growth of migrant children also differs between counties
    and years (a draw each, independent of all others). For a marginal value every county and stage has ``more/classes``
    further classes with room and staff, and may buy ``more/purchases`` further places.
    """
    if not data.years:
        return {name: np.zeros(0) for name in OUTCOMES}
    moved = {i.input_id: values.get(i.input_id, i.mode) / i.mode for i in data.inputs}
    growth = np.cumprod(_growth(data, values, streams), axis=0)
    migrant = np.rint(data.migrant * moved["model_migrant_stock_factor"] * growth[:, :, None])
    ratio = np.divide(migrant, data.migrant, out=np.zeros_like(migrant), where=data.migrant > 0)
    permit = np.minimum(np.rint(data.permit * ratio * moved["model_permit_share"]), migrant)
    eligible = np.minimum(np.rint(data.eligible * ratio * moved["model_eligible_share"]), permit)
    usable = np.floor(data.usable * moved["model_capacity_factor"] + 1e-9)
    cap = np.floor(data.cap * moved["model_purchase_cap_share"] + 1e-9) + values.get("more/purchases", 0.0)
    cap = np.minimum(cap, data.private)
    classes = values.get("more/classes", 0.0)
    found = np.zeros((len(data.years), len(OUTCOMES)))
    by_county = np.zeros((len(OUTCOMES), len(data.county_codes), len(data.years)))
    before = data.base_share
    seats = np.zeros((3, len(data.years), len(data.county_codes)))
    for t in range(len(data.years)):
        limit = np.minimum(data.rooms[t], data.staffed[t]) + classes
        holders, all_children, ruled = (_stages(a[t]) for a in (permit, migrant, eligible))
        short, empty = zip(
            *(
                _classes(data.local[t], permit[t], usable[:, k], limit[:, k], c)
                for k, c in enumerate(_COLUMNS.values())
            ),
            strict=True,
        )
        without_public, seats_left = np.minimum(np.column_stack(short), holders), np.column_stack(empty)
        bought = np.minimum(without_public, cap[t])
        others = all_children - holders
        wanted = np.maximum(before, data.plan_share[t]) * all_children.sum(axis=1)
        others_in = _further(wanted - (holders - without_public).sum(axis=1), np.minimum(others, seats_left))
        public = (holders - without_public) + others_in
        none = without_public - bought
        ruled_none = np.maximum(0.0, none - (holders - ruled))
        in_private = np.minimum(all_children - public - bought, np.maximum(0.0, data.private[t] - bought))
        shares = (
            (holders - none, holders),
            (ruled - ruled_none, ruled),
            (public + bought + in_private, all_children),
            (public, all_children),
            (public + bought, all_children),
            (holders - without_public, holders),
        )
        found[t] = [_share(part.sum(), whole.sum()) for part, whole in shares]
        for k, (part, whole) in enumerate(shares):
            of = whole.sum(axis=1)
            by_county[k, :, t] = np.divide(part.sum(axis=1), of, out=np.ones_like(of), where=of > 0)
        taken = data.local[t].sum(axis=1) + public.sum(axis=1)
        seats[:, t] = np.maximum((limit * usable).sum(axis=1), taken), taken, none.sum(axis=1)
        children = all_children.sum(axis=1)
        before = np.divide(public.sum(axis=1), children, out=np.ones_like(children), where=children > 0)
    own = {f"by_county/{name}": by_county[k] for k, name in enumerate(OUTCOMES)}
    return {name: found[:, k].copy() for k, name in enumerate(OUTCOMES)} | own | _use(data, seats)


def _use(data: SeatData, seats: Floats) -> dict[str, Floats]:
    """The outcomes of the resource: seats that classes could offer, those taken, and permit holders without a place.

    ``seats`` by (measure, school year, county); a school year begins in September, what lies before the first is empty.
    Seats that are offered are at least those taken: where local children come above the usable seats, classes are full.
    """
    if not data.county_cities:
        return {}
    first_day = data.as_of + timedelta(days=1)
    end = float((date(data.years[-1] + 1, 1, 1) - first_day).days)
    months = months_between(first_day, end)
    names = sorted(set(data.county_cities))
    city = np.array([names.index(c) for c in data.county_cities], dtype=np.int64)
    begin = np.array([float((date(y, 9, 1) - first_day).days) for y in data.years])
    until = np.append(begin[1:], end)

    def of(number: Floats) -> Floats:
        start, stop = (np.broadcast_to(x[:, None], number.shape).ravel() for x in (begin, until))
        return spread(start, stop, number.ravel(), np.broadcast_to(city, number.shape).ravel(), len(names), months)

    return exported(SEATS, months, {"capacity": of(seats[0]), "used": of(seats[1]), "lost": of(seats[2])})


def _growth(data: SeatData, values: Values, streams: Streams) -> Floats:
    """Factor on the migrant children of each year and county against the year before."""
    source = next(i for i in data.inputs if i.input_id == "model_migrant_growth_factor")
    value = values.get(source.input_id, source.mode)
    u = np.array([streams.uniforms(PROCESS, c, data.years[0], len(data.years)) for c in data.county_codes])
    return sample(source, value, u.T)


def _classes(local: Floats, permit: Floats, usable: Floats, limit: Floats, grades: list[int]) -> tuple[Floats, Floats]:
    """Permit holders (and local children) without a public seat, and empty seats, by county for one stage.

    Each grade needs its children ÷ usable seats classes, rounded up. Where these are more than the limit, the classes
    with the fewest children are given up first; where they are fewer, the rest stand by as empty seats.
    """
    children = local[:, grades] + permit[:, grades]
    seats = np.maximum(usable, 1.0)[:, None]
    need = np.ceil(children / seats)
    last = np.where(need > 0, children - (need - 1) * seats, 0.0)
    missing = np.maximum(0.0, need.sum(axis=1) - limit)
    order = np.sort(np.where(need > 0, last, np.inf), axis=1)
    given_up = np.zeros(len(missing))
    left = missing.copy()
    for k in range(order.shape[1]):
        one = (left > 0) & np.isfinite(order[:, k])
        given_up += np.where(one, np.where(np.isfinite(order[:, k]), order[:, k], 0.0), 0.0)
        left -= one
    given_up = np.minimum(given_up + left * seats[:, 0], children.sum(axis=1))
    given_up = np.where(usable > 0, given_up, children.sum(axis=1))
    empty = np.where(missing > 0, 0.0, limit * usable - children.sum(axis=1))
    return given_up, np.maximum(0.0, empty)


def _further(wanted: Floats, room: Floats) -> Floats:
    """Further migrant children seated by stage: what the share asks for, in proportion to the seats that are left."""
    possible = room.sum(axis=1)
    taken = np.clip(wanted, 0.0, possible)
    part = np.divide(taken, possible, out=np.zeros_like(taken), where=possible > 0)
    return np.asarray(room * part[:, None], dtype=np.float64)


def _stages(by_grade: Floats) -> Floats:
    return np.column_stack([by_grade[:, c].sum(axis=1) for c in _COLUMNS.values()])


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 1.0


def _base_share(before: Past, places: Sequence[County], years: tuple[int, ...]) -> Floats:
    """Public share of each county before the first school year (M112): the registry's, brought to the actual ones.

    A county's own actual share stands; the others are multiplied alike so that the province has its actual share.
    """
    share = np.array([d.base_public_share for d in places])
    wanted = before.level(PUBLIC_SHARE)
    if np.isnan(wanted) or not years:
        return share
    children = np.array([d.migrants_of_year[years[0]] for d in places], dtype=float)
    own = np.array([before.level(PUBLIC_SHARE, area=d.code) for d in places])
    free = np.isnan(own)
    rest = (share * children)[free].sum()
    factor = (wanted * children.sum() - (own * children)[~free].sum()) / rest if rest > 0 else 1.0
    return np.where(free, np.clip(share * factor, 0.0, 1.0), own)


def _rooms_built(plan: Mapping[str, pd.DataFrame], codes: tuple[str, ...], years: tuple[int, ...]) -> Floats:
    """Rooms the plan adds, cumulated, by year, county and stage."""
    built = np.zeros((len(years), len(codes), len(STAGES)))
    if "seat_rooms" not in plan:
        return built
    at, stage_at = {c: i for i, c in enumerate(codes)}, {s: k for k, s in enumerate(STAGES)}
    t = plan["seat_rooms"]
    opened = (t["extension_rooms"] + t["new_school_rooms"]).tolist()
    for code, stage, year, rooms in zip(t["county_code"], t["stage"], t["year"], opened, strict=True):
        if rooms and code in at:
            built[[y >= year for y in years], at[code], stage_at[stage]] += rooms
    return built


def _plan_shares(plan: Mapping[str, pd.DataFrame], codes: tuple[str, ...], years: tuple[int, ...]) -> Floats:
    """The plan's public share by year and county; 0 (nothing asked for) without a plan."""
    import pandas as pd

    if "seat_expansion" not in plan:
        return np.zeros((len(years), len(codes)))
    shares = plan["seat_expansion"].set_index(["year", "county_code"])["public_share"]
    index = pd.MultiIndex.from_product([years, codes])
    return shares.reindex(index, fill_value=0.0).to_numpy(dtype=float).reshape(len(years), len(codes))


def _declared(norms: pd.DataFrame) -> tuple[UncertainInput, ...]:
    rows = {str(r["norm_id"]): r for r in norms.to_dict("records")}
    return tuple(
        UncertainInput(
            input_id=name,
            low=float(rows[name]["low"]),
            mode=float(rows[name]["value"]),
            high=float(rows[name]["high"]),
            distribution="triangular",
            unit=str(rows[name]["unit"]),
            basis=str(rows[name]["basis"]),
            name_zh=str(rows[name]["note_zh"]),
            name_en=str(rows[name]["note_en"]),
        )
        for name in _INPUTS
    )
