"""One epoch of a 784-400-20-400-784 VAE on 20,000 images at batch 128: fit(), plain loops, Pyro and pythae, side by side.

All have the same networks and take the same fused Adam steps. The programs take turns, so that what else the machine does
meets all of them; a ratio is the median over the rounds of a program's time by the plain loop's in the same round.
Pyro and pythae come with `pip install -e ".[bench]"`; what is not installed is left out.
"""

from __future__ import annotations

import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

from vaecourse import models
from vaecourse.data import load_digits
from vaecourse.training import fit

BATCH, LR = 128, 1e-3
Program = Callable[[Tensor], None]


def main(rounds: int = 9) -> None:
    x = load_digits("strokes").train.x
    programs: dict[str, Program] = {"plain loop": plain, "fit()": with_fit, "DataLoader loop": with_loader}
    for name, make in {"Pyro": with_pyro, "pythae": with_pythae}.items():
        try:
            programs[name] = make()
        except ImportError as error:
            print(f'{name} is left out: {error}. pip install -e ".[bench]" brings it')
    programs |= {"fit(), batch 256 (default)": lambda x: with_fit(x, 256), "fit(), batch 512": lambda x: with_fit(x, 512)}
    wall: dict[str, list[float]] = {name: [] for name in programs}
    processor: dict[str, list[float]] = {name: [] for name in programs}
    for i in range(rounds + 1):  # the first does not count
        for name in list(programs) if i % 2 else reversed(programs):
            start, used = time.perf_counter(), time.process_time()
            programs[name](x)
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - used)
    print(f"{torch.get_num_threads()} threads, {rounds} rounds; a 3072 x 3072 matrix product runs at {product_rate():.0f} GFLOP/s")
    for name in programs:
        median = statistics.median(wall[name][1:])
        by_wall, by_processor = (
            statistics.median(a / b for a, b in zip(times[name][1:], times["plain loop"][1:])) for times in (wall, processor)
        )
        print(f"{name:28} {median:6.2f} s an epoch; {by_wall:.2f} of the plain loop, {by_processor:.2f} in processor time")


def with_fit(x: Tensor, batch_size: int = BATCH) -> None:
    torch.manual_seed(0)
    fit(models.VAE(20, hidden=(400,)), x, epochs=1, batch_size=batch_size, lr=LR, progress=False)


class Plain(nn.Module):
    """The same networks without distributions."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = models.mlp([784, 400, 40]), models.mlp([20, 400, 784])

    def loss(self, x: Tensor) -> Tensor:
        mu, log_var = self.encoder(x).chunk(2, -1)
        logits = self.decoder(mu + (0.5 * log_var).exp() * torch.randn_like(mu))
        kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum()
        return (binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / len(x)


def plain(x: Tensor) -> None:
    torch.manual_seed(0)
    train(Plain(), (x[i] for i in torch.randperm(len(x)).split(BATCH)))


def with_loader(x: Tensor) -> None:
    torch.manual_seed(0)
    train(Plain(), (batch for (batch,) in DataLoader(TensorDataset(x), batch_size=BATCH, shuffle=True)))


def train(model: Plain, batches) -> None:
    """The loop without checks; like every one here it keeps the average loss, as one wants to see it."""
    adam, total = torch.optim.Adam(model.parameters(), lr=LR, fused=True), 0.0
    for batch in batches:
        loss = model.loss(batch)
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += loss.item()


def with_pyro() -> Program:
    """SVI as in Pyro's own VAE example, with the KL in closed form and without validation of arguments."""
    import pyro
    import pyro.distributions as dist
    from pyro.infer import SVI, TraceMeanField_ELBO

    pyro.enable_validation(False)

    def run(x: Tensor) -> None:
        torch.manual_seed(0)
        pyro.clear_param_store()
        networks = Plain()

        def model(batch: Tensor) -> None:
            pyro.module("decoder", networks.decoder)
            with pyro.plate("images", len(batch)):
                z = pyro.sample("z", dist.Normal(batch.new_zeros(len(batch), 20), 1.0).to_event(1))
                pyro.sample("x", dist.Bernoulli(logits=networks.decoder(z)).to_event(1), obs=batch)

        def guide(batch: Tensor) -> None:
            pyro.module("encoder", networks.encoder)
            with pyro.plate("images", len(batch)):
                mu, log_var = networks.encoder(batch).chunk(2, -1)
                pyro.sample("z", dist.Normal(mu, (0.5 * log_var).exp()).to_event(1))

        svi = SVI(model, guide, pyro.optim.Adam({"lr": LR, "fused": True}), TraceMeanField_ELBO())
        total = 0.0
        for index in torch.randperm(len(x)).split(BATCH):
            total += svi.step(x[index])

    return run


def with_pythae() -> Program:
    """pythae's trainer on its VAE with these networks, from a data set to the model that it stores at the end."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    logging.disable(logging.INFO)  # it reports every training

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = models.mlp([784, 400, 40])

        def forward(self, x: Tensor) -> ModelOutput:
            mu, log_var = self.network(x).chunk(2, -1)
            return ModelOutput(embedding=mu, log_covariance=log_var)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = models.mlp([20, 400, 784])

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.network(z).sigmoid())

    def run(x: Tensor) -> None:
        torch.manual_seed(0)
        model = VAE(VAEConfig(input_dim=(784,), latent_dim=20, reconstruction_loss="bce"), encoder=Encoder(), decoder=Decoder())
        with tempfile.TemporaryDirectory() as folder:
            settings = BaseTrainerConfig(
                output_dir=folder,
                num_epochs=1,
                per_device_train_batch_size=BATCH,
                optimizer_params={"fused": True},
                learning_rate=LR,
                no_cuda=True,
            )
            BaseTrainer(model, BaseDataset(x, torch.zeros(len(x))), training_config=settings).train()

    return run


def product_rate() -> float:
    """GFLOP/s of a large matrix product: what this machine can do at best."""
    a = torch.randn(3072, 3072)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * 3072**3 / min(times) / 1e9


if __name__ == "__main__":
    main()
