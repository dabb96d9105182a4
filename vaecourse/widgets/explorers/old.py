"""Explorers: figures that follow their controls. Each is one function that returns one widget, as `frame.explorer` makes it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent, Normal
from torch.nn.functional import logsigmoid

from vaecourse import oracles, plots
from vaecourse.diagnostics import exact_elbo
from vaecourse.distributions import diagonal_normal, gaussian_kl, log_prob_pairs
from vaecourse.logspace import effective_sample_size, log_mean_exp
from vaecourse.models import LatentVariableModel
from vaecourse.widgets.frame import choice, explorer, slider

PLANE = {"xlim": (-4, 4), "ylim": (-4, 4), "xticks": (-4, 0, 4), "yticks": (-4, 0, 4)}


def _signed(value: float, digits: int) -> str:
    """The number with its sign; never a minus before a zero."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _picture(ax: Any, image: Any) -> None:
    ax.imshow(np.asarray(image).reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)


def _histogram(ax: Any, values: Tensor, bins: Any, color: str) -> None:
    counts, edges = np.histogram(values, bins)
    ax.stairs(counts, edges, fill=True, color=plots.COLORS[color], alpha=0.75)  # one path, where hist draws a patch a bin


def latent_plane(models: dict[str, LatentVariableModel], x: Tensor):
    """A point moved over the plane of K = 2 latents, by sliders or a click: what a decoder makes of it (notebooks 02 and 08).

    Args:
        models: from a name to a model with two latents; several can be switched between.
        x: digits (B, 784) whose posteriors may be shown.
    """
    grids: dict[tuple[str, int], Any] = {}

    def draw(which: str, digit: int, z1: float, z2: float):
        model = models[which]
        if (which, digit) not in grids:
            grids[which, digit] = oracles.posterior_grid(model, x[digit : digit + 1], n=80)
        grid = grids[which, digit]
        with torch.no_grad():
            p = model.decoder(torch.tensor([z1, z2])).mean
            fit = float(model.decoder(torch.tensor([[z1, z2]])).log_prob(x[digit : digit + 1]))
        sample = torch.rand(784, generator=torch.Generator().manual_seed(0)) < p
        fig, axes = plots.figure(["Posterior of the digit", "Mean at the cross", "A sample", "The digit"], size=(10.4, 3.0))
        plots.plane(axes[0], grid.z, grid.probs[0])
        mode = grid.z[grid.probs[0].argmax()]
        axes[0].plot(*mode, "o", color="black", ms=16, mfc="none", mew=1.2)
        axes[0].plot(z1, z2, "+", color="black", ms=13, mew=2)
        for ax, image in zip(axes[1:], (p, sample, x[digit])):
            _picture(ax, image)
        peak = f"its posterior peaks at ({mode[0]:.1f}, {mode[1]:.1f})"
        return fig, f"{which}: z = ({z1:.1f}, {z2:.1f}); log p(x|z) of digit {digit} is {fit:.0f} nats; {peak}, the ring."

    controls = {
        "z1": slider("z₁", 0.0, -4.0, 4.0, 0.1),
        "z2": slider("z₂", 0.0, -4.0, 4.0, 0.1),
        "digit": slider("digit", 0, 0, len(x) - 1, 1),
        "which": choice("model", list(models)),
    }

    return explorer(
        "The latent plane",
        "A cross on the plane of two latents, the decoder's mean image and a sample there, and the posterior of a digit.",
        controls,
        draw,
        _on_the_plane,
    )


def _on_the_plane(fig: Any, across: float, down: float) -> dict[str, float]:
    """The latents on which a click falls, where the first panel shows the plane from -4 to 4."""
    width, height = fig.bbox.size
    z = fig.axes[0].transData.inverted().transform((across * width, (1 - down) * height))
    return {"z1": round(float(z[0]), 1), "z2": round(float(z[1]), 1)} if abs(z).max() <= 4 else {}


FORMATS = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}


def estimate_px(how: str = "float32"):
    """Naive Monte Carlo of a model whose p(x) is known: N, the size of the image, the number format (notebooks 03 and 04).

    One latent z; each pixel of an image is what z demands with probability sigmoid(1.4 + z / 2). x has 8 pixels in 10 right.
    """

    def log_likelihood(z: Tensor, pixels: int) -> Tensor:
        logit = 1.4 + z / 2
        return pixels * (0.8 * logsigmoid(logit) + 0.2 * logsigmoid(-logit))

    nodes = torch.linspace(-12, 12, 4001, dtype=torch.float64)

    def draw(log_n: int, side: int, how: str):
        n, pixels = 2**log_n, side * side
        exact = float(torch.logsumexp(log_likelihood(nodes, pixels) + Normal(0.0, 1.0).log_prob(nodes), 0) + math.log(24 / 4000))
        z = torch.randn(200, n, generator=torch.Generator().manual_seed(0)).double()
        terms = log_likelihood(z, pixels)
        estimates = (
            log_mean_exp(terms, 1) if how == "log space" else terms.exp().to(FORMATS[how]).double().mean(1).to(FORMATS[how]).double().log()
        )
        alive = estimates[estimates.isfinite()]
        fig, ax = plots.figure(f"200 estimates in {how}", "log p(x), nats", "estimates", size=(7.6, 3.1))
        if len(alive):
            low, high = min(float(alive.min()), exact), max(float(alive.max()), exact)
            pad = max(0.5, 0.08 * (high - low))
            _histogram(ax, alive, np.linspace(low - pad, high + pad, 50), "naive")
            ax.set_ylim(0, 1.15 * ax.get_ylim()[1])
        ax.axvline(exact, color=plots.COLORS["exact"], lw=2.2)
        ax.annotate("exact", (exact, ax.get_ylim()[1]), xytext=(4, -10), textcoords="offset points", fontsize=9)
        dead = len(estimates) - len(alive)
        mean = (
            f"on average the 200 estimates are {_signed(float(estimates.mean()) - exact, 2)} nats off"
            if not dead
            else f"{dead} of 200 estimates are exactly 0"
        )
        if dead:
            ax.text(0.02, 0.86, f"{dead} of 200 are 0", transform=ax.transAxes, color=plots.COLORS["naive"], weight="bold")
        return fig, f"{pixels:,} pixels, N = {n:,}, {how}: log p(x) = {exact:.1f} nats; {mean}."

    controls = {
        "log_n": slider("N, 2 to the", 6, 0, 12, 1),
        "side": slider("pixels a side", 12, 4, 60, 1),
        "how": choice("numbers", [*FORMATS, "log space"], how),
    }
    return explorer("Estimate p(x)", "A histogram of 200 estimates of log p(x) beside a black line, the exact value.", controls, draw)


def move_the_proposal():
    """Place and width of q against a known posterior: weights, effective sample size, the estimate and its error (notebook 05)."""
    posterior = Normal(1.0, 0.4)  # p(x, z) is this density, so that log p(x) = 0

    def draw(mean: float, width: float):
        q = Normal(mean, width)
        z = mean + width * torch.randn(1000, generator=torch.Generator().manual_seed(0))
        log_w = posterior.log_prob(z) - q.log_prob(z)
        estimate, ess = float(log_mean_exp(log_w, 0)), float(effective_sample_size(log_w, 0))
        w = log_w.exp()
        claimed = float(w.std() / w.mean() / math.sqrt(1000))
        fig, (left, right) = plots.figure(
            ["Where q looks", "Each draw and its weight"], "z", ["density", "share of all weight"], size=(9, 3.2)
        )
        axis = torch.linspace(-3, 5, 401)
        plots.line(left, axis, posterior.log_prob(axis).exp(), "posterior", "posterior", end=190, nudge=(-62, 12))
        plots.line(left, axis, q.log_prob(axis).exp(), "q", "importance", end=int((mean + 0.7 * width + 3) * 50) % 401, nudge=(8, 6))
        left.set(xlim=(-3, 5), ylim=(0, max(1.2, 1.1 * 0.3989 / width)))
        spikes = torch.stack([torch.zeros_like(w), w / w.sum(), torch.full_like(w, math.nan)], 1)  # one broken line, drawn at once
        right.plot(z.repeat_interleave(3), spikes.flatten(), color=plots.COLORS["importance"], lw=1)
        right.set(xlim=(-3, 5), ylim=(0, None))
        trap = (
            " q is narrower than 0.71 of the posterior: the variance of the weights is infinite, and the error bar does not know it."
            if width < 0.4 / math.sqrt(2)
            else ""
        )
        return (
            fig,
            f"Effective sample size {ess:.0f} of 1,000; estimate {_signed(estimate, 3)} nats, "
            f"claimed error {claimed:.3f}, true value 0.{trap}",
        )

    return explorer(
        "Move the proposal",
        "The densities of q and of the posterior, and the weight of each of 1,000 draws from q.",
        {"mean": slider("mean of q", 0.0, -2.0, 3.0, 0.1), "width": slider("width of q", 1.0, 0.1, 2.0, 0.1)},
        draw,
    )


REACH = 0.8  # half the side of the square of latents that `the_gap` shows


def _log_joint(model: LatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) of one digit (1, 784) at many z (G, 2): (G,)."""
    with torch.no_grad():
        return log_prob_pairs(model.decoder(z), x)[:, 0] + model.prior.log_prob(z)


def the_gap(model: LatentVariableModel, x: Tensor):
    """An ellipse q moved over the exact posterior of one digit (1, 784): ELBO and KL change, their sum does not (notebook 06)."""
    log_px, coarse = float(oracles.exact_log_px(model, x)), oracles.posterior_grid(model, x, n=160)
    centre = coarse.z[coarse.probs[0].argmax()].mul(20).round().div(20)
    axis = torch.linspace(-REACH, REACH, 101)
    near = centre + torch.cartesian_prod(axis, axis)
    density = (_log_joint(model, x, near) - log_px).exp()

    def draw(z1: float, z2: float, s1: float, s2: float):
        q = diagonal_normal(torch.tensor([[z1, z2]]), 2 * torch.tensor([[s1, s2]]).log())
        bound, kl = float(exact_elbo(model, x, q)), divergence(q)
        fig, (left, right) = plots.figure(["q on the exact posterior", "ELBO + KL = log p(x)"], size=(9, 3.6))
        plots.plane(left, near, density)
        plots.ellipse(left, (z1, z2), (s1, s2), "elbo", "q")
        floor = log_px - 60
        shown = max(bound, floor)
        right.barh(
            ["log p(x)", "ELBO + KL"], [log_px - floor, shown - floor], left=floor, color=[plots.COLORS["exact"], plots.COLORS["elbo"]]
        )
        right.barh(["ELBO + KL"], [log_px - shown], left=[shown], color=plots.COLORS["posterior"])
        right.axvline(log_px, color="black", lw=0.8)
        for label, start, end in (("ELBO", floor, shown), ("KL", shown, log_px)):
            if end - start > 8:
                right.text((start + end) / 2, 1, label, color="white", ha="center", va="center", weight="bold")
        if bound < floor:
            right.text(floor + 1, 1.46, "← the ELBO ends further left", fontsize=9)
        right.set(xlim=(floor, log_px + 5), xlabel="nats")
        right.grid(axis="y", visible=False)
        return fig, f"ELBO {bound:.1f} + KL {kl:.1f} = {bound + kl:.1f} nats; log p(x) is {log_px:.1f}."

    steps = torch.linspace(-5, 5, 31)
    under_q = torch.cartesian_prod(steps, steps)  # in standard deviations of q: the trapezoidal rule, apart from the ELBO's
    weights = torch.softmax(-under_q.square().sum(1) / 2, 0)

    def divergence(q: Independent) -> float:
        z = (q.mean + q.stddev * under_q).float()
        return float((weights * (q.log_prob(z) - _log_joint(model, x, z) + log_px)).sum())

    controls = {
        "z1": slider("mean z₁", float(centre[0]) + 0.15, float(centre[0]) - REACH, float(centre[0]) + REACH, 0.05),
        "z2": slider("mean z₂", float(centre[1]) + 0.15, float(centre[1]) - REACH, float(centre[1]) + REACH, 0.05),
        "s1": slider("width σ₁", 0.1, 0.01, 0.5, 0.01),
        "s2": slider("width σ₂", 0.1, 0.01, 0.5, 0.01),
    }
    return explorer(
        "The gap",
        "An ellipse, q, on the exact posterior of one digit; beside it bars for ELBO and KL, whose sum is log p(x).",
        controls,
        draw,
    )


def the_kl():
    """Mean and width of one q against the prior: densities, the integrand of the KL, its closed form term by term (notebook 06)."""

    def draw(mu: float, sigma: float):
        reach = max(6.0, abs(mu) + 4 * sigma)  # all that counts is in sight
        z = torch.linspace(-reach, reach, 1201)
        q, p = Normal(mu, sigma), Normal(0.0, 1.0)
        q_z, p_z = q.log_prob(z).exp(), p.log_prob(z).exp()
        integrand = q_z * (q.log_prob(z) - p.log_prob(z))
        terms = {"½ μ²": 0.5 * mu**2, "½ σ²": 0.5 * sigma**2, "−½": -0.5, "−log σ": -math.log(sigma)}
        kl = float(gaussian_kl(torch.tensor([mu]), torch.tensor([2 * math.log(sigma)])))
        titles, units = ["q, prior p; shaded q log(q/p)", f"KL(q‖p) = {kl:.2f} nats"], ["density; nats per unit of z", ""]
        fig, (left, right) = plots.figure(titles, ["z", "nats"], units, size=(9, 3.4))
        plots.line(left, z, p_z, "p", "prior", end=int((z + 1).abs().argmin()), nudge=(-12, 6))
        plots.line(left, z, q_z, "q", "elbo", end=int((z - mu - 0.7 * sigma).abs().argmin()), nudge=(6, 6))
        left.fill_between(z, integrand.clamp(min=0), color=plots.COLORS["importance"], alpha=0.35, lw=0)
        left.fill_between(z, integrand.clamp(max=0), color=plots.COLORS["naive"], alpha=0.35, lw=0)
        left.set_ylim(-0.6, max(1.2, 1.08 * float(q_z.max()), 1.08 * float(integrand.max())))
        bars = [*terms.values(), kl]
        colors = [plots.COLORS["importance" if b >= 0 else "naive"] for b in terms.values()]
        right.barh([*terms, "KL"], bars, color=[*colors, plots.COLORS["exact"]])
        right.axvline(0, color="black", lw=0.8)
        right.invert_yaxis()
        right.set_xlim(-2.5, 6.5)
        parts = ", ".join(f"{name} = {_signed(value, 2)}" for name, value in terms.items() if name != "−½")
        return fig, f"Mean {mu:.1f}, standard deviation {sigma:.1f}: {parts}, and −½; together KL(q‖p) = {kl:.2f} nats."

    return explorer(
        "The divergence from the prior",
        "The densities of q and of the prior, the integrand of the KL, and its closed form term by term.",
        {"mu": slider("mean μ", 1.0, -3.0, 3.0, 0.1), "sigma": slider("width σ", 0.5, 0.1, 2.5, 0.1)},
        draw,
    )


def two_gradients():
    """Spread of the pathwise and the score-function gradient around the exact one, by dimension and samples (notebook 07).

    The slope in one mean of E[sum_k (z_k - 1)^2], z_k ~ N(0, 1): exactly -2.
    """

    def draw(dims: int, samples: int):
        z = torch.randn(500, samples, dims, generator=torch.Generator().manual_seed(0))
        f = (z - 1).square().sum(-1)
        by_path = (2 * (z[..., 0] - 1)).mean(1)
        by_score = (f * z[..., 0]).mean(1)
        stds = [float(by_path.std()), float(by_score.std())]
        titles = [f"{name}: ± {std:.2g}" for name, std in zip(("Pathwise", "Score function"), stds)]
        fig, (left, right) = plots.figure(titles, "estimate of the slope", "of 500 estimates", size=(9, 3.2))
        bins = np.linspace(-2 - 4 * stds[1], -2 + 4 * stds[1], 61)  # one axis for both, as wide as the wider heap needs
        for ax, estimates, color in ((left, by_path, "elbo"), (right, by_score, "naive")):
            ax.axvline(-2, color="black", lw=1)
            _histogram(ax, estimates, bins, color)
        ratio = float(by_score.var() / by_path.var())
        said = f"{_count(dims, 'dimension')}, {_count(samples, 'sample')}: the score function has {ratio:.0f} times the variance"
        spread = f"standard deviation {stds[1]:.2f} against {stds[0]:.2f}"
        return (
            fig,
            f"{said}, {spread}; the means of 500 are {float(by_path.mean()):.2f} (pathwise) "
            f"and {float(by_score.mean()):.2f}, the slope is -2.",
        )

    controls = {"dims": slider("dimensions K", 2, 1, 100, 1), "samples": slider("samples S", 4, 1, 64, 1)}
    return explorer("Two gradients", "Two histograms around the exact slope, of pathwise and of score-function estimates.", controls, draw)


def how_many_draws(log_w: Tensor, exact: float | None = None):
    """The IWAE bound of one digit for k draws, with its spread over repeats, and log p(x) where it is known (notebook 09).

    Args:
        log_w: many log-weights of one digit, (S,), S a power of two at best.
        exact: log p(x).
    """
    most = int(math.log2(len(log_w))) - 4
    bounds = [log_mean_exp(log_w[: len(log_w) // 2**j * 2**j].reshape(-1, 2**j), 1) for j in range(most + 1)]
    means, spreads = [float(b.mean()) for b in bounds], [float(b.std()) for b in bounds]

    singles = np.sort(np.asarray(bounds[0]))
    low, high = singles[len(singles) // 500], max(float(b.max()) for b in bounds)
    bins = np.linspace(low, high + 0.03 * (high - low), 81)  # the same for every k, so that the heap is seen to shrink

    def draw(log_k: int):
        k = 2**log_k
        fig, (left, right) = plots.figure(
            ["The bound climbs", f"Estimates with k = {k}"], ["k", "nats"], ["nats", "estimates"], size=(9, 3.3)
        )
        ks = [2**j for j in range(most + 1)]
        plots.line(left, ks, means, "", "iwae", marker="o", ms=4)
        left.fill_between(
            ks,
            [m - s for m, s in zip(means, spreads)],
            [m + s for m, s in zip(means, spreads)],
            color=plots.COLORS["iwae"],
            alpha=0.2,
            lw=0,
        )
        left.plot(k, means[log_k], "o", color=plots.COLORS["iwae"], ms=11)
        left.set_xscale("log", base=2)
        left.set_xticks(ks[::3], [str(k) for k in ks[::3]])  # powers as formulas take ten times as long to draw
        _histogram(right, bounds[log_k], bins, "iwae")
        right.set_xlim(bins[0], bins[-1])
        if exact is not None:
            left.axhline(exact, color="black", lw=1.6)
            right.axvline(exact, color="black", lw=1.6)
            left.annotate("exact", (1, exact), xytext=(0, 5), textcoords="offset points", fontsize=9)
            left.margins(y=0.12)
        known = f"; log p(x) is {exact:.1f}" if exact is not None else ""
        return fig, f"k = {k}: the bound is {means[log_k]:.1f} nats, one estimate scatters by {spreads[log_k]:.1f}{known}."

    return explorer(
        "How many draws?",
        "The importance weighted bound against the number of draws, and a histogram of single estimates.",
        {"log_k": slider("k, 2 to the", 0, 0, most, 1)},
        draw,
    )
