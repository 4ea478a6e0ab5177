"""Images of a split too large for memory: files that are decoded when they are asked for."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor

from contrastive.data.decoder import READ, VERSION, Reading
from contrastive.data.decoding import decoded, warn_of_unreadable
from contrastive.data.transparency import GREY, compose, mean_colour, opacity

BEHIND: Final = 1024
"""Number of training images whose mean colour lies behind transparent ones; another number gives other runs."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """Mean colour of a fixed sample of image files, which are read when it is first asked for."""

    paths: Sequence[str]
    size: int
    workers: int

    @cached_property
    def colour(self) -> UInt8[ndarray, " 3"]:
        """The mean colour of the sample; see `mean_colour`."""
        count = min(BEHIND, len(self.paths))
        rows = np.random.default_rng(0).choice(len(self.paths), count, replace=False)
        parts = [part.tolist() for part in np.array_split(rows, -(-count // 64))]
        blocks = decoded(self.paths.__getitem__, parts, size=self.size, workers=self.workers)
        return mean_colour((pixels[:, :3], opacity(pixels)) for pixels, _ in blocks)


@dataclass(frozen=True, eq=False)
class Stream:
    """Image files below `root`, `lengths` bytes long, as size x size images.

    An image that turns out to be unreadable is grey, so that all indices stay what they are; each pass over
    the files counts and names such images, and ends when they are more than a share `unreadable` of all.
    """

    root: Path
    names: Sequence[str]
    lengths: Int[ndarray, " n"]
    size: int
    workers: int
    unreadable: float
    reading: Reading
    behind: Backdrop

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the tensor that these images would make."""
        return len(self.names), 3, self.size, self.size

    def described(self) -> bytes:
        """Return a digest of the names and sizes of the files, in order, and of how they are decoded."""
        listed = json.dumps([VERSION, self.reading, list(self.names), self.lengths.tolist()])
        return hashlib.sha256(listed.encode()).digest()

    def fetch(self, rows: Sequence[Sequence[int]]) -> Iterator[UInt8[Tensor, "m 3 h w"]]:
        """Yield the images at each of these indices, in order, decoded ahead by `workers` processes.

        Raises:
            ValueError: more than the allowed share of the images cannot be read.
        """
        broken: dict[str, int] = {}
        blocks = decoded(self._path, rows, size=self.size, workers=self.workers, reading=self.reading)
        for some, (pixels, ended) in zip(rows, blocks, strict=True):
            broken |= {self._path(row): int(why) for row, why in zip(some, ended, strict=True) if why != READ}
            if len(broken) > self.unreadable * len(self.names):
                break
            yield torch.as_tensor(self._shown(pixels, ended))
        warn_of_unreadable(broken, len(self.names), self.unreadable, "They are grey in this run.")

    def _shown(
        self, pixels: UInt8[ndarray, "n 4 h w"], ended: UInt8[ndarray, " n"]
    ) -> UInt8[ndarray, "n 3 h w"]:
        pixels[ended != READ] = np.array([GREY, GREY, GREY, 255], np.uint8)[:, None, None]
        images, clear = np.ascontiguousarray(pixels[:, :3]), opacity(pixels)
        if clear:
            compose(images, clear, self.behind.colour)
        return images

    def _path(self, row: int) -> str:
        return f"{self.root.as_posix()}/{self.names[row]}"
