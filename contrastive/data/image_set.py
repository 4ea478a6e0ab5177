"""Base of the sets of image files: choice of the images of each split, and whether they fit into memory."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from contrastive.data.base import DataSet
from contrastive.data.listing import Listing, choose
from contrastive.data.state import file_state
from contrastive.types import Count, Fraction, Natural, Positive, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset

FEWEST: Final = 2
"""Number of images in the smallest batch that allows any learning."""


@configuration
class ImageSet(DataSet):
    """Image files in the formats that Pillow reads, decoded once and kept if they fit, else decoded at each use.

    Streaming changes a set's mean and deviation (which are then those of a sample) and so its runs; the number of
    decoding processes changes nothing.
    """

    name: str
    root: str
    size: Count
    """Height and width in pixels: the shorter side is brought to it, then the middle is cut out."""
    train: Count | None = None
    """Number of images; None takes all that the other splits leave."""
    validation: Count | None = None
    """Number of images; None takes all of the split's folder, or without one a tenth of the training images."""
    test: Count | None = None
    """Number of images; None takes all of the split's folder, or without one a fifth of all images."""
    seed: Natural = 0
    """Which images are used, and in which split."""
    stream: bool | None = None
    """Whether images are decoded at each use; None: where the decoded images would exceed `memory`."""
    memory: Positive = 4.0
    """Size in GiB up to which decoded images are kept in memory."""
    workers: Natural = 2
    """Number of processes that decode; 0 decodes in the process that trains."""
    unreadable: Fraction = 0.01
    """Share of unreadable images above which the set is refused; below it they are left out, or grey if streamed."""
    orientation: bool = True
    """Whether images are turned as their EXIF data say how the camera was held. Pillow always turns TIFF files."""
    transparency: Literal["mean", "ignored"] = "mean"
    """Colour shown for transparent pixels: the mean colour of the training images, or the colour under them."""

    @abstractmethod
    def listings(self) -> dict[str, Listing]:
        """Return the image files found: "train", and "validation" and "test" if they have folders of their own.

        Raises:
            FileNotFoundError: the files are not where `root` says.
            ValueError: they are not what this set consists of.
        """

    def load(self, *, cache: Path) -> Dataset:
        """Return the images, from `cache` if they are kept there."""
        from contrastive.data.cache import cached

        found = self.listings()
        chosen = self._choose(found)
        if self._streams(chosen):
            return self._read(chosen)
        settings = dataclasses.asdict(self)
        for field in ("stream", "memory", "workers"):
            del settings[field]
        return cached(self.name, [settings, self._state(found)], lambda: self._read(chosen), cache)

    def state(self) -> object:
        """Return names, sizes and times of the files."""
        return self._state(self.listings())

    def training_images(self) -> int:
        """Return the number of training images, if all can be read."""
        return self.counts()["train"]

    def counts(self) -> dict[str, int]:
        """Return the number of images of each split, if all can be read; none is decoded.

        Raises:
            FileNotFoundError: the files are not where `root` says.
            ValueError: they are not what this set consists of, or too few.
        """
        return {split: len(listing) for split, listing in self._choose(self.listings()).items()}

    def read(self) -> Dataset:
        """Find, choose and decode the images, or prepare to stream them.

        Raises:
            FileNotFoundError: `root` is missing.
            ValueError: there are no images, too few, those of one class, or too many that cannot be read.
        """
        return self._read(self._choose(self.listings()))

    def _state(self, found: Mapping[str, Listing]) -> object:
        return file_state(Path(self.root), (path for listing in found.values() for path in listing.paths))

    def _read(self, chosen: Mapping[str, Listing]) -> Dataset:
        from contrastive.data.dataset import assemble
        from contrastive.data.decoder import Reading
        from contrastive.data.image_files import decode, stream

        read = partial(stream, root=Path(self.root)) if self._streams(chosen) else decode
        reading = Reading(self.orientation, self.transparency == "mean")
        splits = read(chosen, self.size, unreadable=self.unreadable, workers=self.workers, reading=reading)
        return assemble(chosen["train"].classes, **splits)

    def _streams(self, chosen: Mapping[str, Listing]) -> bool:
        images = sum(map(len, chosen.values()))
        return images * 3 * self.size**2 > self.memory * 2**30 if self.stream is None else self.stream

    def _choose(self, found: Mapping[str, Listing]) -> dict[str, Listing]:
        return self._hold_out(found) | self._own_folders(found)

    def _own_folders(self, found: Mapping[str, Listing]) -> dict[str, Listing]:
        counts = {"validation": self.validation, "test": self.test}
        return {
            split: choose(found[split], {split: count or len(found[split])}, seed=self.seed)[split]
            for split, count in counts.items()
            if split in found
        }

    def _hold_out(self, found: Mapping[str, Listing]) -> dict[str, Listing]:
        pool, asked = found["train"], {"validation": self.validation, "test": self.test}
        wanted = {split: asked[split] for split in asked if split not in found}
        usual = {"validation": max(1, len(pool) // 10), "test": max(1, len(pool) // 5)}
        usual = {split: usual[split] for split, count in wanted.items() if count is None}
        given = sum(count or 0 for count in wanted.values())
        free = len(pool) - given - (self.train or FEWEST)
        if sum(usual.values()) > free:  # the default numbers are too large
            usual = {split: max(1, free // len(usual)) for split in usual}
        held_out = {split: count or usual[split] for split, count in wanted.items()}
        train = self.train or len(pool) - sum(held_out.values())
        if train < FEWEST and self.train is None:
            raise ValueError(
                f"{pool.folder} holds {len(pool)} images, of which {sum(held_out.values())} are held out to be judged "
                f"on: too few are left to train on, where at least {FEWEST} are compared. Add images."
            )
        return choose(pool, {"train": train} | held_out, seed=self.seed)
