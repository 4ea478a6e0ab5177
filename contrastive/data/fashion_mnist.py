"""Fashion-MNIST, or any other set in MNIST's file format: grey images in idx files, plain or gzipped."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Final, Literal

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray
from pydantic.dataclasses import dataclass

from contrastive.data.cache import file_state
from contrastive.data.dataset import Dataset, assemble
from contrastive.data.subset import draw
from contrastive.types import STRICT, Count, Natural

CLASSES: Final = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
FILES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FashionMNIST:
    """28 x 28 grey images of ten sorts of clothes (Xiao et al., 2017), 60,000 for training and 10,000 to test.

    Training and validation images are drawn from the official training file, test images from the test file.
    `root` may hold MNIST or KMNIST as well, whose files have the same names; the classes keep these names.
    """

    name: Literal["fashion_mnist"] = "fashion_mnist"
    root: str = "/usr/share/datasets/fashion-mnist"
    """Where Debian's and Ubuntu's package `dataset-fashion-mnist` puts the files."""
    train: Count = 4096
    validation: Count = 2000
    test: Count = 2000
    seed: Natural = 0
    """Which images are used."""

    def state(self) -> object:
        """What the pixels depend on besides this configuration."""
        return file_state(Path(self.root), self._files())

    def read(self) -> Dataset:
        """Read the four files and draw the splits.

        Raises:
            FileNotFoundError: one of the files is missing.
            ValueError: one is damaged or no idx file, or holds fewer images than asked for.
        """
        files = self._files()
        images, labels = _read_pair(files[0], files[1])
        test_images, test_labels = _read_pair(files[2], files[3])
        of_train = {"train": self.train, "validation": self.validation}
        train = draw(images, labels, of_train, seed=self.seed, where=str(files[0]))
        test = draw(test_images, test_labels, {"test": self.test}, seed=self.seed, where=str(files[2]))
        return assemble(CLASSES, **train, **test)

    def _files(self) -> list[Path]:
        return [_find(Path(self.root), name) for name in FILES]


def _find(root: Path, name: str) -> Path:
    for path in (root / name, root / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"There is no {name}[.gz] in {root}. Run `apt install dataset-fashion-mnist` (Debian, Ubuntu), "
        "or name the folder that holds the four idx files: fashion_mnist:PATH."
    )


def _read_pair(images: Path, labels: Path) -> tuple[UInt8[ndarray, "n 3 h w"], Int[ndarray, " n"]]:
    pixels, classes = read_idx(images, dimensions=3), read_idx(labels, dimensions=1).astype(np.int64)
    if len(pixels) != len(classes):
        raise ValueError(
            f"{images} holds {len(pixels)} images, {labels} {len(classes)} labels. Take both from one source."
        )
    if classes.max(initial=0) >= len(CLASSES):
        raise ValueError(
            f"{labels} has a label {classes.max()}; Fashion-MNIST's go from 0 to {len(CLASSES) - 1}. "
            "Check that root is the folder that was meant."
        )
    # Three views of the one grey channel: nothing is copied until the images in use are picked.
    return np.broadcast_to(pixels[:, None], (len(pixels), 3, *pixels.shape[1:])), classes


def read_idx(path: Path, *, dimensions: int) -> UInt8[ndarray, "..."]:
    """The array of bytes in an idx file (http://yann.lecun.com/exdb/mnist): big-endian sizes, then values.

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
