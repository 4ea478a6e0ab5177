"""Sets in MNIST's file format: grey images in idx files, plain or gzipped."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from contrastive.data.base import DataSet
from contrastive.data.download import command
from contrastive.data.state import file_state
from contrastive.data.subset import pick
from contrastive.types import Count, Natural, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset

FILES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@configuration
class Idx(DataSet):
    """Fields and reading of all sets in this format; the four files lie in `root`, or below it as in torchvision.

    Training and validation images are drawn from the official training file, test images from the test file.
    """

    name: str
    root: str
    train: Count = 4096
    validation: Count = 2000
    test: Count = 2000
    seed: Natural = 0
    """Which images are used."""

    classes: ClassVar[tuple[str, ...]]
    folder: ClassVar[str]
    """Name of torchvision's folder: it keeps the files in `root`/FOLDER/raw/."""
    source: ClassVar[str] = ""
    """Another way than a download to get the files."""

    def state(self) -> object:
        """Return names, sizes and times of the four files."""
        return file_state(Path(self.root), self._files())

    def read(self) -> Dataset:
        """Read the four files and draw the splits.

        Raises:
            FileNotFoundError: one of the files is missing.
            ValueError: one is damaged or no idx file, or holds fewer images than asked for.
        """
        from contrastive.data.dataset import assemble, take

        files = self._files()
        train, test = self._pair(files[0], files[1]), self._pair(files[2], files[3])
        wanted = {"train": self.train, "validation": self.validation}
        picked = pick(train[1], wanted, seed=self.seed, where=str(files[0]))
        of_test = pick(test[1], {"test": self.test}, seed=self.seed, where=str(files[2]))
        return assemble(self.classes, **take(*train, picked), **take(*test, of_test))

    def _files(self) -> list[Path]:
        return [self._find(name) for name in FILES]

    def _find(self, file: str) -> Path:
        for folder in (Path(self.root), Path(self.root, self.folder, "raw")):
            for path in (folder / file, folder / f"{file}.gz"):
                if path.is_file():
                    return path
        raise FileNotFoundError(
            f"There is no {file}[.gz] in {self.root}. Run {self.source}`{command(self.name, 'PATH')}`, "
            f"then name the folder that holds the four idx files: {self.name}:PATH."
        )

    def _pair(self, images: Path, labels: Path) -> tuple[UInt8[ndarray, "n 3 h w"], Int[ndarray, " n"]]:
        pixels, numbers = read_idx(images, dimensions=3), read_idx(labels, dimensions=1).astype(np.int64)
        if len(pixels) != len(numbers):
            raise ValueError(
                f"{images} holds {len(pixels)} images, {labels} {len(numbers)} labels. Take both from one "
                "source."
            )
        if numbers.max(initial=0) >= len(self.classes):
            raise ValueError(
                f"{labels} has a label {numbers.max()}; this set's go from 0 to {len(self.classes) - 1}. "
                "Check that root is the folder that was meant."
            )
        # Three views of the one grey channel: nothing is copied until the images in use are picked.
        return np.broadcast_to(pixels[:, None], (len(pixels), 3, *pixels.shape[1:])), numbers


def read_idx(path: Path, *, dimensions: int) -> UInt8[ndarray, ...]:
    """Return the array of bytes in an idx file (http://yann.lecun.com/exdb/mnist): big-endian sizes, then values.

    Raises:
        ValueError: the file is cut short, is not gzip although named .gz, or holds something else.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged or cut short ({error}). Fetch it again.") from error
    magic, header = 0x0800 | dimensions, 4 + 4 * dimensions
    if content[:4] != struct.pack(">I", magic):
        raise ValueError(
            f"{path} starts with 0x{content[:4].hex()}, not with 0x{magic:08x} as idx files of bytes "
            f"in {dimensions} dimension(s) do. Check that root holds MNIST-format files under their names."
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header].ljust(header - 4, b"\0"))
    if len(content) - header != np.prod(shape, dtype=np.int64):
        raise ValueError(
            f"{path} has {len(content)} bytes, but its header says {header} + {' x '.join(map(str, shape))}. "
            "Fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
