"""HCL, debiased, decoupled and align-uniform losses as plain loops over exponentials; no log before the last."""

import math

from tests.oracles import Rows, cosine, numbers


def hard_negative(
    z1: Rows, z2: Rows, temperature: float, positive_prior: float, concentration: float
) -> float:
    z = numbers(z1) + numbers(z2)
    n, total = len(z) // 2, 0.0
    for i in range(2 * n):
        twin = i + n if i < n else i - n
        positive = math.exp(cosine(z[i], z[twin]) / temperature)
        negative = [math.exp(cosine(z[i], z[j]) / temperature) for j in range(2 * n) if j not in (i, twin)]
        weight = [e**concentration for e in negative]
        weighted = sum(w * e for w, e in zip(weight, negative, strict=True)) / (sum(weight) / len(weight))
        net = (weighted - positive_prior * len(negative) * positive) / (1 - positive_prior)
        net = max(net, len(negative) * math.exp(-1 / temperature))
        total += -math.log(positive / (positive + net))
    return total / (2 * n)


def debiased(z1: Rows, z2: Rows, temperature: float, positive_prior: float) -> float:
    z = numbers(z1) + numbers(z2)
    n, total = len(z) // 2, 0.0
    for i in range(2 * n):
        twin = i + n if i < n else i - n
        positive = math.exp(cosine(z[i], z[twin]) / temperature)
        negative = sum(math.exp(cosine(z[i], z[j]) / temperature) for j in range(2 * n) if j not in (i, twin))
        N = 2 * n - 2
        net = (negative - positive_prior * N * positive) / (1 - positive_prior)
        total += -math.log(positive / (positive + max(net, N * math.exp(-1 / temperature))))
    return total / (2 * n)


def decoupled(z1: Rows, z2: Rows, temperature: float, sigma: float | None) -> float:
    x, y = numbers(z1), numbers(z2)
    twins = [cosine(a, b) for a, b in zip(x, y, strict=True)]
    total = 0.0
    for own, others in ((x, y), (y, x)):
        for i in range(len(x)):
            weight = 1.0
            if sigma is not None:
                mean = sum(math.exp(s / sigma) for s in twins) / len(twins)
                weight = 2 - math.exp(twins[i] / sigma) / mean
            negative = sum(
                math.exp(cosine(own[i], rows[j]) / temperature)
                for rows in (own, others)
                for j in range(len(x))
                if j != i
            )
            total += -weight * twins[i] / temperature + math.log(negative)
    return total / (2 * len(x))


def align_uniform(
    z1: Rows, z2: Rows, exponent: float, temperature: float, weights: tuple[float, float] = (1.0, 1.0)
) -> float:
    x, y = numbers(z1), numbers(z2)
    align = sum(_distance(a, b) ** exponent for a, b in zip(x, y, strict=True)) / len(x)
    spread = (_uniform(x, temperature) + _uniform(y, temperature)) / 2
    return weights[0] * align + weights[1] * spread


def _uniform(z: list[list[float]], temperature: float) -> float:
    potentials = [
        math.exp(-temperature * _distance(z[i], z[j]) ** 2) for i in range(len(z)) for j in range(i)
    ]
    return math.log(sum(potentials) / len(potentials))


def _distance(a: list[float], b: list[float]) -> float:
    """Of the two directions."""
    length_a, length_b = math.hypot(*a), math.hypot(*b)
    return math.dist([x / length_a for x in a], [x / length_b for x in b])
