"""HCL, DCL and align-uniform as plain loops over exponentials, with no logarithm before the last."""

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


def align_uniform(z1: Rows, z2: Rows, exponent: float, temperature: float) -> float:
    x, y = numbers(z1), numbers(z2)
    align = sum(_distance(a, b) ** exponent for a, b in zip(x, y, strict=True)) / len(x)
    return align + (_uniform(x, temperature) + _uniform(y, temperature)) / 2


def _uniform(z: list[list[float]], temperature: float) -> float:
    potentials = [
        math.exp(-temperature * _distance(z[i], z[j]) ** 2) for i in range(len(z)) for j in range(i)
    ]
    return math.log(sum(potentials) / len(potentials))


def _distance(a: list[float], b: list[float]) -> float:
    """Of the two directions."""
    length_a, length_b = math.hypot(*a), math.hypot(*b)
    return math.dist([x / length_a for x in a], [x / length_b for x in b])
