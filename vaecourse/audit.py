"""An audit of a trained VAE: what its numbers are, what they may be compared with, and what is wrong where something is.

`vaecourse.diagnostics.audit` is this module's `audit`. All numbers are in nats per image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, Normal

from vaecourse.arguments import whole
from vaecourse.data import Digits, Split, binarize
from vaecourse.diagnostics import active_units, exact_elbo, refine, split_gap
from vaecourse.distributions import bernoulli, diagonal_normal, divergence
from vaecourse.estimators import elbo, log_weights, mean_and_error
from vaecourse.logspace import effective_sample_size, log_mean_exp, pareto_k
from vaecourse.models import VAE, LatentVariableModel
from vaecourse.oracles import exact_log_px
from vaecourse.training import fit

__all__ = ["Audit", "Finding", "audit", "implied_beta"]

BLOCK = 1 << 20  # numbers held at once for each intermediate array: 4 MB in float32
FRESH = 2_000  # training images that a fresh VAE gets, where a model has collapsed

# Burda, Grosse and Salakhutdinov 2016, arXiv 1509.00519: bounds with 5,000 samples on the 10,000 test images of MNIST, of a model
# with 50 latents and two hidden layers of 200 tanh units, by the k of the training. The two rows differ in the number of training
# images as well (section 5.1 and appendix D).
PUBLISHED = {
    "dynamic": ("table 1", "60,000", {1: -86.76, 5: -85.54, 50: -84.78}),
    "static": ("appendix D", "50,000", {1: -88.71, 5: -87.63, 50: -87.10}),
}


@dataclass(frozen=True)
class Finding:
    """A few sentences about the model. `kind` is "wrong" (a fact), "suspicion" (a likely cause, not proved) or "caution"."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Audit:
    """The report: a table in either case, with the findings below it; in a notebook as a card.

    Attributes:
        title: what was audited.
        rows: (name, value, meaning) of each line of the table.
        findings: what is wrong or suspect; empty where nothing was found.
        comparison: what in the published tables the bound may be held against.
        numbers: the same values by name, for programs; standard errors have the name with `_error`.
    """

    title: str
    rows: tuple[tuple[str, str, str], ...]
    findings: tuple[Finding, ...]
    comparison: str
    numbers: dict[str, float]

    def __repr__(self) -> str:
        wide = [max(len(row[i]) for row in self.rows) for i in (0, 1)]
        table = [f"{name:<{wide[0]}}  {value:>{wide[1]}}  {meaning}" for name, value, meaning in self.rows]
        found = [f"- {finding.kind}: {finding.text}" for finding in self.findings] or [f"- {NOTHING}"]
        return "\n".join([self.title, *table, "Findings", *found, "Comparison", f"- {self.comparison}"])

    def _repr_html_(self) -> str:
        from vaecourse.exercises.cards import COLOURS

        colour = COLOURS["wrong" if any(f.kind == "wrong" for f in self.findings) else "neutral" if self.findings else "right"]
        cell = 'style="text-align: left; padding: 1px 12px 1px 0; vertical-align: top"'
        rows = "".join(
            f'<tr><th scope="row" {cell}>{escape(name)}</th><td {cell}>{escape(value)}</td><td {cell}>{escape(meaning)}</td></tr>'
            for name, value, meaning in self.rows
        )
        head = "".join(f'<th scope="col" {cell}>{name}</th>' for name in ("what", "value", "meaning"))
        found = "".join(f"<li><b>{f.kind}:</b> {escape(f.text)}</li>" for f in self.findings) or f"<li>{NOTHING}</li>"
        return (
            f'<div style="border-left: 5px solid {colour}; padding: 4px 12px; margin: 4px 0; max-width: 60em; line-height: 1.4">'
            f'<table style="border-collapse: collapse"><caption style="text-align: left"><b>{escape(self.title)}</b></caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><div><b>Findings</b></div>"
            f'<ul style="margin: 2px 0">{found}</ul><div><b>Comparison</b></div><div>{escape(self.comparison)}</div></div>'
        )


NOTHING = "These checks found nothing wrong. That is no proof that nothing is."


def audit(
    model: LatentVariableModel,
    data: Digits | Split | Tensor,
    train: Split | Tensor | None = None,
    *,
    dynamic: bool | None = None,
    n_samples: int = 1000,
    n_images: int = 300,
    n_polished: int = 100,
) -> Audit:
    """What is to be known about a trained VAE before its number is reported.

    Everything is measured on the first n_images held-out and the first n_images training images; the baseline takes its shares of ink
    from up to 2,000 training images. Where the images are not black and white the report says so, and speaks about the same images
    after one random binarisation.

    Args:
        model: a VAE whose encoder proposes diagonal normals.
        data: a data set (its test images are judged, its training images compared), a split, or images (N, D).
        train: images that the model was trained on, where `data` does not bring them.
        dynamic: whether the training binarised anew every epoch (`fit(dynamic=True)`). The weights do not show it, and the published
            tables are split by it.
        n_samples: k of the bound.
        n_polished: of so many held-out images the gap is split, for which q is polished image by image.

    Raises:
        TypeError, ValueError: no encoder, or one that proposes something else; bad images or settings.

    >>> from vaecourse.models import VAE
    >>> _ = torch.manual_seed(0)
    >>> x = torch.rand(60, 16).lt(0.1).float()
    >>> report = audit(VAE(2, (8,), 16), x, n_samples=50, n_polished=5)
    >>> [finding.name for finding in report.findings]
    ['untrained']
    >>> report.numbers["bound"] > report.numbers["elbo"]
    True
    """
    n_samples, n_images = whole("n_samples", n_samples, least=25), whole("n_images", n_images, least=2)
    n_polished = whole("n_polished", n_polished, least=2)
    if dynamic not in (None, True, False):
        raise TypeError(f"dynamic must be True or False, or None where that is not known; got {dynamic!r}")
    if not hasattr(model, "encoder"):
        raise ValueError(f"an audit asks what the encoder proposes, and {type(model).__name__} has none")
    name = data.name if isinstance(data, Digits) else None
    train = data.train if isinstance(data, Digits) and train is None else train
    x, findings = _black_and_white(model, data.test if isinstance(data, Digits) else data, n_images)
    learnt = None if train is None else _black_and_white(model, train, max(n_images, FRESH))[0]
    seen = x if learnt is None else learnt[:n_images]
    q = _proposals(model, x)
    rows, numbers = [], {"k": n_samples, "images": len(x), "pixels": x.shape[1]}

    def add(key: str, label: str, values: Tensor, meaning: str) -> None:
        numbers[key], numbers[f"{key}_error"] = mean_and_error(values)
        rows.append((label, _pm(numbers, key), meaning))

    with torch.no_grad():
        log_w = log_weights(model, x, n_samples)
        bound, kl = log_mean_exp(log_w, 0), divergence(q, model.prior, q.sample((64,)))
    kl = kl.mean(0) if kl.ndim == 2 else kl
    add("elbo", "ELBO", log_w.mean(0), "held out, mean over images ± standard error")
    add("bound", f"bound, k = {n_samples:,}", bound, "importance weighted; its bias is not in the error and points down")
    add("kl", "rate, KL(q || prior)", kl, "nats that the code of an image costs")
    add("reconstruction", "reconstruction", log_w.mean(0) + kl, "ELBO + rate: E_q log p(x|z)")
    rows += _gap_rows(model, x[:n_polished], bound[:n_polished], numbers)
    rows += _weight_rows(log_w, numbers)
    if learnt is not None:
        with torch.no_grad():
            numbers["learnt"], error = mean_and_error(log_mean_exp(log_weights(model, seen, n_samples), 0))
        numbers["excess"], numbers["excess_error"] = numbers["learnt"] - numbers["bound"], math.hypot(error, numbers["bound_error"])
        rows.append(("training - held out", _pm(numbers, "excess"), "bound on training images minus bound on held-out images"))
    numbers["active"] = int(active_units(q).sum())
    rows.append(("active units", f"{numbers['active']} of {model.latent_dim}", "latents whose mean moves with the image (variance > 0.01)"))
    numbers["beta"], numbers["beta_error"] = implied_beta(model, seen)
    at_rest = _pm(numbers, "beta") if _determined(numbers) else "undetermined"
    rows.append(("implied beta", at_rest, "the weight of the KL under which the spread of q is at rest; 1 for the ELBO"))
    if model.binary:
        add("baseline", "independent pixels", _independent(x, x if learnt is None else learnt), "log p(x) of a model without latents")
    findings += _faults(model, numbers, x, learnt)
    if not any(finding.name == "untrained" for finding in findings):
        findings += _cautions(numbers)
        if learnt is not None and numbers["excess"] > max(2.0, 3 * numbers["excess_error"]):
            findings.append(_overfitting(model, x[:n_polished], seen[:n_polished], numbers))
    title = f"Audit of a {type(model).__name__} with {model.latent_dim} latents on {len(x)} held-out images{f' of {name}' if name else ''}"
    comparison = _comparison(model, name, dynamic, numbers, {finding.name for finding in findings})
    return Audit(title, tuple(rows), tuple(findings), comparison, numbers)


def implied_beta(model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int = 64) -> tuple[float, float]:
    """The weight of the KL under which the spread of the encoder's q is at rest on the images x, and its standard error.

    Add a to every log-variance of q. Where the encoder maximises E_q[log p(x|z)] - beta KL(q || prior), averaged over its training
    images, the derivative in a is zero at a = 0, because a is part of the last bias of the encoder. So

        beta = mean_x d/da E_q[log p(x|z)] / mean_x d/da KL(q || prior).

    After a training with the ELBO it is 1, with a beta-VAE's loss its beta. An encoder whose training has not come to rest, or whose
    loss was another, such as the importance weighted bound, gives other values. Where q is the prior, both derivatives vanish,
    and the standard error says that the ratio means nothing.

    Args:
        x: training images, or held-out ones where the encoder does not overfit.
        n_samples: draws of z for each image; each is used with its mirror image.

    >>> from vaecourse.models import LinearGaussian
    >>> _ = torch.manual_seed(0)
    >>> model = LinearGaussian(4, 1, sigma=0.5).requires_grad_(False)
    >>> x, w = model.marginal.sample((50,)), model.weight.square().sum() / 0.25
    >>> def encoder(x):  # the best spread under a KL that is weighted by 3
    ...     return diagonal_normal(model.posterior(x).mean, -torch.log(1 + w / 3).expand(len(x), 1))
    >>> model.encoder = encoder
    >>> beta, error = implied_beta(model, x)
    >>> abs(beta - 3) < 4 * error + 0.01
    True
    """
    n_samples = whole("n_samples", n_samples)
    q, prior = _proposals(model, x), model.prior
    slopes = []
    rows = max(1, BLOCK // (2 * n_samples * x.shape[1]))
    for image, mu, sigma in zip(x.split(rows), q.mean.split(rows), q.stddev.split(rows)):
        a = torch.zeros(len(image), 1, dtype=x.dtype, device=x.device, requires_grad=True)
        noise = torch.randn(n_samples, *mu.shape, dtype=x.dtype, device=x.device)
        z = mu + sigma * (a / 2).exp() * torch.cat([noise, -noise])
        reconstruction = model.decoder(z).log_prob(image.expand(len(z), *image.shape)).mean(0)
        kl = divergence(diagonal_normal(mu, 2 * sigma.log() + a), prior, z)
        both = reconstruction.sum(), (kl.mean(0) if kl.ndim == 2 else kl).sum()
        slopes.append(torch.cat([torch.autograd.grad(value, a, retain_graph=True)[0] for value in both], 1))
    up, down = torch.cat(slopes).double().unbind(1)
    beta = up.mean() / down.mean()
    return beta.item(), ((up - beta * down).std() / (math.sqrt(len(x)) * down.mean().abs())).item()


def _proposals(model: LatentVariableModel, x: Tensor) -> Independent:
    model.check(x)
    with torch.no_grad():
        q = model.encoder(x)
    if not (isinstance(q, Independent) and isinstance(q.base_dist, Normal)):
        raise ValueError(f"the audit is made for encoders that propose diagonal normals; this one proposes a {type(q).__name__}")
    return q


def _black_and_white(model: LatentVariableModel, images: Split | Tensor, n: int) -> tuple[Tensor, list[Finding]]:
    """The first n images as a binary model wants them, and what is to be said about that."""
    split = images if isinstance(images, Split) else None
    x = images if split is None else split.x
    if isinstance(x, Tensor):
        x = x.to(next(model.parameters()).device)
    if not isinstance(x, Tensor) or x.ndim != 2 or not x.is_floating_point() or not model.binary:
        x = x[:n] if isinstance(x, Tensor) else x
        model.check(x)  # which says what to do
        return x, []
    x = x[:n]
    if len(x) < 2:
        raise ValueError(f"an audit needs two images at least, better hundreds; got {len(x)}")
    if ((x == 0) | (x == 1)).all():
        return x, _thresholded(split, x)
    if not torch.isfinite(x).all() or x.min() < 0:
        raise ValueError(
            "pixels must be 0 or 1, or grey levels of 0 and above; found NaN, infinity or negative values: undo the standardisation"
        )
    top = max(1.0, x.max().item())
    grey = ((x != 0) & (x != top)).double().mean().item()
    text = (
        f"{grey:.0%} of the pixels are neither black nor white (the values reach from {x.min():g} to {x.max():g}). The Bernoulli "
        "likelihood is a probability of zeros and ones only; on grey pixels the same formula is the likelihood of no model "
        "(notebook 02), and its values may not be compared with any. All numbers here belong to the images after one random "
        "binarisation: see vaecourse.data.binarize."
    )
    return binarize(x / top), [Finding("grey", "wrong", text)]


def _thresholded(split: Split | None, x: Tensor) -> list[Finding]:
    if split is None:
        return []
    ink = split.intensity[: len(x)].to(x.device)
    between = (ink > 0) & (ink < 1)
    if not between.any() or (x != (ink > 0.5))[between].any():
        return []
    text = (
        "The images were rounded at one half, not binarised at random. A number on rounded images must not be compared with one on "
        "randomly binarised images (notebook 09)."
    )
    return [Finding("rounded", "caution", text)]


def _gap_rows(model: LatentVariableModel, x: Tensor, bound: Tensor, numbers: dict[str, float]) -> list[tuple[str, str, str]]:
    """The gap in two parts: by the exact log p(x) for one or two latents, otherwise against q polished for each image."""
    q = _proposals(model, x)
    best, exact = refine(model, x, [q]), None
    if model.latent_dim <= 2:
        try:
            exact = exact_log_px(model, x)
        except RuntimeError:  # the quadrature does not settle: the polished q is still there
            pass
    on, about, least = f"first {len(x)} images", "", ""
    if exact is None:
        about, least = ", about", ", at least"  # a bound in the place of log p(x), and a local search for q
        with torch.no_grad():
            log_w = log_weights(model, x, 500, best)
            polished = log_w.mean(0)
            parts = {"approximation": log_mean_exp(log_w, 0).maximum(bound) - polished, "amortisation": polished - elbo(model, x, 500, q)}
    else:
        gaps = split_gap(model, x, q, best)
        parts = {"exact": exact, "approximation": gaps.approximation, "amortisation": gaps.amortisation}
    for key, values in parts.items():
        numbers[key], numbers[f"{key}_error"] = mean_and_error(values)
    meanings = {
        "approximation": (f"approximation gap{about}", f"{on}: what no diagonal normal can close"),
        "amortisation": (f"amortisation gap{least}", f"{on}: what a q polished for each image gains"),
    }
    if exact is not None:
        numbers["exact_elbo"] = exact_elbo(model, x, q).mean().item()
        meanings = {"exact": ("exact log p(x)", f"{on}, whose ELBO is {numbers['exact_elbo']:.2f}; by quadrature")} | meanings
    return [(label, _pm(numbers, key), meaning) for key, (label, meaning) in meanings.items()]


def _weight_rows(log_w: Tensor, numbers: dict[str, float]) -> list[tuple[str, str, str]]:
    shape, size = pareto_k(log_w, 0), effective_sample_size(log_w, 0)
    numbers["k_hat_share"], numbers["k_hat"] = (shape > 0.7).double().mean().item(), shape.median().item()
    numbers["sample_size"] = size.median().item()
    return [
        ("Pareto k-hat > 0.7", f"{numbers['k_hat_share']:.0%} of the images", "there the bound may be too low by more than its error"),
        ("effective sample size", f"{numbers['sample_size']:.0f} of {len(log_w):,}", "median over the images"),
    ]


def _independent(x: Tensor, seen: Tensor) -> Float[Tensor, " batch"]:
    """log p(x) where every pixel has its own probability of ink, that of the images `seen`, and nothing else matters."""
    share = (seen.sum(0) + 0.5) / (len(seen) + 1)
    return bernoulli(share.logit().expand(len(x), -1)).log_prob(x)


def _faults(model: LatentVariableModel, numbers: dict[str, float], x: Tensor, learnt: Tensor | None) -> list[Finding]:
    """An untrained model, a collapsed one, a KL of another weight. The first explains the others, so only one of them is named."""
    best = max(numbers["bound"], numbers.get("learnt", -math.inf))
    if model.binary and best < numbers["baseline"] - 3 * numbers["baseline_error"]:
        text = (
            f"The bound lies {numbers['baseline'] - best:.1f} nats below what independent pixels reach, a model without latents"
            f"{'' if learnt is None else ', and that on its training images too'}. The model is untrained, its weights were not loaded, or "
            "it was trained on images of another kind."
        )
        coins = -numbers["pixels"] * math.log(2)
        if abs(numbers["elbo"] - coins) < 0.05 * -coins:
            text += f" It holds every pixel for a fair coin ({coins:.0f} nats), as networks do before their training."
        return [Finding("untrained", "wrong", text)]
    if numbers["active"] == 0:
        text = (
            f"q has collapsed: the mean of no latent moves with the image, and the rate is {numbers['kl']:.3f} nats. The code says next to "
            "nothing about the image."
        )
        return [Finding("collapsed", "wrong", text), _cause(model, numbers, x, learnt)]
    beta, pixels, latents = numbers["beta"], numbers["pixels"], model.latent_dim
    if not _determined(numbers) or 0.75 < beta < 1.33:
        return []
    text = f"The spread of q is at rest under a KL that is weighted by {beta:.2g}, not by 1, as after a training with such a beta."
    for weight, words in ((pixels, "the pixels were averaged"), (pixels / latents, "both pixels and latents were averaged")):
        if beta > 2 and abs(math.log(beta / weight)) < 0.3:
            text += f" It is near {weight:.0f}, the weight that results where {words} and not summed (the mean() of notebook 08)."
    text += " A training that has not come to rest, or one on the importance weighted bound, can look the same."
    return [Finding("beta", "suspicion", text)]


def _cause(model: LatentVariableModel, numbers: dict[str, float], x: Tensor, learnt: Tensor | None) -> Finding:
    """Of a collapsed model: whether a fresh VAE, trained for 300 steps with the ELBO, finds something to encode in the same images."""
    if learnt is None or not model.binary or len(learnt) < 100:
        text = "Without 100 training images the audit cannot try whether this data has anything to encode."
        return Finding("cause", "caution", text)
    fresh = VAE(model.latent_dim, (64,), x.shape[1]).to(x)
    with torch.no_grad():
        fresh.decoder.logits[-1].bias.copy_(((learnt.sum(0) + 0.5) / (len(learnt) + 1)).logit())
    fit(fresh, learnt, math.ceil(300 / math.ceil(len(learnt) / 100)), batch_size=100, lr=5e-3, progress=False)
    with torch.no_grad():
        numbers["fresh_gain"], numbers["fresh_gain_error"] = mean_and_error(elbo(fresh, x, 20) - elbo(model, x, 20))
        numbers["fresh_active"] = int(active_units(fresh.encoder(x)).sum())
    if numbers["fresh_active"] == 0 or numbers["fresh_gain"] < 3 * numbers["fresh_gain_error"]:
        text = "A fresh VAE, trained for 300 steps with the ELBO, finds nothing to encode either: the cause may be the data."
        return Finding("cause", "caution", text)
    text = (
        f"The data alone is not the cause: a fresh VAE with one hidden layer of 64, trained on {len(learnt):,} of the training images for "
        f"300 steps with the ELBO, gains {_pm(numbers, 'fresh_gain')} nats on the held-out ones and uses {numbers['fresh_active']} "
        f"latents. So the training is suspect. Pixels that were averaged and not summed weigh the KL {numbers['pixels']} times too much "
        "(the mean() of notebook 08); a large beta, or a KL of full weight from the first step, can do the same. The weights do not show "
        "which it was."
    )
    return Finding("cause", "suspicion", text)


def _cautions(numbers: dict[str, float]) -> list[Finding]:
    found = []
    if numbers["amortisation"] > max(2.0, 3 * numbers["amortisation_error"]):
        text = (
            f"A q polished for each image raises the ELBO by {numbers['amortisation']:.1f} nats on average: a better encoder could close "
            "at least this part of the gap, with the same decoder (notebook 08)."
        )
        found.append(Finding("amortisation", "caution", text))
    if numbers["k_hat_share"] > 0.1:
        text = (
            f"For {numbers['k_hat_share']:.0%} of the images the tail of the weights is too heavy for their average (k-hat above 0.7). The "
            "encoder may miss a part of the posterior, and then the bound can be too low by more than its error says: compare with "
            "vaecourse.estimators.defensive or vaecourse.annealing."
        )
        found.append(Finding("tail", "caution", text))
    if "excess" not in numbers:
        found.append(Finding("unseen", "caution", "No training images were given, so overfitting was not looked for."))
    return found


def _overfitting(model: LatentVariableModel, x: Tensor, seen: Tensor, numbers: dict[str, float]) -> Finding:
    """Where the bound is higher on training images: by how much less when q is polished for each image of both kinds."""
    (there, there_error), (here, here_error) = (mean_and_error(_polishing_gain(model, images, numbers["k"])) for images in (x, seen))
    numbers["encoder_excess"], numbers["encoder_excess_error"] = there - here, math.hypot(there_error, here_error)
    text = (
        f"The bound on training images is {_pm(numbers, 'excess')} nats above that on held-out images: decoder, encoder or both overfit. "
        f"With a q polished for each of {len(x)} images of both kinds it is less by {_pm(numbers, 'encoder_excess')} nats. About so much "
        "comes from the encoder, and the rest from the decoder (notebook 09)."
    )
    return Finding("overfitting", "caution", text)


def _polishing_gain(model: LatentVariableModel, x: Tensor, n_samples: int) -> Float[Tensor, " batch"]:
    """The bound with a q polished for each image, minus that with the encoder's q."""
    q = _proposals(model, x)
    best = refine(model, x, [q])
    with torch.no_grad():
        polished, plain = (log_mean_exp(log_weights(model, x, n_samples, proposal), 0) for proposal in (best, q))
        return polished - plain


def _comparison(model: LatentVariableModel, name: str | None, dynamic: bool | None, numbers: dict[str, float], found: set[str]) -> str:
    """What the bound may be held against, in words."""
    if not model.binary:
        return "The likelihood of real values depends on their unit: compare only with models of the same values in the same unit."
    if "grey" in found:
        return "No published number may stand beside this one, because the images were not black and white."
    if "rounded" in found:
        return "No published number may stand beside this one: those in the tables belong to images that were binarised at random."
    if name == "strokes":
        return "No paper has a number on these strokes. Compare with models of your own on the same images, image by image (notebook 09)."
    first = {
        None: "The audit does not know which images these are. If they are MNIST's test images, binarised at random: ",
        "static-mnist": "These are the static images of Larochelle and Murray. ",
    }.get(name, "This is MNIST, binarised at random with the course's own seed. A draw with another seed moves the bound by chance only. ")
    kind = "static" if name == "static-mnist" else {True: "dynamic", False: "static", None: None}[dynamic]
    if kind is None:
        which = (
            "If the training binarised anew every epoch, the number belongs beside the dynamic row, otherwise beside the static one, and "
            f"never beside both (dynamic=True or False says which). {_table('dynamic')} {_table('static')}"
        )
    else:
        how = {"dynamic": "Its training binarised anew every epoch", "static": "Its training used one binarisation"}[kind]
        which = f"{how}, so the number belongs beside the {kind} row only. {_table(kind)}"
    return (
        f"{first}{which} There the bound has k = 5,000, on all 10,000 test images, for 50 latents and two layers of 200; here it has "
        f"k = {numbers['k']:,} on {numbers['images']:,} images. A smaller k lowers it, and the choice of images moves it by its error."
    )


def _determined(numbers: dict[str, float]) -> bool:
    """Whether the implied beta is known to a quarter of its value."""
    return numbers["beta_error"] < 0.25 * abs(numbers["beta"])


def _table(kind: str) -> str:
    place, images, row = PUBLISHED[kind]
    values = ", ".join(f"{value:.2f} (trained with k = {k})" for k, value in row.items())
    return f"Burda, Grosse and Salakhutdinov 2016, {place}, {kind}, {images} training images: {values}."


def _pm(numbers: dict[str, float], key: str) -> str:
    return f"{numbers[key]:.2f} ± {numbers[f'{key}_error']:.2f}"
