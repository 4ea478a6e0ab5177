"""CACR as plain float64 loops over squared distances, and the outputs of the authors' own code.

Where the papers' code holds a quantity constant in the gradient, the loop takes it at rows of its own, `constant`:
differences of the loop with `constant` left in place are then the gradient that is meant.
"""

import json
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tests.oracles import GOLDEN, Golden, cosine, shares

Row = Sequence[float]
Views = Sequence[Sequence[Row]]

VARIANTS = {
    "full": "full",
    "without_w1": "uniform_attraction",
    "without_w2": "uniform_repulsion",
    "none": "uniform",
}


def golden_cacr(name: str) -> tuple[Golden, dict[str, float | str | bool]]:
    """Arrays (in_, out_, grad_) and hyper-parameters of one golden file, the variant by our name."""
    with np.load(GOLDEN / f"cacr_{name}.npz") as file:
        assert json.loads(str(file["meta_json"]))["commit"]
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if file[key].dtype.kind == "f"}
        numbers = {key[3:]: file[key].item() for key in file.files if key.startswith("hp_")}
    if "choice" in numbers:
        numbers["choice"] = VARIANTS[numbers["choice"]]
    return Golden(arrays), numbers


def unit(row: Row) -> list[float]:
    length = math.sqrt(sum(x * x for x in row))
    return [x / length for x in row]


def d2(a: Row, b: Row) -> float:
    """Squared distance of the two directions."""
    return sum((x - y) ** 2 for x, y in zip(unit(a), unit(b), strict=True))


def lists(rows: Tensor) -> list:
    return rows.detach().double().tolist()


def mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def weighted(weights: Sequence[float], costs: Sequence[float]) -> float:
    return sum(weight * cost for weight, cost in zip(weights, costs, strict=True))


def attraction_weights(views: Views, p: int, i: int, temperature: float) -> list[float]:
    return shares([temperature * d2(views[p][i], views[q][i]) for q in range(len(views)) if q != p])


def repulsion_weights(views: Views, p: int, q: int, i: int, temperature: float) -> list[float]:
    return shares([-temperature * d2(views[p][i], views[q][j]) for j in range(len(views[0])) if j != i])


def cacr(
    views: Tensor,
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    cost: str = "euclidean",
    constant: Tensor | None = None,
) -> float:
    z, held = lists(views), lists(views if constant is None else constant)
    v, n = len(z), len(z[0])
    attraction, repulsion = [], []
    for p in range(v):
        for i in range(n):
            costs = [d2(z[p][i], z[q][i]) for q in range(v) if q != p]
            attraction.append(weighted(attraction_weights(held, p, i, attraction_temperature), costs))
    for p in range(v):
        for q in range(p + 1, v):
            rows = []
            for i in range(n):
                costs = [d2(z[p][i], z[q][j]) for j in range(n) if j != i]
                if cost == "rbf":
                    costs = [math.exp(-2 * c) for c in costs]
                rows.append(weighted(repulsion_weights(held, p, q, i, repulsion_temperature), costs))
            repulsion.append(math.log(mean(rows)) if cost == "rbf" else -mean(rows))
    return attraction_weight * mean(attraction) + repulsion_weight * mean(repulsion)


def cacr_queue(
    queries: Tensor,
    keys: Tensor,
    queue: Tensor,
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    intra_batch: bool = True,
    constant: Tensor | None = None,
) -> float:
    q, k, u = lists(queries), lists(keys), lists(queue)
    held = lists(queries if constant is None else constant)
    total = []
    for p in range(len(q)):
        for i in range(len(q[0])):
            others = [g for g in range(len(k)) if g != p]
            pull = shares([attraction_temperature * d2(held[p][i], k[g][i]) for g in others])
            attraction = weighted(pull, [d2(q[p][i], k[g][i]) for g in others])
            logits = [-repulsion_temperature * d2(held[p][i], row) for row in u]
            costs = [d2(q[p][i], row) for row in u]
            if intra_batch:
                among = [d2(q[p][i], q[p][j]) for j in range(len(q[0])) if j != i]
                logits += [-repulsion_temperature * distance for distance in among]
                costs += among
            repulsion = -weighted(shares(logits), costs)
            total.append(attraction_weight * attraction + repulsion_weight * repulsion)
    return mean(total)


def cacr_reweighted(
    queries: Tensor, key: Tensor, *, temperature: float, cost: str, constant: Tensor | None = None
) -> float:
    q, k = lists(queries), lists(key)
    held = lists(queries if constant is None else constant)
    v, n = len(q), len(k)
    total = 0.0
    for i in range(n):
        share = shares([d2(held[p][i], k[i]) / temperature for p in range(v)])
        for p in range(v):
            if cost == "rbf":
                own = shares([cosine(q[p][i], row) / temperature for row in k])[i]
                total += share[p] * -math.log(own) * 2 * temperature
            else:
                others = [j for j in range(n) if j != i]
                push = shares([-(1 - cosine(held[p][i], k[j])) / temperature for j in others])
                pull = 1 - cosine(q[p][i], k[i])
                total += share[p] * (pull + weighted(push, [-(1 - cosine(q[p][i], k[j])) for j in others]))
    return total / n


def mixed_cacr(
    mixture: Tensor,
    positives: Tensor,
    negatives: Tensor,
    partner: Sequence[int],
    share: Sequence[float],
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    constant: Tensor | None = None,
) -> float:
    m, positive, negative = lists(mixture), lists(positives), lists(negatives)
    held = lists(mixture if constant is None else constant)
    total = []
    for i in range(len(m)):
        attraction = 0.0
        for source, part in ((i, share[i]), (partner[i], 1 - share[i])):
            pull = shares([attraction_temperature * d2(held[i], view[source]) for view in positive])
            attraction += part * weighted(pull, [d2(m[i], view[source]) for view in positive])
        others = [j for j in range(len(m)) if j not in (i, partner[i])]
        push = shares([-repulsion_temperature * d2(held[i], negative[j]) for j in others])
        repulsion = -weighted(push, [d2(m[i], negative[j]) for j in others])
        total.append(attraction_weight * attraction + repulsion_weight * repulsion)
    return mean(total)


def entropy(weights: Sequence[float]) -> float:
    return -sum(weight * math.log(weight) for weight in weights)


def weight_entropies(
    views: Tensor, attraction_temperature: float, repulsion_temperature: float
) -> tuple[float, float]:
    z = lists(views)
    v, n = len(z), len(z[0])
    attraction = [
        entropy(attraction_weights(z, p, i, attraction_temperature)) for p in range(v) for i in range(n)
    ]
    repulsion = [
        entropy(repulsion_weights(z, p, q, i, repulsion_temperature))
        for p in range(v)
        for q in range(p + 1, v)
        for i in range(n)
    ]
    return mean(attraction), mean(repulsion)
