"""What teachers give outside, where the ledger's first year begins in autumn: a quarter's hours are no year's hours."""

from __future__ import annotations

import pytest
from zjsim.models.people import people_data
from zjsim.models.talent_data import listed_teachers
from zjsim.models.talent_people import away_shares, outside_shares

from zjsim.scenario import load


@pytest.mark.parametrize("name", ["baseline", "mid_course"])
def test_shares_of_a_part_of_a_year_are_shares(name):
    scenario = load(name)
    people, teachers = people_data(scenario, {}), listed_teachers(scenario.table("programme_groups"))
    share = outside_shares(people, teachers)
    first, second = people.years[:2]
    hosts = sorted({h for h, _ in share})
    before, after = (sum(share[h, t] for h in hosts) for t in (first, second))
    assert before == pytest.approx(after, rel=0.1)
    assert max(away_shares(people, teachers, (second, second + 1)).values()) < 0.02
