"""A VAE for tables: one likelihood for each column, combined into one distribution, so that ELBO, IWAE bound and `fit` work unchanged.

The rows come from `vaecourse.tables`, in standard units. An empty cell (NaN) is left out of the likelihood, and the encoder is told
that it is empty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, NegativeBinomial, Normal
from torch.distributions.constraints import real_vector
from torch.nn.functional import softplus

from vaecourse.arguments import layers, number, positive
from vaecourse.distributions import diagonal_normal
from vaecourse.estimators import BLOCK, defensive
from vaecourse.logspace import effective_sample_size
from vaecourse.models import VAE, LatentVariableModel, mlp
from vaecourse.tables import Column, check_rows

__all__ = [
    "FLOOR",
    "Cells",
    "CellsDecoder",
    "CellsEncoder",
    "Count",
    "TabularVAE",
    "feature_count",
    "features",
    "generate",
    "impute",
    "parameter_count",
]

FLOOR = 0.05  # the least standard deviation of a quantity, in standard units


class Cells(Distribution):
    """The cells of a row, independent given the parameters: a normal, a negative binomial or a categorical distribution for each column.

        log p(row) = sum over the observed cells of log p(cell)

    Args:
        columns: the descriptions of the D columns.
        parameters: (..., P), where P is `parameter_count(columns)`: for a quantity its mean and a raw scale, for a count the logarithm of
            its mean relative to that of the training rows and a raw concentration, for a category its logits.
        floor: added to every scale, in standard units; with 0 the likelihood has no upper limit.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> p = Cells(columns, torch.zeros(5, parameter_count(columns)))
        >>> p.batch_shape, p.event_shape, p.sample().shape
        (torch.Size([5]), torch.Size([3]), torch.Size([5, 3]))
    """

    arg_constraints: ClassVar[dict] = {}
    support = real_vector

    def __init__(self, columns: Sequence[Column], parameters: Float[Tensor, "... parameters"], floor: float = FLOOR):
        self.columns, self.dtype, widths = tuple(columns), parameters.dtype, [_width(column) for column in columns]
        self.parts = [_likelihood(c, part, floor) for c, part in zip(columns, parameters.split(widths, dim=-1))]
        super().__init__(parameters.shape[:-1], torch.Size([len(columns)]), validate_args=False)

    def cell_log_probs(self, x: Float[Tensor, "... columns"]) -> Float[Tensor, "... columns"]:
        """log p of every cell given the parameters, (..., D), in nats; 0 for an empty cell, which is no evidence."""
        empty = x.isnan()
        x = x.masked_fill(empty, 0.0)  # a value that every kind allows, because a NaN would persist in the gradient
        terms = [part.log_prob(x[..., i]) for i, part in enumerate(self.parts)]
        return torch.stack(torch.broadcast_tensors(*terms), -1).masked_fill(empty, 0.0)

    def log_prob(self, x: Float[Tensor, "... columns"]) -> Float[Tensor, "..."]:
        """The log-likelihood of the observed cells of each row, (...), in nats."""
        return self.cell_log_probs(x).sum(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Float[Tensor, "... columns"]:
        """Complete rows, (*sample_shape, ..., D)."""
        with torch.no_grad():
            return torch.stack([part.sample(sample_shape).to(self.dtype) for part in self.parts], -1)

    @property
    def mean(self) -> Float[Tensor, "... columns"]:
        """The expectation of every quantity and count, and the number of the most probable category, (..., D)."""
        means = [part.logits.argmax(-1) if isinstance(part, Categorical) else part.mean for part in self.parts]
        return torch.stack([mean.to(self.dtype) for mean in means], -1)


def parameter_count(columns: Sequence[Column]) -> int:
    """The number P of parameters that `Cells` needs for these columns.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> parameter_count(columns)
        6
    """
    return sum(_width(column) for column in columns)


class Count(NegativeBinomial):
    """A negative binomial with parameters in float64, whose log-probabilities have the dtype of the count.

    The log-probabilities are small differences of large numbers: log-gamma of 500,000 is about six million, which float32 rounds to a
    multiple of 0.5. The count itself is exact in float32 up to 2^24, well above `vaecourse.tables.LARGEST_COUNT`.

    Example:
        >>> p = Count(torch.tensor(2.0).double(), logits=torch.tensor(0.0).double())
        >>> round(p.log_prob(torch.tensor(0.0)).exp().item(), 6)  # (1/2)^2
        0.25
    """

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """log p(value), in nats."""
        return super().log_prob(value.double()).to(value.dtype)


def _width(column: Column) -> int:
    return len(column.categories) if column.kind == "category" else 2


def _likelihood(column: Column, parameters: Tensor, floor: float) -> Distribution:
    if column.kind == "category":
        return Categorical(logits=parameters, validate_args=False)
    first, second = parameters.unbind(-1)
    if column.kind == "count":
        first, second = first.double(), second.double()
        log_mean = (column.shift + first).clamp(max=15.0)
        concentration = softplus(second + 2.0) + 0.05
        return Count(concentration, logits=log_mean - concentration.log(), validate_args=False)
    return Normal(first, softplus(second + 0.55) + floor, validate_args=False)  # the scale is about 1 at the beginning


class CellsDecoder(nn.Module):
    """p(row|z): a network from K latents to the parameters of every cell (notebook 10).

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers.
        columns: the descriptions of the D columns.
        floor: the smallest standard deviation of a quantity, in standard units.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> CellsDecoder(2, (8,), columns)(torch.zeros(5, 2)).event_shape
        torch.Size([3])
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int], columns: Sequence[Column], floor: float = FLOOR):
        super().__init__()
        self.columns, self.floor = tuple(columns), floor
        self.parameters_of_cells = mlp([latent_dim, *layers(hidden), parameter_count(self.columns)])

    def forward(self, z: Float[Tensor, "... latents"]) -> Cells:
        """The distribution of a row given z (..., K): batch (...), event (D,)."""
        return Cells(self.columns, self.parameters_of_cells(z), self.floor)


class CellsEncoder(nn.Module):
    """q(z|row): a network from the features of a row to the mean and log-variance of each latent (notebook 10).

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers.
        columns: the descriptions of the D columns.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> q = CellsEncoder(2, (8,), columns)(torch.tensor([[0.3, 5.0, torch.nan]]))  # the foot is not known
        >>> q.mean.shape
        torch.Size([1, 2])
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int], columns: Sequence[Column]):
        super().__init__()
        self.columns = tuple(columns)
        self.parameters_of_q = mlp([feature_count(self.columns), *layers(hidden), 2 * latent_dim])

    def forward(self, x: Float[Tensor, "... columns"]):
        """The diagonal normal q(z|x) of rows x (..., D): batch (...), event (K,)."""
        mu, log_var = self.parameters_of_q(features(self.columns, x)).chunk(2, dim=-1)
        return diagonal_normal(mu, log_var)


def feature_count(columns: Sequence[Column]) -> int:
    """The number of features that `features` makes of a row.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> feature_count(columns)
        6
    """
    return sum(_width(column) for column in columns)  # a number and a flag, or one-hot


def features(columns: Sequence[Column], x: Float[Tensor, "... columns"]) -> Float[Tensor, "... features"]:
    """The input of the encoder's network: numbers near 0, counts as logarithms, categories one-hot; for an empty cell zeros and a flag.

    Args:
        columns: the descriptions of the D columns.
        x: rows (..., D), with NaN for empty cells.

    Returns:
        The features, (..., F), where F is `feature_count(columns)`.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> features(columns, torch.tensor([[0.5, torch.nan, 1.0]])).tolist()
        [[0.5, 0.0, 0.0, 1.0, 0.0, 1.0]]
    """
    made = []
    for column, values in zip(columns, x.unbind(-1)):
        empty = values.isnan()
        known = values.masked_fill(empty, 0.0)
        if column.kind == "category":
            hot = torch.nn.functional.one_hot(known.long(), len(column.categories)).to(x.dtype)
            made.append(hot.masked_fill(empty[..., None], 0.0))
        else:
            number = (torch.log1p(known) - column.shift) / column.scale if column.kind == "count" else known
            made.append(torch.stack([number.masked_fill(empty, 0.0), empty.to(x.dtype)], -1))
    return torch.cat(made, -1)


class TabularVAE(VAE):
    """A VAE for the rows of a table: the VAE of notebook 08 with another likelihood and another encoder (notebook 10).

    Args:
        columns: the columns of a `vaecourse.tables.Table`.
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers of the decoder; the encoder has them in reverse order.
        floor: the smallest standard deviation of a quantity, in standard units. With 0 the likelihood has no upper limit.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0, or floor is negative.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> TabularVAE(columns, latent_dim=2)
        TabularVAE(3 columns, 2 latents, 9,610 parameters: encoder 6-64-64-4 ELU, decoder 2-64-64-6 ELU)
    """

    binary = False

    def __init__(self, columns: Sequence[Column], latent_dim: int, hidden: Sequence[int] = (64, 64), floor: float = FLOOR):
        columns, hidden = tuple(columns), layers(hidden)
        positive(latent_dim=latent_dim, columns=len(columns))
        if not number("floor", floor) >= 0:
            raise ValueError(f"floor is the smallest standard deviation and must be 0 or above; got {floor}")
        decoder = CellsDecoder(latent_dim, hidden, columns, floor)
        encoder = CellsEncoder(latent_dim, hidden[::-1], columns)
        super().__init__(latent_dim, hidden, len(columns), encoder=encoder, decoder=decoder)
        self.columns = columns

    def _what_x_is(self) -> str:
        return f"{self.data_dim} columns"

    def check(self, x: Tensor) -> None:
        """Raise an error that says what to do, unless x holds rows of this table in standard units, with NaN for empty cells.

        Raises:
            TypeError, ValueError: as `LatentVariableModel.check`, or a count or the number of a category is out of range.
        """
        if isinstance(x, Tensor) and x.is_floating_point():
            super().check(x.nan_to_num(nan=0.0, posinf=math.inf, neginf=-math.inf))
        else:
            super().check(x)
        check_rows(self.columns, x)


def generate(model: LatentVariableModel, n: int) -> Float[Tensor, "n data"]:
    """Draw new rows: z from the prior, then every cell from the decoder (the recipe of equation 10.1).

    Args:
        model: a `TabularVAE`, or another model.
        n: the number of rows.

    Returns:
        Rows (n, D), in standard units.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> generate(TabularVAE(columns, latent_dim=2), n=4).shape
        torch.Size([4, 3])
    """
    (n,) = positive(n=n)
    with torch.no_grad():
        return model.decoder(model.prior.sample((n,))).sample()


def impute(
    model: TabularVAE, x: Float[Tensor, "rows columns"], n_draws: int, n_proposals: int = 500
) -> tuple[Float[Tensor, "draws rows columns"], Float[Tensor, " rows"]]:
    """Draw complete rows from p(empty cells | observed cells); the observed cells keep their values (notebook 10).

    For each row, z is proposed by the encoder and the prior in equal shares, and resampled according to the importance weights. So a
    row of which little is known is treated well, too: if all cells but one are empty, this generates rows with that cell given.

    Args:
        model: the model.
        x: rows (B, D) in standard units, with NaN for empty cells.
        n_draws: S, the number of complete rows for each row of x.
        n_proposals: the number of samples of z that are proposed for each row.

    Returns:
        The draws, (S, B, D), and the effective sample size of each row out of n_proposals, (B,).

    Raises:
        TypeError, ValueError: x, n_draws or n_proposals does not fit.

    References:
        Rubin 1987.

    Example:
        >>> columns = [Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("left", "right"))]
        >>> x = torch.tensor([[0.5, torch.nan, 1.0]])
        >>> drawn, sizes = impute(TabularVAE(columns, latent_dim=2), x, n_draws=3)
        >>> drawn.shape, drawn[:, 0, 0].tolist()
        (torch.Size([3, 1, 3]), [0.5, 0.5, 0.5])
    """
    n_draws, n_proposals = positive(n_draws=n_draws, n_proposals=n_proposals)
    model.check(x)
    drawn, sizes = [], []
    with torch.no_grad():
        for part in x.split(max(1, BLOCK // (n_proposals * feature_count(model.columns)))):  # blocks of rows bound the memory
            q = defensive(model, part)
            z = q.sample((n_proposals,))
            log_w = model.decoder(z).log_prob(part) + model.prior.log_prob(z) - q.log_prob(z)
            chosen = Categorical(logits=log_w.T, validate_args=False).sample((n_draws,))  # (draws, rows)
            drawn.append(model.decoder(z[chosen, torch.arange(len(part))]).sample())
            sizes.append(effective_sample_size(log_w, 0))
    return torch.where(x.isnan(), torch.cat(drawn, 1), x), torch.cat(sizes)
