"""One epoch of a 784-400-20-400-784 VAE on 20,000 images at batch 128: fit() against a plain loop and a DataLoader loop."""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

from vaecourse import models
from vaecourse.data import load_digits
from vaecourse.training import fit


def main(repeats: int = 5) -> None:
    x = load_digits("strokes").train.x
    programs = {
        "fit()": with_fit,
        "plain loop": plain,
        "DataLoader": with_loader,
        "fit(), batch 256 (default)": lambda x: with_fit(x, 256),
        "fit(), batch 512": lambda x: with_fit(x, 512),
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(repeats + 1):
        for name, program in programs.items():
            start = time.perf_counter()
            program(x)
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    rate, flops = product_rate(), 6 * len(x) * 2 * (784 * 400 + 400 * 30)
    print(f"{torch.get_num_threads()} threads; a 3072 x 3072 matrix product runs at {rate:.0f} GFLOP/s")
    for name, median in medians.items():
        gflops = flops / median / 1e9
        ratio = median / medians["plain loop"]
        print(f"{name:28} {median:6.2f} s an epoch, {ratio:.2f} of the plain; {gflops:.0f} GFLOP/s, {gflops / rate:.0%} of the product")


def with_fit(x: torch.Tensor, batch_size: int = 128) -> None:
    torch.manual_seed(0)
    fit(models.VAE(20, hidden=(400,)), x, epochs=1, batch_size=batch_size, progress=False)


class Plain(nn.Module):
    """The same networks without distributions."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = models.mlp([784, 400, 40]), models.mlp([20, 400, 784])

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        mu, log_var = self.encoder(x).chunk(2, -1)
        logits = self.decoder(mu + (0.5 * log_var).exp() * torch.randn_like(mu))
        kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum()
        return (binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / len(x)


def plain(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = Plain()
    train(model, (x[i] for i in torch.randperm(len(x)).split(128)))


def with_loader(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = Plain()
    train(model, (batch for (batch,) in DataLoader(TensorDataset(x), batch_size=128, shuffle=True)))


def train(model: Plain, batches) -> None:
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for batch in batches:
        loss = model.loss(batch)
        adam.zero_grad()
        loss.backward()
        adam.step()


def product_rate() -> float:
    a = torch.randn(3072, 3072)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * 3072**3 / min(times) / 1e9


if __name__ == "__main__":
    main()
