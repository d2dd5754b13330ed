"""From a county's plan to its planning zones: where rooms stand, which classes open, who sits where.

Nothing that the county's plan reached is given up: rooms, classes by grade and children in public seats stay. Then, in
order: what is built finds its zone (extensions keep their smallest size, rooms stand where classes lack); for the rooms
so placed, as few local children as possible sit outside their home zone, then as few local and guaranteed ones, then as
few children, all proven over every spread of whole classes; for the classes so found, as few as possible further than
the scenario's distance, then as few kilometres, proven over every seating. A local child is never moved while a migrant
child sits in its home zone's grade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from zjsim.models.seat_data import GRADES, STAGES, County
from zjsim.models.seat_sites import Floats, Ints, spread
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_zone_building import Building, built
from zjsim.models.seat_zone_purchases import purchased_by_zone
from zjsim.models.seat_zone_rules import ZONE_RULES, Block, Rows, Rule
from zjsim.models.seat_zones import STAGE_NAMES, STAGE_OF_GRADE, Zones

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.highs import relative_gap
from zjsim.solve.options import Options
from zjsim.solve.results import Stage

LOCAL, GUARANTEED, OTHER = 0, 1, 2
KINDS = ("local", "guaranteed", "other")
Seated = tuple[Ints, Ints, Ints]
_LINEAR: dict[str, object] = {"presolve": "off"}


@dataclass(frozen=True)
class ZonePlan:
    """A county's plan by zone; shapes Z zones, 9 grades, Y years, 2 stages, 3 kinds of children (:data:`KINDS`).

    ``classes`` (Z, 9, Y); ``building`` rooms by zone; ``stay`` (3, Z, 9, Y): children seated in their home zone;
    ``moves`` (3, 9, Y, Z, Z): children by home zone and zone of their seat; ``absent`` (3, Z, 9, Y): children by home
    zone without a public seat; ``purchases`` (9, Y, Z, Z): guaranteed ones among them in purchased places, by home zone
    and zone of the private school. ``distance_km`` (Z, Z), ``far`` (2, Z, Z): beyond the distance of the stage.
    ``stages``: the zones' goals.
    """

    county: County
    here: slice
    classes: Ints
    building: Building
    stay: Ints
    moves: Ints
    absent: Ints
    purchases: Ints
    distance_km: Floats
    far: Ints
    stages: tuple[Stage, ...]

    @property
    def bought(self) -> Ints:
        """Children in purchased places by home zone (Z, 9, Y)."""
        return np.asarray(self.purchases.sum(axis=3).transpose(2, 0, 1))

    @property
    def bought_at(self) -> Ints:
        """Children in purchased places by zone of the private school (Z, 9, Y)."""
        return np.asarray(self.purchases.sum(axis=2).transpose(2, 0, 1))


def zone_plan(plan: CountyPlan, zones: Zones, caps_km: Mapping[str, float], options: Options) -> ZonePlan:
    """The plan of one county spread over its zones."""
    d, here = plan.county, zones.of(plan.county.code)
    building = built(plan, zones, options)
    km = zones.distances_km(d.code)
    far = np.array([km > caps_km[s] for s in STAGE_NAMES], dtype=np.int64)
    home = np.stack(
        [zones.local[here], zones.guaranteed[here], zones.migrant[here] - zones.guaranteed[here]]
    )  # kind, zone, grade, year
    placed = np.stack([_grid(d, v) for v in (plan.local, plan.covered, plan.other)])
    bought, county_classes = _grid(d, plan.bought), _grid(d, plan.classes)
    usable = np.array([d.stages[s].usable_seats_per_class for s in STAGE_NAMES], dtype=np.int64)
    classes = np.zeros(home.shape[1:], dtype=np.int64)
    bounds = np.zeros(len(KINDS))
    for s, grades in enumerate(STAGES.values()):
        at = slice(grades[0] - 1, grades[-1])
        for y in range(len(d.years)):
            block = Block(
                int(usable[s]),
                building.rooms[:, s, y],
                county_classes[at, y],
                home[:, :, at, y].cumsum(axis=0),
                placed[:, at, y].cumsum(axis=0),
            )
            classes[:, at, y], proven = spread_classes(block, options)
            bounds += proven
    seats = classes * usable[STAGE_OF_GRADE][None, :, None]
    stay, moves, absent = seat_children(home, placed, seats, km, far, options)
    purchases = purchased_by_zone(absent[GUARANTEED], bought, zones.purchasable[here], km, far, options)
    out_of_reach = float((purchases * far[STAGE_OF_GRADE][:, None]).sum())
    moved = moves.sum(axis=(1, 2, 3, 4))
    beyond = float((moves * far[STAGE_OF_GRADE][None, :, None]).sum())
    kilometres = float((moves * km).sum())
    stages = (
        _stage("zone_extension_too_small", float(building.too_small), building.bound, "rooms"),
        _stage("zone_local_moved", float(moved[LOCAL]), bounds[0], "child-years"),
        _stage("zone_guaranteed_moved", float(moved[:OTHER].sum()), bounds[1], "child-years"),
        _stage("zone_children_moved", float(moved.sum()), bounds[2], "child-years"),
        _stage("zone_moved_too_far", beyond, beyond, "child-years"),
        _stage("zone_child_km", round(kilometres, 3), round(kilometres, 3), "km"),
        _stage("zone_purchased_too_far", out_of_reach, out_of_reach, "child-years"),
    )
    return ZonePlan(d, here, classes, building, stay, moves, absent, purchases, km, far, stages)


def spread_classes(b: Block, options: Options, rules: Mapping[str, Rule] = ZONE_RULES) -> tuple[Ints, Floats]:
    """Whole classes by zone and grade, and proven lower bounds of the children moved of each level.

    Local moves first, then those of guaranteed children, then all, then as many children at home as possible. The
    linear program is nearly always whole, which proves it; where it is not, whole classes are sought and proven.
    """
    levels, zones, _ = b.children.shape
    if zones == 1:
        return b.classes[None, :].copy(), np.zeros(levels)
    rows = Rows()
    for add in rules.values():
        add(rows, b)
    columns = b.columns
    goals = np.zeros((levels + 1, int(columns["moved"].max()) + 1))
    for k in range(levels):
        goals[k, columns["moved"][k]] = 1.0
    goals[levels, columns["home"].ravel()] = -1.0
    kept = list(range(rows.count, rows.count + levels))
    for k in range(levels):
        rows.add(np.full(1, -np.inf), np.full(1, np.inf), (columns["moved"][k][None, :], np.ones(1)))
    upper = np.full(goals.shape[1], np.inf)
    upper[columns["classes"].ravel()] = np.broadcast_to(b.classes, columns["classes"].shape).ravel()
    upper[columns["home"].ravel()] = b.children.ravel()
    proven, x = _in_order(rows.arrays(goals[0], upper, whole=False), goals, kept, options)
    classes = x[columns["classes"]]
    if np.abs(classes - np.rint(classes)).max() > 1e-6:
        proven, x = _in_order(rows.arrays(goals[0], upper, whole=True), goals, kept, options)
        classes = x[columns["classes"]]
    return np.rint(classes).astype(np.int64), proven


def _in_order(arrays: Arrays, goals: Floats, kept: list[int], options: Options) -> tuple[Floats, Floats]:
    """Values of the kept goals, each held while the later ones are sought, and the columns at the end."""
    program = ArrayProgram(arrays, options, {} if arrays.whole else _LINEAR)
    found, x = np.zeros(len(kept)), np.zeros(goals.shape[1])
    proof = True
    for k, goal in enumerate(goals):
        status = program.run(goal)
        program.check(status)
        x = program.answer()[0]
        if k < len(kept):
            # A search that a limit ends proves a bound of its own goal; of later ones only that they contain it.
            bound = float(goal @ x) if status == "Optimal" else program.bound() if arrays.whole else 0.0
            found[k] = max(0.0, float(np.ceil(bound - 1e-6))) if proof else found[k - 1]
            proof = proof and status == "Optimal"
            most = np.array([np.rint(goal @ x) if arrays.whole else goal @ x + 1e-9])
            program.set_rows(np.array(kept[k : k + 1], dtype=np.int32), np.array([-np.inf]), most)
    return found, x


def seat_children(home: Ints, placed: Ints, seats: Ints, km: Floats, far: Ints, options: Options) -> Seated:
    """Who sits where for given ``seats`` (Z, 9, Y): (stay, moves, absent) as in :class:`ZonePlan`.

    Every local child who can sits at home; the rest is one minimum-cost flow of all kinds of children together, cell by
    cell (grade and year), with the least number of guaranteed children moved, then of others, then of moves beyond the
    distance (``far``), then kilometres. Flows have whole corners, and the prices are so far apart that no exchange of
    children along a cycle can trade one goal for the next (:func:`_prices`): all four are proven for these seats.
    """
    stay, absent = np.zeros_like(home), np.zeros_like(home)
    moves = np.zeros((len(home), *home.shape[2:], home.shape[1], home.shape[1]), dtype=np.int64)
    at_home = np.minimum(home[LOCAL], seats)
    beyond = np.maximum(at_home.sum(axis=0) - placed[LOCAL], 0)
    stay[LOCAL] = at_home - spread(at_home.astype(np.float64), beyond) if beyond.any() else at_home
    free = seats - stay[LOCAL]
    simple = (home[LOCAL].sum(axis=0) == stay[LOCAL].sum(axis=0)) & (home[1:].sum(axis=0) <= free).all(axis=0)
    simple &= (placed[1:] == home[1:].sum(axis=1)).all(axis=0)
    stay[1:, :, simple] = home[1:, :, simple]
    left = np.where(simple[None, None], 0, home - stay)
    wanted = np.where(simple[None], 0, placed - stay.sum(axis=1))
    _flow(left, wanted, free, (stay, moves), np.stack([km, km]), far, options)
    absent = home - stay - moves.sum(axis=4).transpose(0, 3, 1, 2)
    return stay, moves, absent


def _prices(km: Floats, far: Ints) -> Floats:
    """Price of a move by kind, stage, home zone and zone of the seat.

    A cycle of the flow passes each zone of a seat once and so has at most two moves per zone: a price above what as
    many moves of all later goals cost together comes before them.
    """
    most = 2 * km.shape[1] + 2
    beyond = most * float(np.ceil(km.max() + 1))
    price = np.round(km + beyond * far, 3)
    other = most * (beyond + float(np.ceil(km.max() + 1)))
    guaranteed = (most + 1) * other
    return np.stack([price, price + guaranteed, price + other])


def _flow(
    left: Ints, wanted: Ints, free: Ints, found: tuple[Ints, Ints], km: Floats, far: Ints, options: Options
) -> None:
    """Seat ``wanted`` (kind, 9, Y) of the children ``left`` (kind, Z, 9, Y) in ``free`` seats, into ``found``.

    Rows: children of a kind and zone; seats of a zone; children of a kind seated in the cell.
    """
    price = _prices(km, far)
    stay, moves = found
    k, z, g, y, w = np.nonzero(
        (left[:, :, :, :, None] > 0) & (free.transpose(1, 2, 0)[None, None] > 0) & (wanted > 0)[:, None, :, :, None]
    )
    here = (k != LOCAL) | (z != w)
    k, z, g, y, w = (v[here] for v in (k, z, g, y, w))
    if not len(k):
        return
    groups, count = [], 0
    for key, total, exact in (
        (np.ravel_multi_index((k, z, g, y), left.shape), left, False),
        (np.ravel_multi_index((w, g, y), free.shape), free, False),
        (np.ravel_multi_index((k, g, y), wanted.shape), wanted, True),
    ):
        names, position = np.unique(key, return_inverse=True)
        high = total.ravel()[names].astype(np.float64)
        groups.append((position + count, high if exact else np.full(len(names), -np.inf), high))
        count += len(names)
    arrays = Arrays(
        np.where(z == w, 0.0, price[k, STAGE_OF_GRADE[g], z, w]),
        np.full(len(z), np.inf),
        np.concatenate([low for _, low, _ in groups]),
        np.concatenate([high for _, _, high in groups]),
        np.arange(0, 3 * len(z) + 1, 3),
        np.stack([p for p, _, _ in groups], axis=1).ravel(),
        np.ones(3 * len(z)),
        "columns",
    )
    children = np.rint(ArrayProgram(arrays, options, _LINEAR).solved()).astype(np.int64)
    same = z == w
    np.add.at(stay, (k[same], z[same], g[same], y[same]), children[same])
    np.add.at(moves, tuple(v[~same] for v in (k, g, y, z, w)), children[~same])


def _grid(d: County, values: Mapping[tuple[int, int], int]) -> Ints:
    return np.array([[values[g, y] for y in d.years] for g in GRADES], dtype=np.int64)


def _stage(name: str, value: float, bound: float, unit: str) -> Stage:
    bound = min(float(bound), value)
    return Stage(name, "minimise", value, bound, relative_gap(value, bound), unit)
