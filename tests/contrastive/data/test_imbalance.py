"""CACR's imbalanced training images: the published counts and lists, and what stays balanced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from contrastive.data import CIFAR10, Dataset, Shapes, load
from contrastive.data.imbalance import Imbalance, unbalanced
from tests.formats import write_cifar, write_images

EXPONENTIAL_10 = [0, 1, 4, 12, 33, 91, 248, 676, 1839, 5000]
EXPONENTIAL_100 = [0, 0, 0, 1, 3, 9, 24, 67, 183, 500]
FIRST = {5000: [1249, 1470, 2888, 4458], 500: [242, 219, 89, 285]}
"""The first places of the published shuffle."""


def kept(labels: np.ndarray, kind: Imbalance, classes: int) -> list[list[int]]:
    """For each class, which of its images are kept, as places within the class."""
    everything = np.random.default_rng(5).permutation(len(labels))
    train = unbalanced({"train": everything}, labels, kind, classes)["train"]
    return [
        np.flatnonzero(np.isin(np.flatnonzero(labels == label), train)).tolist() for label in range(classes)
    ]


@pytest.mark.parametrize(
    ("kind", "classes", "counts", "total"),
    [
        ("linear", 10, range(500, 5001, 500), 27_500),
        ("linear", 100, np.repeat(range(50, 501, 50), 10), 27_500),
        ("exponential", 10, EXPONENTIAL_10, 7_904),
        ("exponential", 100, np.repeat(EXPONENTIAL_100, 10), 7_870),
        ("none", 10, [5000] * 10, 50_000),
    ],
)
def test_all_of_cifar_gives_the_published_counts(kind: Any, classes: int, counts: Any, total: int):
    sizes = [len(places) for places in kept(np.arange(50_000) % classes, kind, classes)]
    assert sizes == list(counts)
    assert sum(sizes) == total


def test_all_of_cifar_gives_the_published_lists():
    ten = kept(np.arange(50_000) % 10, "exponential", 10)
    assert ten[1] == FIRST[5000][:1]
    assert ten[2] == sorted(FIRST[5000])
    hundred = kept(np.repeat(np.arange(100), 500), "exponential", 100)
    assert hundred[35] == FIRST[500][:1]
    assert hundred[47] == sorted(FIRST[500][:3])


def test_the_order_of_the_picked_images_stays():
    picked = np.random.default_rng(0).permutation(100)
    train = unbalanced({"train": picked}, np.arange(100) % 10, "linear", 10)["train"]
    assert train.tolist() == [row for row in picked.tolist() if row in set(train.tolist())]


@given(st.integers(0, 400), st.sampled_from(["linear", "exponential"]))
def test_each_class_keeps_its_fraction_of_what_was_picked(count: int, kind: Any):
    labels = np.random.default_rng(1).integers(0, 10, 500)
    picked = np.random.default_rng(2).permutation(500)[:count]
    sizes = np.bincount(labels[unbalanced({"train": picked}, labels, kind, 10)["train"]], minlength=10)
    for label, size in enumerate(sizes):
        share = (label + 1) / 10 if kind == "linear" else np.exp(label - 9)
        assert size == int(share * np.sum(labels[picked] == label) + 1e-9)


def cifar(root: Path, imbalance: Imbalance) -> CIFAR10:
    return CIFAR10(root=str(root), train=40, validation=20, test=20, imbalance=imbalance)


def of_batches(root: Path) -> Path:
    return write_cifar(root)


def of_images(root: Path) -> Path:
    for split, count in (("train", 6), ("test", 2)):
        write_images(root / split, map(str, range(10)), count, size=(32, 32))
    return root


@pytest.mark.parametrize("write", [of_batches, of_images])
def test_only_the_training_images_are_imbalanced(tmp_path: Path, write: Callable[[Path], Path]):
    root = write(tmp_path)
    even, uneven = (load(cifar(root, kind), cache=tmp_path / "cache") for kind in ("none", "linear"))
    assert uneven.train.labels.bincount(minlength=10).tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3, 4]
    assert even.labelled is None
    assert uneven.labelled is not None
    for ours, theirs in (
        (uneven.bank, even.train),
        (uneven.validation, even.validation),
        (uneven.test, even.test),
    ):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)
    assert even.fingerprint != uneven.fingerprint


def test_kept_in_the_cache_the_bank_stays(tmp_path: Path):
    data = cifar(write_cifar(tmp_path), "exponential")
    fresh = data.read()
    for _ in range(2):
        again = load(data, cache=tmp_path / "cache")
        assert again.fingerprint == fresh.fingerprint
        assert again.labelled is not None
        assert torch.equal(again.bank.images, fresh.bank.images)
        assert torch.equal(again.bank.labels, fresh.bank.labels)


def test_the_fingerprint_depends_on_the_bank(tmp_path: Path):
    def with_bank(rows: slice) -> Dataset:
        from contrastive.data.dataset import Split, assemble

        whole = Shapes(train=20, validation=10, test=10).read()
        bank = Split(whole.train.images[rows], whole.train.labels[rows])
        return assemble(
            whole.classes, train=whole.train, validation=whole.validation, test=whole.test, labelled=bank
        )

    assert with_bank(slice(0, 10)).fingerprint != with_bank(slice(1, 11)).fingerprint


def test_a_long_tail_of_shapes_votes_with_even_images():
    dataset = Shapes(train=200, validation=10, test=10, imbalance=0.1).read()
    sizes = dataset.train.labels.bincount()
    assert sizes.max() > 5 * sizes.min()
    assert dataset.bank.labels.bincount().tolist() == [20] * 10
    assert Shapes(train=200, validation=10, test=10).read().labelled is None
