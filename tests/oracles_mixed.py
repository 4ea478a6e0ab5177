"""Independent float64 oracles of the losses on mixtures: sums over (mixture, source) as plain loops."""

import json
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from tests.oracles import GOLDEN, Golden, Rows, cosine, numbers, sce_target


def golden_mixed(name: str) -> Golden:
    """Inputs (`in_`), hyper-parameters (`hp_`), outputs and gradients of the closest public code."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        assert json.loads(str(file["meta_json"]))["commit"]
        return Golden(
            {key: torch.from_numpy(file[key]) for key in file.files if file[key].dtype.kind in "fib"}
        )


def sources(i: int, partner: Sequence[int], share: Sequence[float]) -> Iterator[tuple[int, float]]:
    """The two sources of mixture i, each with its share."""
    yield i, share[i]
    yield partner[i], 1 - share[i]


def surprise(
    anchor: Sequence[float], positive: Sequence[float], others: Sequence[Sequence[float]], temperature: float
) -> float:
    """-log of the positive's share among itself and the others."""
    right = math.exp(cosine(anchor, positive) / temperature)
    wrong = sum(math.exp(cosine(anchor, other) / temperature) for other in others)
    return -math.log(right / (right + wrong))


def nt_xent(
    mixture: Rows, key: Rows, partner: Sequence[int], share: Sequence[float], t: float, *, rows_only: bool
) -> float:
    m, k = numbers(mixture), numbers(key)
    n = len(k)
    weight = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j, part in sources(i, partner, share):
            weight[i][j] += part
    total = 0.0
    for i in range(n):
        for j in range(n):
            others = [m[a] for a in range(n) if a != i] + [k[b] for b in range(n) if b != j]
            total += weight[i][j] * surprise(m[i], k[j], others, t)
    if rows_only:
        return total / n
    for j in range(n):
        whole = sum(weight[i][j] for i in range(n))
        for i in range(n):
            others = [m[a] for a in range(n) if a != i] + [k[b] for b in range(n) if b != j]
            if whole > 0:
                total += weight[i][j] / whole * surprise(k[j], m[i], others, t)
    return total / (2 * n)


def info_nce(
    mixture: Rows,
    key: Rows,
    queue: Rows | None,
    partner: Sequence[int],
    share: Sequence[float],
    *,
    t: float,
    batch_keys: bool,
) -> float:
    m, k = numbers(mixture), numbers(key)
    earlier = [] if queue is None else numbers(queue)
    total = 0.0
    for i in range(len(m)):
        for j, part in sources(i, partner, share):
            others = [k[b] for b in range(len(k)) if b != j] if batch_keys else []
            total += part * surprise(m[i], k[j], others + earlier, t)
    return total / len(m)


def byol(prediction: Rows, target: Rows, partner: Sequence[int], share: Sequence[float]) -> float:
    p, z = numbers(prediction), numbers(target)
    total = 0.0
    for i in range(len(p)):
        total += 2 - 2 * sum(part * cosine(p[i], z[j]) for j, part in sources(i, partner, share))
    return total / len(p)


def sce(
    mixture: Rows,
    key: Rows,
    queue: Rows | None,
    partner: Sequence[int],
    share: Sequence[float],
    *,
    temperature: float,
    target_temperature: float,
    coefficient: float,
    zero_logit: bool = False,
) -> float:
    """Cross-entropy with each source's target, over its key and the queue or over the keys of the batch."""
    m, k = numbers(mixture), numbers(key)
    total = 0.0
    for i in range(len(m)):
        for j, part in sources(i, partner, share):
            columns, positive = (k, j) if queue is None else ([k[j], *numbers(queue)], 0)
            target = sce_target(
                k[j], columns, positive, target_temperature, coefficient, zero_logit=zero_logit
            )
            for c, wanted in enumerate(target):
                others = [columns[b] for b in range(len(columns)) if b != c]
                total += part * wanted * surprise(m[i], columns[c], others, temperature)
    return total / len(m)


def ressl(
    mixture: Rows,
    key: Rows,
    queue: Rows,
    partner: Sequence[int],
    share: Sequence[float],
    *,
    temperature: float,
    target_temperature: float,
) -> float:
    m, k, earlier = numbers(mixture), numbers(key), numbers(queue)
    total = 0.0
    for i in range(len(m)):
        for j, part in sources(i, partner, share):
            weights = [math.exp(cosine(k[j], u) / target_temperature) for u in earlier]
            for c, weight in enumerate(weights):
                others = [earlier[b] for b in range(len(earlier)) if b != c]
                total += part * weight / sum(weights) * surprise(m[i], earlier[c], others, temperature)
    return total / len(m)
