"""Nearest neighbours of features, and weighted classification by them (Wu et al. 2018): the usual monitor."""

import math

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from contrastive.evaluate.protocols import COLDEST
from contrastive.losses.rows import check_columns, product, unit_rows


@torch.no_grad()
def knn_predict(
    bank: Float[Tensor, "n d"],
    bank_labels: Int[Tensor, " n"],
    queries: Float[Tensor, "m d"],
    *,
    k: int,
    temperature: float,
    classes: int,
    block: int = 512,
) -> Float64[Tensor, "m c"]:
    """Class scores of each query: its k most similar bank rows vote with exp(cosine / temperature).

    Of bank rows tied at the k-th place any may vote. A class without a vote scores 0.

    Args:
        bank: features with known labels; need not be normalised.
        bank_labels: class of each bank row, 0 to classes - 1, on the bank's device.
        queries: features to classify.
        k: number of neighbours, at most the size of the bank.
        temperature: at least 0.0015; large values give every neighbour the same vote.
        classes: number of classes.
        block: queries compared at a time; (block, n) similarities are in memory at once.

    Returns:
        Scores in float64, for exp(1 / 0.01) is beyond float32.

    Raises:
        ValueError: shapes do not fit, k, block, the temperature or a label is out of its range.
    """
    check_columns("knn", bank.shape[-1], bank=bank, queries=queries)
    _check_labels(bank_labels, len(bank), classes)
    _check_numbers(k, len(bank), temperature, block)
    rows = unit_rows(bank)
    scores = torch.zeros(len(queries), classes, dtype=torch.float64, device=queries.device)
    for at in range(0, len(queries), block):
        nearest = product(unit_rows(queries[at : at + block]), rows.T).topk(k, dim=1)
        votes = (nearest.values.double() / temperature).exp()
        scores[at : at + block].scatter_add_(1, bank_labels[nearest.indices].long(), votes)
    return scores


def knn_accuracy(
    bank: Float[Tensor, "n d"],
    bank_labels: Int[Tensor, " n"],
    queries: Float[Tensor, "m d"],
    query_labels: Int[Tensor, " m"],
    *,
    k: int,
    temperature: float,
    classes: int,
) -> float:
    """Return the percentage of queries whose best class is their own; arguments and errors as for `knn_predict`."""
    if query_labels.shape != queries.shape[:1]:
        raise ValueError(
            f"knn: {tuple(query_labels.shape)} query labels given for {len(queries)} queries; needs one each."
        )
    scores = knn_predict(bank, bank_labels, queries, k=k, temperature=temperature, classes=classes)
    # Of whole numbers: 959 of 2,000 are 47.95, not 47.949999999999996.
    return 100 * int((scores.argmax(1) == query_labels).sum()) / len(query_labels)


@torch.no_grad()
def nearest(features: Float[Tensor, "n d"], count: int, *, block: int = 1024) -> Int[Tensor, "n {count}"]:
    """Return the `count` rows most similar to each by cosine, the nearest first, without itself.

    Args:
        features: one image a row; need not be normalised.
        count: number of neighbours of each, at most n - 1.
        block: rows compared at a time; (block, n) similarities are in memory at once.

    Raises:
        ValueError: there are fewer other rows.
    """
    if not 1 <= count < len(features):
        raise ValueError(
            f"nearest: count={count} given; each of {len(features)} images has 1 to {len(features) - 1} "
            "others. Lower it or keep more images."
        )
    rows = unit_rows(features)
    found: list[Tensor] = []
    for at in range(0, len(rows), block):
        similar = product(rows[at : at + block], rows.T)
        itself = torch.arange(at, at + len(similar), device=rows.device)[:, None]
        found.append(similar.scatter_(1, itself, -2.0).topk(count, dim=1).indices)
    return torch.cat(found)


def _check_labels(labels: Tensor, rows: int, classes: int) -> None:
    if labels.shape != (rows,):
        raise ValueError(f"knn: {tuple(labels.shape)} labels given for {rows} bank rows; needs one each.")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(
            f"knn: labels {low} to {high} given; with classes={classes} they are 0 to {classes - 1}."
        )


def _check_numbers(k: int, rows: int, temperature: float, block: int) -> None:
    if not 1 <= k <= rows:
        raise ValueError(
            f"knn: k={k} given; needs 1 to {rows}, the size of the bank. Lower k or keep more rows."
        )
    if not COLDEST <= temperature < math.inf:
        raise ValueError(
            f"knn: temperature={temperature} given; needs a finite number of at least {COLDEST}."
        )
    if block < 1:
        raise ValueError(f"knn: block={block} given; needs at least 1 query a block.")
