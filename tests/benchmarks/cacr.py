"""CACR's loss and gradient against differences of all pairs of rows: `python tests/benchmarks/cacr.py`.

The other side is the definition written down: for each pair of views a (B, B, D) tensor of differences, squared and
summed, as CACR's released code computes distances. Both take turns, once each per round, so that a busy machine slows
both alike; a ratio is the median over rounds of the round's own ratio. Values and gradients are compared first.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from contrastive.losses.cacr import cacr

ATTRACTION, REPULSION = 1.0, 2.0


def by_differences(views: Tensor) -> Tensor:
    """The definition, with euclidean cost and weights that carry gradient."""
    z = normalize(views, dim=2)
    v, n, _ = z.shape
    attraction, repulsion = [], []
    for p in range(v):
        distances = torch.stack([(z[p] - z[q]).square().sum(1) for q in range(v) if q != p])
        attraction.append(((ATTRACTION * distances).softmax(0) * distances).sum(0).mean())
    others = ~torch.eye(n, dtype=torch.bool)
    for p, q in itertools.combinations(range(v), 2):
        distances = (z[p, :, None] - z[q, None, :]).square().sum(2)[others].view(n, n - 1)
        repulsion.append(-((-REPULSION * distances).softmax(1) * distances).sum(1).mean())
    return torch.stack(attraction).mean() + torch.stack(repulsion).mean()


def ours(views: Tensor) -> Tensor:
    """The same by products of rows."""
    return cacr(views, attraction_temperature=ATTRACTION, repulsion_temperature=REPULSION)


def gradient(loss: Callable[[Tensor], Tensor], views: Tensor) -> Tensor:
    """Of one forward and backward pass."""
    return torch.autograd.grad(loss(views), views)[0]


def seconds(loss: Callable[[Tensor], Tensor], views: Tensor, repeats: int) -> float:
    """Of one forward and backward pass, the mean of some."""
    start = time.perf_counter()
    for _ in range(repeats):
        gradient(loss, views)
    return (time.perf_counter() - start) / repeats


def compare(positives: int, batch: int, width: int, rounds: int) -> None:
    """Print both times and their ratio."""
    views = torch.randn(positives + 1, batch, width, generator=torch.Generator().manual_seed(0))
    views.requires_grad_()
    torch.testing.assert_close(gradient(ours, views), gradient(by_differences, views), rtol=1e-3, atol=1e-6)
    times = [(seconds(by_differences, views, 1), seconds(ours, views, 5)) for _ in range(rounds)]
    ratios = sorted(theirs / own for theirs, own in times)
    theirs, own = (1000 * statistics.median(side) for side in zip(*times, strict=True))
    print(
        f"K={positives} B={batch:<4d} D={width:<4d} differences {theirs:8.1f} ms   products {own:6.2f} ms   "
        f"{statistics.median(ratios):5.0f}x ({ratios[0]:.0f}–{ratios[-1]:.0f})",
        flush=True,
    )


def main() -> None:
    """One and four positives, two batch sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--width", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for positives, batch in itertools.product((1, 4), (128, 256)):
        compare(positives, batch, options.width, options.rounds)


if __name__ == "__main__":
    main()
