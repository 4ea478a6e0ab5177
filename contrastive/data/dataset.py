"""Loaded data sets: three splits of images, and a fingerprint of their content."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from jaxtyping import Int, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from contrastive.data.stream import Stream

SAMPLE: Final = 4096
"""Number of images whose mean and deviation stand for a streamed set's; another number gives other runs."""


@dataclass(frozen=True)
class Split:
    """Images and the class of each: `images` is (n, 3, height, width) in 0..255, in memory or on disk.

    `labels` counts from 0; images without a known class have -1.
    """

    images: UInt8[Tensor, "n 3 h w"] | Stream
    labels: Int64[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of every image."""
        height, width = self.images.shape[2:]
        return height, width

    def fetch(self, rows: Iterable[Int[Tensor, " m"]]) -> Iterator[UInt8[Tensor, "m 3 h w"]]:
        """Yield the images at each of these indices, in order; a streamed split decodes ahead.

        Raises:
            ValueError: more of a streamed split's images cannot be read than it allows.
        """
        if isinstance(self.images, Stream):
            yield from self.images.fetch([some.tolist() for some in rows])
        else:
            for some in rows:
                yield self.images[some]


@dataclass(frozen=True)
class Dataset:
    """Three disjoint splits. Choices are made on `validation`; `test` is read only for what is reported.

    `fingerprint` names the content: equal pixels, labels and splits give equal fingerprints.
    `labelled` holds the bank of kNN where the images of `train` have no labels or are imbalanced.
    """

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    fingerprint: str
    labelled: Split | None = None

    @property
    def bank(self) -> Split:
        """The images with which kNN votes: `labelled`, or the training images if it is None."""
        return self.train if self.labelled is None else self.labelled

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of each channel of the training images, in 0..1; of a fixed 4,096 of them when streamed."""
        return tuple(mean for mean, _ in self._moments)

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation over all pixels of each channel of the same images, in 0..1."""
        return tuple(std for _, std in self._moments)

    @cached_property
    def _moments(self) -> list[tuple[float, float]]:
        counts = torch.zeros(3, 256, dtype=torch.int64)
        for part in self.train.fetch(_sample(self.train).split(256)):
            for channel in range(3):
                counts[channel] += torch.bincount(torch.flatten(part[:, channel]), minlength=256)
        return [_mean_and_std([int(count) for count in channel]) for channel in counts]


def _sample(split: Split) -> Int64[Tensor, " m"]:
    if not isinstance(split.images, Stream) or len(split) <= SAMPLE:
        return torch.arange(len(split))
    return torch.as_tensor(np.random.default_rng(0).choice(len(split), SAMPLE, replace=False))


def _mean_and_std(counts: Sequence[int]) -> tuple[float, float]:
    # Of a histogram, in whole numbers: exact whatever the order, and never a float copy of the images.
    n = sum(counts)
    first = sum(level * count for level, count in enumerate(counts))
    second = sum(level**2 * count for level, count in enumerate(counts))
    return first / (255 * n), math.sqrt(n * second - first**2) / (255 * n)


def take(
    images: UInt8[ndarray, "n 3 h w"], labels: Int[ndarray, " n"], picked: Mapping[str, Int[ndarray, " _"]]
) -> dict[str, Split]:
    """Return the images and labels at the indices of each split."""
    return {
        split: Split(torch.as_tensor(images[chosen]), torch.as_tensor(labels[chosen]))
        for split, chosen in picked.items()
    }


def assemble(
    classes: tuple[str, ...], *, train: Split, validation: Split, test: Split, labelled: Split | None = None
) -> Dataset:
    """Return the data set of freshly read splits, with its fingerprint."""
    splits = [train, validation, test] + ([] if labelled is None else [labelled])
    return Dataset(train, validation, test, classes, fingerprint(splits), labelled)


def fingerprint(splits: Iterable[Split]) -> str:
    """Return the first 16 hex digits of the SHA-256 of all shapes, pixels and labels, in order.

    In a streamed split the names of the files below the set's root and their sizes in bytes stand for the
    pixels: the files are not read, and a change that keeps a file's size goes unseen.
    """
    digest = hashlib.sha256()
    for split in splits:
        digest.update(repr(tuple(split.images.shape)).encode())
        if isinstance(split.images, Stream):
            digest.update(split.images.described())
        else:
            digest.update(split.images.contiguous().numpy().data)
        digest.update(split.labels.contiguous().numpy().astype("<i8", copy=False).data)
    return digest.hexdigest()[:16]
