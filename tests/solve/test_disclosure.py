"""Hiding counts so that what is shown does not tell them, and refusing where that cannot be done."""

from __future__ import annotations

import pytest

from zjsim.solve import disclosure
from zjsim.solve.disclosure import Relations, conceal, new_seen


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


def test_what_was_found_wide_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch):
    looks: list[int] = []
    look = disclosure._Program._look
    monkeypatch.setattr(disclosure._Program, "_look", lambda self, cost: (looks.append(1), look(self, cost))[1])
    known = Relations()
    parts = [known.unknown() for _ in range(6)]
    whole = known.unknown()
    known.adds_up(whole, parts)
    values = {u: 20.0 + u for u in parts} | {whole: 135.0}
    seen = new_seen(known)
    hidden = conceal(known, values, set(parts[:3]), lambda u: (values[u],), seen=seen)
    assert hidden == set(parts[:3])
    assert 0 < len(looks) <= 4  # one world differs in two of them at least
    looks.clear()
    assert conceal(known, values, hidden, lambda u: (values[u],), seen=seen) == hidden
    assert not looks


def test_counts_that_hang_together_are_looked_at_until_one_is_narrow(monkeypatch: pytest.MonkeyPatch):
    told: list[int] = []
    tells = disclosure.Reader.tells
    monkeypatch.setattr(disclosure.Reader, "tells", lambda self, u, least: (told.extend(u), tells(self, u, least))[1])
    known = Relations()
    a, b, c, d, ab, all_ = (known.unknown() for _ in range(6))
    known.adds_up(ab, [a, b])
    known.adds_up(all_, [ab, c, d])
    values = {a: 1.0, b: 2.0, c: 40.0, d: 50.0, ab: 3.0, all_: 93.0}
    assert conceal(known, values, {a, b}, lambda u: (values[u],)) == {a, b, ab, c}
    assert told[:2] == [a, a]  # b hangs on a: it waits until a is wide
