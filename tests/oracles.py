"""Independent float64 oracles: the papers' sums as plain loops, and the outputs of the papers' own code.

Nothing here shares a line or a rearrangement with the library: no log-sum-exp, no matrix product, no tensor.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

GOLDEN = Path(__file__).parent / "fixtures" / "golden"

Rows = Tensor | Sequence[Sequence[float]]


class Golden(dict[str, Tensor]):
    """Arrays of one golden file as tensors; numbers are read with `number`."""

    def number(self, name: str) -> float:
        return self[name].item()


def golden(name: str) -> Golden:
    """Inputs and outputs of a paper's own function, in float64; `meta` says which function and commit."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        assert json.loads(str(file["meta" if "meta" in file else "meta_json"]))["commit"]
        return Golden(
            {key: torch.from_numpy(file[key]) for key in file.files if file[key].dtype.kind in "fib"}
        )


def on_the_sphere(gradient: Tensor, rows: Tensor) -> Tensor:
    """A gradient taken at unit rows without normalising them, as it is after: its tangent part."""
    return gradient - (gradient * rows).sum(1, keepdim=True) * rows


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))


def numbers(rows: Rows) -> list[list[float]]:
    return rows.detach().double().tolist() if isinstance(rows, Tensor) else [list(row) for row in rows]


def shares(logits: Sequence[float]) -> list[float]:
    """Softmax by its definition."""
    whole = sum(math.exp(logit) for logit in logits)
    return [math.exp(logit) / whole for logit in logits]


def nt_xent(z1: Rows, z2: Rows, temperature: float) -> float:
    z = numbers(z1) + numbers(z2)
    n = len(z) // 2
    total = 0.0
    for i in range(2 * n):
        twin = i + n if i < n else i - n
        others = sum(math.exp(cosine(z[i], z[j]) / temperature) for j in range(2 * n) if j != i)
        total += -math.log(math.exp(cosine(z[i], z[twin]) / temperature) / others)
    return total / (2 * n)


def info_nce(query: Rows, key: Rows, queue: Rows, temperature: float) -> float:
    losses = []
    for q, k in zip(numbers(query), numbers(key), strict=True):
        p = shares([cosine(q, k) / temperature] + [cosine(q, u) / temperature for u in numbers(queue)])
        losses.append(-math.log(p[0]))
    return sum(losses) / len(losses)


def support_neighbours(z: Rows, support: Rows) -> list[list[float]]:
    rows = numbers(support)
    nearest = [max(rows, key=lambda row, own=own: cosine(own, row)) for own in numbers(z)]
    return [[x / math.hypot(*row) for x in row] for row in nearest]


def nnclr(prediction: Rows, neighbour: Rows, temperature: float) -> float:
    p, losses = numbers(prediction), []
    for i, nn in enumerate(numbers(neighbour)):
        losses.append(-math.log(shares([cosine(nn, own) / temperature for own in p])[i]))
    return sum(losses) / len(losses)


def sce_target(
    key: Sequence[float],
    columns: Sequence[Sequence[float]],
    positive: int,
    target_temperature: float,
    coefficient: float,
    *,
    zero_logit: bool = False,
) -> list[float]:
    """The soft target w of one anchor (SCE, eq. 4 and 5); zero_logit keeps the positive in s, at logit 0."""
    weights = [math.exp(cosine(key, column) / target_temperature) for column in columns]
    weights[positive] = 1.0 if zero_logit else 0.0
    whole = sum(weights)
    return [
        (coefficient if c == positive else 0.0) + (1 - coefficient) * weight / whole
        for c, weight in enumerate(weights)
    ]


def sce(
    query: Rows,
    key: Rows,
    columns: Rows,
    positives: Sequence[int],
    *,
    temperature: float,
    target_temperature: float,
    coefficient: float,
) -> float:
    """SCE over columns that hold each anchor's positive."""
    keys = numbers(columns)
    total = 0.0
    for q, k, positive in zip(numbers(query), numbers(key), positives, strict=True):
        w = sce_target(k, keys, positive, target_temperature, coefficient)
        p = shares([cosine(q, column) / temperature for column in keys])
        total += -sum(w[c] * math.log(p[c]) for c in range(len(keys)))
    return total / len(positives)


def sce_queue(
    query: Rows,
    key: Rows,
    queue: Rows,
    *,
    temperature: float,
    target_temperature: float,
    coefficient: float,
    zero_logit: bool = False,
) -> float:
    """SCE over each anchor's own positive and the queue."""
    total = 0.0
    for q, k in zip(numbers(query), numbers(key), strict=True):
        columns = [k, *numbers(queue)]
        w = sce_target(k, columns, 0, target_temperature, coefficient, zero_logit=zero_logit)
        p = shares([cosine(q, column) / temperature for column in columns])
        total += -sum(w[c] * math.log(p[c]) for c in range(len(columns)))
    return total / len(numbers(query))


def ressl(query: Rows, key: Rows, queue: Rows, temperature: float, target_temperature: float) -> float:
    losses = []
    for q, k in zip(numbers(query), numbers(key), strict=True):
        target = shares([cosine(k, u) / target_temperature for u in numbers(queue)])
        p = shares([cosine(q, u) / temperature for u in numbers(queue)])
        losses.append(-sum(t * math.log(share) for t, share in zip(target, p, strict=True)))
    return sum(losses) / len(losses)


def byol(prediction: Rows, target: Rows) -> float:
    pairs = list(zip(numbers(prediction), numbers(target), strict=True))
    return sum(2 - 2 * cosine(p, t) for p, t in pairs) / len(pairs)


def knn_scores(
    bank: Rows, labels: Sequence[int], queries: Rows, *, k: int, temperature: float, classes: int
) -> list[list[float]]:
    scores = []
    for query in numbers(queries):
        similar = sorted(
            ((cosine(query, row), label) for row, label in zip(numbers(bank), labels, strict=True))
        )
        row = [0.0] * classes
        for similarity, label in similar[::-1][:k]:
            row[label] += math.exp(similarity / temperature)
        scores.append(row)
    return scores


def alignment(z1: Rows, z2: Rows) -> float:
    pairs = list(zip(numbers(z1), numbers(z2), strict=True))
    return sum(_distance_squared(a, b) for a, b in pairs) / len(pairs)


def uniformity(z: Rows) -> float:
    rows = numbers(z)
    potentials = [
        math.exp(-2 * _distance_squared(rows[i], rows[j]))
        for i in range(len(rows))
        for j in range(len(rows))
        if i != j
    ]
    return math.log(sum(potentials) / len(potentials))


def _distance_squared(a: Sequence[float], b: Sequence[float]) -> float:
    """Of the two directions."""
    length_a, length_b = (math.sqrt(sum(x * x for x in v)) for v in (a, b))
    return sum((x / length_a - y / length_b) ** 2 for x, y in zip(a, b, strict=True))
