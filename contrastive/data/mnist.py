"""MNIST, Kuzushiji-MNIST and Fashion-MNIST."""

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


@configuration
class FashionMNIST(Idx):
    """28 x 28 grey images of ten sorts of clothes (Xiao et al., 2017), 60,000 for training and 10,000 to test."""

    name: Literal["fashion_mnist"] = "fashion_mnist"
    root: str = "/usr/share/datasets/fashion-mnist"
    """Where Debian's and Ubuntu's package `dataset-fashion-mnist` puts the files."""

    classes: ClassVar[tuple[str, ...]] = (
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    )  # fmt: skip
    folder: ClassVar[str] = "FashionMNIST"
    fetched: ClassVar[str] = "FashionMNIST"
    source: ClassVar[str] = "`apt install dataset-fashion-mnist` (Debian, Ubuntu) or "
