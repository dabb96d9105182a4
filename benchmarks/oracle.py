"""How close does exact_log_px come to the speed of its own matrix products? Prints seconds, their ratio, and peak memory.

On the digits that VAECOURSE_DIGITS names, repeated up to 10,000 where there are fewer. The two run in turn, and each run of
the oracle is divided by the products that follow it, so that a machine that slows down slows both. With one thread
(OMP_NUM_THREADS=1) the seconds are those of the processor, which other programs disturb less than those of the clock.
"""

from __future__ import annotations

import resource
import statistics
import time

import torch

from vaecourse import models, oracles
from vaecourse.data import load_digits


def main(repeats: int = 7) -> None:
    x = load_digits().test.x
    x = x.repeat(-(-10_000 // len(x)), 1)[:10_000]
    model = models.pretrained()
    shapes = record_shapes(model, x)
    whole, products = [], []
    with torch.no_grad():
        for _ in range(repeats):
            whole.append(seconds(lambda: oracles.exact_log_px(model, x)))
            products.append(seconds(lambda: matrix_products(model, x, shapes)))
    a, b = statistics.median(whole), statistics.median(products)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(x):,} images, {sum(n * g for n, g in shapes) / len(x):,.0f} nodes an image on average, {torch.get_num_threads()} threads")
    print(f"exact_log_px {a:.2f} s   matrix products alone {b:.2f} s   peak memory of the process {peak:.2f} GiB")
    ratios = [w / p for w, p in zip(whole, products)]
    print(f"ratio: median {statistics.median(ratios):.2f}, least {min(ratios):.2f}, of {repeats} pairs (at most 1.25 is asked)")


def record_shapes(model: models.LatentVariableModel, x: torch.Tensor) -> list[tuple[int, int]]:
    """(images, nodes) of every sum that exact_log_px makes."""
    shapes, original = [], oracles._sums

    def recorder(model, x, corners, offsets):
        shapes.append((len(x), len(corners) * offsets.shape[0] * offsets.shape[1]))
        return original(model, x, corners, offsets)

    oracles._sums = recorder
    oracles.exact_log_px(model, x)
    oracles._sums = original
    return shapes


def matrix_products(model: models.LatentVariableModel, x: torch.Tensor, shapes: list[tuple[int, int]]) -> None:
    """The decoder's layers on every node, and every image times every node's logits; nothing else."""
    weights = [layer.weight for layer in model.decoder.logits if isinstance(layer, torch.nn.Linear)]
    for images, nodes in shapes:
        rows = x[:images]
        for n in torch.arange(nodes).split(1024):
            h = torch.ones(len(n), weights[0].shape[1])
            for w in weights:
                h = h @ w.T
            for part in rows.split(1024):
                h @ part.T


def seconds(work) -> float:
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    work()
    return clock() - start


if __name__ == "__main__":
    main()
