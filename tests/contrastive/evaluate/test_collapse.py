"""Effective rank, alignment and uniformity against loops and where their values are known."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.evaluate import alignment, effective_rank, spread, uniformity
from tests import oracles


@st.composite
def matrices(draw: st.DrawFn) -> Tensor:
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    return torch.randn(
        draw(st.integers(2, 8)), draw(st.integers(2, 6)), generator=generator, dtype=torch.float64
    )


@given(matrices())
def test_effective_rank_is_the_exponential_of_the_entropy_of_the_singular_values(features: Tensor):
    values = np.linalg.svd(features.numpy() - features.numpy().mean(0), compute_uv=False)
    shares = [value / sum(values) for value in values if value > 1e-12]
    expected = math.exp(-sum(share * math.log(share) for share in shares))
    assert effective_rank(features) == pytest.approx(expected, rel=1e-9)


@given(matrices(), st.floats(0.01, 100), st.floats(-100, 100))
def test_effective_rank_ignores_scale_offset_and_rotation(features: Tensor, scale: float, offset: float):
    d = features.shape[1]
    generator = torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    moved = scale * features @ rotation + offset
    assert effective_rank(moved) == pytest.approx(effective_rank(features), rel=1e-6)


@given(matrices())
def test_effective_rank_lies_between_one_and_the_rank(features: Tensor):
    n, d = features.shape
    assert 1 - 1e-12 <= effective_rank(features) <= min(n - 1, d) + 1e-9


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_effective_rank_of_equal_spread_in_some_directions_is_their_number(rank: int):
    axes = torch.eye(8)[:rank]
    assert effective_rank(torch.cat([axes, -axes]) + 7) == pytest.approx(rank, rel=1e-5)


def test_effective_rank_of_features_that_are_all_equal_is_zero():
    assert effective_rank(torch.full((50, 8), 0.1)) == 0
    assert effective_rank(torch.randn(1, 8)) == 0


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_limit_of_rounding_goes_with_the_size_of_the_features(scale: float):
    features = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    assert effective_rank(scale * features) == pytest.approx(effective_rank(features), rel=1e-5)
    assert effective_rank(scale * torch.ones(20, 4) / 3) == 0


def test_directions_a_thousand_times_weaker_still_count():
    axes = torch.eye(4) * torch.tensor([1.0, 1e-3, 1e-3, 1e-3])
    assert effective_rank(torch.cat([axes, -axes])) > 1.02


@given(matrices(), st.sampled_from([0.1, 1.0, 10.0]))
def test_alignment_is_the_mean_squared_distance_of_directions(z: Tensor, spread: float):
    other = z + spread * z.flip(0)
    assert alignment(z, other) == pytest.approx(oracles.alignment(z, other), rel=1e-9, abs=1e-15)


def test_alignment_runs_from_zero_to_four():
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert alignment(z, 2 * z) == pytest.approx(0, abs=1e-15)
    assert alignment(z, -z) == pytest.approx(4, rel=1e-12)


@given(matrices(), st.integers(1, 9))
def test_uniformity_is_the_log_of_the_mean_potential_whatever_the_block(z: Tensor, block: int):
    assert uniformity(z, block=block) == pytest.approx(oracles.uniformity(z), rel=1e-9, abs=1e-12)


def test_uniformity_is_zero_if_all_coincide_and_minus_eight_for_opposites():
    assert uniformity(torch.ones(6, 3, dtype=torch.float64)) == pytest.approx(0, abs=1e-12)
    assert uniformity(torch.tensor([[1.0, 0.0], [-3.0, 0.0]])) == pytest.approx(-8, rel=1e-6)


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match=r"effective_rank: features \(0, 3\)"):
        inspect.unwrap(effective_rank)(torch.ones(0, 3))
    with pytest.raises(ValueError, match=r"alignment: z1 \(2, 3\) and z2 \(2, 4\)"):
        inspect.unwrap(alignment)(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(ValueError, match="1 embedding given; needs 2 or more"):
        inspect.unwrap(uniformity)(torch.ones(1, 3))
    with pytest.raises(ValueError, match="block=0"):
        inspect.unwrap(uniformity)(torch.ones(2, 3), block=0)


@given(matrices())
def test_spread_is_the_mean_deviation_of_unit_coordinates(features: Tensor):
    rows = [[x / math.sqrt(sum(v * v for v in row)) for x in row] for row in features.tolist()]
    deviations = [np.std(column, ddof=1) for column in zip(*rows, strict=True)]
    expected = math.sqrt(len(deviations)) * sum(deviations) / len(deviations)
    assert spread(features).item() == pytest.approx(expected, rel=1e-9)


def test_spread_is_one_all_over_the_sphere_and_zero_in_one_point():
    everywhere = torch.randn(20000, 16, generator=torch.Generator().manual_seed(0))
    assert spread(everywhere).item() == pytest.approx(1, abs=0.01)
    assert spread(torch.ones(5, 4)).item() == pytest.approx(0, abs=1e-6)


def test_spread_of_one_embedding_is_refused():
    with pytest.raises(ValueError, match="spread: 1 embedding given"):
        inspect.unwrap(spread)(torch.ones(1, 4))
