"""Independent float64 oracles of MMCL: its kernels, duals and decision functions as plain loops.

The box-constrained duals are solved by scipy's bounded least squares on the Cholesky factor, anchor by anchor.
"""

import json
import math
from typing import Any

import numpy as np
import torch
from scipy.optimize import lsq_linear
from torch import Tensor

from tests.oracles import GOLDEN, Golden, Rows, numbers

Row = list[float]


def golden_mmcl(name: str) -> tuple[Golden, dict[str, Any], dict[str, Any]]:
    """Arrays of one golden file, with the alphas as (B, B); the options of the SVMs, and of the published steps."""
    with np.load(GOLDEN / f"mmcl_{name}.npz") as file:
        assert json.loads(str(file["meta_json"]))["commit"]
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if file[key].dtype.kind in "fi"}
        given = {key[3:]: file[key].item() for key in file.files if key.startswith("hp_")}
    width = arrays["in_x"].shape[1]
    arrays = {
        key: with_diagonal(rows) if "alpha" in key and rows.ndim else rows for key, rows in arrays.items()
    }
    options = {
        "kernel": {"poly": "polynomial"}.get(given["kernel"], given["kernel"]),
        # "auto" is turned upside down twice on its way: the distance is multiplied by the width.
        "bandwidth": 1 / width if given["sigma"] == "auto" else float(given["sigma"]),
        "regularisation": given["reg"],
        "penalty": None if given["C"] == -1 else float(given["C"]),
    }
    steps = {
        "iterations": given["num_iters"],
        "step": given["eta"],
        # The published test is for the string "false", so "False" means true.
        "normalised_step": given["use_norm"] != "false",
        "stop": given["stop_condition"],
        "accelerated": given["solver_type"] == "nesterov",
    }
    return Golden(arrays), options, steps


def with_diagonal(alphas: Tensor) -> Tensor:
    """(B, B - 1) without the anchor itself to (B, B)."""
    n = len(alphas)
    whole = torch.zeros(n, n, dtype=alphas.dtype)
    whole[~torch.eye(n, dtype=torch.bool)] = alphas.flatten()
    return whole


def units(rows: Rows) -> list[Row]:
    return [[x / math.sqrt(sum(y * y for y in row)) for x in row] for row in numbers(rows)]


def kernel(a: Row, b: Row, name: str, bandwidth: float) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    match name:
        case "rbf":
            return math.exp(-sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / bandwidth)
        case "linear":
            return dot
        case "tanh":
            return math.tanh(bandwidth * dot)
        case "polynomial":
            return (dot + 0.5) ** 3
        case "min":
            return sum(min(max(x, 0), max(y, 0)) for x, y in zip(a, b, strict=True))
    raise KeyError(name)


def delta(
    positive: Row,
    negatives: list[Row],
    name: str,
    bandwidth: float,
    regularisation: float,
    *,
    one: bool = False,
) -> np.ndarray:
    """The matrix of one anchor's dual."""
    own = 1.0 if one else kernel(positive, positive, name, bandwidth)
    towards = [kernel(positive, negative, name, bandwidth) for negative in negatives]
    n = len(negatives)
    matrix = np.zeros((n, n))
    for j in range(n):
        for l in range(n):
            between = kernel(negatives[j], negatives[l], name, bandwidth)
            matrix[j, l] = own + between - towards[j] - towards[l] + (regularisation if j == l else 0)
    return matrix


def alphas_of(matrix: np.ndarray, penalty: float | None, solver: str) -> Row:
    bound = math.inf if penalty is None else penalty
    twos = np.full(len(matrix), 2.0)
    if solver == "inverse":
        return np.clip(np.linalg.solve(matrix, twos), 0, bound).tolist()
    factor = np.linalg.cholesky(matrix)
    found = lsq_linear(
        factor.T, np.linalg.solve(factor, twos), (0, bound), method="bvls", tol=1e-15, max_iter=1000
    )
    return found.x.tolist()


def alphas(rows: Rows, options: dict[str, Any], solver: str, *, one: bool = False) -> Tensor:
    """(B, B), row = anchor."""
    x, box = units(rows), options["penalty"]
    found = []
    for i in range(len(x)):
        negatives = [row for j, row in enumerate(x) if j != i]
        shape = (options["kernel"], options["bandwidth"], options["regularisation"])
        row = alphas_of(delta(x[i], negatives, *shape, one=one), box, solver)
        found.append([*row[:i], 0.0, *row[i:]])
    return torch.tensor(found, dtype=torch.float64)


def decision(weights: Row, positive: Row, negatives: list[Row], query: Row, options: dict[str, Any]) -> float:
    """f(query) of one SVM."""
    name, bandwidth = options["kernel"], options["bandwidth"]
    own = kernel(positive, query, name, bandwidth)
    return sum(
        a * (own - kernel(negative, query, name, bandwidth))
        for a, negative in zip(weights, negatives, strict=True)
    )


def mmcl(z1: Rows, z2: Rows, weights: Tensor, options: dict[str, Any]) -> float:
    x, y = units(z1), units(z2)
    return -sum(decision(weights[i].tolist(), x[i], x, y[i], options) for i in range(len(x))) / len(x)


def mixed_mmcl(
    mixture: Rows, z1: Rows, partner: Tensor, share: Tensor, weights: Tensor, *, options: dict[str, Any]
) -> float:
    m, x = units(mixture), units(z1)
    total = 0.0
    for c, (p, part) in enumerate(zip(partner.tolist(), share.tolist(), strict=True)):
        total -= part * decision(weights[c].tolist(), x[c], x, m[c], options)
        total -= (1 - part) * decision(weights[p].tolist(), x[p], x, m[c], options)
    return total / len(m)


def mmcl_queue(query: Rows, key: Rows, queue: Rows, options: dict[str, Any], solver: str) -> float:
    u = units(queue)
    shape = (options["kernel"], options["bandwidth"], options["regularisation"])
    total = 0.0
    for q, k in zip(units(query), units(key), strict=True):
        weights = alphas_of(delta(k, u, *shape), options["penalty"], solver)
        total -= decision(weights, k, u, q, options)
    return total / len(numbers(query))
