"""A split too big for memory: image files that are decoded when they are asked for."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor

from contrastive.data.decoding import decoded, report

GREY: Final = 128
"""What an unreadable image consists of: near the mean, so that it tells nothing."""


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

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """That of the tensor these images would make."""
        return len(self.names), 3, self.size, self.size

    def described(self) -> bytes:
        """A digest of the names and sizes of the files, in order."""
        listed = json.dumps([list(self.names), self.lengths.tolist()])
        return hashlib.sha256(listed.encode()).digest()

    def fetch(self, rows: Sequence[Sequence[int]]) -> Iterator[UInt8[Tensor, "m 3 h w"]]:
        """The images at each of these indices, in order, decoded ahead by `workers` processes.

        Raises:
            ValueError: more than the allowed share of the images cannot be read.
        """
        broken: dict[int, str] = {}
        blocks = decoded(self._path, rows, size=self.size, workers=self.workers)
        for some, (images, whole) in zip(rows, blocks, strict=True):
            images[~whole] = GREY
            broken |= {row: self._path(row) for row, read in zip(some, whole, strict=True) if not read}
            if len(broken) > self.unreadable * len(self.names):
                break
            yield torch.as_tensor(images)
        report(list(broken.values()), len(self.names), self.unreadable, "They are grey in this run.")

    def _path(self, row: int) -> str:
        return f"{self.root.as_posix()}/{self.names[row]}"
