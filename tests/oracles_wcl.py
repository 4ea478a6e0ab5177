"""WCL as plain loops: a graph of exact fractions joined edge by edge, and log-probabilities one by one."""

import math
from collections.abc import Sequence
from fractions import Fraction

from tests.oracles import Rows, cosine, numbers


def nearest(z: Rows) -> list[int]:
    """The first of the other rows at the largest cosine, compared without rounding."""
    rows = [[Fraction(x) for x in row] for row in numbers(z)]
    return [
        max((j for j in range(len(rows)) if j != i), key=lambda j: (_order(rows[i], rows[j]), -j))
        for i in range(len(rows))
    ]


def _order(anchor: list[Fraction], row: list[Fraction]) -> Fraction:
    """Grows with the cosine to one anchor: its signed square, but for the anchor's length."""
    dot = sum(x * y for x, y in zip(anchor, row, strict=True))
    return dot * abs(dot) / (sum(y * y for y in row) or 1)


def components(successor: Sequence[int]) -> list[int]:
    """Each node's smallest fellow after joining every node with its successor."""
    group = list(range(len(successor)))
    for i, j in enumerate(successor):
        low, high = sorted((group[i], group[j]))
        group = [low if g == high else g for g in group]
    return group


def log_loss(
    anchor: Sequence[float],
    keys: Sequence[Sequence[float]],
    positives: Sequence[int],
    temperature: float,
    left_out: int | None = None,
) -> float:
    """Mean over the positives of -log of their share among the keys that are not left out."""
    weights = [math.exp(cosine(anchor, key) / temperature) for key in keys]
    whole = sum(weight for j, weight in enumerate(weights) if j != left_out)
    return sum(-math.log(weights[p] / whole) for p in positives) / len(positives)


def supervised_contrast(
    anchors: Rows,
    keys: Rows,
    labels: Sequence[int],
    temperature: float,
    anchor_labels: Sequence[int] | None = None,
) -> float:
    """Anchors are the keys themselves, each its own row left out, or rows of their own with labels."""
    columns, losses = numbers(keys), []
    for i, anchor in enumerate(numbers(anchors)):
        label, left_out = (labels[i], i) if anchor_labels is None else (anchor_labels[i], None)
        positives = [j for j in range(len(columns)) if labels[j] == label and j != left_out]
        if positives:
            losses.append(log_loss(anchor, columns, positives, temperature, left_out))
    return sum(losses) / len(losses) if losses else 0.0


def mixed_supervised_contrast(
    mixture: Rows,
    keys: Rows,
    labels: Sequence[int],
    partner: Sequence[int],
    share: Sequence[float],
    *,
    temperature: float,
) -> float:
    columns, total = numbers(keys), 0.0
    for sources, weights in ((range(len(columns)), share), (partner, [1 - s for s in share])):
        losses = []
        for m, source, weight in zip(numbers(mixture), sources, weights, strict=True):
            positives = [j for j in range(len(columns)) if labels[j] == labels[source] and j != source]
            if positives:
                losses.append(weight * log_loss(m, columns, positives, temperature, source))
        total += sum(losses) / len(losses) if losses else 0.0
    return total


def neighbour_contrast(
    anchors: Rows, keys: Rows, positives: Sequence[Sequence[int]], temperature: float
) -> float:
    rows, columns = numbers(anchors), numbers(keys)
    losses = [log_loss(a, columns, chosen, temperature) for a, chosen in zip(rows, positives, strict=True)]
    return sum(losses) / len(losses)
