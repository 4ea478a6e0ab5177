"""STL-10 (Coates et al., 2011), in its binary format."""

from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from pydantic.dataclasses import dataclass

from contrastive.data.cache import file_state
from contrastive.data.dataset import Dataset, Split, assemble
from contrastive.data.download import command
from contrastive.data.subset import pick, take
from contrastive.types import STRICT, Count, Natural

FOLDER: Final = "stl10_binary"
SIZE: Final = 96
CLASSES: Final = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")

Images = UInt8[ndarray, "n 3 96 96"]
Labels = Int[ndarray, " n"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class STL10:
    """96 x 96 colour photographs of ten classes: 5,000 labelled, 100,000 unlabelled, 8,000 to test.

    `root` holds stl10_binary/, as torchvision lays it down. Validation images are drawn from the labelled
    ones; the rest of these are the bank of kNN wherever unlabelled images are trained on, whose label is -1.
    """

    name: Literal["stl10"] = "stl10"
    root: str = "data/stl10"
    pretrain: Literal["train", "unlabelled", "both"] = "unlabelled"
    """What is trained on: the labelled images that validation leaves, the unlabelled ones, or all of these."""
    train: Count | None = None
    """How many; None takes all."""
    validation: Count = 1000
    test: Count = 2000
    seed: Natural = 0
    """Which images are used."""

    def state(self) -> object:
        """What the pixels depend on besides this configuration."""
        return file_state(Path(self.root), self._files())

    def read(self) -> Dataset:
        """Read the files and draw the splits.

        Raises:
            FileNotFoundError: one of the files is missing.
            ValueError: one is cut short or not of its format, or holds fewer images than asked for.
        """
        images, labels, test_images, test_labels, *unlabelled = self._files()
        found, where = _labelled(images, labels), str(images)
        wanted = {"train": max(1, len(found[1]) - self.validation), "validation": self.validation}
        chosen = take(*found, pick(found[1], wanted, seed=self.seed, where=where))
        bank = chosen.pop("train")
        test = _labelled(test_images, test_labels)
        of_test = pick(test[1], {"test": self.test}, seed=self.seed, where=str(test_images))
        chosen |= take(*test, of_test) | self._pretraining(bank, [read_images(path) for path in unlabelled])
        return assemble(CLASSES, **chosen)

    def _pretraining(self, bank: Split, unlabelled: list[Images]) -> dict[str, Split]:
        assert isinstance(bank.images, torch.Tensor)
        own = [] if self.pretrain == "unlabelled" else [(bank.images.numpy(), bank.labels.numpy())]
        pools = own + [(images, np.full(len(images), -1)) for images in unlabelled]
        labels = np.concatenate([numbers for _, numbers in pools])
        wanted = {"train": len(labels) if self.train is None else self.train}
        where = f"{self.root}/{FOLDER} (pretrain={self.pretrain!r}, less validation)"
        # Images without a class are a class of their own where each has its proportion.
        chosen = pick(labels + 1, wanted, seed=self.seed, where=where)["train"]
        train = Split(_rows([images for images, _ in pools], chosen), torch.as_tensor(labels[chosen]))
        return {"train": train} | ({} if self.pretrain == "train" else {"labelled": bank})

    def _files(self) -> list[Path]:
        names = ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"]
        names += [] if self.pretrain == "train" else ["unlabeled_X.bin"]
        paths = [Path(self.root, FOLDER, name) for name in names]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{self.root}/{FOLDER} lacks {', '.join(missing)}. Run `{command(self.name, self.root)}`, or "
                f"name the folder that holds {FOLDER}/: stl10:PATH."
            )
        return paths


def read_images(path: Path) -> Images:
    """The images of a binary file, mapped: each is three planes of 96 columns of 96 bytes.

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


def _rows(pools: list[Images], chosen: Int[ndarray, " m"]) -> torch.Tensor:
    # From one pool after the other, for all together they are 3 GB.
    images = np.empty((len(chosen), 3, SIZE, SIZE), np.uint8)
    start = 0
    for pool in pools:
        mine = np.flatnonzero((chosen >= start) & (chosen < start + len(pool)))
        for part in np.array_split(mine, len(mine) // 1000 + 1):
            images[part] = pool[chosen[part] - start]
        start += len(pool)
    return torch.as_tensor(images)
