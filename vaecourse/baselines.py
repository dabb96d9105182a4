"""Simple models of tables, with which a VAE is compared: independent columns, one Gaussian, and mixtures of Gaussians (notebook 10).

Like `TabularVAE`, they give log p(row) in standard units, with probabilities for counts and categories.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Categorical

from vaecourse.arguments import number, positive, tensors, whole
from vaecourse.logspace import log_mean_exp
from vaecourse.tables import Column, check_rows
from vaecourse.tabular import FLOOR, Cells, parameter_count

__all__ = ["GaussianTable", "independent_columns"]


def independent_columns(columns: Sequence[Column], x: Float[Tensor, "rows columns"], floor: float = FLOOR) -> Cells:
    """Fit each column on its own by maximum likelihood: the likelihood of `TabularVAE` without its z.

    Args:
        columns: the descriptions of the D columns.
        x: training rows (N, D) in standard units, with NaN for empty cells.
        floor: the smallest standard deviation of a quantity, in standard units.

    Returns:
        The fitted distribution of a row: batch (), event (D,).

    Raises:
        TypeError, ValueError: x holds no rows of these columns, or floor is negative.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("foot", "category", categories=("left", "right"))]
        >>> x = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [-1.0, 1.0], [1.0, 0.0]])
        >>> p = independent_columns(columns, x)
        >>> p.parts[1].probs.round(decimals=2).tolist()  # three of four are left-footed
        [0.75, 0.25]
    """
    _check(columns, x)
    if not number("floor", floor) >= 0:
        raise ValueError(f"floor is the smallest standard deviation and must be 0 or above; got {floor}")
    if not len(x):
        raise ValueError("x holds no row: pass at least one")
    parameters = torch.zeros(parameter_count(columns), dtype=torch.float64, requires_grad=True)
    lbfgs = torch.optim.LBFGS([parameters], max_iter=300, tolerance_grad=1e-8, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        lbfgs.zero_grad()
        loss = -Cells(columns, parameters, floor).log_prob(x.double()).mean()
        loss.backward()
        return loss

    lbfgs.step(closure)
    return Cells(columns, parameters.detach().to(x.dtype), floor)


def _check(columns: Sequence[Column], x: Tensor) -> None:
    """Raise an error unless x holds floating-point rows of these columns: parameters take its type."""
    tensors(floating=True, x=x)
    check_rows(columns, x)


class GaussianTable:
    """Frequencies for the categories, and a mixture of Gaussians over all numbers for each value of one of the categories.

    A count y enters as v = log(1 + y + u) with u uniform between 0 and 1, so that it has a density. Its probability is the integral
    of that density over u, which `log_prob` estimates by an average over draws of u. The part of the Gaussians below v = 0, where no
    count lies, is cut off, and the rest is normalised.

    Args:
        columns: the descriptions of the D columns.
        x: training rows (N, D) in standard units; those with an empty cell are left out.
        n_components: the number of Gaussians in each mixture; 1 is a single Gaussian.
        by: the name of a category, for each value of which there is a separate mixture; with None there is one mixture in all.
        seed: of the uniform draws and of scikit-learn's initialisation.

    Raises:
        TypeError, ValueError: x, n_components or seed does not fit, `by` is no category, or one of its values has too few complete rows.

    References:
        Theis et al. 2016, section 3.1.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("weight", "gaussian")]
        >>> x = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.1], [0.0, -0.1]])
        >>> GaussianTable(columns, x).log_prob(x).shape
        torch.Size([4])
    """

    def __init__(
        self, columns: Sequence[Column], x: Float[Tensor, "rows columns"], n_components: int = 1, by: str | None = None, seed: int = 0
    ):
        from sklearn.mixture import GaussianMixture

        (n_components,), seed = positive(n_components=n_components), whole("seed", seed, least=0)
        names = [column.name for column in columns]
        self.categories = [i for i, column in enumerate(columns) if column.kind == "category"]
        self.counts = [i for i, column in enumerate(columns) if column.kind == "count"]
        self.quantities = [i for i, column in enumerate(columns) if column.kind in ("gaussian", "positive")]
        if by is not None and (by not in names or names.index(by) not in self.categories):
            raise ValueError(f"by must be the name of a category; got {by!r}, the categories are {[names[i] for i in self.categories]}")
        self.by = None if by is None else names.index(by)
        self.generator = torch.Generator().manual_seed(seed)
        _check(columns, x)
        self.columns, x = tuple(columns), x[~x.isnan().any(1)]
        self.mixtures, self.tables, self.log_kept = {}, {}, {}
        for value in range(len(columns[self.by].categories) if by else 1):
            part = x[x[:, self.by] == value] if by else x
            if len(part) <= 2 * n_components:
                where = f" with {by} {columns[self.by].categories[value]!r}" if by else ""
                raise ValueError(
                    f"{len(part)} complete rows{where} are too few for {n_components} components: pass fewer components, or another `by`"
                )
            numbers = self._numbers(part)[0].double().numpy()
            if numbers.shape[1]:
                self.mixtures[value] = GaussianMixture(n_components, reg_covar=1e-3, random_state=seed, n_init=2).fit(numbers)
                possible = self.mixtures[value].sample(100_000)[0][:, len(self.quantities) :] >= 0
                self.log_kept[value] = math.log(possible.all(1).mean())
            self.tables[value] = {i: _frequencies(part[:, i], len(columns[i].categories)) for i in self.categories if i != self.by}
        self.which = _frequencies(x[:, self.by], len(columns[self.by].categories)) if by else Categorical(torch.ones(1))

    def _numbers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Quantities and smoothed counts of each row (N, M), and the log-Jacobian of the smoothing (N,)."""
        y = x[:, self.counts] + torch.rand(len(x), len(self.counts), generator=self.generator)
        return torch.cat([x[:, self.quantities], torch.log1p(y)], 1), -torch.log1p(y).sum(1)

    def log_prob(self, x: Float[Tensor, "rows columns"], n_draws: int = 200) -> Float[Tensor, " rows"]:
        """log p of complete rows (N, D), in nats and standard units, (N,).

        Args:
            x: rows without empty cells.
            n_draws: the number of draws of u, if there are counts.

        Raises:
            TypeError, ValueError: x holds no rows of these columns, a cell is empty, or n_draws is not a whole number above 0.
        """
        (n_draws,) = positive(n_draws=n_draws)
        _check(self.columns, x)
        if x.isnan().any():
            raise ValueError("GaussianTable handles complete rows only: pass x[~x.isnan().any(1)]")
        result = x.new_empty(len(x))
        value = x[:, self.by].long() if self.by is not None else torch.zeros(len(x), dtype=torch.long)
        for v, tables in self.tables.items():
            rows = torch.nonzero(value == v)[:, 0]
            if not len(rows):
                continue
            part = x[rows]
            draws = []
            for _ in range(n_draws if self.counts else 1):
                numbers, jacobian = self._numbers(part)
                known = v in self.mixtures
                score = self.mixtures[v].score_samples(numbers.double().numpy()) - self.log_kept[v] if known else np.zeros(len(part))
                draws.append(torch.from_numpy(score).to(x) + jacobian)
            log_p = log_mean_exp(torch.stack(draws), 0) + self.which.logits[v]
            for i, table in tables.items():
                log_p = log_p + table.log_prob(part[:, i].long())
            result[rows] = log_p
        return result


def _frequencies(numbers: Tensor, n: int) -> Categorical:
    """The relative frequencies of the categories. Half a row is added to each, so no category has probability 0."""
    return Categorical(torch.bincount(numbers.long(), minlength=n).float() + 0.5)
