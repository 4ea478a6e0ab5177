"""Getting data sets, when asked to: nothing else in this package opens a connection."""

import shlex
from pathlib import Path
from typing import Final

ELSEWHERE: Final = {
    "shapes": "Shapes are drawn, not downloaded: they need nothing.",
    "folder": "A folder is your own: put images into PATH/CLASS/ and name it folder:PATH.",
    "tiny_imagenet": "Unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip and name its folder: "
    "tiny_imagenet:PATH.",
    "imagenet": "ImageNet is given to those who register at https://image-net.org/download.php. Unpack "
    "ILSVRC 2012 into PATH/train/WNID/ and PATH/val/WNID/ and name it imagenet:PATH.",
}
FETCHED: Final = {
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
    "stl10": "STL10",
    "fashion_mnist": "FashionMNIST",
    "mnist": "MNIST",
    "kmnist": "KMNIST",
}
"""Sets that torchvision fetches, and its names for them."""


def command(name: str, root: str | Path) -> str:
    """What to type to get a set, or to hear where it is to be had."""
    return f"python -m contrastive download {name} --root {shlex.quote(str(root))}"


def download(name: str, root: str | Path) -> None:
    """Fetch a data set with torchvision's own downloader, which checks what it got, and unpack it in `root`.

    Raises:
        ValueError: the set cannot be fetched, and where to get it; or no set has that name.
        RuntimeError: its server did not answer, or with something else.
    """
    if name in ELSEWHERE:
        raise ValueError(ELSEWHERE[name])
    if name not in FETCHED:
        raise ValueError(f"There is no data set {name!r}. Can be downloaded: {', '.join(FETCHED)}.")
    # Loading a set must not wait for torchvision.
    from torchvision import datasets

    folder = Path(root).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        getattr(datasets, FETCHED[name])(str(folder), download=True)
    except (OSError, RuntimeError) as error:
        raise RuntimeError(
            f"{name} could not be downloaded: {error}. Run the same command again later, or unpack the "
            f"files into {folder} by hand."
        ) from error
