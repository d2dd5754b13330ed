"""Known answers: our formulas give the published values, the kernel gives what the formulas say, a wrong one fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zjsim.cli import main
from zjsim.simulate import reference_suite
from zjsim.simulate.kernel import Entity, Pool, PriorityPool
from zjsim.simulate.reference_cases import BUILDERS
from zjsim.simulate.reference_controls import controlled_mean
from zjsim.simulate.reference_flows import RefusedError
from zjsim.simulate.reference_suite import CASES, interval_checks
from zjsim.simulate.references import VALUES, run_case
from zjsim.texts import catalogue
from zjsim.validation import write_page

QUICK = {
    "M/M/c": {"c": 2, "arrival": 1.0, "service": 1.0},
    "M/G/1": {"arrival": 0.4, "law": "uniform", "low": 0.5, "high": 1.5},
    "Erlang B": {"c": 3, "a": 2.0},
    "M/M/c/K": {"c": 1, "room": 4, "arrival": 1.0, "service": 1.0},
    "Erlang A": {"c": 3, "arrival": 3.0, "service": 1.0, "patience": 0.5},
    "E_b/M/1": {"b": 10, "rho": 0.5, "service": 2.0},
    "bulk arrivals": {"batch": 3, "arrival": 0.15, "service": 1.0},
    "class forming": {"batch": 10, "rate": 4.0},
    "closed network": {"customers": 2, "servers": (1, 1), "service": (1.0, 2.0), "routing": ((0.0, 1.0), (1.0, 0.0))},
    "priority": {"arrivals": (0.2, 0.2), "service": 1.0},
    "preemptive priority": {"arrivals": (0.2, 0.2), "service": 1.0},
    "partial batches": {"b": 3, "arrival": 1.5, "service": 1.0},
    "two-year non-use": {"hazard": 0.1, "inflow": 500.0, "clock": 1.0, "horizon": 2.0},
    "M/M/inf from empty": {"arrival": 30.0, "mean": 1.0, "at": (0.5, 2.0)},
    "hand trace": {"arrivals": (0, 1, 2), "service": (2, 2, 1)},
}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_our_formulas_give_the_published_values(number: int) -> None:
    case = CASES[number]
    values = VALUES[case.family](**case.parameters)
    assert case.published
    for quantity, published in case.published.items():
        assert values[quantity] == pytest.approx(published, rel=1e-9), quantity


def test_every_family_has_a_case() -> None:
    assert {case.family for case in CASES} == set(VALUES)
    assert set(BUILDERS) <= set(VALUES)


@pytest.mark.parametrize("family", sorted(QUICK))
def test_the_kernel_gives_what_theory_says_also_for_other_parameters(family: str) -> None:
    answers = run_case(family, error=1e-3, **QUICK[family])
    assert any(a.simulated for a in answers)
    for a in answers:
        assert a.passed, a
        assert abs(a.paired) <= 1e-9 * max(1.0, abs(a.value)), "kernel and recursion agree on every lane"


def test_every_family_has_a_name_in_words() -> None:
    keys = {f"validate.family.{family.lower().replace('/', '_').replace(' ', '_')}" for family in VALUES}
    assert keys == {key for key in catalogue() if key.startswith("validate.family.")}


def test_hand_trace_is_exact() -> None:
    assert [(a.estimate, a.half_width) for a in run_case("hand trace", **QUICK["hand trace"])] == [
        (1.0, 0.0),
        (8 / 3, 0.0),
    ]


def test_a_kernel_that_lends_a_unit_too_many_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Pool.take

    def take(self: Pool, entity: Entity, amount: float = 1) -> bool:
        if not self.queue and self.free > -1:
            self.free -= 1
            return True
        return original(self, entity, amount)

    monkeypatch.setattr(Pool, "take", take)
    with pytest.raises(ValueError, match="differ by"):
        run_case("M/M/c", error=1e-3, **QUICK["M/M/c"])


def test_a_kernel_that_ignores_priorities_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    original = PriorityPool.take
    monkeypatch.setattr(
        PriorityPool, "take", lambda self, entity, amount=1, rank=0.0: original(self, entity, amount, 0.0)
    )
    with pytest.raises(ValueError, match="differ by"):
        run_case("priority", error=1e-3, **QUICK["priority"])


def test_intervals_and_verdicts_hold() -> None:
    checks = interval_checks()
    assert [c.name for c in checks] == ["binomial_5", "binomial_20", "binomial_100", "t_interval", "stopping"]
    assert all(c.passed for c in checks), checks


def test_the_page_is_written_and_the_same_for_any_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tuple(
        c for c in CASES if c.family in ("Erlang B", "hand trace", "Poisson reach") and c.parameters.get("c") != 100
    )
    monkeypatch.setattr(reference_suite, "CASES", few)
    pages = []
    for lang in ("en", "en", "zh"):
        with pytest.raises(SystemExit) as done:
            main(["validate", "--workers", "1", "--out", str(tmp_path / "page.md"), "--lang", lang])
        assert done.value.code == 0
        pages.append((tmp_path / "page.md").read_bytes())
    assert pages[0] == pages[1] != pages[2]
    page = pages[0].decode()
    assert "FAIL" not in page
    assert page.count("| pass |") == 3 + 2 + 3 + 5
    assert "Everything agrees" in capsys.readouterr().out
    broken: Any = (reference_suite.Case("hand trace", few[3].parameters, {"mean wait": 3.6}),)
    monkeypatch.setattr(reference_suite, "CASES", broken)
    with pytest.raises(SystemExit) as done:
        main(["validate", "--workers", "1", "--out", str(tmp_path / "page.md"), "--lang", "en"])
    assert done.value.code == 4
    assert "FAIL" in (tmp_path / "page.md").read_text("utf-8")


NEAR = {
    "M/M/c": {"c": 2, "arrival": 1.9999, "service": 1.0},
    "M/D/1": {"rho": 0.999, "within": 2.0},
    "bulk arrivals": {"batch": 3, "arrival": 0.3332, "service": 1.0},
    "open network": {"gamma": (0.9999,), "servers": (1,), "service": (1.0,), "routing": ((0.0,),)},
    "closed network": {"customers": 900, "servers": (1, 1), "service": (1.0, 2.0), "routing": ((0.0, 1.0), (1.0, 0.0))},
    "priority": {"arrivals": (0.5, 0.4999), "service": 1.0},
    "partial batches": {"b": 2, "arrival": 1.9999, "service": 1.0},
}


@pytest.mark.parametrize("family", sorted(NEAR))
def test_what_forgets_too_slowly_to_be_simulated_is_refused_in_a_sentence(family: str) -> None:
    """Not a hang: before anything is drawn."""
    with pytest.raises(RefusedError, match="forgets its empty beginning only after") as refused:
        run_case(family, **NEAR[family])
    assert "离饱和太近" in refused.value.zh


def test_a_mean_wait_that_next_to_nobody_has_is_refused_in_a_sentence() -> None:
    """40 servers at a load of 0.3: somebody waits once in a billion. A mean of zeros is no estimate of it."""
    with pytest.raises(RefusedError, match="too rare to be simulated") as refused:
        run_case("M/M/c", c=40, arrival=12.0, service=1.0)
    assert "太稀少" in refused.value.zh


RARE = {
    "M/M/c": {"c": 10, "arrival": 5.0, "service": 1.0},
    "M/M/c/K": {"c": 5, "room": 10, "arrival": 1.5, "service": 1.0},
    "machine repair": {"machines": 3, "repairers": 3, "failure": 0.1, "repair": 1.0},
}


@pytest.mark.parametrize("family", sorted(RARE))
def test_where_next_to_nobody_waits_the_mean_follows_from_the_balance_of_levels(family: str) -> None:
    """One in thirty or fewer wait (with a repairer per machine nobody): answered all the same, to a per cent."""
    answers = run_case(family, error=1e-3, **RARE[family])
    assert {"Lq"} <= {a.quantity for a in answers if a.simulated}
    for a in answers:
        assert a.passed, a
        assert not a.simulated or abs(a.paired) <= 1e-9 * max(1.0, abs(a.value)), a


def test_a_loss_that_no_lane_has_seen_does_not_make_the_throughput_certain() -> None:
    """One in a billion is turned away: every lane passes all of them on, which is not exactly what theory says."""
    answers = run_case("M/M/c/K", error=1e-3, c=3, room=30, arrival=1.0, service=1.0)
    assert all(a.passed for a in answers), answers
    assert next(a.half_width for a in answers if a.quantity == "throughput") > 0


def test_a_control_that_few_lanes_have_seen_is_not_fitted_to_them() -> None:
    """One lane of a hundred met the rare state: its control would explain that lane away and leave a mean of zero."""
    figures, controls = np.zeros((100, 1)), np.zeros((100, 1))
    figures[7], controls[7] = 5.0, 1.0
    mean, half = controlled_mean(figures, controls, 0.05)
    assert mean == pytest.approx(0.05)
    assert half > 0.05


def test_the_page_is_also_one_for_the_browser(tmp_path: Path) -> None:
    trace = reference_suite.Case("hand trace", QUICK["hand trace"], {"mean wait": 1.0})
    found = [run_case("hand trace", **QUICK["hand trace"])]
    checks = [reference_suite.Check("stopping", 0.03, 0.0, 0.025)]
    for lang, failed in (("zh", "不通过"), ("en", "FAIL")):
        write_page(tmp_path / "page.html", (trace,), found, checks, lang)
        page = (tmp_path / "page.html").read_text("utf-8")
        assert page.count('<tr class="pass">') == len(found[0])
        assert page.count('<tr class="fail">') == page.count(f">{failed}<") == 1
        assert "http" not in page
