"""Fashion-MNIST (Xiao et al., 2017)."""

from typing import ClassVar, Literal

from contrastive.data.idx import Idx
from contrastive.types import configuration


@configuration
class FashionMNIST(Idx):
    """28 x 28 grey images of ten sorts of clothes (Xiao et al., 2017), 60,000 for training and 10,000 to test."""

    name: Literal["fashion_mnist"] = "fashion_mnist"
    root: str = "/usr/share/datasets/fashion-mnist"
    """Where Debian's and Ubuntu's package `dataset-fashion-mnist` puts the files."""

    classes: ClassVar[tuple[str, ...]] = (
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
    folder: ClassVar[str] = "FashionMNIST"
    fetched: ClassVar[str] = "FashionMNIST"
    source: ClassVar[str] = "`apt install dataset-fashion-mnist` (Debian, Ubuntu) or "
