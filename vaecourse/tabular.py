"""A VAE for tables: one likelihood a column, composed into one distribution, so that ELBO, IWAE bound and `fit` serve unchanged.

Rows come from `vaecourse.tables`, in standard units. An empty cell (NaN) drops out of the likelihood, and the encoder is told.
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

from vaecourse.arguments import positive
from vaecourse.distributions import diagonal_normal
from vaecourse.estimators import BLOCK, defensive
from vaecourse.logspace import effective_sample_size
from vaecourse.models import VAE, LatentVariableModel, mlp
from vaecourse.tables import Column

FLOOR = 0.05  # the least standard deviation of a quantity, in standard units


class Cells(Distribution):
    """The cells of a row, independent given the parameters: normal, negative binomial or categorical, column by column.

    Args:
        columns: what the D columns are.
        parameters: (..., P), what `parameter_count` says is P: for every quantity a mean and a raw scale, for every count the
            logarithm of its mean relative to the training rows' and a raw concentration, for every category its logits.
        floor: added to every scale, in standard units; with 0 the likelihood has no upper limit.
    """

    arg_constraints: ClassVar[dict] = {}
    support = real_vector

    def __init__(self, columns: Sequence[Column], parameters: Float[Tensor, "... parameters"], floor: float = FLOOR):
        self.columns, self.dtype, widths = tuple(columns), parameters.dtype, [_width(column) for column in columns]
        self.parts = [_likelihood(c, part, floor) for c, part in zip(columns, parameters.split(widths, dim=-1))]
        super().__init__(parameters.shape[:-1], torch.Size([len(columns)]), validate_args=False)

    def cell_log_probs(self, x: Float[Tensor, "... columns"]) -> Float[Tensor, "... columns"]:
        """log p of every cell given the parameters, in nats; 0 for an empty cell, which is no evidence at all."""
        empty = x.isnan()
        x = x.masked_fill(empty, 0.0)  # a value that every kind allows: a NaN would live on in the gradient
        terms = [part.log_prob(x[..., i]) for i, part in enumerate(self.parts)]
        return torch.stack(torch.broadcast_tensors(*terms), -1).masked_fill(empty, 0.0)

    def log_prob(self, x: Float[Tensor, "... columns"]) -> Float[Tensor, "..."]:
        """The log-likelihood of the observed cells of each row, in nats."""
        return self.cell_log_probs(x).sum(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Float[Tensor, "... columns"]:
        """Complete rows."""
        with torch.no_grad():
            return torch.stack([part.sample(sample_shape).to(self.dtype) for part in self.parts], -1)

    @property
    def mean(self) -> Float[Tensor, "... columns"]:
        """The expectation of every quantity and count; of a category the number of the most probable one."""
        means = [part.logits.argmax(-1) if isinstance(part, Categorical) else part.mean for part in self.parts]
        return torch.stack([mean.to(self.dtype) for mean in means], -1)


def parameter_count(columns: Sequence[Column]) -> int:
    """P, how many numbers `Cells` needs for these columns."""
    return sum(_width(column) for column in columns)


class Count(NegativeBinomial):
    """A negative binomial with parameters in float64; its log-probabilities come back in the dtype of the count.

    They are small differences of large numbers: log-gamma of 500,000 is six million, which float32 knows to the next 0.5 only.
    The count itself is exact in float32 up to 2^24, well beyond `vaecourse.tables.LARGEST_COUNT`.
    """

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """log p(value) in nats."""
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
    return Normal(first, softplus(second + 0.55) + floor, validate_args=False)  # of about 1 to begin with


class CellsDecoder(nn.Module):
    """p(row|z): a network from K latents to the parameters of every cell (notebook 10)."""

    def __init__(self, latent_dim: int, hidden: Sequence[int], columns: Sequence[Column], floor: float = FLOOR):
        super().__init__()
        self.columns, self.floor = tuple(columns), floor
        self.parameters_of_cells = mlp([latent_dim, *hidden, parameter_count(columns)])

    def forward(self, z: Float[Tensor, "... latents"]) -> Cells:
        """The distribution of a row given z: batch (...), event (D,)."""
        return Cells(self.columns, self.parameters_of_cells(z), self.floor)


class CellsEncoder(nn.Module):
    """q(z|row): a network from the features of a row to the mean and log-variance of each latent (notebook 10)."""

    def __init__(self, latent_dim: int, hidden: Sequence[int], columns: Sequence[Column]):
        super().__init__()
        self.columns = tuple(columns)
        self.parameters_of_q = mlp([feature_count(columns), *hidden, 2 * latent_dim])

    def forward(self, x: Float[Tensor, "... columns"]):
        """The diagonal normal q(z|x): batch (...), event (K,)."""
        mu, log_var = self.parameters_of_q(features(self.columns, x)).chunk(2, dim=-1)
        return diagonal_normal(mu, log_var)


def feature_count(columns: Sequence[Column]) -> int:
    """How many numbers `features` makes of a row."""
    return sum(_width(column) for column in columns)  # a number and a flag, or one-hot


def features(columns: Sequence[Column], x: Float[Tensor, "... columns"]) -> Float[Tensor, "... features"]:
    """Rows as a network likes them: numbers near 0, counts as logarithms, categories one-hot; 0 and a flag for empty cells."""
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
    """The VAE of notebook 08 with another likelihood and another encoder: for rows of a table (notebook 10).

    Args:
        columns: of a `vaecourse.tables.Table`.
        latent_dim: K.
        hidden: sizes of the decoder's hidden layers; the encoder has them in reverse.
        floor: the least standard deviation of a quantity, in standard units; 0 shows why there is one.
    """

    binary = False

    def __init__(self, columns: Sequence[Column], latent_dim: int, hidden: Sequence[int] = (64, 64), floor: float = FLOOR):
        positive(latent_dim=latent_dim, columns=len(columns), **{f"hidden[{i}]": h for i, h in enumerate(hidden)})
        if not floor >= 0:
            raise ValueError(f"floor is the least standard deviation and cannot be negative; got {floor}")
        decoder = CellsDecoder(latent_dim, hidden, columns, floor)
        encoder = CellsEncoder(latent_dim, tuple(reversed(hidden)), columns)
        super().__init__(latent_dim, hidden, len(columns), encoder=encoder, decoder=decoder)
        self.columns = tuple(columns)

    def check(self, x: Tensor) -> None:
        """Raise TypeError or ValueError unless x holds rows of this table, in standard units, with NaN for empty cells."""
        if isinstance(x, Tensor) and x.is_floating_point():
            super().check(x.nan_to_num(nan=0.0, posinf=math.inf, neginf=-math.inf))
        else:
            super().check(x)
        for column, values in zip(self.columns, x.T):
            known = values[~values.isnan()]
            most = len(column.categories) - 1 if column.kind == "category" else math.inf
            if column.kind in ("category", "count") and not ((known == known.round()) & (known >= 0) & (known <= most)).all():
                wanted = f"0 … {most}, the number of a category" if column.kind == "category" else "0, 1, 2, …, a count"
                raise ValueError(f"column {column.name!r} must hold {wanted}: see Table.encode, which makes x from a file's own words")


def generate(model: LatentVariableModel, n: int) -> Float[Tensor, "n data"]:
    """n new rows: z from the prior, then every cell from the decoder (equation 10.1's recipe)."""
    (n,) = positive(n=n)
    with torch.no_grad():
        return model.decoder(model.prior.sample((n,))).sample()


def impute(
    model: TabularVAE, x: Float[Tensor, "rows columns"], n_draws: int, n_proposals: int = 500
) -> tuple[Float[Tensor, "draws rows columns"], Float[Tensor, " rows"]]:
    """Complete rows drawn from p(empty cells | observed cells); the observed cells stay what they are (notebook 10).

    Each row's z are proposed half by the encoder and half by the prior, and resampled by their importance weights (Rubin 1987),
    so that a row of which little is known is served too: with all but one cell empty this generates on a condition.

    Returns:
        The draws, and each row's effective sample size out of n_proposals.
    """
    n_draws, n_proposals = positive(n_draws=n_draws, n_proposals=n_proposals)
    model.check(x)
    drawn, sizes = [], []
    with torch.no_grad():
        for part in x.split(max(1, BLOCK // (n_proposals * feature_count(model.columns)))):  # a block of rows at a time bounds the memory
            q = defensive(model, part)
            z = q.sample((n_proposals,))
            log_w = model.decoder(z).log_prob(part) + model.prior.log_prob(z) - q.log_prob(z)
            chosen = Categorical(logits=log_w.T, validate_args=False).sample((n_draws,))  # (draws, rows)
            drawn.append(model.decoder(z[chosen, torch.arange(len(part))]).sample())
            sizes.append(effective_sample_size(log_w, 0))
    return torch.where(x.isnan(), torch.cat(drawn, 1), x), torch.cat(sizes)
