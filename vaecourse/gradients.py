"""The gradient of an expectation whose parameters determine the distribution of the samples (notebook 07).

Wanted is the gradient of E_q[f(z)] with respect to the parameters of q. The pathwise gradient differentiates f along the path from the
parameters to the sample; the score-function gradient multiplies the gradient of log q by the value of f. Both are unbiased, and their
variances differ.

`q` is a function from parameters (..., P) to a distribution of batch (...), such as `lambda p: Normal(p[..., 0], p[..., 1].exp())`.
`f` is a function of the samples z (S, *event) and of the distribution they come from, which returns one value for each sample, (S,).
If f uses that distribution, the gradient accounts for this as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaecourse.arguments import number, positive

__all__ = [
    "Family",
    "Integrand",
    "leave_one_out",
    "pathwise_gradients",
    "reparameterise",
    "score_function_gradients",
    "score_function_loss",
]

Family = Callable[[Tensor], Distribution]
Integrand = Callable[[Tensor, Distribution], Tensor]


def reparameterise(
    mu: Float[Tensor, "... latents"], log_var: Float[Tensor, "... latents"], eps: Float[Tensor, "... latents"]
) -> Float[Tensor, "... latents"]:
    """A sample from N(mu, diag(exp(log_var))) as a differentiable function of mu and log_var.

        z = mu + sigma * eps,    sigma = exp(log_var / 2),    eps ~ N(0, I)

    Args:
        mu: (..., K), the means.
        log_var: (..., K), the logarithms of the variances.
        eps: a sample from N(0, I), whose shape ends with that of mu.

    Returns:
        z, of the shape of eps.

    Raises:
        ValueError: the shapes of mu and log_var differ, or that of eps does not end with them.

    References:
        Kingma and Welling 2014, section 2.4; notebook 07, equation 7.3.

    Example:
        >>> mu, log_var = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 2 * 0.6931472])
        >>> reparameterise(mu, log_var, torch.tensor([1.0, -1.0])).tolist()  # sigma is 1 and 2
        [2.0, 0.0]
    """
    if mu.shape != log_var.shape or eps.shape[eps.ndim - mu.ndim :] != mu.shape:
        raise ValueError(
            f"mu {tuple(mu.shape)} and log_var {tuple(log_var.shape)} must have one shape, and eps {tuple(eps.shape)} must end with it: "
            "draw it with torch.randn(n_samples, *mu.shape)"
        )
    return mu + torch.exp(0.5 * log_var) * eps


def leave_one_out(f: Float[Tensor, " samples"]) -> Float[Tensor, " samples"]:
    """Each value minus the mean of the other values, f_s - (1/(S-1)) sum over r != s of f_r.

    The other samples are independent of sample s, so their mean is a baseline that leaves the score-function gradient unbiased.

    Args:
        f: one value for each sample, (S,).

    Returns:
        The differences, (S,).

    Raises:
        ValueError: f is not a vector of at least two values.

    References:
        Kool, van Hoof and Welling 2019, and for another objective Mnih and Rezende 2016; notebook 07, equation 7.9.

    Example:
        >>> leave_one_out(torch.tensor([1.0, 2.0, 6.0])).tolist()
        [-3.0, -1.5, 4.5]
    """
    if f.ndim != 1 or len(f) < 2:
        raise ValueError(f"leave-one-out needs a vector of at least two values; got shape {tuple(f.shape)}: draw more samples")
    return (f - f.mean()) * (len(f) / (len(f) - 1))


def score_function_loss(f: Float[Tensor, " samples"], log_q: Float[Tensor, " samples"]) -> Float[Tensor, ""]:
    """A scalar whose gradient is the score-function estimate of the gradient of E_q[f(z)]. Its value has no meaning.

        loss = (1/S) sum_s f(z_s) log q(z_s),    with f held constant

    Args:
        f: one value for each sample, (S,): f(z), or f(z) minus a baseline. No gradient flows through it.
        log_q: log q(z) at the same samples, (S,), evaluated with parameters that require a gradient.

    Raises:
        ValueError: the shapes differ, or log_q does not require a gradient.

    References:
        Williams 1992, theorem 1; notebook 07, equation 7.6.

    Example:
        >>> mean = torch.tensor(0.0, requires_grad=True)
        >>> z = torch.tensor([1.0, -1.0])
        >>> score_function_loss(z, torch.distributions.Normal(mean, 1.0).log_prob(z)).backward()
        >>> mean.grad.item()  # the average of z times z, the derivative of log q
        1.0
    """
    if f.ndim != 1 or f.shape != log_q.shape:
        raise ValueError(f"f and log_q must hold one value for each sample; got shapes {tuple(f.shape)} and {tuple(log_q.shape)}")
    if not log_q.requires_grad:
        raise ValueError("log_q carries no gradient: evaluate q.log_prob(z) with parameters of q that have requires_grad=True")
    return (f.detach() * log_q).mean()


@torch.enable_grad()
def pathwise_gradients(f: Integrand, q: Family, params: Float[Tensor, " params"], n_samples: int) -> Float[Tensor, "samples params"]:
    """Independent estimates of the gradient of E_q[f(z)] by reparameterisation: the gradients of f(z_s) with z_s = g(params, eps_s).

    Their mean is unbiased if f is continuous. If f has jumps it is biased, and this function cannot notice that.

    Args:
        f: the integrand, called with samples z (S, *event) and the distribution; it returns (S,).
        q: from parameters (S, P) to a distribution of batch (S,).
        params: the parameters of q in one vector, (P,).
        n_samples: S, the number of estimates.

    Returns:
        One estimate in each row, (S, P).

    Raises:
        TypeError, ValueError: params or n_samples does not fit, or q or f returns another shape.
        ValueError: q cannot be reparameterised, or f has no derivative with respect to z.

    References:
        Kingma and Welling 2014, section 2.4; Rezende, Mohamed and Wierstra 2014, section 3; notebook 07, equation 7.4.

    Example:
        >>> from torch.distributions import Normal
        >>> rows = pathwise_gradients(lambda z, q: 3 * z, lambda p: Normal(p[..., 0], 1.0), torch.zeros(1), n_samples=4)
        >>> rows[:, 0].tolist()  # for a linear f the pathwise gradient has no variance
        [3.0, 3.0, 3.0, 3.0]
    """
    copies, q_copies = _copies(q, params, n_samples)
    if not q_copies.has_rsample:
        raise ValueError(f"{type(q_copies).__name__} has no rsample, so there is no path to follow: use score_function_gradients")
    return _rows(_values(f, q_copies.rsample(), q_copies), copies)


@torch.enable_grad()
def score_function_gradients(
    f: Integrand, q: Family, params: Float[Tensor, " params"], n_samples: int, baseline: float | Tensor | Literal["leave-one-out"] = 0.0
) -> Float[Tensor, "samples params"]:
    """Estimates of the gradient of E_q[f(z)] by the score function: (f(z) - baseline) times the gradient of log q(z).

    They are unbiased for every f, and for every q with a differentiable log-probability, continuous or discrete. If the baseline is a
    number, the rows are independent. With "leave-one-out" each row is unbiased but the rows are dependent: to obtain a standard error,
    repeat the call instead of using the spread of the rows.

    Args:
        f: the integrand, called with samples z (S, *event) and the distribution; it returns (S,).
        q: from parameters (S, P) to a distribution of batch (S,).
        params: the parameters of q in one vector, (P,).
        n_samples: S, the number of estimates.
        baseline: a number that is subtracted from f, a tensor with one number for each sample, or "leave-one-out" (see `leave_one_out`).

    Returns:
        One estimate in each row, (S, P).

    Raises:
        TypeError, ValueError: params, n_samples or baseline does not fit, or q or f returns another shape.

    References:
        Williams 1992, theorem 1; notebook 07, equations 7.6 and 7.7.

    Example:
        >>> from torch.distributions import Bernoulli
        >>> rows = score_function_gradients(lambda z, q: z + 1, lambda p: Bernoulli(logits=p[..., 0]), torch.zeros(1), n_samples=1000)
        >>> rows.shape, sorted(set(rows[:, 0].tolist()))  # (z + 1)(z - 1/2), whose mean is 1/4
        (torch.Size([1000, 1]), [-0.5, 1.0])
    """
    copies, q_copies = _copies(q, params, n_samples)
    baseline = _baseline(baseline, n_samples)
    z = q_copies.sample()
    values = _values(f, z, q_copies)
    fixed = values.detach()
    weight = leave_one_out(fixed) if isinstance(baseline, str) else fixed - baseline
    return _rows(weight * q_copies.log_prob(z) + values, copies)


def _baseline(baseline: float | Tensor | str, n_samples: int) -> float | Tensor | str:
    """The baseline, checked: "leave-one-out", a number, or a tensor with one number for each sample."""
    if isinstance(baseline, str):
        if baseline != "leave-one-out":
            raise ValueError(f"baseline must be a number or 'leave-one-out'; got {baseline!r}")
    elif not isinstance(baseline, Tensor) or baseline.ndim == 0:
        return number("baseline, unless it is 'leave-one-out',", baseline)
    elif baseline.shape not in ((1,), (n_samples,)):
        raise ValueError(f"baseline must be one number, or one for each of the {n_samples} samples; got shape {tuple(baseline.shape)}")
    return baseline


def _copies(q: Family, params: Tensor, n_samples: int) -> tuple[Tensor, Distribution]:
    """One copy of the parameters for each sample, so that a single backward pass gives a gradient for each of them."""
    if not isinstance(params, Tensor) or not params.is_floating_point():
        raise TypeError("params must be a floating-point tensor that holds all parameters of q in one vector: see torch.cat")
    if params.ndim != 1 or len(params) == 0:
        raise ValueError(f"params must be a vector with at least one entry; got shape {tuple(params.shape)}: see torch.cat")
    (n_samples,) = positive(n_samples=n_samples)
    copies = params.detach().expand(n_samples, -1).requires_grad_()
    q_copies = q(copies)
    if q_copies.batch_shape != (n_samples,):
        raise ValueError(
            f"q must turn parameters (S, P) into a distribution of batch (S,); from {tuple(copies.shape)} it made batch "
            f"{tuple(q_copies.batch_shape)}: take a parameter as p[..., 0], and turn a vector into one event with Independent(…, 1)"
        )
    return copies, q_copies


def _values(f: Integrand, z: Tensor, q: Distribution) -> Float[Tensor, " samples"]:
    values = f(z, q)
    if not isinstance(values, Tensor) or values.shape != z.shape[:1]:
        got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"f must return one value for each draw, shape ({len(z)},); got {got}: sum over the event, not over the draws")
    return values if values.is_floating_point() else values.to(torch.get_default_dtype())  # of z > 0 the values are True and False


def _rows(values: Tensor, copies: Tensor) -> Float[Tensor, "samples params"]:
    rows = torch.autograd.grad(values.sum(), copies, allow_unused=True)[0] if values.requires_grad else None
    if rows is None:
        raise ValueError(
            "neither f nor z depends on params in a differentiable way: use score_function_gradients, or check that q uses its argument"
        )
    return rows
