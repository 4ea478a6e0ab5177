"""CIFAR-10 (Krizhevsky, 2009)."""

from typing import ClassVar, Final, Literal

from contrastive.data.cifar import CIFAR
from contrastive.types import configuration

CLASSES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


@configuration
class CIFAR10(CIFAR):
    """32 x 32 colour photographs of ten classes (Krizhevsky, 2009), 50,000 for training and 10,000 to test.

    `root` holds cifar-10-batches-py/, as torchvision lays it down, or images in train/CLASS/ and test/CLASS/.
    """

    name: Literal["cifar10"] = "cifar10"
    root: str = "data/cifar10"

    folder: ClassVar[str] = "cifar-10-batches-py"
    train_files: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{number}" for number in range(1, 6))
    test_file: ClassVar[str] = "test_batch"
    labels: ClassVar[str] = "labels"
    fetched: ClassVar[str] = "CIFAR10"
    archive: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"

    def class_names(self) -> tuple[str, ...]:
        """The ten classes."""
        return CLASSES
