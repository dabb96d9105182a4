"""Answers of learners to the exercises of notebook 08: right ones in many styles, and wrong ones with words of their diagnosis."""

import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence


def loss_loop(x, logits, mu, log_var):
    total = 0.0
    for b in range(len(x)):
        for j in range(x.shape[1]):
            total = total - (F.logsigmoid(logits[b, j]) if x[b, j] == 1 else F.logsigmoid(-logits[b, j]))
        for k in range(mu.shape[1]):
            total = total + 0.5 * (mu[b, k] ** 2 + log_var[b, k].exp() - 1 - log_var[b, k])
    return total / len(x)


def loss_torch_distributions(x, logits, mu, log_var):
    q = Independent(Normal(mu, torch.exp(log_var / 2)), 1)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return torch.mean(kl_divergence(q, prior) - Independent(Bernoulli(logits=logits), 1).log_prob(x))


def loss_manual_softplus(x, logits, mu, log_var):
    log_px = (x * logits - logits.clamp(min=0) - torch.log1p(torch.exp(-logits.abs()))).sum(1)
    sigma = torch.exp(0.5 * log_var)
    kl = (0.5 * (mu**2 + sigma**2) - 0.5 - torch.log(sigma)).sum(1)
    return -(log_px - kl).mean()


def loss_by_image(x, logits, mu, log_var):
    losses = []
    for image, row, m, v in zip(x, logits, mu, log_var):
        nll = F.binary_cross_entropy_with_logits(row, image, reduction="sum")
        losses.append(nll - 0.5 * torch.sum(1 + v - m.pow(2) - v.exp()))
    return torch.stack(losses).mean()


def step_clear_first(model, optimiser, x):
    optimiser.zero_grad(set_to_none=False)
    loss = model.loss(x)
    loss.backward()
    optimiser.step()
    return float(loss)


def step_clear_afterwards(model, optimiser, x):
    model.train()
    loss = model.loss(x)
    loss.backward()
    optimiser.step()
    optimiser.zero_grad()
    return loss.item()


def step_clear_by_model(model, optimiser, x):
    model.zero_grad(set_to_none=True)
    (loss := model.loss(x)).backward()
    optimiser.step()
    return loss.detach().cpu().numpy().item()


def step_clear_by_hand(model, optimiser, x):
    for p in model.parameters():
        p.grad = None
    loss = model.loss(x)
    number = loss.item()
    loss.backward()
    optimiser.step()
    return number


def step_closure(model, optimiser, x):
    def closure():
        optimiser.zero_grad()
        loss = model.loss(x)
        loss.backward()
        return loss

    return optimiser.step(closure).item()


def step_autograd(model, optimiser, x):
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    loss = model.loss(x)
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
        p.grad = g
    optimiser.step()
    return loss.tolist()


def step_clear_in_between(model, optimiser, x):
    with torch.enable_grad():
        loss = model.loss(x)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    return loss.detach().item()


def step_two_losses(model, optimiser, x):
    """The value from a pass without a graph, the gradient from another."""
    with torch.no_grad():
        before = float(model.loss(x))
    optimiser.zero_grad(set_to_none=True)
    model.loss(x).backward()
    optimiser.step()
    return before


def step_detached(model, optimiser, x):
    loss = model.loss(x)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach()


def step_as_array(model, optimiser, x):
    return step_detached(model, optimiser, x).numpy()


def lost_loss(model, optimiser, x):
    optimiser.zero_grad()
    loss = model.loss(x).backward()
    optimiser.step()
    return loss.item()


CORRECT = {
    "vae_loss": [
        loss_loop,
        loss_torch_distributions,
        loss_manual_softplus,
        loss_by_image,
        lambda x, logits, mu, log_var: (
            (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") - 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp()))
            / x.size(0)
        ),
        lambda x, logits, mu, log_var: (
            F.binary_cross_entropy_with_logits(logits, x) * x.shape[1] + 0.5 * (mu**2 + log_var.exp() - 1 - log_var).mean() * mu.shape[1]
        ),
        lambda x, logits, mu, log_var: (
            -(torch.einsum("bd,bd->b", x, logits) - F.softplus(logits).sum(-1)).mean()
            - 0.5 * torch.mean(torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=1))
        ),
        lambda x, logits, mu, log_var: (
            torch.nn.BCEWithLogitsLoss(reduction="none")(logits.float(), x.float()).sum(1).mean()
            + 0.5 * (mu.float().square() + log_var.float().exp() - 1 - log_var.float()).sum(1).mean()
        ),
        lambda x, logits, mu, log_var: (
            -F.logsigmoid((2 * x - 1) * logits).sum(1).mean()
            + kl_divergence(Normal(mu, log_var.exp().sqrt()), Normal(0.0, 1.0)).sum(-1).mean()
        ),
        lambda x, logits, mu, log_var: (
            torch.logaddexp(torch.zeros_like(logits), (1 - 2 * x) * logits).sum() / len(x)
            + (mu**2 + torch.expm1(log_var) - log_var).sum() / (2 * len(x))
        ),
    ],
    "training_step": [
        step_clear_first,
        step_clear_afterwards,
        step_clear_by_model,
        step_clear_by_hand,
        step_closure,
        step_autograd,
        step_clear_in_between,
        step_two_losses,
    ],
}


def never_cleared(model, optimiser, x):
    (loss := model.loss(x)).backward()
    optimiser.step()
    return float(loss.detach())


def uphill(model, optimiser, x):
    optimiser.zero_grad()
    gain = -model.loss(x)
    gain.backward()
    optimiser.step()
    return -gain.item()


def step_before_backward(model, optimiser, x):
    optimiser.zero_grad(set_to_none=False)
    loss = model.loss(x)
    optimiser.step()
    loss.backward()
    return loss.item()


def step_on_nothing(model, optimiser, x):
    model.zero_grad()
    optimiser.step()
    loss = model.loss(x)
    loss.backward()
    return float(loss)


def late(model, optimiser, x):
    optimiser.step()
    model.zero_grad()
    loss = model.loss(x)
    loss.backward()
    return loss.item()


def cleared_in_between(model, optimiser, x):
    loss = model.loss(x)
    loss.backward()
    model.zero_grad(set_to_none=False)
    optimiser.step()
    return loss.item()


def keeps_graph(model, optimiser, x):
    optimiser.zero_grad()
    loss = model.loss(x)
    loss.backward()
    optimiser.step()
    return loss


def without_backward(model, optimiser, x):
    optimiser.zero_grad()
    loss = float(model.loss(x))
    optimiser.step()
    return loss


def by_hand(model, optimiser, x):
    rate = optimiser.defaults["lr"]
    loss = model.loss(x)
    parameters = list(model.parameters())
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
        p.data = p.data - rate * g
    return loss.item()


def afterwards(model, optimiser, x):
    optimiser.zero_grad()
    model.loss(x).backward()
    optimiser.step()
    with torch.no_grad():
        return float(model.loss(x))


def returns_nothing(model, optimiser, x):
    step_clear_first(model, optimiser, x)


def doubled(model, optimiser, x):
    optimiser.zero_grad()
    loss = model.loss(x)
    (2 * loss).backward()
    optimiser.step()
    return loss.item()


def without_graph(model, optimiser, x):
    optimiser.zero_grad()
    with torch.no_grad():
        loss = model.loss(x)
    loss.backward()
    optimiser.step()
    return loss.item()


def step_minus(model, optimiser, x):
    optimiser.zero_grad()
    gain = model.loss(x).neg()
    gain.backward()
    optimiser.step()
    return float(gain)


WRONG = {
    "vae_loss": [
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy_with_logits(logits, x)
                + kl_divergence(Normal(mu, torch.exp(log_var / 2)), Normal(0.0, 1.0)).sum(1).mean()
            ),
            "784",
        ),
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy_with_logits(logits, x) + torch.mean(0.5 * (mu**2 + log_var.exp() - 1 - log_var))
            ),
            "D/K",
        ),
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy_with_logits(logits, x) - 0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp())
            ),
            "B · D",
        ),
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy_with_logits(logits, x, reduction="sum") - 0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp())
            ),
            "grows with the batch",
        ),
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy_with_logits(logits, x, reduction="sum") - 0.5 * torch.mean(1 + log_var - mu**2 - log_var.exp())
            ),
            "averaged over latents and images",
        ),
        (
            lambda x, logits, mu, log_var: loss_torch_distributions(x, torch.sigmoid(logits), mu, log_var),
            "applied twice",
        ),
        (lambda x, logits, mu, log_var: -loss_loop(x, logits, mu, log_var), "This is the ELBO"),
        (lambda x, logits, mu, log_var: -Bernoulli(logits=logits).log_prob(x).sum(1).mean(), "The KL is missing"),
        (
            lambda x, logits, mu, log_var: (
                -Bernoulli(logits=logits).log_prob(x).sum(1).mean()
                + kl_divergence(Normal(mu, log_var.exp()), Normal(0.0, 1.0)).sum(1).mean()
            ),
            "taken for log σ",
        ),
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum") / len(x)
                + 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1).mean()
            ),
            "100 nats",
        ),
        (lambda x, logits, mu, log_var: loss_by_image(x, logits, mu, log_var).item(), "No gradient flows"),
        (
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
                + 4 * 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
            ).mean(),
            "not what it should be",
        ),
        (lambda x, logits, mu, log_var: loss_loop(x, logits, mu, log_var).reshape(1), "shape (1,)"),
        (lambda x, logits, mu, log_var: loss_by_image(x, logits, mu.detach(), log_var), "gradient in mu"),
    ],
    "training_step": [
        (step_minus, "minus the loss"),
        (never_cleared, "never cleared"),
        (uphill, "uphill"),
        (step_before_backward, "First backward(), then step()"),
        (step_on_nothing, "step() is called before backward(), on gradients"),
        (late, "the call before it"),
        (cleared_in_between, "between backward() and step()"),
        (keeps_graph, "whole graph"),
        (step_detached, "Python float"),
        (step_as_array, "Python float"),
        (lost_loss, "backward(), step() and zero_grad() return nothing"),
        (without_backward, "backward() is missing"),
        (by_hand, "by hand"),
        (afterwards, "loss after it"),
        (returns_nothing, "None"),
        (doubled, "The model after each of two steps"),
        (without_graph, "RuntimeError"),
    ],
}
