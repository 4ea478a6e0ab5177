"""CIFAR-100 (Krizhevsky, 2009)."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from contrastive.data.cifar import CIFAR
from contrastive.types import configuration


@configuration
class CIFAR100(CIFAR):
    """32 x 32 colour photographs of a hundred classes (Krizhevsky, 2009), 500 of each for training.

    `root` holds cifar-100-python/, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    Labels are the fine ones.
    """

    name: Literal["cifar100"] = "cifar100"
    root: str = "data/cifar100"

    folder: ClassVar[str] = "cifar-100-python"
    train_files: ClassVar[tuple[str, ...]] = ("train",)
    test_file: ClassVar[str] = "test"
    labels: ClassVar[str] = "fine_labels"
    fetched: ClassVar[str] = "CIFAR100"
    archive: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"

    def class_names(self) -> tuple[str, ...]:
        """The hundred classes, as the archive's own list has them.

        Raises:
            ValueError: that list is missing, damaged, or of other than a hundred names.
        """
        path = Path(self.root, self.folder, "meta")
        if not path.is_file():
            raise FileNotFoundError(f"{path.parent} lacks meta. Unpack the archive again.")
        from contrastive.data.cifar_files import read_pickle

        meta: Any = read_pickle(path)
        names: Any = meta.get("fine_label_names") if isinstance(meta, dict) else None
        if not isinstance(names, list) or len(names) != 100 or not all(isinstance(n, str) for n in names):
            raise ValueError(f"{path} does not list a hundred fine_label_names. Unpack the archive again.")
        return tuple(names)
