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
    """A configuration that says which images; nothing is read before it is asked for."""

    name: str
    fetched: ClassVar[str] = ""
    """Under which name torchvision fetches it, if it does."""
    elsewhere: ClassVar[str] = ""
    """Otherwise where to get it."""

    @abstractmethod
    def read(self) -> Dataset:
        """Draw or read the images anew."""

    @abstractmethod
    def state(self) -> object:
        """What the pixels depend on besides this configuration."""

    def load(self, *, cache: Path) -> Dataset:
        """The images, from `cache` where they are kept there."""
        from contrastive.data.cache import cached

        return cached(self.name, [dataclasses.asdict(self), self.state()], self.read, cache)

    def training_images(self) -> int | None:
        """How many there are; nothing is decoded for it. None where only reading them tells.

        Raises:
            FileNotFoundError: the files are not where `root` says.
            ValueError: they are not what the set consists of, or too few.
        """
        return getattr(self, "train", None)
