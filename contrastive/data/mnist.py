"""MNIST and Kuzushiji-MNIST."""

from typing import ClassVar, Literal

from contrastive.data.idx import Idx
from contrastive.types import configuration


@configuration
class MNIST(Idx):
    """28 x 28 grey images of the ten digits (LeCun et al., 1998), 60,000 for training and 10,000 to test."""

    name: Literal["mnist"] = "mnist"
    root: str = "data/mnist"

    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    folder: ClassVar[str] = "MNIST"
    fetched: ClassVar[str] = "MNIST"


@configuration
class KMNIST(Idx):
    """28 x 28 grey images of ten cursive hiragana (Clanuwat et al., 2018), 60,000 for training, 10,000 to test."""

    name: Literal["kmnist"] = "kmnist"
    root: str = "data/kmnist"

    classes: ClassVar[tuple[str, ...]] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    folder: ClassVar[str] = "KMNIST"
    fetched: ClassVar[str] = "KMNIST"
