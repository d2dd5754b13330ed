"""Training providers and training demand by city: what is public kept as it is, the rest filled in by a stated method.

Providers. Of each kind the totals of 2019 are public: 15,100 full-time teachers and 353,300 students of vocational
colleges, 34,400 teachers and 679,800 students of 323 secondary schools. Schools that no list names are placed in cities
by residents of 2020 (largest remainder). Numbers not read in a document share what the known ones leave of the totals,
in proportion to lognormal weights drawn per provider from a stream named after it, so one more provider leaves the
weights of the others unchanged. Technician colleges have no public total: an unknown one is drawn around the mean of
the known ones.

Demand. A provincial base (persons, firms, institutions) is split over cities by residents, by students, or goes to the
capital. Run ``python -m zjsim.synthesis.training FOLDER`` to write both registries anew; equal input gives equal bytes.
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
SPREAD = {"college": 0.35, "secondary_school": 0.5, "technician_college": 0.3}
"""σ of the logarithm of a provider's teachers (assumption): secondary schools differ more in size than colleges."""
STUDENT_SPREAD = 0.15
"""σ of the logarithm of a provider's students per teacher (assumption)."""
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


def demand(course_types: pd.DataFrame, bases: pd.DataFrame, residents: pd.Series, students: pd.Series) -> pd.DataFrame:
    """The registry ``training_demand`` (text cells): each course type's base split over the cities.

    ``residents`` and ``students`` are persons by ``city_code`` (all cities in both).
    """
    rows = []
    for kind, course_id in zip(course_types["demand_base"], course_types["course_type_id"], strict=True):
        base = bases[bases["base_id"] == kind].iloc[0]
        if base["split_by"] == "capital":
            weights = pd.Series(1.0, index=[CAPITAL])
        else:
            weights = (residents if base["split_by"] == "residents" else students).astype(float)
        for city in sorted(weights.index):
            share = float(base["value"]) * weights[city] / weights.sum()
            rows.append((city, course_id, f"{share:.0f}", "method_training_demand", "derived"))
    return pd.DataFrame(rows, columns=["city_code", "course_type_id", "base", "source_id", "basis"])


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
    name = f"{SEED}|training_providers|{provider_id}|{column}".encode()
    key = int.from_bytes(blake2b(name, digest_size=16).digest(), "little")
    return float(np.random.Generator(np.random.Philox(key=key)).standard_normal())


def regenerate(folder: Path) -> dict[str, str]:
    """Both registries as CSV text, from the named providers, bases, course types and counties in ``folder``."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)

    counties = read("counties")
    residents = counties["population_2020"].astype(int).groupby(counties["city_code"]).sum()
    known = read("training_providers")
    table = providers(known[known["name_basis"] != "synthetic"], residents)
    students = table["full_time_students"].astype(int).groupby(table["city_code"]).sum()
    wanted = demand(read("course_types"), read("training_bases"), residents, students)
    return {
        "training_providers": table.to_csv(index=False, lineterminator="\n"),
        "training_demand": wanted.to_csv(index=False, lineterminator="\n"),
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for registry, content in regenerate(target).items():
        (target / f"{registry}.csv").write_text(content, encoding="utf-8", newline="")
