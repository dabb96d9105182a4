"""Latent variable models: a prior p(z), a decoder p(x|z) and, for the VAE, an encoder q(z|x).

All three are torch distributions, so that an estimator needs to know nothing else about a model. Every model has
`.prior`, `.decoder(z)` and `.check(x)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, MultivariateNormal, Normal
from torch.nn.functional import one_hot

from vaecourse.arguments import positive, whole
from vaecourse.data import RESTORE, DataUnavailable, digits_of, shipped
from vaecourse.distributions import bernoulli, diagonal_normal, divergence, log_prob_pairs, normal_mixture, standard_normal
from vaecourse.files import read_tensors


def _layers(hidden: Sequence[int]) -> tuple[int, ...]:
    """The sizes of hidden layers, checked. Raises TypeError or ValueError."""
    try:
        sizes = {f"hidden[{i}]": size for i, size in enumerate(hidden)}
    except TypeError as error:
        raise TypeError(f"hidden must be a sequence of sizes, such as (128, 128) or (400,); got {hidden!r}") from error
    return positive(**sizes)


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with an ELU after each but the last."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ELU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class Decoder(nn.Module):
    """p(x|z): a network from K latents through `hidden` to one logit a pixel (notebook 02)."""

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), data_dim: int = 784):
        latent_dim, data_dim = positive(latent_dim=latent_dim, data_dim=data_dim)
        super().__init__()
        self.logits = mlp([latent_dim, *_layers(hidden), data_dim])

    def forward(self, z: Float[Tensor, "... latents"]) -> Independent:
        """The distribution of an image given z: batch (...), event (D,)."""
        return bernoulli(self.logits(z))


class Encoder(nn.Module):
    """q(z|x): a network from the pixels through `hidden` to the mean and log-variance of each latent (notebook 08)."""

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), data_dim: int = 784):
        latent_dim, data_dim = positive(latent_dim=latent_dim, data_dim=data_dim)
        super().__init__()
        self.parameters_of_q = mlp([data_dim, *_layers(hidden), 2 * latent_dim])

    def forward(self, x: Float[Tensor, "... pixels"]) -> Independent:
        """The diagonal normal q(z|x): batch (...), event (K,)."""
        mu, log_var = self.parameters_of_q(x).chunk(2, dim=-1)
        return diagonal_normal(mu, log_var)


class LatentVariableModel(nn.Module):
    """z ~ N(0, I), x ~ decoder(z): the whole model, as long as nobody asks where z might be for a given x (notebook 02).

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers.
        data_dim: D, the number of pixels.
        decoder: p(x|z), called with z; by default a `Decoder` of these sizes.
    """

    binary = True
    _known: tuple[Tensor, int] | None = None  # rows of images that were checked before, and their version: `fit` says so of a batch

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), data_dim: int = 784, *, decoder: nn.Module | None = None):
        super().__init__()
        self.latent_dim, self.data_dim = positive(latent_dim=latent_dim, data_dim=data_dim)
        self.decoder = Decoder(latent_dim, hidden, data_dim) if decoder is None else decoder

    @property
    def prior(self) -> Distribution:
        """p(z) = N(0, I): batch (), event (K,)."""
        return standard_normal(self.latent_dim, like=next(self.parameters()))

    def check(self, x: Tensor) -> None:
        """Raise TypeError or ValueError, saying what to do, unless x is a batch of images this model can explain."""
        if self._known is not None and x is self._known[0] and x._version == self._known[1]:
            return  # not changed in place since
        if not isinstance(x, Tensor):
            raise TypeError(
                f"x must be a torch tensor of shape (B, {self.data_dim}); got {type(x).__name__}: convert it with torch.as_tensor"
            )
        if not x.is_floating_point():
            raise TypeError(f"x must be floating point; got {x.dtype}: convert it with x.float()")
        dtype = next(self.parameters()).dtype
        if x.dtype != dtype:
            raise TypeError(
                f"x is {x.dtype} and the model's weights are {dtype}: convert one of them, x.to({dtype}) or model.to({x.dtype})"
            )
        if x.ndim != 2 or x.shape[1] != self.data_dim:
            raise ValueError(
                f"x must have shape (B, {self.data_dim}), one image a row; got {tuple(x.shape)}: see x.reshape(-1, {self.data_dim})"
            )
        if len(x) == 0:
            raise ValueError(f"x holds no image (shape {tuple(x.shape)}): give at least one row")
        # 0 and 1 alone are their own squares, exactly. In parts: a cache holds them.
        if self.binary and all(part.square().sub_(part).abs_().max() == 0 for part in x.detach().split(1024)):
            return
        if not torch.isfinite(x).all():
            raise ValueError("x holds NaN or infinity: find such rows with torch.isfinite(x).all(1), and mend or drop them")
        if self.binary:
            stray = x[(x != 0) & (x != 1)][0].item()
            raise ValueError(f"x must hold 0s and 1s; found {stray:.4g}: binarise first, see vaecourse.data.binarize")


class VAE(LatentVariableModel):
    """A latent variable model with an encoder that proposes z for every image (Kingma and Welling 2014; notebook 08).

    Args:
        prior: called with the model, it returns p(z), of batch () and event (K,), for instance a `MixturePrior`; by
            default N(0, I), with nothing to learn (notebook 11).
        encoder: called with x, it returns q(z|x), of batch (B,) and event (K,); by default an `Encoder`.
        decoder: called with z, it returns p(x|z), of the batch of z and event (D,); by default a `Decoder`. A piece
            that is given takes the place of the network that `hidden` describes.
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: Sequence[int] = (128, 128),
        data_dim: int = 784,
        *,
        prior: nn.Module | None = None,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ):
        if decoder is None or encoder is None:
            hidden = _layers(hidden)
        super().__init__(latent_dim, hidden, data_dim, decoder=decoder)
        self.encoder = Encoder(latent_dim, tuple(reversed(hidden)), data_dim) if encoder is None else encoder
        self.learned_prior = prior
        if tuple(self.prior.event_shape) != (latent_dim,):
            raise ValueError(f"the model has {latent_dim} latents, and its prior is over {tuple(self.prior.event_shape)}: make them agree")

    @property
    def prior(self) -> Distribution:
        """p(z), learned or N(0, I): batch (), event (K,)."""
        return super().prior if self.learned_prior is None else self.learned_prior(self)

    def terms(self, x: Float[Tensor, "batch pixels"]) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """log p(x|z) at one z drawn from q(z|x), and the divergence of q(z|x) from the prior: two numbers an image, in nats.

        Their difference is an unbiased estimate of the ELBO (notebook 06, equation 6.8). The divergence is the closed
        form where q and the prior are diagonal normals, otherwise log q(z|x) - log p(z) at the same z.
        """
        self.check(x)
        q = self.encoder(x)
        z = q.rsample()
        return self.decoder(z).log_prob(x), divergence(q, self.prior, z)

    def loss(self, x: Float[Tensor, "batch pixels"]) -> Float[Tensor, ""]:
        """Minus the ELBO with one sample of z an image, averaged over images, in nats (notebook 08, equation 8.2)."""
        log_px_given_z, kl = self.terms(x)
        return (kl - log_px_given_z).mean()


class MixturePrior(nn.Module):
    """p(z) = sum_c w_c N(z; loc_c, diag(scale_c^2)), with weights, means and scales to learn (notebook 11, equation 11.3).

    Args:
        latent_dim: K, the number of latents.
        n_components: C. The means begin as draws from N(0, I), the scales near 1, the weights equal.
        floor: scales stay above it. Without a floor a component may sit down on a single code: a density has no ceiling.
    """

    def __init__(self, latent_dim: int, n_components: int, floor: float = 0.05):
        latent_dim, n_components = positive(latent_dim=latent_dim, n_components=n_components)
        if not 0 < floor < 1:
            raise ValueError(f"floor is the smallest scale of a component, above 0 and below 1; got {floor}")
        super().__init__()
        self.floor = floor
        self.log_weights = nn.Parameter(torch.zeros(n_components))
        self.loc = nn.Parameter(torch.randn(n_components, latent_dim))
        self.log_scale = nn.Parameter(torch.zeros(n_components, latent_dim))

    def forward(self, model: LatentVariableModel) -> Distribution:
        """p(z): batch (), event (K,). The model is not looked at."""
        return normal_mixture(self.log_weights, self.loc, self.floor + self.log_scale.exp())


class VampPrior(nn.Module):
    """p(z) = (1/C) sum_c q(z|u_c): the encoder's own answers to C pseudo-inputs u_c, images that are learned.

    Tomczak and Welling 2018, equation 9 (notebook 11, and equation 11.5 for its price). What is learned are the logits of the images.

    Args:
        n_components: C.
        data_dim: D, the number of pixels.
        start: images (C, D), zeros and ones, from which the pseudo-inputs begin (at 0.12 and 0.88); by default noise.
    """

    def __init__(self, n_components: int, data_dim: int = 784, start: Float[Tensor, "components pixels"] | None = None):
        n_components, data_dim = positive(n_components=n_components, data_dim=data_dim)
        if start is not None and tuple(start.shape) != (n_components, data_dim):
            raise ValueError(f"start must hold {n_components} images of {data_dim} pixels; got shape {tuple(start.shape)}")
        super().__init__()
        self.logits = nn.Parameter(torch.randn(n_components, data_dim) if start is None else 4 * start - 2)

    @property
    def images(self) -> Float[Tensor, "components pixels"]:
        """The pseudo-inputs, grey levels between 0 and 1."""
        return torch.sigmoid(self.logits)

    def forward(self, model: VAE) -> Distribution:
        """p(z): batch (), event (K,), by way of the encoder of the model."""
        if model.data_dim != self.logits.shape[1]:
            raise ValueError(
                f"the pseudo-inputs have {self.logits.shape[1]} pixels, and the model's images {model.data_dim}: make them agree"
            )
        q = model.encoder(self.images).base_dist
        return normal_mixture(q.loc.new_zeros(len(q.loc)), q.loc, q.scale)


class ConditionalVAE(VAE):
    """p(x|z, y) and q(z|x, y), a VAE that is told the class y (Kingma et al. 2014, equation 2; notebook 11).

    It is trained by `fit` on `rows(x, labels)`: the pixels, and behind them the class, as one 1 among zeros. p(z) is
    N(0, I) for every class. Estimators and oracles take `given(label)`, the model of one class.

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the decoder's hidden layers; the encoder has them backwards.
        n_pixels: D, the number of pixels.
        n_classes: C, the number of classes.
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), n_pixels: int = 784, n_classes: int = 10):
        latent_dim, n_pixels, n_classes = positive(latent_dim=latent_dim, n_pixels=n_pixels, n_classes=n_classes)
        super().__init__(latent_dim, hidden, n_pixels + n_classes, decoder=Decoder(latent_dim + n_classes, hidden, n_pixels))
        self.n_pixels, self.n_classes = n_pixels, n_classes

    def rows(self, x: Float[Tensor, "batch pixels"], labels: Int[Tensor, " batch"]) -> Float[Tensor, "batch columns"]:
        """Images (B, D) with their classes (B,) behind them: (B, D + C)."""
        if len(labels) != len(x) or labels.min() < 0 or labels.max() >= self.n_classes:
            raise ValueError(f"labels must hold a class from 0 to {self.n_classes - 1} for each of the {len(x)} images")
        return torch.cat([x, one_hot(labels.long(), self.n_classes).to(x)], 1)

    def check(self, x: Tensor) -> None:
        """Raise TypeError or ValueError, saying what to do, unless x is a batch of `rows`."""
        if isinstance(x, Tensor) and x.ndim == 2 and x.shape[1] == self.n_pixels:
            raise ValueError("x holds images without their classes: pass model.rows(x, labels), or ask model.given(label)")
        super().check(x)

    def terms(self, x: Float[Tensor, "batch columns"]) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """log p(x|z, y) at one z drawn from q(z|x, y), and KL(q(z|x, y) || p(z)), for `rows`, in nats: `loss` bounds log p(x|y)."""
        self.check(x)
        image, code = x.split([self.n_pixels, self.n_classes], 1)
        q = self.encoder(x)
        z = q.rsample()
        return self.decoder(torch.cat([z, code], 1)).log_prob(image), divergence(q, self.prior, z)

    def given(self, label: int) -> VAE:
        """p(x|y) for one class y: a VAE with the weights of this model, which every estimator and oracle takes."""
        label = whole("label", label, least=0)
        if label >= self.n_classes:
            raise ValueError(f"label must be a class from 0 to {self.n_classes - 1}; got {label}")
        code = one_hot(torch.tensor(label), self.n_classes).to(next(self.parameters()))
        return VAE(self.latent_dim, data_dim=self.n_pixels, encoder=_Told(self.encoder, code), decoder=_Told(self.decoder, code))


class _Told(nn.Module):
    """A network that gets a class behind its input."""

    def __init__(self, network: nn.Module, code: Tensor):
        super().__init__()
        self.network, self.code = network, code

    def forward(self, values: Tensor) -> Distribution:
        return self.network(torch.cat([values, self.code.expand(*values.shape[:-1], -1)], -1))


class LinearGaussian(LatentVariableModel):
    """z ~ N(0, I), x ~ N(W z + b, sigma^2 I): a model whose p(x) and p(z|x) are known in closed form.

    This is probabilistic PCA (Tipping and Bishop 1999, equations 2 to 8). W is drawn from the global generator.

    Args:
        data_dim: D, the number of observed values.
        latent_dim: K, the number of latents.
        sigma: standard deviation of the noise.
    """

    binary = False

    def __init__(self, data_dim: int, latent_dim: int, sigma: float = 0.5):
        data_dim, latent_dim = positive(data_dim=data_dim, latent_dim=latent_dim)
        if not sigma > 0:
            raise ValueError(f"sigma is a standard deviation and must be above 0; got {sigma}")
        nn.Module.__init__(self)
        self.latent_dim, self.data_dim = latent_dim, data_dim
        self.weight = nn.Parameter(torch.randn(data_dim, latent_dim))
        self.bias = nn.Parameter(torch.zeros(data_dim))
        self.log_sigma = nn.Parameter(torch.tensor(float(sigma)).log())

    def decoder(self, z: Float[Tensor, "... latents"]) -> Independent:
        """p(x|z): batch (...), event (D,)."""
        return Independent(Normal(z @ self.weight.T + self.bias, self.log_sigma.exp()), 1)

    @property
    def marginal(self) -> MultivariateNormal:
        """p(x) = N(b, W W' + sigma^2 I): batch (), event (D,)."""
        noise = (2 * self.log_sigma).exp() * torch.eye(self.data_dim).to(self.weight)
        return MultivariateNormal(self.bias, self.weight @ self.weight.T + noise)

    def posterior(self, x: Float[Tensor, "batch data"]) -> MultivariateNormal:
        """p(z|x) = N(M^-1 W'(x - b), sigma^2 M^-1) with M = W'W + sigma^2 I: batch (B,), event (K,)."""
        self.check(x)
        variance = (2 * self.log_sigma).exp()
        m = self.weight.T @ self.weight + variance * torch.eye(self.latent_dim).to(self.weight)
        mean = torch.linalg.solve(m, self.weight.T @ (x - self.bias).T).T
        return MultivariateNormal(mean, precision_matrix=(m / variance).expand(len(x), -1, -1))


class BernoulliMixture(LatentVariableModel):
    """z in 0..C-1 with probability weights[z], then independent pixels of component z: a discrete latent (notebook 01).

    `log_weights` (C,) and `logits` (C, D) are parameters: uniform weights and random logits to begin with.
    """

    def __init__(self, n_components: int, data_dim: int = 784):
        n_components, data_dim = positive(n_components=n_components, data_dim=data_dim)
        nn.Module.__init__(self)
        self.data_dim = data_dim
        self.log_weights = nn.Parameter(torch.zeros(n_components))
        self.logits = nn.Parameter(torch.randn(n_components, data_dim))

    @property
    def prior(self) -> Categorical:
        """p(z): batch (), event ()."""
        return Categorical(logits=self.log_weights)

    def decoder(self, z: Int[Tensor, "..."]) -> Independent:
        """p(x|z) for component numbers z: batch (...), event (D,)."""
        return bernoulli(self.logits[z])

    def posterior(self, x: Float[Tensor, "batch pixels"]) -> Categorical:
        """p(z|x) by Bayes' rule: batch (B,), event ()."""
        self.check(x)
        log_joint = self.prior.logits + log_prob_pairs(bernoulli(self.logits), x).T
        return Categorical(logits=log_joint)


def pretrained(name: str | None = None, path: str | Path | None = None) -> LatentVariableModel:
    """The shipped K = 2 model, trained to the end by exact maximum likelihood as notebook 04b begins to do.

    Args:
        name: the digits it was trained on, "strokes" or "mnist"; by default what VAECOURSE_DIGITS says.
        path: a file with decoders, by default data/decoder.safetensors.

    Raises:
        ValueError: the file holds no decoder of that name, or is something else, or damaged. FileNotFoundError: there is none.
        DataUnavailable: the same of the shipped file.
    """
    name, file = digits_of(name), shipped("decoder.safetensors") if path is None else path
    try:
        tensors, _ = read_tensors(file, "a safetensors file with decoders")
    except (OSError, ValueError) as error:
        if path is not None:
            raise
        raise DataUnavailable(f"{error}: {RESTORE}") from error
    state = {key.removeprefix(f"{name}/"): value.float() for key, value in tensors.items() if key.startswith(f"{name}/")}
    if not state:
        names = sorted({key.split("/")[0] for key in tensors})
        raise ValueError(f"no decoder called {name!r} in {file}; it holds {', '.join(names) or 'nothing'}")
    weights = [state[key] for key in sorted(state, key=lambda k: int(k.split(".")[-2])) if key.endswith("weight")]
    model = LatentVariableModel(weights[0].shape[1], tuple(w.shape[0] for w in weights[:-1]), weights[-1].shape[0])
    model.load_state_dict(state)
    return model.requires_grad_(False)
