"""Training providers and training demand by city: what is public kept as it is, the rest filled in by a stated method.

Providers. Of each kind the totals of 2019 are public: 15,100 full-time teachers and 353,300 students of vocational
colleges, 34,400 teachers and 679,800 students of 323 secondary schools. Schools that no list names are placed in cities
by residents of 2020 (largest remainder). Numbers not read in a document share what the known ones leave of the totals,
in proportion to lognormal weights drawn per provider from a stream named after it, so one more provider leaves the
weights of the others unchanged. Technician colleges have no public total: an unknown one is drawn around the mean of
the known ones.

Sectors. A city's weights are the province's shares of the employed, those of the four groups of industry moved by the
places of their clusters there (core area 3, coordination area 2, known location 1, and 1 for every city). A provider
teaches the sectors that words of its name say, and others drawn by the weights of its city, up to three (schools two);
a sector that nobody in a city would teach goes to its largest provider.

Demand. A provincial base (persons, firms, institutions) is split over cities by residents, by students, or goes to the
capital, and within a city by the weights of the sectors that the course type is split over. Run
``python -m zjsim.synthesis.training FOLDER`` to write both registries anew; equal input gives equal bytes.
"""

from __future__ import annotations

import sys
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SEED = 20241231
TEACHERS = {"college": 15_100, "secondary_school": 34_400}
STUDENTS = {"college": 353_300, "secondary_school": 679_800}
SECONDARY_SCHOOLS = 323
CAPITAL = "330100"
AGRICULTURE = "TS6"
SPREAD = {"college": 0.35, "secondary_school": 0.5, "technician_college": 0.3}
"""σ of the logarithm of a provider's teachers (assumption): secondary schools differ more in size than colleges."""
STUDENT_SPREAD = 0.15
"""σ of the logarithm of a provider's students per teacher (assumption)."""
SECTORS_TAUGHT = {"college": 3, "secondary_school": 2, "technician_college": 3}
"""Sectors that a provider teaches (assumption), fewer only where there are no more."""
ROLE_WEIGHTS = {"core_area": 3.0, "coordination_area": 2.0, "known_location": 1.0}
"""What a place of a cluster counts for its group of industry in a city (judgement)."""
STUDENTS_PER_TEACHER_TECHNICIAN = 23.0
"""Mean of the technician colleges with both numbers known (students ÷ estimated teachers)."""


def providers(named: pd.DataFrame, residents: pd.Series) -> pd.DataFrame:
    """The full registry ``training_providers`` (text cells) from its rows named in documents.

    ``named``: columns of the registry as text; cells whose basis is ``synthetic`` are drawn anew. ``residents``:
    persons by ``city_code``. Rows keep their ids; synthetic schools follow, ordered by city.
    """
    table = pd.concat([named, _unnamed_schools(named, residents)], ignore_index=True)
    for level in sorted(SPREAD):
        rows = (table["level"] == level).to_numpy()
        part = table[rows].copy()
        total = TEACHERS.get(level), STUDENTS.get(level)
        part["full_time_teachers"] = _fill(part, "full_time_teachers", "teachers_basis", total[0], np.ones(len(part)))
        size = part["full_time_teachers"].to_numpy(dtype=np.float64)
        part["full_time_students"] = _fill(part, "full_time_students", "students_basis", total[1], size)
        table[rows] = part
    return table


def sector_weights(
    sectors: pd.DataFrame, industries: pd.DataFrame, places: pd.DataFrame, cities: list[str]
) -> pd.DataFrame:
    """Share of each sector (columns, in order of id) in the economy of each of ``cities`` (rows); rows add up to 1.

    The groups of industry keep together the share that they have in the province. All arguments hold text cells.
    """
    group = dict(zip(industries["industry_id"], industries["parent_id"], strict=True))
    found = {}
    for city in cities:
        here = places[places["place_code"].str[:4] == city[:4]]
        count: dict[str, float] = {}
        for industry, role in zip(here["industry_id"], here["role"], strict=True):
            parent = group.get(industry) or industry
            count[parent] = count.get(parent, 0.0) + ROLE_WEIGHTS.get(role, 0.0)
        share = sectors.set_index("sector_id")["employed_share"].astype(float).sort_index()
        industry_of = sectors.set_index("sector_id")["industry_id"].sort_index()
        moved = share * [1.0 + count.get(i, 0.0) if i else 1.0 for i in industry_of]
        own = industry_of != ""
        moved[own] *= share[own].sum() / moved[own].sum()
        found[city] = moved
    return pd.DataFrame(found).T


def taught(table: pd.DataFrame, sectors: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """The provider table with columns ``sectors`` and ``sectors_basis`` (text cells) filled anew."""
    some = sectors[sectors["any_provider"] == "no"].sort_values("sector_id")
    words = {s: [w for w in t.split(";") if w] for s, t in zip(some["sector_id"], some["name_words"], strict=True)}
    chosen: list[set[str]] = []
    basis = []
    for row in table.to_dict("records"):
        said = {s for s, of in words.items() if any(w in row["name_zh"] for w in of)}
        wanted = max(SECTORS_TAUGHT[row["level"]] - len(said), 0)
        # The smallest of exponential times with these rates: a draw without replacement, one sector more changes none.
        rate = weights.loc[row["city_code"]]
        times = {s: -np.log(_uniform(row["provider_id"], f"sector/{s}")) / max(rate[s], 1e-9) for s in words}
        drawn = sorted((s for s in words if s not in said), key=lambda s: (times[s], s))[:wanted]
        chosen.append(said | set(drawn))
        basis.append("synthetic" if drawn else "derived")
    cities, size = table["city_code"].to_numpy(), table["full_time_teachers"].astype(int).to_numpy()
    for city in sorted(set(cities)):
        here = np.flatnonzero(cities == city)
        largest = int(here[np.argmax(size[here])])
        for sector in sorted(set(words) - set().union(*(chosen[k] for k in here))):
            chosen[largest].add(sector)
            basis[largest] = "synthetic"
    return table.assign(sectors=[";".join(sorted(c)) for c in chosen], sectors_basis=basis)


def demand(
    course_types: pd.DataFrame,
    bases: pd.DataFrame,
    residents: pd.Series,
    students: pd.Series,
    sectors: pd.DataFrame,
    weights: pd.DataFrame,
) -> pd.DataFrame:
    """The registry ``training_demand`` (text cells): each course type's base split over the cities and sectors.

    ``residents`` and ``students`` are persons by ``city_code`` (all cities in both); ``weights`` those of
    :func:`sector_weights`.
    """
    rows = []
    of_split = {
        "general": sectors["any_provider"] == "yes",
        "economy": sectors["any_provider"] == "no",
        "industry": sectors["industry_id"] != "",
        "agriculture": sectors["sector_id"] == AGRICULTURE,
    }
    columns = (course_types[c] for c in ("demand_base", "course_type_id", "sector_split"))
    for kind, course_id, split in zip(*columns, strict=True):
        base = bases[bases["base_id"] == kind].iloc[0]
        ids = sorted(sectors.loc[of_split[split], "sector_id"])
        if base["split_by"] == "capital":
            split_by = pd.Series(1.0, index=[CAPITAL])
        else:
            split_by = (residents if base["split_by"] == "residents" else students).astype(float)
        for city in sorted(split_by.index):
            own = weights.loc[city, ids].to_numpy(dtype=np.float64) if len(ids) > 1 else np.ones(1)
            for sector, part in zip(ids, own / own.sum(), strict=True):
                share = float(base["value"]) * split_by[city] / split_by.sum() * part
                rows.append((city, course_id, sector, f"{share:.0f}", "method_training_demand", "derived"))
    return pd.DataFrame(rows, columns=["city_code", "course_type_id", "sector_id", "base", "source_id", "basis"])


def largest_remainder(total: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers that add up to ``total`` in proportion to ``weights``; ties go to the earlier entry."""
    shares = total * weights / weights.sum()
    whole: NDArray[np.int64] = np.floor(shares).astype(np.int64)
    order = np.argsort(-(shares - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def _unnamed_schools(named: pd.DataFrame, residents: pd.Series) -> pd.DataFrame:
    """Secondary schools beyond the named ones, so that each city has its share of the 323."""
    cities = sorted(residents.index)
    wanted = dict(
        zip(cities, largest_remainder(SECONDARY_SCHOOLS, residents[cities].to_numpy(dtype=float)), strict=True)
    )
    have = named.loc[named["level"] == "secondary_school", "city_code"].value_counts()
    next_id = int(named["provider_id"].str[1:].astype(int).max()) + 1
    rows = []
    for city in cities:
        for number in range(1, int(wanted[city]) - int(have.get(city, 0)) + 1):
            rows.append(
                {
                    "provider_id": f"P{next_id:03d}",
                    "name_zh": f"未具名中职学校{city}-{number:02d}",
                    "name_en": f"Unnamed secondary vocational school {city}-{number:02d}",
                    "name_basis": "synthetic",
                    "city_code": city,
                    "level": "secondary_school",
                    "teachers_basis": "synthetic",
                    "students_basis": "synthetic",
                    "source_id": "method_training_providers",
                    "basis": "synthetic",
                }
            )
            next_id += 1
    return pd.DataFrame([{c: row.get(c, "") for c in named.columns} for row in rows], columns=named.columns)


def _fill(
    rows: pd.DataFrame, column: str, basis: str, total: int | None, size: NDArray[np.float64]
) -> NDArray[np.object_]:
    """The cells of ``column`` as text: known ones kept, the others drawn in proportion to ``size`` × a lognormal."""
    known = (rows[basis] != "synthetic").to_numpy()
    cells = rows[column].to_numpy(dtype=object).copy()
    level = str(rows["level"].iloc[0])
    spread = SPREAD[level] if column == "full_time_teachers" else STUDENT_SPREAD
    noise = np.exp(spread * np.array([_normal(p, column) for p in rows["provider_id"]]))
    weights = (size * noise)[~known]
    values = np.array([float(v) for v in cells[known]])
    if total is not None:
        drawn = largest_remainder(total - int(values.sum()), weights)
    elif column == "full_time_teachers":
        drawn = np.rint(weights * values.mean()).astype(np.int64)
    else:
        drawn = np.rint(weights * STUDENTS_PER_TEACHER_TECHNICIAN).astype(np.int64)
    cells[~known] = [str(v) for v in drawn]
    return cells


def _normal(provider_id: str, column: str) -> float:
    """One standard normal number from the stream of this provider and column."""
    return float(_generator(provider_id, column).standard_normal())


def _uniform(provider_id: str, column: str) -> float:
    """One number uniform on (0, 1] from the stream of this provider and column."""
    return 1.0 - float(_generator(provider_id, column).random())


def _generator(provider_id: str, column: str) -> np.random.Generator:
    name = f"{SEED}|training_providers|{provider_id}|{column}".encode()
    key = int.from_bytes(blake2b(name, digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def regenerate(folder: Path) -> dict[str, str]:
    """Both registries as CSV text, from what ``folder`` holds of providers, sectors, bases, courses and places."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)

    counties = read("counties")
    residents = counties["population_2020"].astype(int).groupby(counties["city_code"]).sum()
    known = read("training_providers")
    sectors = read("training_sectors")
    weights = sector_weights(sectors, read("industries"), read("industry_places"), sorted(residents.index))
    table = taught(providers(known[known["name_basis"] != "synthetic"], residents), sectors, weights)
    students = table["full_time_students"].astype(int).groupby(table["city_code"]).sum()
    wanted = demand(read("course_types"), read("training_bases"), residents, students, sectors, weights)
    return {
        "training_providers": table.to_csv(index=False, lineterminator="\n"),
        "training_demand": wanted.to_csv(index=False, lineterminator="\n"),
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for registry, content in regenerate(target).items():
        (target / f"{registry}.csv").write_text(content, encoding="utf-8", newline="")
