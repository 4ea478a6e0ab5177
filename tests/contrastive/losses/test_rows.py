"""What the losses share: sums over a softmax, with and without gradient to the columns, and what they keep."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses.rows import log_sum, softmax_mean
from tests import oracles

temperatures = st.sampled_from([0.05, 0.5, 2.0])


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor | None]:
    """Rows, columns of another number, and in each row perhaps an excluded column."""
    n, m, d = draw(st.integers(1, 4)), draw(st.integers(2, 6)), draw(st.integers(1, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    rows, columns = (torch.randn(size, d, generator=generator, dtype=torch.float64) for size in (n, m))
    excluded = torch.randint(0, m, (n, 1), generator=generator)
    return rows, columns, excluded if draw(st.booleans()) else None


def logits(rows: Tensor, columns: Tensor, temperature: float, excluded: Tensor | None) -> list[list[float]]:
    """Of the columns that take part, by loops."""
    return [
        [
            sum(x * y for x, y in zip(row, column, strict=True)) / temperature
            for c, column in enumerate(columns.tolist())
            if excluded is None or c != excluded[i, 0]
        ]
        for i, row in enumerate(rows.tolist())
    ]


@given(matrices(), temperatures, st.booleans())
def test_log_sum_is_the_logarithm_of_the_sum_of_exponentials(given, temperature: float, trained: bool):
    rows, columns, excluded = given
    expected = [
        max(row) + math.log(sum(math.exp(logit - max(row)) for logit in row))
        for row in logits(*given[:2], temperature, excluded)
    ]
    values = log_sum(rows, columns.requires_grad_(trained), temperature, excluded)
    assert values.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(matrices(), temperatures)
def test_the_mean_and_the_log_sum_are_those_of_the_softmax(given, temperature: float):
    rows, columns, excluded = given
    mean, value = softmax_mean(rows, columns, temperature, excluded)
    for i, row in enumerate(logits(rows, columns, temperature, excluded)):
        kept = [c for c in range(len(columns)) if excluded is None or c != excluded[i, 0]]
        expected = torch.tensor(oracles.shares([logit - max(row) for logit in row]), dtype=torch.float64)
        torch.testing.assert_close(mean[i], expected @ columns[kept], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(value, log_sum(rows, columns, temperature, excluded), rtol=0, atol=0)


@given(matrices(), temperatures)
def test_its_gradient_is_the_same_whether_or_not_the_columns_have_one(given, temperature: float):
    rows, columns, excluded = given
    slopes = []
    for trained in (False, True):
        leaf = rows.clone().requires_grad_()
        values = log_sum(leaf, columns.clone().requires_grad_(trained), temperature, excluded)
        slopes.append(torch.autograd.grad((values * torch.arange(1, len(rows) + 1)).sum(), leaf)[0])
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=1e-12)


def test_its_gradients_are_the_slopes_of_its_value():
    rows, columns = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows.requires_grad_()
    assert torch.autograd.gradcheck(lambda r: log_sum(r, columns[:3], 0.5), rows)
    assert torch.autograd.gradcheck(lambda r, c: log_sum(r, c[:3], 0.5), (rows, columns.requires_grad_()))


def test_over_columns_without_gradient_no_matrix_of_logits_is_kept():
    rows, columns = torch.randn(16, 3).requires_grad_(), torch.randn(32, 3)
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        log_sum(rows, columns, 0.1).sum().backward()
    assert kept == [rows.numel()]


def test_a_second_derivative_is_refused_rather_than_wrong():
    rows, columns = torch.randn(4, 3).requires_grad_(), torch.randn(5, 3)
    (slope,) = torch.autograd.grad(log_sum(rows, columns, 0.1).square().sum(), rows, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()
