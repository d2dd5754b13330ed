"""From a county's plan to its planning zones: where rooms stand, which classes open, who sits where.

Nothing that the county's plan reached is given up: rooms, classes by grade and children in public seats stay. Then, in
order: extensions keep their smallest size; as few local children as possible sit outside their home zone, then as few
local and guaranteed ones, then as few children (against a proven linear bound); then, for the classes so found, as few
as possible further than the scenario's distance and as few kilometres, local children first, guaranteed migrant
children next, the others last. A local child is never moved while a migrant child sits in its home zone's grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from zjsim.models.seat_data import GRADES, STAGES, County
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_zone_building import Building, built
from zjsim.models.seat_zone_rules import ZONE_RULES, Block, Rows, Rule
from zjsim.models.seat_zones import STAGE_NAMES, STAGE_OF_GRADE, Floats, Ints, Zones, spread

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.highs import relative_gap
from zjsim.solve.options import Options
from zjsim.solve.results import Stage

LOCAL, GUARANTEED, OTHER = 0, 1, 2
KINDS = ("local", "guaranteed", "other")
BEYOND = 10_000.0
"""Kilometres that a move beyond the scenario's distance counts for: more than any chain of moves could save."""
TAKEN = 1_000.0
"""Kilometres that count for a seat which a child of a later kind would have had at home: it saves that child a move."""
_LINEAR: dict[str, object] = {"presolve": "off"}


@dataclass(frozen=True)
class ZonePlan:
    """A county's plan by zone; shapes Z zones, 9 grades, Y years, 2 stages, 3 kinds of children (:data:`KINDS`).

    ``classes`` (Z, 9, Y); ``building`` rooms by zone; ``stay`` (3, Z, 9, Y): children seated in their home zone;
    ``moves`` (3, 9, Y, Z, Z): children by home zone and zone of their seat; ``absent`` (3, Z, 9, Y): children by home
    zone without a public seat; ``bought`` (Z, 9, Y): guaranteed ones among them in purchased places. ``distance_km``
    (Z, Z), ``far`` (2, Z, Z): beyond the distance of the stage. ``stages``: the zones' goals.
    """

    county: County
    here: slice
    classes: Ints
    building: Building
    stay: Ints
    moves: Ints
    absent: Ints
    bought: Ints
    distance_km: Floats
    far: Ints
    stages: tuple[Stage, ...]


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
    cost = np.round(np.where(far, BEYOND, 0.0) + km[None], 3)
    stay, moves, absent = seat_children(home, placed, seats, cost, options)
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
    )
    return ZonePlan(
        d, here, classes, building, stay, moves, absent,
        spread(absent[GUARANTEED].astype(np.float64), bought), km, far, stages,
    )  # fmt: skip


def spread_classes(b: Block, options: Options, rules: Mapping[str, Rule] = ZONE_RULES) -> tuple[Ints, Floats]:
    """Whole classes by zone and grade, and proven lower bounds of the children moved of each level.

    Local moves first, then those of guaranteed children, then all, then as many children at home as possible. The
    linear program is nearly always whole; where it is not, whole classes are sought and the linear bound stands.
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
        _, x = _in_order(rows.arrays(goals[0], upper, whole=True), goals, kept, options)
        classes = x[columns["classes"]]
    return np.rint(classes).astype(np.int64), proven


def _in_order(arrays: Arrays, goals: Floats, kept: list[int], options: Options) -> tuple[Floats, Floats]:
    """Values of the kept goals, each held while the later ones are sought, and the columns at the end."""
    program = ArrayProgram(arrays, options, {} if arrays.whole else _LINEAR)
    found, x = np.zeros(len(kept)), np.zeros(goals.shape[1])
    for k, goal in enumerate(goals):
        program.run(goal)
        x = program.answer()[0]
        if k < len(kept):
            found[k] = max(0.0, float(np.ceil(goal @ x - 1e-6)))
            most = np.array([np.rint(goal @ x) if arrays.whole else goal @ x + 1e-9])
            program.set_rows(np.array(kept[k : k + 1], dtype=np.int32), np.array([-np.inf]), most)
    return found, x


def seat_children(home: Ints, placed: Ints, seats: Ints, cost: Floats, options: Options) -> tuple[Ints, Ints, Ints]:
    """Who sits where: (stay, moves, absent) as in :class:`ZonePlan`; ``cost`` (2, Z, Z) of a move by stage.

    Kind by kind, each in the seats that the kinds before leave: first everyone who can at home, then the others to the
    nearest free seats, those that children of later kinds need at home only where no others are near enough
    (:data:`TAKEN`). Children of a kind beyond those placed by the county's plan are without a public seat: those
    without one at home come first.
    """
    kinds = len(home)
    free = seats.copy()
    stay, absent = np.zeros_like(home), np.zeros_like(home)
    moves = np.zeros((kinds, *home.shape[2:], home.shape[1], home.shape[1]), dtype=np.int64)
    outside = home.sum(axis=1) - placed
    for k in range(kinds):
        at_home = np.minimum(home[k], free)
        excess = home[k] - at_home
        beyond = np.maximum(outside[k] - excess.sum(axis=0), 0)
        given_up = spread(at_home.astype(np.float64), beyond) if beyond.any() else np.zeros_like(at_home)
        stay[k] = at_home - given_up
        free -= stay[k]
        out = outside[k] - beyond
        seats_left = []
        rest = free
        for later in range(kinds - 1, k, -1):
            wanted = home[k + 1 : later + 1].sum(axis=0)
            if later == kinds - 1 and kinds > 1:
                # Children of the last kind who will be outside public schools anyway do not need their seat.
                wanted = wanted - np.minimum(spread(home[later].astype(np.float64), outside[later]), home[later])
            spare = np.minimum(np.maximum(free - wanted, 0), rest)
            seats_left.append(spare)
            rest = rest - spare
        seats_left.append(rest)
        moves[k], absent[k] = cheapest_moves(excess, seats_left, out, cost, options)
        absent[k] += given_up
        free = free - moves[k].sum(axis=2).transpose(2, 0, 1)
    return stay, moves, absent


def cheapest_moves(excess: Ints, free: Sequence[Ints], out: Ints, cost: Floats, options: Options) -> tuple[Ints, Ints]:
    """Moves (9, Y, Z, Z) of the ``excess`` children into ``free`` seats (Z, 9, Y), but for ``out`` (9, Y) who stay out.

    ``free``: seats that cost nothing more first, each later entry :data:`TAKEN` kilometres more than the one before.
    One transport problem per grade and year, solved together; the least total ``cost`` (by stage). Also returns who
    stays out, by zone.
    """
    n, grades, years = excess.shape
    moves = np.zeros((grades, years, n, n), dtype=np.int64)
    left = np.zeros_like(excess)
    move = excess.sum(axis=0) - out
    idle = move <= 0
    left[:, idle] = excess[:, idle]
    room = np.stack(list(free))
    t, z, g, y, w = np.nonzero(
        (excess[None, :, :, :, None] > 0)
        & (room.transpose(0, 2, 3, 1)[:, None] > 0)
        & (move > 0)[None, None, :, :, None]
    )
    if not len(z):
        return moves, left
    groups = []
    count = 0
    for key, low, high in (
        (np.ravel_multi_index((z, g, y), excess.shape), None, excess.ravel()),
        (np.ravel_multi_index((t, w, g, y), room.shape), None, room.ravel()),
        (np.ravel_multi_index((g, y), move.shape), move.ravel(), move.ravel()),
    ):
        names, position = np.unique(key, return_inverse=True)
        least = np.full(len(names), -np.inf) if low is None else low[names].astype(np.float64)
        groups.append((position + count, least, high[names].astype(np.float64)))
        count += len(names)
    arrays = Arrays(
        cost[STAGE_OF_GRADE[g], z, w] + TAKEN * t,
        np.full(len(z), np.inf),
        np.concatenate([low for _, low, _ in groups]),
        np.concatenate([high for _, _, high in groups]),
        np.arange(0, 3 * len(z) + 1, 3),
        np.stack([p for p, _, _ in groups], axis=1).ravel(),
        np.ones(3 * len(z)),
        "columns",
    )
    program = ArrayProgram(arrays, options, _LINEAR)
    status = program.run()
    if status != "Optimal":
        raise RuntimeError(f"the moves between zones have no plan: {status}")
    np.add.at(moves, (g, y, z, w), np.rint(program.answer()[0]).astype(np.int64))
    stays_out = excess - moves.sum(axis=3).transpose(2, 0, 1)
    return moves, np.where(idle[None], left, stays_out)


def _grid(d: County, values: Mapping[tuple[int, int], int]) -> Ints:
    return np.array([[values[g, y] for y in d.years] for g in GRADES], dtype=np.int64)


def _stage(name: str, value: float, bound: float, unit: str) -> Stage:
    bound = min(float(bound), value)
    return Stage(name, "minimise", value, bound, relative_gap(value, bound), unit)
