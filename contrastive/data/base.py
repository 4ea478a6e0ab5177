"""Base of data set configurations."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from contrastive.types import configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset


@configuration
class DataSet(ABC):
    """Configuration of a data set: which images are used. Nothing is read before `load` or `read`."""

    name: str
    fetched: ClassVar[str] = ""
    """Name under which torchvision fetches the set; empty if it does not."""
    elsewhere: ClassVar[str] = ""
    """Where to get a set that torchvision does not fetch."""

    @abstractmethod
    def read(self) -> Dataset:
        """Draw or read the images anew."""

    @abstractmethod
    def state(self) -> object:
        """Return everything on which the pixels depend beside this configuration."""

    def load(self, *, cache: Path) -> Dataset:
        """Return the images, from `cache` if they are kept there."""
        from contrastive.data.cache import cached

        return cached(self.name, [dataclasses.asdict(self), self.state()], self.read, cache)

    def training_images(self) -> int | None:
        """Return the number of training images without decoding any; None if only reading them tells.

        Raises:
            FileNotFoundError: the files are not where `root` says.
            ValueError: they are not what the set consists of, or too few.
        """
        return getattr(self, "train", None)
