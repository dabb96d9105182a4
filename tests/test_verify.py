"""The check of numbered equations: what passes, what fails, and what it says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vaecourse.regression.compare import compare
from vaecourse.verify import VerificationError, claim, verify

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1.0, 1.0 + 5e-7),
        (2, 2),
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])),
        (torch.ones(3, 2), 1),
        (torch.ones(3, 1), torch.ones(2)),
        (np.array([1.0, 2.0]), torch.tensor([1.0, 2.0], dtype=torch.float64)),
        (torch.tensor([-INF, INF, 0.0]), torch.tensor([-INF, INF, 0.0])),
        (torch.tensor(1.0, requires_grad=True), 1.0),
    ],
)
def test_equal_sides_pass(left: Any, right: Any) -> None:
    verify("1.1", left, "=", right)
    verify("1.1", right, "=", left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1.0, 1.0 + 2e-6),
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1])),
        (torch.ones(3, 2), 2),
        (NAN, 1.0),
        (NAN, NAN),
        (torch.tensor([1.0, NAN]), 1.0),
        (INF, -INF),
        (INF, 1e300),
        (-INF, 0.0),
    ],
)
def test_different_sides_fail_whichever_stands_left(left: Any, right: Any) -> None:
    for a, b in ((left, right), (right, left)):
        with pytest.raises(VerificationError, match=r"\(1\.2\) does not hold: left = right fails"):
            verify("1.2", a, "=", b)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1.0, 2.0), (1.0, 1.0), (1.0 + 5e-7, 1.0), (torch.tensor([0.0, 1.0]), 1.0), (-INF, 0.0), (1.0, INF), (INF, INF), (-INF, -INF)],
)
def test_a_left_side_that_is_not_larger_passes(left: Any, right: Any) -> None:
    verify("1.3", left, "<=", right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(2.0, 1.0), (1.0 + 2e-6, 1.0), (torch.tensor([0.0, 1.5]), 1.0), (NAN, 1.0), (1.0, NAN), (INF, 1.0), (0.0, -INF), (INF, -INF)],
)
def test_a_left_side_that_is_larger_fails(left: Any, right: Any) -> None:
    with pytest.raises(VerificationError, match=r"\(1\.4\) does not hold: left <= right fails"):
        verify("1.4", left, "<=", right)


def test_the_accepted_difference_can_be_chosen() -> None:
    verify("1.5", 1.0, "=", 1.4, atol=0.5)
    verify("1.5", 1.4, "<=", 1.0, atol=0.5)
    for relation, left, right in (("=", 1.0, 1.6), ("<=", 1.6, 1.0)):
        with pytest.raises(VerificationError, match=r"accepted difference 0\.5"):
            verify("1.5", left, relation, right, atol=0.5)


def test_the_difference_is_taken_in_float64() -> None:
    left = torch.tensor([1.0], dtype=torch.float64)
    with pytest.raises(VerificationError):
        verify("1.6", left, "=", left + 1e-9, atol=1e-12)


def test_a_failure_shows_both_sides_of_the_worst_entry() -> None:
    left, right = torch.tensor([1.0, 2.0, 7.25, 4.0]), torch.tensor([1.0, 2.5, 3.5, 4.0])
    with pytest.raises(VerificationError, match=r"fails for 2 of 4 entries; worst: left 7\.25, right 3\.5, accepted difference 1e-06"):
        verify("6.2", left, "=", right)
    with pytest.raises(VerificationError, match=r"fails for 1 of 4 entries; worst: left 7\.25, right 3\.5"):
        verify("6.2", left, "<=", right)
    with pytest.raises(VerificationError, match=r"fails for 2 of 3 entries; worst: left nan, right 0"):
        verify("6.2", torch.tensor([0.0, 9.0, NAN]), "=", 0.0)


def test_a_failure_is_an_assertion_error() -> None:
    assert issubclass(VerificationError, AssertionError)


# ---------------------------------------------------------------- statistical


def estimates(n: int, *shape: int, mean: float = 3.0, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(mean, 2.0, (n, *shape)))


def holds(*arguments: Any, **settings: Any) -> bool:
    try:
        verify("3.1", *arguments, **settings)
    except VerificationError:
        return False
    return True


def test_unbiased_estimates_pass_in_the_share_of_cases_that_the_normal_law_says() -> None:
    assert all(holds(estimates(100, seed=seed), "~", 3.0) for seed in range(200))
    passed, n = sum(holds(estimates(100, seed=seed), "~", 3.0, sigmas=1.0) for seed in range(400)), 400
    share = 0.6797  # of Student's t with 99 degrees of freedom within 1
    assert abs(passed / n - share) < 4 * math.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize("n", [10, 100, 10_000])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_value_eight_standard_errors_away_fails(n: int, side: int) -> None:
    draws = estimates(n)
    error = draws.std(0) / math.sqrt(n)
    with pytest.raises(VerificationError, match=r"lies 8\.0 standard errors away \(accepted: 4\)"):
        verify("3.2", draws, "~", draws.mean(0) + side * 8 * error)
    verify("3.2", draws, "~", draws.mean(0) + side * 3.9 * error)


def test_one_wrong_entry_among_many_fails() -> None:
    draws = estimates(400, 3, 2)
    verify("3.3", draws, "~", 3.0)
    expected = torch.full((3, 2), 3.0)
    expected[1, 1] = 4.0
    with pytest.raises(VerificationError, match=r"\(3\.3\) does not hold: the mean of 400 estimates is .* and 4 lies"):
        verify("3.3", draws, "~", expected)


def test_a_statistical_failure_shows_mean_standard_error_and_value() -> None:
    draws = torch.tensor([1.0, 3.0] * 50)
    error = draws.double().std().item() / 10
    with pytest.raises(
        VerificationError, match=rf"the mean of 100 estimates is 2 with standard error {error:.3g}, and 3\.5 lies {1.5 / error:.1f} "
    ):
        verify("3.4", draws, "~", 3.5)


@pytest.mark.parametrize("spoiled", [NAN, INF])
def test_an_estimate_that_is_not_a_number_fails(spoiled: float) -> None:
    draws = estimates(100)
    draws[7] = spoiled
    with pytest.raises(VerificationError):
        verify("3.5", draws, "~", 3.0)
    with pytest.raises(VerificationError):
        verify("3.5", estimates(100), "~", spoiled)


def test_estimates_without_variance_fail_unless_they_are_the_value() -> None:
    with pytest.raises(VerificationError):
        verify("3.6", torch.full((20,), 2.0), "~", 3.0)
    verify("3.6", torch.full((20,), 2.0), "~", 2.0)


@pytest.mark.parametrize("left", [3.0, torch.ones(9), torch.ones(0, 5)])
def test_a_statistical_check_needs_ten_estimates(left: Any) -> None:
    with pytest.raises(ValueError, match="'~' needs at least 10 independent estimates along the first axis; got"):
        verify("3.7", left, "~", 1.0)


# ---------------------------------------------------------------- the printed line


def test_one_line_is_printed_that_is_the_same_whatever_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for value in (1.2345, 77.125):
        verify("2.1", value, "=", value + 1e-9)
        verify("2.2", torch.full((2_000,), value), "=", value, atol=0.5)
        verify("2.3", value - 1, "<=", value)
        verify("2.4", torch.full((3,), value - 1), "<=", value)
        verify("2.5", estimates(1_000, mean=value), "~", value)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert printed[0].splitlines() == [
        "✓ (2.1)  left = right, within 1e-06",
        "✓ (2.2)  left = right in all 2,000 entries, within 0.5",
        "✓ (2.3)  left ≤ right",
        "✓ (2.4)  left ≤ right in all 3 entries",
        "✓ (2.5)  the mean of 1,000 estimates lies within 4 standard errors",
    ]


def test_nothing_is_printed_where_the_equation_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert not holds(1.0, "=", 2.0)
    assert not holds(2.0, "<=", 1.0)
    assert not holds(estimates(100), "~", 9.0)
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("relation", ["==", "<", ">=", "", "≈"])
def test_an_unknown_relation_is_refused(relation: str) -> None:
    with pytest.raises(ValueError, match="unknown relation .*expected '=', '<=' or '~'"):
        verify("1.1", 1.0, relation, 1.0)


@pytest.mark.parametrize("relation", ["=", "<="])
def test_shapes_that_do_not_fit_are_refused(relation: str) -> None:
    with pytest.raises(ValueError, match=r"\(1\.1\) the two sides have shapes \(3,\) and \(2,\), which do not match"):
        verify("1.1", torch.ones(3), relation, torch.ones(2))


def test_shapes_that_do_not_fit_are_refused_in_a_statistical_check() -> None:
    with pytest.raises(ValueError, match=r"\(1\.1\).*shapes.*do not match"):
        verify("1.1", estimates(20, 3), "~", torch.ones(2))


@pytest.mark.parametrize(("relation", "left"), [("=", torch.ones(0)), ("<=", torch.ones(0)), ("~", torch.ones(20, 0))])
def test_nothing_to_compare_is_refused(relation: str, left: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        verify("1.1", left, relation, 1.0)


# ---------------------------------------------------------------- claims


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("the bound is {:.1f} nats too low", torch.tensor(4.12), ">", 0.5), "✓ the bound is 4.1 nats too low  (claimed: > 0.5)"),
        (("each step gains {:.1f} nats", [3.12, 2.2], ">", 0), "✓ each step gains 3.1, 2.2 nats  (claimed: each > 0)"),
        (("{:.0%} are covered", 0.914, "between", (0.84, 0.96)), "✓ 91% are covered  (claimed: between 84% and 96%)"),
        (("{} of 10 units are active", torch.tensor(0), "=", 0), "✓ 0 of 10 units are active  (claimed: = 0)"),
        (("{:,} draws", 12_345, ">=", 10_000), "✓ 12,345 draws  (claimed: >= 10,000)"),
        (("a rounding of {:.0e}", 1e-12, "<", 1e-10), "✓ a rounding of 1e-12  (claimed: < 1e-10)"),
        (("ELBO {:.1f}", -133.21, ">", -143.2134), "✓ ELBO -133.2  (claimed: > -143.2)"),
        (("KL between {:.1f} nats", torch.arange(7.0), "<=", 6), "✓ KL between 0.0 to 6.0 nats  (claimed: each <= 6)"),
        (("{:.0%} are covered", 0.7, ">", 0.642586), "✓ 70% are covered  (claimed: > 64%)"),
        (("{:.0f} nats", 3.2, ">", 0.00123456), "✓ 3 nats  (claimed: > 0.00123)"),
        (("it is {:.1f}", -INF, "<", 0), "✓ it is -inf  (claimed: < 0)"),
    ],
)
def test_a_claim_prints_its_number_and_its_limit(arguments: tuple, line: str, capsys: pytest.CaptureFixture) -> None:
    claim(*arguments)
    assert capsys.readouterr().out == line + "\n"


def test_an_error_bar_stands_behind_the_number_where_the_comparison_looks_for_it(capsys: pytest.CaptureFixture) -> None:
    claim("it gains {:.1f} nats", 4.1, ">", 0, error=0.26)
    printed = capsys.readouterr().out
    assert printed == "✓ it gains 4.1 ± 0.3 nats  (claimed: > 0)\n"
    assert compare(printed, printed.replace("4.1", "4.4")) == []
    assert compare(printed, printed.replace("4.1", "4.5")) != []


@pytest.mark.parametrize(
    ("value", "relation", "limit"),
    [
        (0.5, ">", 0.5),
        (0.4, ">=", 0.5),
        (0.5, "<", 0.5),
        (0.6, "<=", 0.5),
        (3, "=", 4),
        (0.5, "between", (0.6, 0.9)),
        (1.0, "between", (0.6, 0.9)),
        ([1.0, 2.0, -1.0], ">", 0),
        (torch.tensor([[1.0, 2.0], [3.0, NAN]]), ">", 0),
        (NAN, ">", 0),
        (NAN, "<", 0),
        (NAN, "=", NAN),
        (1.0, ">", NAN),
        (-INF, ">", 0),
    ],
)
def test_a_claim_that_does_not_hold_raises(value: Any, relation: str, limit: Any) -> None:
    with pytest.raises(VerificationError, match="does not hold"):
        claim("the value is {:.2f}", value, relation, limit)


@pytest.mark.parametrize(
    ("value", "relation", "limit"),
    [
        (0.5, ">=", 0.5),
        (0.5, "<=", 0.5),
        (0.6, "between", (0.6, 0.9)),
        (np.int64(3), "=", 3),
        (np.array([1.0, 2.0]), ">", 0),
        (INF, ">", 0),
    ],
)
def test_a_claim_that_holds_at_its_limit_passes(value: Any, relation: str, limit: Any) -> None:
    claim("the value is {:.2f}", value, relation, limit)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("no number", 1.0, ">", 0), ValueError, "one placeholder"),
        (("{:.1f} and {:.1f}", 1.0, ">", 0), ValueError, "this one has 2"),
        (("{:.1f}", 1.0, "above", 0), ValueError, "unknown relation 'above'"),
        (("{:.1f}", 1.0, "between", 0), ValueError, "needs two limits; got 1"),
        (("{:.1f}", 1.0, ">", (0, 1)), ValueError, "needs one limit; got 2"),
        (("{:.1f}", [], ">", 0), ValueError, "empty"),
        (("{}", True, "=", True), TypeError, "not True or False"),
        (("{}", torch.tensor([True]), ">", 0), TypeError, "not True or False"),
        (("{:.1f}", [1 + 1j], ">", 0), TypeError, "must be a real number"),
    ],
)
def test_a_claim_without_a_number_is_refused(arguments: tuple, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        claim(*arguments)


def recorded(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_was_checked_is_recorded_with_the_room_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_RECORD", str(tmp_path / "record"))
    claim("it gains {:.1f} nats", 103.3, ">", 0.5)
    claim("{:.0%} are covered", 0.9, "between", (0.84, 0.96))
    verify("6.2", torch.tensor([1.0, 2.0]), "=", torch.tensor([1.0, 2.25]), atol=0.5)
    verify("6.3", 1.0, "<=", 3.0, atol=0.0)
    verify("6.4", torch.tensor([[2.0], [4.0]] * 50), "~", 3.1)
    rows = recorded(tmp_path / "record")
    assert [(r["kind"], r["label"], r["holds"]) for r in rows] == [
        ("claim", "it gains {:.1f} nats", True),
        ("claim", "{:.0%} are covered", True),
        ("equation", "6.2", True),
        ("equation", "6.3", True),
        ("equation", "6.4", True),
    ]
    z = 0.1 / math.sqrt(100 / 99 / 100)  # a hundred estimates of variance 100 / 99
    assert [r["room"] for r in rows] == pytest.approx([102.8, 0.06, 0.25, 2.0, 4 - z])


def test_while_it_is_recorded_a_failure_is_noted_and_the_notebook_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("VAECOURSE_RECORD", str(tmp_path / "record"))
    claim("it gains {:.1f} nats", 0.2, ">", 0.5)
    verify("6.2", 1.0, "=", 2.0)
    verify("6.3", NAN, "=", 2.0)
    assert [(r["holds"], r["room"]) for r in recorded(tmp_path / "record")[:2]] == [(False, -0.3), (False, pytest.approx(-1 + 1e-6))]
    assert recorded(tmp_path / "record")[2]["holds"] is False
    assert [line[:2] for line in capsys.readouterr().out.splitlines()] == ["✗ "] * 3


def test_an_error_bar_has_no_sign(capsys: pytest.CaptureFixture) -> None:
    claim("it changes by {:+.1f} nats", 4.1, ">", 0, error=0.26)
    assert capsys.readouterr().out == "✓ it changes by +4.1 ± 0.3 nats  (claimed: > 0)\n"


def test_infinity_may_be_claimed_in_any_format(capsys: pytest.CaptureFixture) -> None:
    claim("{:,}", INF, ">", 0)
    claim("{:.1f}", INF, "=", INF)
    assert capsys.readouterr().out == "✓ inf  (claimed: > 0)\n✓ inf  (claimed: = inf)\n"


@pytest.mark.parametrize("side", [1 + 1j, np.complex64(1 + 1j), np.array([1 + 1j]), torch.tensor([1 + 1j])])
def test_complex_sides_are_refused_instead_of_compared_by_their_real_parts(side: Any) -> None:
    for sides in ((side, 1.0), (1.0, side)):
        with pytest.raises(TypeError, match="the sides must be real numbers"):
            verify("1.1", sides[0], "=", sides[1])
