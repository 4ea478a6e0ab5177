"""Label fractions: stratified, nested, and the same for everybody."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from contrastive.data import label_fraction

LABELS = torch.arange(5000) % 10
some_labels = st.lists(st.integers(0, 6), min_size=1, max_size=300).map(torch.tensor)
fractions = st.floats(0, 1, exclude_min=True)


@given(some_labels, fractions, st.integers(0, 9))
def test_each_class_keeps_its_fraction_and_at_least_one(labels: torch.Tensor, fraction: float, draw: int):
    kept = labels[label_fraction(labels, fraction, draw)].bincount(minlength=7)
    for size, share in zip(labels.bincount(minlength=7).tolist(), kept.tolist(), strict=True):
        assert share >= min(size, 1)
        assert abs(share - fraction * size) <= 0.5 or share == 1


@given(some_labels, fractions, fractions, st.integers(0, 9))
def test_the_smaller_list_of_a_draw_lies_inside_the_larger(
    labels: torch.Tensor, one: float, two: float, draw: int
):
    small, large = (set(label_fraction(labels, f, draw).tolist()) for f in sorted((one, two)))
    assert small <= large


def test_the_list_is_sorted_without_repeats_and_always_the_same():
    chosen = label_fraction(LABELS, 0.1, 3)
    assert chosen.dtype == torch.int64
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert len(chosen) == 500
    assert torch.equal(chosen, label_fraction(LABELS.int(), 0.1, 3))
    assert chosen[:5].tolist() == [2, 14, 18, 56, 88]


def test_all_labels_are_all_images():
    assert torch.equal(label_fraction(LABELS, 1.0, 0), torch.arange(5000))


def test_draws_differ_and_so_do_the_places_taken_in_each_class():
    first, second = (set(label_fraction(LABELS, 0.1, draw).tolist()) for draw in (0, 1))
    assert len(first & second) < 100
    places = [{i // 10 for i in first if i % 10 == label} for label in range(10)]
    assert all(places[0] != other for other in places[1:])


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan"), 10])
def test_a_fraction_that_is_none_is_refused(fraction: float):
    with pytest.raises(ValueError, match=r"label fraction = .*at most 1, as 0.01 for 1 %"):
        label_fraction(LABELS, fraction, 0)


def test_a_draw_below_zero_is_refused():
    with pytest.raises(ValueError, match="draws count from 0"):
        label_fraction(LABELS, 0.1, -1)


@pytest.mark.parametrize("labels", [torch.tensor([-1, 0, 1]), torch.tensor([], dtype=torch.int64)])
def test_images_without_labels_are_refused(labels: torch.Tensor):
    with pytest.raises(ValueError, match="needs labels, from 0"):
        label_fraction(labels, 0.1, 0)
