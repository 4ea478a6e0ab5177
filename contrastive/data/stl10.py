"""STL-10 (Coates et al., 2011), in its binary format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from contrastive.data.base import DataSet
from contrastive.data.download import command
from contrastive.data.state import file_state, present
from contrastive.data.subset import pick
from contrastive.types import Count, Natural, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset, Split

FOLDER: Final = "stl10_binary"
SIZE: Final = 96
CLASSES: Final = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
Images = UInt8[ndarray, "n 3 96 96"]
Labels = Int[ndarray, " n"]


@configuration
class STL10(DataSet):
    """96 x 96 colour photographs of ten classes: 5,000 labelled, 100,000 unlabelled, 8,000 to test.

    `root` holds stl10_binary/, as torchvision lays it down. Validation images are drawn from the labelled
    ones; the rest of these are the bank of kNN wherever unlabelled images are trained on, whose label is -1.
    """

    name: Literal["stl10"] = "stl10"
    root: str = "data/stl10"
    pretrain: Literal["train", "unlabelled", "both"] = "unlabelled"
    """Training images: the labelled images that validation leaves, the unlabelled ones, or all of these."""
    train: Count | None = None
    """Number of training images; None takes all."""
    validation: Count = 1000
    test: Count = 2000
    seed: Natural = 0
    """Which images are used."""

    fetched: ClassVar[str] = "STL10"

    def state(self) -> object:
        """Return names, sizes and times of the binary files."""
        return file_state(Path(self.root), self._files())

    def read(self) -> Dataset:
        """Read the files and draw the splits.

        Raises:
            FileNotFoundError: one of the files is missing.
            ValueError: one is cut short or not of its format, or holds fewer images than asked for.
        """
        from contrastive.data.dataset import assemble, take

        images, labels, test_images, test_labels, *unlabelled = self._files()
        found, test = _labelled(images, labels), _labelled(test_images, test_labels)
        wanted = {"train": max(1, len(found[1]) - self.validation), "validation": self.validation}
        picked = pick(found[1], wanted, seed=self.seed, where=str(images))
        of_test = pick(test[1], {"test": self.test}, seed=self.seed, where=str(test_images))
        splits = take(*found, {"bank": picked["train"], "validation": picked["validation"]}) | take(
            *test, of_test
        )
        bank = splits.pop("bank")
        train = self._train(bank, [read_images(path) for path in unlabelled])
        return assemble(CLASSES, train=train, labelled=None if self.pretrain == "train" else bank, **splits)

    def _train(self, bank: Split, unlabelled: list[Images]) -> Split:
        import torch

        from contrastive.data.dataset import Split

        assert isinstance(bank.images, torch.Tensor)
        own = [] if self.pretrain == "unlabelled" else [(bank.images.numpy(), bank.labels.numpy())]
        pools = own + [(images, np.full(len(images), -1)) for images in unlabelled]
        labels = np.concatenate([numbers for _, numbers in pools])
        wanted = {"train": len(labels) if self.train is None else self.train}
        where = f"{self.root}/{FOLDER} (pretrain={self.pretrain!r}, less validation)"
        # Images without a class are a class of their own where each has its proportion.
        chosen = pick(labels + 1, wanted, seed=self.seed, where=where)["train"]
        images = _rows([images for images, _ in pools], chosen)
        return Split(torch.as_tensor(images), torch.as_tensor(labels[chosen]))

    def _files(self) -> list[Path]:
        """Return the binary files: labelled images and labels, those of the test, and the unlabelled ones used."""
        names = ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"]
        names += [] if self.pretrain == "train" else ["unlabeled_X.bin"]
        mend = f"Run `{command(self.name, self.root)}`, or name the folder that holds {FOLDER}/: stl10:PATH."
        return present(Path(self.root, FOLDER), names, mend)


def read_images(path: Path) -> Images:
    """Map the images of a binary file, each of which is three planes of 96 columns of 96 bytes.

    Raises:
        ValueError: the file does not consist of whole images.
    """
    if not path.stat().st_size or path.stat().st_size % (3 * SIZE * SIZE):
        raise ValueError(
            f"{path} has {path.stat().st_size} bytes, no whole number of images of {3 * SIZE * SIZE}. It is "
            "cut short or something else; unpack the archive again."
        )
    return np.memmap(path, np.uint8, "r").reshape(-1, 3, SIZE, SIZE).transpose(0, 1, 3, 2)


def _labelled(images: Path, labels: Path) -> tuple[Images, Labels]:
    pixels, numbers = read_images(images), np.fromfile(labels, np.uint8).astype(np.int64) - 1
    if len(pixels) != len(numbers) or not np.isin(numbers, range(len(CLASSES))).all():
        raise ValueError(
            f"{images} holds {len(pixels)} images, {labels} {len(numbers)} labels; one from 1 to "
            f"{len(CLASSES)} for each is expected. Unpack the archive again."
        )
    return pixels, numbers


def _rows(pools: list[Images], chosen: Labels) -> Images:
    # From one pool after the other, for all together they are 3 GB.
    images = np.empty((len(chosen), 3, SIZE, SIZE), np.uint8)
    start = 0
    for pool in pools:
        mine = np.flatnonzero((chosen >= start) & (chosen < start + len(pool)))
        for part in np.array_split(mine, len(mine) // 1000 + 1):
            images[part] = pool[chosen[part] - start]
        start += len(pool)
    return images
