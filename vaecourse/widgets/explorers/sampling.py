"""Explorers of averages and their errors: naive Monte Carlo, importance sampling, gradients, the bound; and the KL divergence."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from vaecourse import plots
from vaecourse.arguments import tensors
from vaecourse.distributions import gaussian_kl
from vaecourse.logspace import effective_sample_size, log_mean_exp
from vaecourse.widgets.live import Live, normals

__all__ = ["estimate_px", "histogram", "how_many_draws", "move_the_proposal", "signed", "the_kl", "two_gradients"]

FORMATS = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}


def signed(value: float, digits: int) -> str:
    """The number with its sign; never a minus before a zero."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def histogram(ax, values: Tensor, low: float, high: float, bins: int, color: str) -> None:
    """Equal bins from low to high, as the live figure has them."""
    counts, edges = np.histogram(np.asarray(values), np.linspace(low, high, bins + 1))
    ax.stairs(counts, edges, fill=True, color=plots.COLORS[color], alpha=0.75)


def estimate_px(how: str = "float32") -> Live:
    """Naive Monte Carlo of a model whose p(x) is known: N, the size of the image, the number format (notebooks 03 and 04).

    One latent z; each pixel of an image is what z demands with probability sigmoid(1.4 + z / 2). x has 8 pixels in 10 right.
    """
    if how not in (*FORMATS, "log space"):
        raise ValueError(f"how must be one of {', '.join(FORMATS)} or 'log space'; got {how!r}")
    repeats = 200
    n, side = (4, 28) if how == "log space" else (64, 15)  # starts that show the matter: a low bias, or nothing but zeros
    pixels = side**2

    def log_likelihood(z: Tensor) -> Tensor:
        return pixels * (0.8 * logsigmoid(1.4 + z / 2) + 0.2 * logsigmoid(-1.4 - z / 2))

    nodes = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    exact = float(torch.logsumexp(log_likelihood(nodes) + Normal(0.0, 1.0).log_prob(nodes), 0) + math.log(24 / 4000))
    terms = log_likelihood(torch.stack([normals(n, seed) for seed in range(repeats)]))
    if how == "log space":
        estimates = log_mean_exp(terms, 1)
    else:
        estimates = terms.exp().to(FORMATS[how]).double().mean(1).to(FORMATS[how]).double().log()
    alive = estimates[estimates.isfinite()]
    dead = repeats - len(alive)
    error = float(estimates.mean()) - exact
    off = f"{abs(error):.2f} nats too {'low' if error < 0 else 'high'}"
    title = f"{dead} of {repeats} estimates in {how} are exactly 0" if dead else f"{pixels:,} pixels, N = {n:,}, {how}: on average {off}"
    fig, ax = plots.figure(title, "log p(x), nats", "estimates", size=(7.6, 3.1))
    low, high = min([exact, *alive.tolist()]), max([exact, *alive.tolist()])
    pad = max(0.5, 0.08 * (high - low))
    histogram(ax, alive, low - pad, high + pad, 49, "naive")
    if len(alive):
        ax.set_ylim(0, 1.15 * ax.get_ylim()[1])  # room for a word above the tallest bar
    else:
        ax.set(ylim=(0, 1.2), yticks=[0, 1])
    ax.axvline(exact, color=plots.COLORS["exact"], lw=2.2)
    ax.annotate("exact", (exact, ax.get_ylim()[1]), xytext=(4, -10), textcoords="offset points", fontsize=9)
    if dead:
        ax.text(0.02, 0.86, f"{dead} of {repeats} are 0", transform=ax.transAxes, color=plots.COLORS["naive"], weight="bold")
    said = f"{dead} of {repeats} estimates are exactly 0" if dead else f"on average the {repeats} estimates are {off}"
    sentence = f"{pixels:,} pixels, N = {n:,}, {how}: log p(x) = {exact:.1f} nats; {said}."
    about = f"A histogram of {repeats} estimates of log p(x) beside a black line, the exact value."
    return Live(
        "Estimate p(x)", about, "estimate_px", {"how": how, "repeats": repeats, "most": 4096, "samples": n, "start": side}, fig, sentence
    )


def move_the_proposal() -> Live:
    """Location and width of q against a known posterior: weights, effective sample size, the estimate and its error (notebook 05)."""
    start, draws = {"mean": 1.0, "width": 0.12}, 1000  # far too narrow: too low by three of its own standard errors
    seed = 30  # its effective sample sizes are close to the median of 2,000 repetitions, for narrow and wide q, on and off the posterior
    posterior = Normal(1.0, 0.4)  # p(x, z) is this density, so that log p(x) = 0
    q = Normal(start["mean"], start["width"])
    z = start["mean"] + start["width"] * normals(draws, seed)
    log_w = posterior.log_prob(z) - q.log_prob(z)
    w = log_w.exp()
    ess, estimate = f"{float(effective_sample_size(log_w, 0)):.0f}", signed(float(log_mean_exp(log_w, 0)), 2)
    error = f"{float(w.std() / w.mean()) / math.sqrt(draws):.2f}"
    narrow = start["width"] / posterior.stddev.item()
    titles = [f"q is {narrow:g} times as wide as the posterior", f"Estimate {estimate} ± {error} nats, true value 0".replace("-", "−")]
    fig, (left, right) = plots.figure(titles, "z", ["density", "share of all weight"], size=(9, 3.2))
    axis = torch.linspace(-2, 4, 601)
    plots.line(left, axis, posterior.log_prob(axis).exp(), "posterior p(z|x)", "#A36A00", end=340, nudge=(6, 8))  # dark enough for text
    plots.line(left, axis, q.log_prob(axis).exp(), "proposal q(z)", "importance", end=307, nudge=(8, 0))
    left.set(xlim=(-2, 4), ylim=(0, 1.15 / (math.sqrt(2 * math.pi) * start["width"])))
    right.vlines(z, 0, w / w.sum(), color=plots.COLORS["importance"], lw=1)
    right.set(xlim=(-2, 4), ylim=(0, None))
    found = f"{draws:,} samples of q,\neffective sample size {ess}"
    right.text(0.98, 0.95, found, ha="right", va="top", fontsize=9, color=plots.COLORS["importance"], transform=right.transAxes)
    sentence = (
        f"Effective sample size {ess} of {draws:,}; estimate of log p(x) {estimate} nats, "
        f"with a standard error of {error}; the true value is 0. The width of q is below 0.71 times that of the posterior: "
        "the variance of the weights is infinite, and the standard error cannot be trusted."
    )
    about = "The densities of q and of the posterior, and the weight of each of 1,000 samples from q."
    given = start | {"posterior": [1.0, 0.4], "draws": draws, "seed": seed}
    return Live("Move the proposal", about, "move_the_proposal", given, fig, sentence)


def the_kl() -> Live:
    """Mean and width of one q against the prior: densities, the integrand of the KL, its closed form term by term (notebook 06)."""
    start = {"mu": 1.0, "sigma": 0.5}
    mu, sigma = start.values()
    z = torch.linspace(-6, 6, 1201)
    q, p = Normal(mu, sigma), Normal(0.0, 1.0)
    q_z, p_z = q.log_prob(z).exp(), p.log_prob(z).exp()
    integrand = q_z * (q.log_prob(z) - p.log_prob(z))
    terms = {"½ μ²": 0.5 * mu**2, "½ σ²": 0.5 * sigma**2, "−½": -0.5, "−log σ": -math.log(sigma)}
    kl = float(gaussian_kl(torch.tensor([mu]), torch.tensor([2 * math.log(sigma)])))
    titles, units = ["q, prior p; shaded: q log(q/p)", f"KL(q‖p) = {kl:.2f} nats"], ["density; nats per unit of z", ""]
    fig, (left, right) = plots.figure(titles, ["z", "nats"], units, size=(9, 3.4))
    plots.line(left, z, p_z, "p", "prior", end=500, nudge=(-12, 6))
    plots.line(left, z, q_z, "q", "elbo", end=735, nudge=(6, 6))
    for part, color in ((integrand.clamp(min=0), "importance"), (integrand.clamp(max=0), "naive")):
        left.fill_between(z, part, color=plots.COLORS[color], alpha=0.35, lw=0)
    colors = ["importance" if value >= 0 else "naive" for value in terms.values()]
    right.barh([*terms, "KL"], [*terms.values(), kl], color=[plots.COLORS[c] for c in (*colors, "exact")])
    right.axvline(0, color="black", lw=0.8)
    right.invert_yaxis()
    right.set_xlim(-2.5, 6.5)
    parts = ", ".join(f"{name} = {signed(value, 2)}" for name, value in terms.items() if name != "−½")
    sentence = f"Mean {mu:.1f}, standard deviation {sigma:.2f}: {parts}, and −½; together KL(q‖p) = {kl:.2f} nats."
    about = "The densities of q and of the prior, the integrand of the KL, and its closed form term by term."
    return Live("The divergence from the prior", about, "the_kl", start, fig, sentence)


def two_gradients() -> Live:
    """Spread of the pathwise and the score-function gradient around the exact one, by dimension and samples (notebook 07).

    The gradient in one mean of E[sum_k (z_k - 1)^2], z_k ~ N(0, 1): exactly -2.
    """
    dims, samples, estimates, most = 2, 4, 500, 64
    z = torch.stack([normals(estimates * most, seed).view(estimates, most)[:, :samples] for seed in range(dims)], -1)
    both = [(2 * (z[..., 0] - 1)).mean(1), ((z - 1).square().sum(-1) * z[..., 0]).mean(1)]
    stds = [float(e.std()) for e in both]
    titles = [f"{name}: ± {std:#.2g}" for name, std in zip(("Pathwise", "Score function"), stds)]
    fig, axes = plots.figure(titles, "estimate of the gradient", "estimates", size=(9, 3.2))
    reach = 4 * max(stds)  # one axis for both, as wide as the wider histogram needs
    for ax, values, color in zip(axes, both, ("elbo", "naive")):
        ax.axvline(-2, color="black", lw=1)
        ax.text(0.02, 0.92, "line: exact, −2", transform=ax.transAxes)
        histogram(ax, values, -2 - reach, -2 + reach, 60, color)
    top = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(0, top)
    sentence = (
        f"{dims} dimensions, {samples} samples: the score function has {(stds[1] / stds[0]) ** 2:.0f} times the variance, "
        f"standard deviation {stds[1]:.2f} against {stds[0]:.2f}; the means of 500 are {float(both[0].mean()):.2f} (pathwise) "
        f"and {float(both[1].mean()):.2f}, the gradient is -2."
    )
    data = {"dims": dims, "samples": samples, "estimates": estimates, "most": most}
    about = "Two histograms around the exact gradient, of pathwise and of score-function estimates."
    return Live("Two gradients", about, "two_gradients", data, fig, sentence)


def how_many_draws(log_w: Tensor, exact: float | None = None) -> Live:
    """The IWAE bound of one digit for k samples, with its spread over repeats, and log p(x) where it is known (notebook 09).

    Args:
        log_w: many log-weights of one digit, (S,), S a power of two at best, 32 or more.
        exact: log p(x).

    Raises:
        TypeError, ValueError: log_w is no tensor of so many finite numbers.
    """
    tensors(log_w=log_w)
    if not log_w.isfinite().all():
        raise ValueError("log_w holds NaN or infinity, which have no place in the figure: look at how these log-weights were computed")
    if log_w.ndim != 1 or len(log_w) < 32:
        raise ValueError(f"log_w must hold at least 32 log-weights of one digit, shape (S,); got shape {tuple(log_w.shape)}")
    most = int(math.log2(len(log_w))) - 4
    bounds = [log_mean_exp(log_w[: len(log_w) // 2**j * 2**j].reshape(-1, 2**j), 1).double() for j in range(most + 1)]
    means, spreads = [float(b.mean()) for b in bounds], [float(b.std()) for b in bounds]
    singles = np.sort(np.asarray(bounds[0]))
    low, high = float(singles[len(singles) // 500]), max(float(b.max()) for b in bounds)
    high += 0.03 * (high - low)
    counts = [np.histogram(np.asarray(b), np.linspace(low, high, 81))[0].tolist() for b in bounds]
    start = min(3, most)
    k = 2**start
    fig, (left, right) = plots.figure(
        ["The bound climbs with k", f"Single estimates with k = {k}"],
        ["number of samples k", "nats"],
        ["nats", "share of the estimates"],
        size=(9, 3.3),
    )
    powers = np.arange(most + 1)
    plots.line(left, powers, means, "", "iwae", marker="o", ms=4)
    left.set_xticks(powers[::2], [f"{2 ** int(power):,}" for power in powers[::2]])
    left.fill_between(powers, np.subtract(means, spreads), np.add(means, spreads), color=plots.COLORS["iwae"], alpha=0.2, lw=0)
    left.plot(start, means[start], "o", color=plots.COLORS["iwae"], ms=11)
    right.stairs(
        np.divide(counts[start], sum(counts[start])), np.linspace(low, high, 81), fill=True, color=plots.COLORS["iwae"], alpha=0.75
    )
    right.set_xlim(low, high)
    if exact is not None:
        left.axhline(exact, color="black", lw=1.6)
        right.axvline(exact, color="black", lw=1.6)
        left.annotate("log p(x)", (0, exact), xytext=(0, 5), textcoords="offset points", fontsize=9)
        left.margins(y=0.12)
    known = "" if exact is None else f"; log p(x) is {exact:.1f}"
    sentence = f"k = {k:,}: the bound is {means[start]:.1f} nats, one estimate scatters by {spreads[start]:.1f}{known}."
    data = {"means": means, "spreads": spreads, "low": low, "high": high, "counts": counts, "exact": exact, "start": start}
    about = "The importance weighted bound against the number of samples, and a histogram of single estimates."
    return Live("How many samples?", about, "how_many_draws", data, fig, sentence)
