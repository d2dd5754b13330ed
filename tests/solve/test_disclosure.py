"""Hiding counts so that what is shown does not tell them, and refusing where that cannot be done."""

from __future__ import annotations

import pytest

from zjsim.solve.disclosure import Relations, conceal


def test_one_more_part_of_a_sum_is_hidden():
    known = Relations()
    part, other, third, whole = (known.unknown() for _ in range(4))
    known.adds_up(whole, [part, other, third])
    values = {part: 3.0, other: 40.0, third: 70.0, whole: 113.0}
    assert conceal(known, values, {part}, lambda u: (values[u],)) == {part, other}


def test_nothing_is_published_that_tells_a_small_count():
    known = Relations()
    part = known.unknown()
    known.between([(part, 1.0)], 2.0, 4.0)  # what everybody can work out, whatever is hidden
    with pytest.raises(ValueError, match="not published"):
        conceal(known, {part: 3.0}, {part}, lambda _: (0.0,))


def test_a_sum_that_readers_look_for_stays_as_long_as_a_part_can_go():
    known = Relations()
    part, other, third, whole = (known.unknown() for _ in range(4))
    known.adds_up(whole, [part, other, third])
    values = {part: 3.0, other: 0.0, third: 70.0, whole: 73.0}
    first_the_sum = {part: 0.0, whole: 1.0, other: 2.0, third: 3.0}
    assert conceal(known, values, {part}, lambda u: (first_the_sum[u],)) >= {part, whole}
    assert conceal(known, values, {part}, lambda u: (first_the_sum[u],), late={whole}) == {part, other, third}
