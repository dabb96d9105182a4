"""The gradient of an average over samples, where the parameters decide how the samples are drawn (notebook 07).

Wanted: the gradient of E[f(z)], z ~ q, in the parameters of q. The pathwise gradient follows f through the sample, the
score-function gradient weighs the slope of log q by the value of f. Both are unbiased; their variances differ.

`q` is a function from parameters (..., P) to a distribution of batch (...), such as
`lambda p: Normal(p[..., 0], p[..., 1].exp())`. `f` is a function of the draws z (S, *event) and of the distribution they
come from, which returns one value a draw, (S,). Where f uses that distribution, the gradient counts this as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaecourse.arguments import positive

Family = Callable[[Tensor], Distribution]
Integrand = Callable[[Tensor, Distribution], Tensor]


def reparameterise(
    mu: Float[Tensor, "... latents"], log_var: Float[Tensor, "... latents"], eps: Float[Tensor, "... latents"]
) -> Float[Tensor, "... latents"]:
    """z = mu + sigma * eps: a draw from N(mu, diag(exp(log_var))) where eps is one from N(0, I) (notebook 07, equation 7.3).

    Kingma and Welling 2014, section 2.4. Raises ValueError unless mu and log_var have one shape and eps ends with it.
    """
    if mu.shape != log_var.shape or eps.shape[eps.ndim - mu.ndim :] != mu.shape:
        raise ValueError(
            f"mu {tuple(mu.shape)} and log_var {tuple(log_var.shape)} must have one shape, and eps {tuple(eps.shape)} must end with it: "
            "draw it with torch.randn(n_samples, *mu.shape)"
        )
    return mu + torch.exp(0.5 * log_var) * eps


def leave_one_out(f: Float[Tensor, " samples"]) -> Float[Tensor, " samples"]:
    """Each value minus the mean of the others (notebook 07, equation 7.9).

    The others know nothing of draw s, so their mean is a baseline that leaves the score-function gradient unbiased (Kool,
    van Hoof and Welling 2019; for another objective Mnih and Rezende 2016). Raises ValueError for fewer than two values.
    """
    if f.ndim != 1 or len(f) < 2:
        raise ValueError(f"leave-one-out needs a vector of two values or more; got shape {tuple(f.shape)}: draw more samples")
    return (f - f.mean()) * (len(f) / (len(f) - 1))


def score_function_loss(f: Float[Tensor, " samples"], log_q: Float[Tensor, " samples"]) -> Float[Tensor, ""]:
    """A scalar whose gradient is the score-function estimate of the gradient of E[f(z)] (notebook 07, equation 7.6).

    Williams 1992, theorem 1. Its value means nothing. No gradient flows through f: values, or values less a baseline.

    Raises:
        ValueError: shapes that differ; log_q without a gradient (evaluate q.log_prob(z) at parameters that require one).
    """
    if f.ndim != 1 or f.shape != log_q.shape:
        raise ValueError(f"f and log_q must hold one value for each sample; got shapes {tuple(f.shape)} and {tuple(log_q.shape)}")
    if not log_q.requires_grad:
        raise ValueError("log_q carries no gradient: evaluate q.log_prob(z) with parameters of q that have requires_grad=True")
    return (f.detach() * log_q).mean()


@torch.enable_grad()
def pathwise_gradients(f: Integrand, q: Family, params: Float[Tensor, " params"], n_samples: int) -> Float[Tensor, "samples params"]:
    """n_samples independent estimates of the gradient of E[f(z)]: the derivative of f along the path from params to z.

    Their mean is unbiased where f has no jumps (notebook 07, equation 7.4; Kingma and Welling 2014, section 2.4; Rezende,
    Mohamed and Wierstra 2014, section 3). Across a jump it is biased, and nothing here can notice that.

    Raises:
        TypeError, ValueError: bad params or n_samples; q or f of a wrong shape.
        ValueError: q cannot be reparameterised; f has no derivative in z.
    """
    copies, q_copies = _copies(q, params, n_samples)
    if not q_copies.has_rsample:
        raise ValueError(f"{type(q_copies).__name__} has no rsample, so there is no path to follow: use score_function_gradients")
    return _rows(_values(f, q_copies.rsample(), q_copies), copies)


@torch.enable_grad()
def score_function_gradients(
    f: Integrand, q: Family, params: Float[Tensor, " params"], n_samples: int, baseline: float | Literal["leave-one-out"] = 0.0
) -> Float[Tensor, "samples params"]:
    """n_samples estimates of the gradient of E[f(z)]: (f(z) - baseline) times the gradient of log q(z).

    Unbiased for every q with a differentiable density, continuous or discrete, and every f (notebook 07, equations 7.6 and
    7.7; Williams 1992, theorem 1). With a number as baseline the rows are independent. With "leave-one-out" each row is
    unbiased and they hang together: for a standard error repeat the call, do not take it from the rows.

    Raises:
        TypeError, ValueError: bad params, n_samples or baseline; q or f of a wrong shape.
    """
    copies, q_copies = _copies(q, params, n_samples)
    if isinstance(baseline, str) and baseline != "leave-one-out":
        raise ValueError(f"baseline must be a number or 'leave-one-out'; got {baseline!r}")
    z = q_copies.sample()
    values = _values(f, z, q_copies)
    fixed = values.detach()
    weight = leave_one_out(fixed) if isinstance(baseline, str) else fixed - baseline
    return _rows(weight * q_copies.log_prob(z) + values, copies)


def _copies(q: Family, params: Tensor, n_samples: int) -> tuple[Tensor, Distribution]:
    """One copy of the parameters for each sample, so that one backward pass gives a gradient for each."""
    if not isinstance(params, Tensor) or not params.is_floating_point():
        raise TypeError("params must be a floating-point tensor: all parameters of q in one vector, see torch.cat")
    if params.ndim != 1 or len(params) == 0:
        raise ValueError(f"params must be a vector with at least one entry; got shape {tuple(params.shape)}: see torch.cat")
    (n_samples,) = positive(n_samples=n_samples)
    copies = params.detach().expand(n_samples, -1).requires_grad_()
    q_copies = q(copies)
    if q_copies.batch_shape != (n_samples,):
        raise ValueError(
            f"q must turn parameters (S, P) into a distribution of batch (S,); from {tuple(copies.shape)} it made batch "
            f"{tuple(q_copies.batch_shape)}: take a parameter as p[..., 0], and make a vector one event with Independent(…, 1)"
        )
    return copies, q_copies


def _values(f: Integrand, z: Tensor, q: Distribution) -> Float[Tensor, " samples"]:
    values = f(z, q)
    if not isinstance(values, Tensor) or values.shape != z.shape[:1]:
        got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"f must return one value for each draw, shape ({len(z)},); got {got}: sum over the event, not over the draws")
    return values


def _rows(values: Tensor, copies: Tensor) -> Float[Tensor, "samples params"]:
    rows = torch.autograd.grad(values.sum(), copies, allow_unused=True)[0] if values.requires_grad else None
    if rows is None:
        raise ValueError("nothing here depends on params in a way that can be differentiated: use score_function_gradients, or mend q")
    return rows
