"""The generated set: what its seed means, how its classes are filled, how hard it is for raw pixels."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contrastive.data import Dataset, Shapes, Split
from contrastive.data.shapes import CLASSES, class_sizes

SMALL = Shapes(form="easy", train=40, validation=20, test=20, seed=3)


@pytest.fixture
def restored_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def pixels(split: Split) -> torch.Tensor:
    return split.images.flatten(1)


def nearest_neighbour_accuracy(dataset: Dataset) -> float:
    mean = torch.tensor(dataset.mean)[:, None, None] * 255
    bank, queries = (
        torch.nn.functional.normalize((split.images - mean).flatten(1))
        for split in (dataset.train, dataset.validation)
    )
    nearest = (queries @ bank.T).argmax(1)
    return (dataset.train.labels[nearest] == dataset.validation.labels).double().mean().item()


def test_a_seed_means_these_pixels():
    # When this fails, the generator has changed: raise VERSION, and expect other results from every sweep.
    assert SMALL.read().fingerprint == "68c9865eae61959a"


def test_two_threads_draw_what_one_draws(restored_threads):
    torch.set_num_threads(1)
    one = SMALL.read()
    torch.set_num_threads(2)
    two = SMALL.read()
    assert torch.equal(one.train.images, two.train.images)
    assert one.fingerprint == two.fingerprint


def test_another_seed_draws_other_images():
    assert dataclasses.replace(SMALL, seed=4).read().fingerprint != SMALL.read().fingerprint


def test_a_split_has_images_labels_and_the_size_asked_for():
    dataset = Shapes(train=30, validation=11, test=17).read()
    for split, count in ((dataset.train, 30), (dataset.validation, 11), (dataset.test, 17)):
        assert split.images.shape == (count, 3, 32, 32)
        assert split.images.dtype == torch.uint8
        assert split.labels.shape == (count,)
        assert split.labels.dtype == torch.int64


def test_no_image_is_in_two_splits():
    dataset = Shapes(train=60, validation=60, test=60).read()
    together = torch.cat([pixels(split) for split in (dataset.train, dataset.validation, dataset.test)])
    assert len(together.unique(dim=0)) == 180


def test_more_training_images_leave_the_other_splits_as_they_were():
    more = dataclasses.replace(SMALL, train=80).read()
    assert torch.equal(more.validation.images, SMALL.read().validation.images)
    assert torch.equal(more.test.images, SMALL.read().test.images)


def test_classes_are_even_and_mixed():
    labels = Shapes(train=400, validation=20, test=20).read().train.labels
    assert labels.bincount().tolist() == [40] * 10
    assert len(labels[:40].unique()) > 5


def test_only_the_training_split_has_the_long_tail():
    dataset = Shapes(train=600, validation=100, test=100, imbalance=0.1).read()
    sizes = dataset.train.labels.bincount()
    assert sizes.argsort(descending=True).tolist() == list(range(10))
    assert sizes[-1] / sizes[0] == pytest.approx(0.1, rel=0.05)
    assert dataset.validation.labels.bincount().tolist() == [10] * 10


@given(st.integers(1, 20_000), st.integers(2, 10), st.floats(0.001, 1))
def test_class_sizes_add_up_and_follow_the_law_to_within_one(count: int, classes: int, imbalance: float):
    sizes = class_sizes(count, classes, imbalance)
    weight = imbalance ** np.linspace(0, 1, classes)
    assert sizes.sum() == count
    assert (abs(sizes - count * weight / weight.sum()) <= 1 + 1e-9).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 10))
def test_fewer_classes_are_the_first_of_the_ten(classes: int):
    dataset = Shapes(train=20, validation=10, test=10, classes=classes).read()
    assert set(dataset.train.labels.tolist()) == set(range(classes))
    assert dataset.classes == tuple("-".join(pair) for pair in CLASSES[:classes])


def test_a_tail_that_leaves_a_class_empty_is_refused_with_a_way_out():
    with pytest.raises(ValueError, match="Raise train or imbalance, or lower classes"):
        Shapes(train=50, imbalance=0.001)


@pytest.mark.parametrize(
    "wrong",
    [{"form": "hard"}, {"classes": 1}, {"classes": 11}, {"imbalance": 0}, {"imbalance": 1.5}, {"train": 0}],
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TypeAdapter(Shapes).validate_python(wrong)


def test_raw_pixels_do_better_than_chance_and_better_on_the_easy_form():
    easy, medium = (
        nearest_neighbour_accuracy(Shapes(form=form, train=1500, validation=1000, test=1).read())
        for form in ("easy", "medium")
    )
    assert 0.2 < medium < easy < 0.6


def test_no_single_colour_gives_the_class_away():
    # The mean colour of an image is the cheapest shortcut; a classifier by nearest class mean must not pass by it.
    dataset = Shapes(train=1500, validation=1000, test=1).read()
    colour = {
        name: split.images.double().mean((2, 3))
        for name, split in (("train", dataset.train), ("validation", dataset.validation))
    }
    centres = torch.stack([colour["train"][dataset.train.labels == c].mean(0) for c in range(10)])
    predicted = torch.cdist(colour["validation"], centres).argmin(1)
    assert (predicted == dataset.validation.labels).double().mean() < 0.3
