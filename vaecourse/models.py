"""Latent variable models: a prior p(z), a decoder p(x|z) and, for the VAE, an encoder q(z|x).

All three are torch distributions, so an estimator needs no further knowledge of the model. Every model has `.prior`,
`.decoder(z)` and `.check(x)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, MultivariateNormal, Normal
from torch.nn.functional import one_hot

from vaecourse.arguments import layers, number, positive, tensors, whole
from vaecourse.data import RESTORE, DataUnavailable, digits_of, shipped
from vaecourse.distributions import bernoulli, diagonal_normal, divergence, log_prob_pairs, normal_mixture, standard_normal
from vaecourse.files import read_tensors

__all__ = [
    "VAE",
    "BernoulliMixture",
    "ConditionalVAE",
    "Decoder",
    "Encoder",
    "LatentVariableModel",
    "LinearGaussian",
    "MixturePrior",
    "VampPrior",
    "mlp",
    "pretrained",
    "pretrained_vae",
]


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """A network of linear layers of the given sizes, with an ELU after each of them but the last.

    Args:
        sizes: of the input, the hidden layers and the output.

    Raises:
        TypeError, ValueError: they are no whole numbers above 0.

    Example:
        >>> mlp([2, 128, 784])(torch.zeros(5, 2)).shape
        torch.Size([5, 784])
    """
    positive(**{f"sizes[{i}]": size for i, size in enumerate(sizes)})
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ELU(inplace=True)]
    return nn.Sequential(*layers[:-1])


def _sizes(network: nn.Module) -> str:
    """A network in words: the sizes of its layers and its activation, such as "2-128-784 ELU"; otherwise the name of its class."""
    if not isinstance(network, nn.Module):
        return type(network).__name__
    leaves = [module for module in network.modules() if not list(module.children())]
    linear, between = leaves[::2], {type(module).__name__ for module in leaves[1::2]}
    plain = len(leaves) % 2 == 1 and all(isinstance(module, nn.Linear) for module in linear) and "Linear" not in between
    if not plain or len(between) > 1 or any(a.out_features != b.in_features for a, b in zip(linear, linear[1:])):
        return type(network).__name__
    return "-".join(str(n) for n in (linear[0].in_features, *(module.out_features for module in linear))) + "".join(
        f" {b}" for b in between
    )


def _in_words(model: nn.Module, what: str, parts: Sequence[str] = ()) -> str:
    """The repr of a model or prior: what it is about, how many parameters it has, whether they are frozen, and its parts."""
    parameters = list(model.parameters())
    count = f"{sum(p.numel() for p in parameters):,} parameters"
    frozen = ", frozen" if parameters and not any(p.requires_grad for p in parameters) else ""
    return f"{type(model).__name__}({what}, {count}{frozen}{': ' if parts else ''}{', '.join(parts)})"


class Decoder(nn.Module):
    """p(x|z) of binary images: a network from K latents, through hidden layers, to one logit for each pixel (notebook 02).

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers.
        data_dim: D, the number of pixels.

    Example:
        >>> p = Decoder(latent_dim=2)(torch.zeros(5, 2))
        >>> p.batch_shape, p.event_shape
        (torch.Size([5]), torch.Size([784]))
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), data_dim: int = 784):
        latent_dim, data_dim = positive(latent_dim=latent_dim, data_dim=data_dim)
        super().__init__()
        self.logits = mlp([latent_dim, *layers(hidden), data_dim])

    def forward(self, z: Float[Tensor, "... latents"]) -> Independent:
        """The distribution of an image given z (..., K): batch (...), event (D,)."""
        return bernoulli(self.logits(z))


class Encoder(nn.Module):
    """q(z|x), a diagonal normal: a network from the pixels to the mean and the log-variance of each latent (notebook 08).

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers.
        data_dim: D, the number of pixels.

    Example:
        >>> q = Encoder(latent_dim=2)(torch.zeros(5, 784))
        >>> q.mean.shape, q.stddev.shape
        (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), data_dim: int = 784):
        latent_dim, data_dim = positive(latent_dim=latent_dim, data_dim=data_dim)
        super().__init__()
        self.parameters_of_q = mlp([data_dim, *layers(hidden), 2 * latent_dim])

    def forward(self, x: Float[Tensor, "... pixels"]) -> Independent:
        """The diagonal normal q(z|x) of images x (..., D): batch (...), event (K,)."""
        mu, log_var = self.parameters_of_q(x).chunk(2, dim=-1)
        return diagonal_normal(mu, log_var)


class LatentVariableModel(nn.Module):
    """The model z ~ N(0, I), x ~ p(x|z), with a decoder network for p(x|z) (notebook 02).

        p(x) = integral of p(z) p(x|z) dz

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers of the decoder.
        data_dim: D, the number of pixels.
        decoder: p(x|z), called with z; by default a `Decoder` of these sizes.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0.

    Example:
        >>> model = LatentVariableModel(latent_dim=2)
        >>> model
        LatentVariableModel(784 pixels, 2 latents, 118,032 parameters: decoder 2-128-128-784 ELU)
        >>> model.decoder(model.prior.sample((3,))).sample().shape  # three new images
        torch.Size([3, 784])
    """

    binary = True
    _known: tuple[Tensor, int] | None = None  # a batch that `fit` has checked before, and its version

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), data_dim: int = 784, *, decoder: nn.Module | None = None):
        super().__init__()
        self.latent_dim, self.data_dim = positive(latent_dim=latent_dim, data_dim=data_dim)
        self.decoder = Decoder(latent_dim, hidden, data_dim) if decoder is None else decoder

    def __repr__(self) -> str:
        return _in_words(self, f"{self._what_x_is()}, {self.latent_dim} latent{'s' * (self.latent_dim > 1)}", self._pieces())

    def _what_x_is(self) -> str:
        return f"{self.data_dim} {'pixels' if self.binary else 'values'}"

    def _pieces(self) -> list[str]:
        return [f"decoder {_sizes(self.decoder)}"]

    @property
    def prior(self) -> Distribution:
        """p(z) = N(0, I): batch (), event (K,)."""
        return standard_normal(self.latent_dim, like=next(self.parameters()))

    def check(self, x: Tensor, grey: bool = False) -> None:
        """Raise an error that says what to do, unless x is a batch of images that this model can explain.

        Args:
            x: images (B, D) in the dtype and on the device of the weights; zeros and ones if the model is one of binary images.
            grey: whether a model of binary images takes grey levels between 0 and 1, too.

        Raises:
            TypeError: x is no tensor, or its dtype is not that of the weights.
            ValueError: x is on another device, has another shape, no rows, entries that are not finite, or entries other than 0 and 1.
        """
        if self._known is not None and x is self._known[0] and x._version == self._known[1]:
            return  # it has not been changed in place since
        if not isinstance(x, Tensor):
            raise TypeError(
                f"x must be a torch tensor of shape (B, {self.data_dim}); got {type(x).__name__}: convert it with torch.as_tensor"
            )
        if not x.is_floating_point():
            raise TypeError(f"x must be floating point; got {x.dtype}: convert it with x.float()")
        weights = next(self.parameters())
        dtype, device = weights.dtype, weights.device
        if x.device != device:
            raise ValueError(f"x is on {x.device} and the model's weights are on {device}: move one of them, x.to({str(device)!r})")
        if x.dtype != dtype:
            raise TypeError(
                f"x is {x.dtype} and the model's weights are {dtype}: convert one of them, x.to({dtype}) or model.to({x.dtype})"
            )
        if x.ndim != 2 or x.shape[1] != self.data_dim:
            raise ValueError(
                f"x must have shape (B, {self.data_dim}), one image a row; got {tuple(x.shape)}: see x.reshape(-1, {self.data_dim})"
            )
        if len(x) == 0:
            raise ValueError(f"x holds no image (shape {tuple(x.shape)}): pass at least one row")
        # Only 0 and 1 equal their squares. The parts are small enough for the cache of a processor.
        if self.binary and all(torch.addcmul(part, part, part, value=-1).abs_().max() == 0 for part in x.detach().split(512)):
            return
        if not torch.isfinite(x).all():
            raise ValueError("x holds NaN or infinity: torch.isfinite(x).all(1) is False for such rows; correct or remove them")
        if self.binary and grey and (stray := x[(x < 0) | (x > 1)]).numel():
            raise ValueError(f"x must hold 0s and 1s, or grey levels between them; found {stray[0].item():.4g}")
        if self.binary and not grey:
            stray = x[(x != 0) & (x != 1)][0].item()
            raise ValueError(f"x must hold 0s and 1s; found {stray:.4g}: binarise first, see vaecourse.data.binarize")


class VAE(LatentVariableModel):
    """A latent variable model with an encoder, which proposes a distribution q(z|x) for every image.

        ELBO(x) = E_q[log p(x|z)] - KL(q(z|x) || p(z)) <= log p(x)

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers of the decoder; the encoder has them in reverse order.
        data_dim: D, the number of pixels.
        prior: called with the model, it returns p(z) of batch () and event (K,), for instance a `MixturePrior` (notebook 11). By
            default p(z) is N(0, I), which has no parameters.
        encoder: called with x, it returns q(z|x) of batch (B,) and event (K,); by default an `Encoder`.
        decoder: called with z, it returns p(x|z) with the batch of z and event (D,); by default a `Decoder`. An encoder or decoder
            that is passed replaces the network that `hidden` describes.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0, or the prior has another number of latents.

    References:
        Kingma and Welling 2014; notebook 08.

    Example:
        >>> vae = VAE(latent_dim=2)
        >>> vae
        VAE(784 pixels, 2 latents, 235,540 parameters: encoder 784-128-128-4 ELU, decoder 2-128-128-784 ELU)
        >>> vae.encoder(torch.ones(5, 784)).mean.shape
        torch.Size([5, 2])
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
            hidden = layers(hidden)
        super().__init__(latent_dim, hidden, data_dim, decoder=decoder)
        self.encoder = Encoder(latent_dim, tuple(reversed(hidden)), data_dim) if encoder is None else encoder
        self.learned_prior = prior
        if tuple(self.prior.event_shape) != (latent_dim,):
            raise ValueError(
                f"the model has {latent_dim} latents, but its prior has event shape {tuple(self.prior.event_shape)}: make them agree"
            )

    def _pieces(self) -> list[str]:
        prior = [] if self.learned_prior is None else [f"prior {type(self.learned_prior).__name__}"]
        return [f"encoder {_sizes(self.encoder)}", *super()._pieces(), *prior]

    @property
    def prior(self) -> Distribution:
        """p(z), learned or N(0, I): batch (), event (K,)."""
        return super().prior if self.learned_prior is None else self.learned_prior(self)

    def terms(self, x: Float[Tensor, "batch pixels"]) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """The two terms of the ELBO, estimated with one z drawn from q(z|x) for each image, in nats.

        Args:
            x: images (B, D).

        Returns:
            log p(x|z), (B,), and the divergence of q(z|x) from the prior, (B,). Their difference is an unbiased estimate of the ELBO
            (notebook 06, equation 6.8). The divergence is the closed form if q and the prior are diagonal normals, and otherwise
            log q(z|x) - log p(z) at the same z.
        """
        self.check(x)
        q = self.encoder(x)
        z = q.rsample()
        return self.decoder(z).log_prob(x), divergence(q, self.prior, z)

    def loss(self, x: Float[Tensor, "batch pixels"]) -> Float[Tensor, ""]:
        """Minus the ELBO with one sample of z for each image, averaged over the images, in nats (notebook 08, equation 8.2)."""
        log_px_given_z, kl = self.terms(x)
        return (kl - log_px_given_z).mean()


class MixturePrior(nn.Module):
    """A prior that is a mixture of C normals, whose weights, means and standard deviations are learned.

        p(z) = sum_c w_c N(z; loc_c, diag(scale_c^2))

    Args:
        latent_dim: K, the number of latents.
        n_components: C. The means begin as draws from N(0, I), the standard deviations near 1, and the weights are equal.
        floor: a lower limit of the standard deviations. Without it a component could shrink around a single code, because a
            density has no upper limit.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0, or floor does not lie between 0 and 1.

    References:
        Notebook 11, equation 11.3.

    Example:
        >>> vae = VAE(latent_dim=2, prior=MixturePrior(latent_dim=2, n_components=20))
        >>> vae.learned_prior
        MixturePrior(20 components, 2 latents, 100 parameters)
        >>> vae.prior.event_shape
        torch.Size([2])
    """

    def __init__(self, latent_dim: int, n_components: int, floor: float = 0.05):
        latent_dim, n_components = positive(latent_dim=latent_dim, n_components=n_components)
        number("floor, the smallest standard deviation of a component,", floor, above=0, below=1)
        super().__init__()
        self.floor = floor
        self.log_weights = nn.Parameter(torch.zeros(n_components))
        self.loc = nn.Parameter(torch.randn(n_components, latent_dim))
        self.log_scale = nn.Parameter(torch.zeros(n_components, latent_dim))

    def __repr__(self) -> str:
        return _in_words(self, "{} components, {} latents".format(*self.loc.shape))

    def forward(self, model: LatentVariableModel) -> Distribution:
        """p(z): batch (), event (K,). The model is not used."""
        return normal_mixture(self.log_weights, self.loc, self.floor + self.log_scale.exp())


class VampPrior(nn.Module):
    """A prior that is the average of the encoder's distributions for C learned images, the pseudo-inputs u_c.

        p(z) = (1/C) sum_c q(z|u_c)

    The logits of the pseudo-inputs are the parameters.

    Args:
        n_components: C.
        data_dim: D, the number of pixels.
        start: images (C, D) of zeros and ones, from which the pseudo-inputs begin (at 0.12 and 0.88); by default noise. A tensor of
            floating-point numbers keeps its type, which must be that of the model; anything else gets torch's default type.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0, or start has another shape.

    References:
        Tomczak and Welling 2018, equation 9; notebook 11, where equation 11.5 gives its cost.

    Example:
        >>> vae = VAE(latent_dim=2, prior=VampPrior(n_components=50))
        >>> vae.learned_prior
        VampPrior(50 pseudo-inputs of 784 pixels, 39,200 parameters)
        >>> vae.prior.event_shape
        torch.Size([2])
    """

    def __init__(self, n_components: int, data_dim: int = 784, start: Float[Tensor, "components pixels"] | None = None):
        n_components, data_dim = positive(n_components=n_components, data_dim=data_dim)
        if start is not None and not (isinstance(start, Tensor) and start.is_floating_point()):
            start = torch.as_tensor(start, dtype=torch.get_default_dtype())
        if start is not None and tuple(start.shape) != (n_components, data_dim):
            raise ValueError(f"start must hold {n_components} images of {data_dim} pixels; got shape {tuple(start.shape)}")
        super().__init__()
        self.logits = nn.Parameter(torch.randn(n_components, data_dim) if start is None else 4 * start - 2)

    def __repr__(self) -> str:
        return _in_words(self, "{} pseudo-inputs of {} pixels".format(*self.logits.shape))

    @property
    def images(self) -> Float[Tensor, "components pixels"]:
        """The pseudo-inputs, (C, D): grey levels between 0 and 1."""
        return torch.sigmoid(self.logits)

    def forward(self, model: VAE) -> Distribution:
        """p(z), computed with the encoder of the model: batch (), event (K,)."""
        if model.data_dim != self.logits.shape[1]:
            raise ValueError(
                f"the pseudo-inputs have {self.logits.shape[1]} pixels, but the images of the model have {model.data_dim}: make them agree"
            )
        if self.logits.dtype != (weights := next(model.parameters())).dtype:
            raise TypeError(f"the pseudo-inputs are {self.logits.dtype} and the model's weights are {weights.dtype}: convert one of them")
        q = model.encoder(self.images).base_dist
        return normal_mixture(q.loc.new_zeros(len(q.loc)), q.loc, q.scale)


class ConditionalVAE(VAE):
    """A VAE whose encoder q(z|x, y) and decoder p(x|z, y) are given the class y; p(z) is N(0, I) for every class.

    It is trained by `fit` on `rows(x, labels)`: the pixels followed by the class as a one-hot code. Estimators, oracles and diagnostics
    take images and `given(label)`, the model of one class.

    Args:
        latent_dim: K, the number of latents.
        hidden: the sizes of the hidden layers of the decoder; the encoder has them in reverse order.
        n_pixels: D, the number of pixels.
        n_classes: C, the number of classes.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0.

    References:
        Kingma et al. 2014, equation 2; notebook 11.

    Example:
        >>> model = ConditionalVAE(latent_dim=2)
        >>> rows = model.rows(torch.ones(5, 784), torch.tensor([3, 1, 4, 1, 5]))
        >>> rows.shape, model.loss(rows).ndim
        (torch.Size([5, 794]), 0)
        >>> model.given(3).decoder(torch.zeros(1, 2)).sample().shape  # an image of a 3
        torch.Size([1, 784])
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int] = (128, 128), n_pixels: int = 784, n_classes: int = 10):
        latent_dim, n_pixels, n_classes = positive(latent_dim=latent_dim, n_pixels=n_pixels, n_classes=n_classes)
        hidden = layers(hidden)
        super().__init__(latent_dim, hidden, n_pixels + n_classes, decoder=Decoder(latent_dim + n_classes, hidden, n_pixels))
        self.n_pixels, self.n_classes = n_pixels, n_classes
        self.decoder.register_forward_pre_hook(_with_class)

    def _what_x_is(self) -> str:
        return f"{self.n_pixels} pixels and one of {self.n_classes} classes"

    def rows(self, x: Float[Tensor, "batch pixels"], labels: Int[Tensor, " batch"]) -> Float[Tensor, "batch columns"]:
        """Images (B, D) followed by their classes as one-hot codes, (B, D + C), from labels (B,).

        Raises:
            TypeError: x or labels is no tensor.
            ValueError: x has no rows of D pixels, or the labels are not one class from 0 to C - 1 for each image.
        """
        tensors(x=x, labels=labels)
        if x.ndim != 2 or x.shape[1] != self.n_pixels or len(x) == 0:
            raise ValueError(f"x must have shape (B, {self.n_pixels}), one image a row; got {tuple(x.shape)}")
        if labels.shape != x.shape[:1] or not torch.isin(labels, torch.arange(self.n_classes).to(labels)).all():
            raise ValueError(
                f"labels must hold a class from 0 to {self.n_classes - 1} for each of the {len(x)} images, shape ({len(x)},); "
                f"got shape {tuple(labels.shape)}" + (f" and values from {labels.min()} to {labels.max()}" if labels.numel() else "")
            )
        return torch.cat([x, one_hot(labels.long(), self.n_classes).to(x)], 1)

    def check(self, x: Tensor, grey: bool = False) -> None:
        """Raise an error that says what to do, unless x is a batch of `rows`.

        Raises:
            TypeError, ValueError: as `LatentVariableModel.check`, or x holds images without their classes, or rows without exactly one.
        """
        if isinstance(x, Tensor) and x.ndim == 2 and x.shape[1] == self.n_pixels:
            raise ValueError(
                "x holds images without their classes: fit and loss take model.rows(x, labels), and all other functions of the course "
                "take model.given(label), the model of one class, in place of the model"
            )
        super().check(x, grey)
        code = x[:, self.n_pixels :]
        if (wrong := (code.sum(1) != 1) | (code.amax(1) != 1)).any():
            raise ValueError(
                f"{int(wrong.sum())} of {len(x)} rows do not end with exactly one class: model.rows(x, labels) makes such rows"
            )

    def terms(self, x: Float[Tensor, "batch columns"]) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """The two terms of the ELBO of log p(x|y), estimated with one z drawn from q(z|x, y), in nats.

        Args:
            x: rows (B, D + C), the pixels followed by the class.

        Returns:
            log p(x|z, y), (B,), and KL(q(z|x, y) || p(z)), (B,).
        """
        self.check(x)
        image, code = x.split([self.n_pixels, self.n_classes], 1)
        q = self.encoder(x)
        z = q.rsample()
        return self.decoder(torch.cat([z, code], 1)).log_prob(image), divergence(q, self.prior, z)

    def given(self, label: int) -> VAE:
        """The model p(x|y) of one class y: a VAE with the weights of this model, which every estimator and oracle accepts.

        Raises:
            TypeError, ValueError: label is not a whole number from 0 to C - 1.
        """
        label = whole("label", label, least=0)
        if label >= self.n_classes:
            raise ValueError(f"label must be a class from 0 to {self.n_classes - 1}; got {label}")
        code = one_hot(torch.tensor(label), self.n_classes).to(next(self.parameters()))
        return VAE(self.latent_dim, data_dim=self.n_pixels, encoder=_Told(self.encoder, code), decoder=_Told(self.decoder, code))


def _with_class(decoder: Decoder, inputs: tuple[Tensor]) -> None:
    """Refuse latents without a class, which is what a function hands over that knows nothing of classes."""
    wanted = decoder.logits[0].in_features
    if inputs and inputs[0].shape[-1] != wanted:
        raise ValueError(
            f"the decoder of a ConditionalVAE needs the class behind the latents, {wanted} numbers in all; got {inputs[0].shape[-1]}: "
            "estimators, oracles, diagnostics and generate take model.given(label), the model of one class, and images without labels"
        )


class _Told(nn.Module):
    """A network that receives a class after its input."""

    def __init__(self, network: nn.Module, code: Tensor):
        super().__init__()
        self.network = network
        self.register_buffer("code", code, persistent=False)  # so that it moves with the weights

    def forward(self, values: Tensor) -> Distribution:
        return self.network(torch.cat([values, self.code.expand(*values.shape[:-1], -1)], -1))


class LinearGaussian(LatentVariableModel):
    """The linear-Gaussian model z ~ N(0, I), x ~ N(W z + b, sigma^2 I), whose p(x) and p(z|x) have closed forms.

        p(x) = N(b, W W' + sigma^2 I)
        p(z|x) = N(M^-1 W'(x - b), sigma^2 M^-1),    M = W'W + sigma^2 I

    It is also called probabilistic PCA. W is drawn from torch's global generator, and b begins at 0.

    Args:
        data_dim: D, the number of observed values.
        latent_dim: K, the number of latents.
        sigma: the standard deviation of the noise.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0, or sigma is not above 0.

    References:
        Tipping and Bishop 1999, equations 2 to 8.

    Example:
        >>> model = LinearGaussian(data_dim=5, latent_dim=2)
        >>> model
        LinearGaussian(5 values, 2 latents, 16 parameters: noise of standard deviation 0.5)
        >>> x = torch.zeros(3, 5)
        >>> model.marginal.log_prob(x).shape, model.posterior(x).mean.shape
        (torch.Size([3]), torch.Size([3, 2]))
    """

    binary = False

    def __init__(self, data_dim: int, latent_dim: int, sigma: float = 0.5):
        data_dim, latent_dim = positive(data_dim=data_dim, latent_dim=latent_dim)
        number("sigma, a standard deviation,", sigma, above=0)
        nn.Module.__init__(self)
        self.latent_dim, self.data_dim = latent_dim, data_dim
        self.weight = nn.Parameter(torch.randn(data_dim, latent_dim))
        self.bias = nn.Parameter(torch.zeros(data_dim))
        self.log_sigma = nn.Parameter(torch.tensor(float(sigma)).log())

    def _pieces(self) -> list[str]:
        return [f"noise of standard deviation {self.log_sigma.exp().item():.3g}"]

    def decoder(self, z: Float[Tensor, "... latents"]) -> Independent:
        """p(x|z) = N(W z + b, sigma^2 I) for z (..., K): batch (...), event (D,)."""
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
    """A mixture of C images with independent pixels: z is the number of a component, a discrete latent (notebook 01).

        p(x) = sum_c w_c prod_j Bernoulli(x_j; sigmoid(logits_cj)),    w = softmax(log_weights)

    The parameters are `log_weights` (C,), which begin equal, and `logits` (C, D), which begin random.

    Args:
        n_components: C, the number of components.
        data_dim: D, the number of pixels.

    Raises:
        TypeError, ValueError: a size is not a whole number above 0.

    Example:
        >>> model = BernoulliMixture(n_components=10)
        >>> model
        BernoulliMixture(784 pixels, 10 components, 7,850 parameters)
        >>> model.posterior(torch.ones(3, 784)).probs.shape
        torch.Size([3, 10])
    """

    def __init__(self, n_components: int, data_dim: int = 784):
        n_components, data_dim = positive(n_components=n_components, data_dim=data_dim)
        nn.Module.__init__(self)
        self.data_dim = data_dim
        self.log_weights = nn.Parameter(torch.zeros(n_components))
        self.logits = nn.Parameter(torch.randn(n_components, data_dim))

    def __repr__(self) -> str:
        return _in_words(self, f"{self.data_dim} pixels, {len(self.log_weights)} components")

    @property
    def prior(self) -> Categorical:
        """p(z), the weights of the components: batch (), event ()."""
        return Categorical(logits=self.log_weights)

    def decoder(self, z: Int[Tensor, "..."]) -> Independent:
        """p(x|z) for numbers of components z (...): batch (...), event (D,)."""
        return bernoulli(self.logits[z])

    def posterior(self, x: Float[Tensor, "batch pixels"]) -> Categorical:
        """p(z|x) by Bayes' rule, for images x (B, D): batch (B,), event ()."""
        self.check(x)
        log_joint = self.prior.logits + log_prob_pairs(bernoulli(self.logits), x).T
        return Categorical(logits=log_joint)


def pretrained(name: str | None = None, path: str | Path | None = None) -> LatentVariableModel:
    """The model with two latents that ships with the course, trained by exact maximum likelihood (notebook 04b shows how).

    It is not at the maximum: notebook 02b finds weights with a likelihood that is a little higher.

    Args:
        name: the digits it was trained on, "strokes" or "mnist"; by default those that VAECOURSE_DIGITS chooses.
        path: a file with decoders; by default data/decoder.safetensors.

    Returns:
        The model, whose parameters are frozen (requires_grad=False).

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: the file is damaged or of another kind, or holds no decoder of this name.
        DataUnavailable: the shipped file is missing or damaged.

    Example:
        >>> pretrained("strokes")
        LatentVariableModel(784 pixels, 2 latents, 118,032 parameters, frozen: decoder 2-128-128-784 ELU)
    """
    name = digits_of(name)
    return _stored(LatentVariableModel, name, "decoder", shipped("decoder.safetensors"), path)


def pretrained_vae(latent_dim: int = 20, name: str | None = None, path: str | Path | None = None) -> VAE:
    """A well-trained VAE that ships with the course, of 20 latents (hidden layers 400-400) or of 2 (128-128).

    It was trained on the ELBO with dynamic binarisation; data/README.md has the settings and the bounds on log p(x).

    Args:
        latent_dim: K, 20 or 2.
        name: the digits it was trained on, "strokes" or "mnist"; by default those that VAECOURSE_DIGITS chooses.
        path: a file with VAEs; by default data/vaes.safetensors.

    Returns:
        The VAE, whose parameters are frozen (requires_grad=False).

    Raises:
        TypeError, ValueError: latent_dim is not a whole number above 0, the file holds no such VAE, or it is damaged or of another kind.
        FileNotFoundError: there is no file at `path`.
        DataUnavailable: the shipped file is missing or damaged.

    Example:
        >>> pretrained_vae(20, "strokes")
        VAE(784 pixels, 20 latents, 973,624 parameters, frozen: encoder 784-400-400-40 ELU, decoder 20-400-400-784 ELU)
    """
    (latent_dim,) = positive(latent_dim=latent_dim)
    return _stored(VAE, f"{digits_of(name)}-{latent_dim}", "VAE", shipped("vaes.safetensors"), path)


def _stored(
    make: Callable[..., LatentVariableModel], name: str, what: str, shipped_file: Path, path: str | Path | None
) -> LatentVariableModel:
    """The model, of the kind `what`, that a file keeps under `name`, with frozen weights; without a path, that of the shipped file."""
    file = shipped_file if path is None else path
    try:
        tensors, _ = read_tensors(file, f"a safetensors file with {what}s")
    except (OSError, ValueError) as error:
        if path is not None:
            raise
        raise DataUnavailable(f"{error}: {RESTORE}") from error
    state = {key.removeprefix(f"{name}/"): value.float() for key, value in tensors.items() if key.startswith(f"{name}/")}
    if not state:
        names = sorted({key.split("/")[0] for key in tensors})
        raise ValueError(f"no {what} called {name!r} in {file}; it holds {', '.join(names) or 'nothing'}")
    try:
        model = make(*_decoder_sizes(state))
        model.load_state_dict(state)
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"what {file} holds as {name!r} is no {what} of the course: its tensors have other names or shapes") from error
    return model.requires_grad_(False)


def _decoder_sizes(state: dict[str, Tensor]) -> tuple[int, tuple[int, ...], int]:
    """The numbers of latents, of units in each hidden layer, and of pixels of a stored decoder."""
    layers = {int(key.split(".")[-2]): value for key, value in state.items() if key.startswith("decoder.") and key.endswith("weight")}
    weights = [layers[number] for number in sorted(layers)]
    return weights[0].shape[1], tuple(weight.shape[0] for weight in weights[:-1]), weights[-1].shape[0]
