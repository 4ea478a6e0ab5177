"""Rows of embeddings: checked, scaled to unit length, and compared in full precision."""

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import normalize


def unit_rows(rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Scale each row to length 1, in float32 or better: a half-precision norm would move the logits."""
    return normalize(rows.to(torch.promote_types(rows.dtype, torch.float32)), dim=1, eps=1e-12)


def product(left: Float[Tensor, "*b n d"], right: Float[Tensor, "*b d m"]) -> Float[Tensor, "*b n m"]:
    """Multiply in the dtype given: autocast would round a logit of 10 by 0.04, and the loss with it."""
    with torch.autocast(left.device.type, enabled=False):
        return left @ right


def cosine_logits(
    rows: Float[Tensor, "n d"],
    columns: Float[Tensor, "m d"],
    temperature: float,
    excluded: Int[Tensor, "n e"] | None = None,
) -> Float[Tensor, "n m"]:
    """Return the similarity of unit rows to unit columns over the temperature; minus infinity where excluded.

    Args:
        rows: unit rows.
        columns: unit rows, one for each column of the result.
        temperature: divides the cosines.
        excluded: columns that take no part, for each row.
    """
    logits = product(rows / temperature, columns.T)
    return logits if excluded is None else logits.scatter_(1, excluded, -math.inf)


def log_sum(
    rows: Float[Tensor, "n d"],
    columns: Float[Tensor, "m d"],
    temperature: float,
    excluded: Int[Tensor, "n e"] | None = None,
) -> Float[Tensor, " n"]:
    """Return the log-sum-exp of each row's `cosine_logits`; over columns without gradient no (n, m) tensor is kept."""
    if columns.requires_grad:
        return cosine_logits(rows, columns, temperature, excluded).logsumexp(1)
    return _LogSum.apply(rows, columns, temperature, excluded)


def self_and_twin(n: int, device: torch.device) -> Int[Tensor, "{2*n} 2"]:
    """Return for each of n first and then n second views its own row and its twin's, which are no negatives."""
    anchor = torch.arange(2 * n, device=device)
    return torch.stack([anchor, anchor.roll(n)], dim=1)


def softmax_mean(
    rows: Float[Tensor, "n d"],
    columns: Float[Tensor, "m d"],
    temperature: float,
    excluded: Int[Tensor, "n e"] | None = None,
) -> tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]:
    """Return each row's mean of columns under the softmax of `cosine_logits`, and their log-sum-exp; no gradient."""
    with torch.no_grad():
        logits = cosine_logits(rows, columns, temperature, excluded)
        highest = logits.amax(1, keepdim=True)
        weights = logits.sub_(highest).exp_()
        whole = weights.sum(1, keepdim=True)
        return product(weights, columns) / whole, (highest + whole.log())[:, 0]


class _LogSum(torch.autograd.Function):
    """Log-sum-exp whose gradient is made with its value, so that only (n, d) numbers are kept for the backward pass."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, columns: Tensor, temperature: float, excluded: Tensor | None
    ) -> Tensor:
        mean, value = softmax_mean(rows, columns, temperature, excluded)
        ctx.save_for_backward(mean / temperature)
        return value

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        (gradient,), (slope,) = grad_outputs, ctx.saved_tensors
        return gradient[:, None] * slope, None, None, None


def check_pairs(where: str, **pair: Tensor) -> None:
    """Refuse two sets of rows that cannot be paired row by row.

    Raises:
        ValueError: not two non-empty matrices of one shape.
    """
    first, second = (tuple(rows.shape) for rows in pair.values())
    if first != second or len(first) != 2 or 0 in first:
        given = " and ".join(f"{name} {tuple(rows.shape)}" for name, rows in pair.items())
        raise ValueError(
            f"{where}: {given} given; needs two (samples, width) matrices of one shape, not empty."
        )


def check_columns(where: str, width: int, **matrix: Tensor) -> None:
    """Refuse rows that cannot be compared with embeddings of this width.

    Raises:
        ValueError: not a matrix of that width with at least one row.
    """
    for name, rows in matrix.items():
        if rows.ndim != 2 or rows.shape[1] != width or len(rows) == 0:
            needed = f"(1 or more, {width}), one sample a row"
            raise ValueError(f"{where}: {name} {tuple(rows.shape)} given; needs {needed}.")


def check_positive(where: str, **numbers: float) -> None:
    """Refuse temperatures that are not positive numbers.

    Raises:
        ValueError: zero, negative, infinite or not a number.
    """
    for name, number in numbers.items():
        if not (number > 0 and math.isfinite(number)):
            raise ValueError(f"{where}: {name}={number} given; needs a finite number above 0, such as 0.1.")


def check_not_negative(where: str, **numbers: float) -> None:
    """Refuse weights that are negative or no numbers.

    Raises:
        ValueError: negative, infinite or not a number.
    """
    for name, number in numbers.items():
        if not 0 <= number < math.inf:
            raise ValueError(f"{where}: {name}={number} given; needs a finite number from 0 up, such as 1.")


def check_several(where: str, **matrix: Tensor) -> None:
    """Refuse matrices of a single row, whose rows are contrasted with one another.

    Raises:
        ValueError: says which matrix.
    """
    for name, rows in matrix.items():
        if len(rows) < 2:
            raise ValueError(
                f"{where}: 1 row of {name} given; needs 2 or more, for rows are contrasted with others."
            )
