"""Mixtures of images: the draws against scipy and against CutMix's own arithmetic, the pixels one by one."""

import inspect
import math
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from contrastive.views.mixing import Mixture, draw_mixture, mix

NAMES = [field.name for field in fields(Mixture)]
kinds = st.sampled_from(["mixup", "cutmix", "both"])
sizes = st.tuples(st.integers(2, 5), st.integers(1, 8), st.integers(1, 8))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(count: int = 64, height: int = 32, width: int = 32, seed: int = 0, **options) -> Mixture:
    return draw_mixture(count, height=height, width=width, generator=seeded(seed), **options)


def images(count: int, height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    return torch.rand(2, count, 3, height, width, generator=seeded(seed), dtype=torch.float64).unbind()


# Who is mixed with whom


@given(st.integers(2, 30), st.integers(0, 2**32), kinds)
def test_everybody_has_one_partner_and_nobody_is_their_own(count: int, seed: int, kind: str):
    partner = drawn(count, seed=seed, kind=kind).partner
    assert sorted(partner.tolist()) == list(range(count))
    assert (partner != torch.arange(count)).all()


def test_any_other_image_is_as_likely_a_partner():
    partners = torch.stack([drawn(5, seed=seed).partner for seed in range(4000)])
    for image in range(5):
        times = partners[:, image].bincount(minlength=5)
        assert times[image] == 0
        assert stats.chisquare(times[times > 0]).pvalue > 1e-3
        assert (times > 0).sum() == 4


def test_not_all_pairings_are_one_circle_of_neighbours():
    pairings = {tuple(drawn(4, seed=seed).partner.tolist()) for seed in range(400)}
    assert len(pairings) == 9  # all derangements of four


# How much of each


@pytest.mark.parametrize("alpha", [0.2, 1.0, 2.0])
def test_the_share_of_a_mixup_is_beta_distributed(alpha: float):
    share = drawn(4000, kind="mixup", alpha=alpha, per_sample=True).share
    assert stats.kstest(share.double().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_the_share_of_a_batch_is_beta_distributed_too():
    shares = [drawn(2, kind="mixup", alpha=0.5, seed=seed).share[0].item() for seed in range(2000)]
    assert stats.kstest(shares, stats.beta(0.5, 0.5).cdf).pvalue > 1e-3


@given(st.integers(0, 2**32), kinds, st.booleans())
def test_a_batch_has_one_mixture_or_each_image_its_own(seed: int, kind: str, per_sample: bool):
    mixture = drawn(16, seed=seed, kind=kind, per_sample=per_sample)
    assert (len(mixture.share.unique()) > 1) == per_sample
    assert len(mixture.cut.unique()) == 1
    if mixture.cut.all():
        assert (len(mixture.box.unique(dim=0)) > 1) == per_sample


def test_share_and_place_of_a_box_and_all_images_are_independent():
    mixture = drawn(4000, 500, 500, kind="cutmix", per_sample=True)
    top, left, height, width = mixture.box.double().T
    inner = (top > 0) & (left > 0) & (top + height < 500) & (left + width < 500) & (height < 100)
    pairs = [(top, left), (top, height), (left, height), (top[:-1], top[1:])]
    for a, b in [(a[inner[: len(a)]], b[inner[: len(b)]]) for a, b in pairs[:3]]:
        assert stats.spearmanr(a, b).pvalue > 1e-3
    assert stats.spearmanr(mixture.share[:-1], mixture.share[1:]).pvalue > 1e-3


def test_both_is_mixup_for_half_of_the_batches_and_cutmix_for_the_others():
    cut = [bool(drawn(2, seed=seed, kind="both").cut.all()) for seed in range(1000)]
    assert stats.binomtest(sum(cut), len(cut), 0.5).pvalue > 1e-3
    assert drawn(kind="cutmix").cut.all()
    assert not drawn(kind="mixup").cut.any()


# Where


def published_box(share: float, row: int, column: int, height: int, width: int) -> tuple[int, int, int, int]:
    """CutMix's rand_bbox as published, with the centre given; as (top, left, height, width)."""
    ratio = math.sqrt(1.0 - share)
    cut_height, cut_width = int(height * ratio), int(width * ratio)
    top, bottom = max(row - cut_height // 2, 0), min(row + cut_height // 2, height)
    left, right = max(column - cut_width // 2, 0), min(column + cut_width // 2, width)
    return top, left, bottom - top, right - left


@pytest.mark.parametrize(("height", "width"), [(16, 16), (7, 12), (1, 5)])
def test_a_box_is_the_published_one(height: int, width: int):
    shares = drawn(200, kind="mixup", per_sample=True).share.tolist()
    boxes = drawn(200, height, width, kind="cutmix", per_sample=True).box.tolist()
    for share, box in zip(shares, boxes, strict=True):
        legal = {
            published_box(share, row, column, height, width)
            for row in range(height)
            for column in range(width)
        }
        assert tuple(box) in legal


def test_every_pixel_is_as_likely_a_boxs_centre():
    """With a box of a pixel around its centre, the pixels covered tell where that was."""
    mixture = drawn(20000, 40, 60, kind="cutmix", alpha=0.3, per_sample=True)
    top, left, height, width = mixture.box.T
    small = (height == 2) & (width > 0)
    middle = (top + 1)[small & (top + height < 40)]
    times = middle.bincount(minlength=40)[1:39]
    assert stats.chisquare(times).pvalue > 1e-3
    centre = (left + width // 2)[(left > 0) & (left + width < 60) & (width <= 4) & (width > 0)]
    assert stats.chisquare(centre.bincount(minlength=60)[3:57]).pvalue > 1e-3


@given(st.integers(2, 6), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_the_share_of_a_cutmix_is_exactly_the_share_of_pixels_kept(
    count: int, height: int, width: int, seed: int
):
    mixture = drawn(count, height, width, seed=seed, kind="cutmix", per_sample=True)
    kept = mix(torch.ones(count, 1, height, width), torch.zeros(count, 1, height, width), mixture)
    expected = kept.sum((1, 2, 3), dtype=torch.float64) / (height * width)
    assert torch.equal(mixture.share, expected.float())


@given(st.integers(0, 2**32), st.sampled_from([1e-3, 0.2, 1.0, 50.0]), kinds, st.booleans())
def test_whatever_is_drawn_is_legal(seed: int, alpha: float, kind: str, per_sample: bool):
    mixture = drawn(16, 9, 6, seed=seed, alpha=alpha, kind=kind, per_sample=per_sample)
    assert ((mixture.share >= 0) & (mixture.share <= 1)).all()
    top, left, height, width = mixture.box.T
    assert (mixture.box >= 0).all()
    assert ((top + height <= 9) & (left + width <= 6)).all()
    assert not mixture.box[~mixture.cut].any()
    assert mixture.share.dtype == torch.float32
    assert (mixture.partner.dtype, mixture.box.dtype) == (torch.int64, torch.int64)


# The stream


@settings(max_examples=20)
@given(kinds, st.booleans(), st.sampled_from([0.2, 1.0]))
def test_every_recipe_takes_as_much_of_the_stream_and_gives_the_same_partners(kind, per_sample, alpha):
    default, other = seeded(), seeded()
    size = {"count": 8, "height": 32, "width": 32}
    first = draw_mixture(**size, generator=default)
    second = draw_mixture(**size, kind=kind, per_sample=per_sample, alpha=alpha, generator=other)
    assert torch.equal(default.get_state(), other.get_state())
    assert torch.equal(first.partner, second.partner)


def test_shares_keep_their_order_from_one_alpha_to_another():
    orders = [drawn(kind="mixup", alpha=a, per_sample=True).share.argsort() for a in (0.5, 1.0, 2.0)]
    assert torch.equal(orders[0], orders[1])
    assert torch.equal(orders[0], orders[2])


# Mixing


@given(sizes, st.integers(0, 2**32), kinds, st.booleans())
def test_a_mixture_is_made_pixel_by_pixel(size, seed, kind, per_sample):
    count, height, width = size
    mixture = drawn(count, height, width, seed=seed, kind=kind, per_sample=per_sample)
    first, second = images(count, height, width)
    mixed = mix(first, second, mixture)
    for i in range(count):
        top, left, tall, wide = mixture.box[i].tolist()
        for row in range(height):
            for column in range(width):
                own, other = first[i, :, row, column], second[i, :, row, column]
                share = mixture.share[i].item()
                if mixture.cut[i]:
                    inside = top <= row < top + tall and left <= column < left + wide
                    share = 0.0 if inside else 1.0
                expected = share * own + (1 - share) * other
                torch.testing.assert_close(mixed[i, :, row, column], expected, rtol=1e-12, atol=1e-15)


@given(st.integers(0, 2**32), kinds, st.booleans())
def test_an_image_mixed_with_its_equal_stays_as_it_is(seed: int, kind: str, per_sample: bool):
    image = torch.rand(8, 3, 6, 5, generator=seeded(seed))
    assert torch.equal(
        mix(image, image.clone(), drawn(8, 6, 5, seed=seed, kind=kind, per_sample=per_sample)), image
    )


def test_a_box_counts_only_where_it_is_to_be_cut():
    first, second = images(2, 4, 4)
    mixture = Mixture(
        partner=torch.tensor([1, 0]),
        share=torch.tensor([1.0, 0.25]),
        box=torch.tensor([[0, 0, 4, 4], [0, 0, 4, 4]]),
        cut=torch.tensor([False, True]),
    )
    mixed = mix(first, second, mixture)
    assert torch.equal(mixed[0], first[0])
    assert torch.equal(mixed[1], second[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mixture_has_its_images_type(dtype: torch.dtype):
    first, second = (rows.to(dtype) for rows in images(64, 4, 4))
    assert mix(first, second, drawn(height=4, width=4, kind="mixup")).dtype == dtype


def test_some_rows_of_a_batch_are_mixed_as_in_the_whole_batch():
    first, _ = images(16, 8, 8)
    mixture = drawn(16, 8, 8, kind="cutmix", per_sample=True)
    whole = mix(first, first[mixture.partner], mixture)
    for index in (slice(4, 9), torch.tensor([3, 0, 7])):
        part = mixture.rows(index)
        assert len(part) == len(whole[index])
        assert torch.equal(mix(first[index], first[part.partner], part), whole[index])


def test_a_mixture_moves_as_a_whole():
    mixture = drawn(kind="both")
    moved = mixture.to("cpu")
    assert all(torch.equal(getattr(moved, name), getattr(mixture, name)) for name in NAMES)
    assert all(getattr(mixture.to("meta"), name).device.type == "meta" for name in NAMES)


# Refusals


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 1}, "1 image given"),
        ({"count": 0}, "0 image given"),
        ({"alpha": 0.0}, "alpha=0.0"),
        ({"alpha": -1.0}, "alpha=-1.0"),
        ({"alpha": math.inf}, "alpha=inf"),
        ({"alpha": math.nan}, "alpha=nan"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        drawn(**options)


@pytest.mark.parametrize(
    ("first", "second", "count"), [((4, 3, 8, 8), (4, 3, 8, 7), 4), ((4, 3, 8, 8), (4, 3, 8, 8), 5)]
)
def test_what_cannot_be_mixed_is_refused(first: tuple[int, ...], second: tuple[int, ...], count: int):
    with pytest.raises(ValueError, match="one partner and one mixture per image"):
        inspect.unwrap(mix)(torch.ones(first), torch.ones(second), drawn(count))
    fitting = drawn(4, 8, 8)
    assert mix(torch.ones(4, 3, 8, 8), torch.ones(4, 3, 8, 8), replace(fitting)).shape == (4, 3, 8, 8)
