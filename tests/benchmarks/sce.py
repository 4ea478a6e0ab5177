"""Seconds of SCE, forward and backward, against plainer ways to the same number: `python tests/benchmarks/sce.py`.

The contestants run by turns, once each per round, so that a busy machine slows all of them alike; a ratio is the
median over rounds of the round's own ratio of this process's CPU seconds. All must agree on loss and gradient
before anything is timed.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot
from torch.utils.flop_counter import FlopCounterMode

from contrastive.losses.sce import sce, sce_crops

TAUS = {"temperature": 0.1, "target_temperature": 0.07}
COEFFICIENT = 0.5


def published(query: Tensor, key: Tensor, queue: Tensor) -> Tensor:
    """The released code's way: a cloned queue, an integer one-hot target and all the log-probabilities."""
    columns = queue.T.clone()
    q, k = normalize(query), normalize(key)
    positive = (q * k).sum(1, keepdim=True)
    online = torch.cat([positive, q @ columns], 1) / TAUS["temperature"]
    target = torch.cat([torch.zeros_like(positive), k @ columns], 1) / TAUS["target_temperature"]
    own = one_hot(torch.zeros(len(q), dtype=torch.long, device=q.device), online.shape[1])
    weights = normalize(COEFFICIENT * own + (1 - COEFFICIENT) * target.softmax(1), p=1, dim=1)
    return -(weights * online.log_softmax(1)).sum(1).mean()


def ours(query: Tensor, key: Tensor, queue: Tensor) -> Tensor:
    return sce(query, key, queue, **TAUS, coefficient=COEFFICIENT, positive_in_target="zero_logit")


def pairwise(one: Callable[..., Tensor], online: list[Tensor], target: list[Tensor], queue: Tensor) -> Tensor:
    pairs = [(t, o) for t in range(len(target)) for o in range(len(online)) if o != t]
    return torch.stack([one(online[o], target[t], queue) for t, o in pairs]).mean()


def at_once(online: list[Tensor], target: list[Tensor], queue: Tensor) -> Tensor:
    weights = (COEFFICIENT, 1 - COEFFICIENT, 1 - COEFFICIENT)
    views = dict(enumerate(online)), dict(enumerate(target))
    return sce_crops(*views, queue, **TAUS, weights=weights, positive_in_target="zero_logit")


def compare(
    name: str, contestants: dict[str, Callable[[], Tensor]], leaves: list[Tensor], rounds: int
) -> None:
    """Print each one's median seconds and how many times the last's it takes."""

    def gradient(loss: Callable[[], Tensor]) -> Tensor:
        return torch.cat(torch.autograd.grad(loss(), leaves))

    expected_loss, expected = next(iter(contestants.values()))(), gradient(next(iter(contestants.values())))
    for loss in contestants.values():
        torch.testing.assert_close(loss(), expected_loss, rtol=1e-5, atol=0)
        torch.testing.assert_close(gradient(loss), expected, rtol=1e-3, atol=1e-7)
    times: list[dict[str, float]] = []
    for _ in range(rounds):
        times.append({})
        for label, loss in contestants.items():
            start = time.process_time()
            gradient(loss)
            times[-1][label] = time.process_time() - start
    last = list(contestants)[-1]
    for label, loss in contestants.items():
        with FlopCounterMode(display=False) as flops:
            gradient(loss)
        ratios = sorted(one[label] / one[last] for one in times)
        print(
            f"{name:34s} {label:22s} {1e3 * statistics.median(one[label] for one in times):8.1f} ms "
            f"{statistics.median(ratios):5.2f}x ({ratios[0]:.2f}–{ratios[-1]:.2f}) "
            f"{flops.get_total_flops() / 1e9:6.2f} GFLOP of products",
            flush=True,
        )


def main() -> None:
    """Two views, one pair; then six views, ten pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--queue", type=int, default=16384)
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    torch.empty(
        31 * 2**20, dtype=torch.uint8
    )  # as an encoder's step does: glibc keeps what is freed from then on
    rows = torch.randn(8, options.batch, options.width, generator=generator)
    queue = normalize(torch.randn(options.queue, options.width, generator=generator))
    online, target = [crop.clone().requires_grad_() for crop in rows[:6]], list(rows[6:])
    pair = {"as published": published, "sce": ours}
    compare(
        "one pair",
        {label: partial(loss, online[1], target[0], queue) for label, loss in pair.items()},
        online[1:2],
        options.rounds,
    )
    ways = {
        "as published, by pairs": partial(pairwise, published),
        "sce by pairs": partial(pairwise, ours),
        "sce_crops": at_once,
    }
    compare(
        "6 online and 2 target, 10 pairs",
        {label: partial(way, online, target, queue) for label, way in ways.items()},
        online,
        options.rounds,
    )


if __name__ == "__main__":
    main()
