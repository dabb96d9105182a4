"""The shipped rows against values obtained in other ways: quadrature over the prior, refined q, fresh samples."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import torch

from vaecourse import data, diagnostics, estimators, oracles, scoreboard, variants
from vaecourse.data import load_digits, shipped
from vaecourse.distributions import diagonal_normal, log_prob_pairs
from vaecourse.models import pretrained

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return scoreboard.the_digit(load_digits("strokes"))


@pytest.fixture(scope="module")
def model():
    return pretrained("strokes")


@pytest.fixture(scope="module")
def rows() -> dict[str, scoreboard.Row]:
    return {row.label[:2]: row for row in reversed(scoreboard.earlier("99", "strokes"))}


@pytest.fixture(scope="module")
def on_a_lattice(model, x) -> tuple[torch.Tensor, torch.Tensor]:
    """log p(x|z) at the nodes of a fine lattice, and the prior's share of each node."""
    z = oracles.lattice(2, 0.02, radius=6.0).float()
    with torch.no_grad():
        log_px_given_z = torch.cat([log_prob_pairs(model.decoder(part), x)[:, 0] for part in z.split(4096)]).double()
    prior = model.prior.log_prob(z).double().exp()
    return log_px_given_z, prior / prior.sum()


def test_the_digit_is_the_first_eight_of_the_test_split(x: torch.Tensor) -> None:
    digits = load_digits("strokes")
    first = digits.test.labels.tolist().index(8)
    assert torch.equal(x[0], digits.test.x[first])


def test_the_exact_value_of_the_shipped_decoder(rows, on_a_lattice) -> None:
    log_px_given_z, prior = on_a_lattice
    exact = (log_px_given_z + prior.log()).logsumexp(0).item()
    for number in ("02", "03", "04", "05", "06", "07"):
        assert rows[number].exact == pytest.approx(exact, abs=0.02), number


def test_a_mixture_of_ten_is_its_own_exact_value(rows, x: torch.Tensor) -> None:
    digits = load_digits("strokes")
    assert rows["01"].estimate == rows["01"].exact
    images, labels = digits.train.x[:10_000].double(), digits.train.labels[:10_000]
    terms = []
    for label in range(10):
        chosen = images[labels == label]
        ink = (chosen.sum(0) + 1) / (len(chosen) + 2)
        share = (len(chosen) + 2) / (len(images) + 20)
        terms.append(math.log(share) + torch.where(x[0] == 1, ink, 1 - ink).log().sum().item())
    assert rows["01"].exact == pytest.approx(torch.tensor(terms, dtype=torch.float64).logsumexp(0).item(), abs=0.01)


def test_one_z_from_the_prior(rows, on_a_lattice) -> None:
    log_px_given_z, prior = on_a_lattice
    mean = (prior * log_px_given_z).sum()
    spread = (prior * (log_px_given_z - mean) ** 2).sum().sqrt().item()
    assert rows["02"].estimate == pytest.approx(mean.item(), abs=4 * spread / 50**0.5)
    assert rows["02"].error == pytest.approx(spread, rel=0.5)


def test_the_prior_as_proposal(rows, model, x: torch.Tensor) -> None:
    assert rows["03"].estimate == -math.inf
    torch.manual_seed(1)
    again = torch.cat([estimators.importance_estimate(model, x, 1000, model.prior) for _ in range(200)])
    assert rows["04"].estimate == pytest.approx(again.mean().item(), abs=4 * again.std().item() / 50**0.5)
    assert rows["04"].error == pytest.approx(again.std().item(), rel=0.5)


def test_a_fitted_proposal_and_the_bounds(rows, model, x: torch.Tensor) -> None:
    around = oracles.posterior_grid(model, x, n=300, extent=5.0)
    mu = around.probs @ around.z
    start = diagonal_normal(mu, (around.probs @ around.z.square() - mu.square()).log())
    best = diagnostics.exact_elbo(model, x, diagnostics.refine(model, x, [start])).item()
    assert abs(rows["05"].estimate - rows["05"].exact) < max(0.05, 4 * rows["05"].error)
    assert best - 0.5 < rows["06"].estimate < best + 0.02  # 300 steps of noisy descent come that close
    assert rows["07"].estimate <= best + 4 * rows["07"].error
    assert rows["07"].estimate > best - 5


@pytest.mark.parametrize("name", ["strokes", "mnist"])
def test_the_vae_of_notebook_08(name: str) -> None:
    bound, defended = [row for row in scoreboard.earlier("99", name) if row.label.startswith("08")]
    assert bound.exact == defended.exact
    assert bound.estimate - 4 * bound.error < bound.exact
    assert defended.estimate == pytest.approx(defended.exact, abs=4 * defended.error + 0.02)


@pytest.mark.parametrize("name", ["strokes", "mnist"])
def test_the_file_holds_the_rows_that_the_notebooks_add(name: str) -> None:
    added = []
    for path in sorted(NOTEBOOKS.glob("0[1-8]_*.ipynb")):
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if "scoreboard.Row(" in cell.source]
        added += re.findall(rf'"({path.name[:2]} [^"]+)"', "\n".join(sources))
    assert sorted(row.label for row in scoreboard.earlier("99", name)) == sorted(added)


def test_earlier_rows_are_those_before_the_notebook() -> None:
    assert scoreboard.earlier("01", "strokes") == []
    assert {row.label[:2] for row in scoreboard.earlier("05", "strokes")} == {"01", "02", "03", "04"}
    assert scoreboard.earlier("05", "static-mnist") == scoreboard.earlier("05", "mnist")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda: scoreboard.earlier("5", "strokes"),
            "notebook must be the number of a notebook in two digits, such as '05' or '09b'; got '5'",
        ),
        (lambda: scoreboard.earlier("05", "foo"), "unknown data set 'foo'; expected one of strokes, mnist, static-mnist"),
        (lambda: variants.longer_runs("foo"), "unknown data set 'foo'"),
    ],
)
def test_an_unknown_notebook_or_data_set_has_no_rows(ask: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ask()


@pytest.mark.parametrize(
    ("labels", "words"), [(None, "'static-mnist' has no labels, .*load_digits"), (torch.tensor([3, 1]), "'static-mnist' holds no 8: pass")]
)
def test_without_an_eight_there_is_no_digit(labels: torch.Tensor | None, words: str) -> None:
    split = data.Split(torch.ones(2, 784), torch.ones(2, 784, dtype=torch.uint8), 1, labels, None)
    with pytest.raises(ValueError, match=words):
        scoreboard.the_digit(data.Digits("static-mnist", split, split, split))


def test_stored_rows_come_back_and_leave_the_other_digits_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "scoreboard.csv"
    copy.write_bytes(shipped("scoreboard.csv").read_bytes())
    monkeypatch.setattr(data, "shipped", lambda name: copy)
    before = scoreboard.earlier("99", "strokes")
    new = [scoreboard.Row("01 a, with a comma", "exact", -1.234, 0.0, -1.5), scoreboard.Row("03 none", "naive", -math.inf, 0.0, -1.5)]
    scoreboard.store("mnist", new)
    assert scoreboard.earlier("99", "mnist") == [new[0]._replace(estimate=-1.23), new[1]]
    assert scoreboard.earlier("99", "strokes") == before
    assert scoreboard.earlier("02", "mnist") == [new[0]._replace(estimate=-1.23)]
    assert not list(tmp_path.glob("*.part"))


def test_rows_are_found_among_the_variables_of_a_notebook() -> None:
    one, two, other = (scoreboard.Row(label, "exact", 0.0, 0.0, 0.0) for label in ("05 one", "05 two", "04 other"))
    assert scoreboard.rows_in({"rows": [other, one, two], "mine": two, "x": 3, "names": ["a"]}, "05") == [one, two]
