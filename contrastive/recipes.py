"""Recipes: what they are, and what several of them have in common."""

from dataclasses import dataclass
from typing import Any, Final

from contrastive.encoder import Head
from contrastive.schedule import Momentum


@dataclass(frozen=True)
class Preset:
    """A recipe: values for paths of a configuration, and where they come from."""

    source: str
    values: dict[str, Any]


LAPTOP_HEAD: Final = Head(hidden=(256,), output=64)
LAPTOP_MOMENTUM: Final = Momentum(start=0.95)
"""Of a run of a minute on small images, which wants a faster target than the papers' long ones."""

CIFAR_RESNET18: dict[str, Any] = {"name": "resnet", "depth": 18, "stem": "cifar"}
CIFAR_RESNET50: dict[str, Any] = {"name": "resnet", "depth": 50, "stem": "cifar"}
IMAGENET_RESNET50: dict[str, Any] = {"name": "resnet", "depth": 50, "stem": "imagenet"}
CIFAR_CHANNELS: dict[str, Any] = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2023, 0.1994, 0.2010]}
"""What most code for CIFAR-10 standardises by: means over images of each image's deviation, a fifth too small."""
IMAGENET_CHANNELS: dict[str, Any] = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
IMAGENET_RESNET18: dict[str, Any] = {"name": "resnet", "depth": 18, "stem": "imagenet"}
CIFAR_VIEWS: dict[str, Any] = {
    "views.strong": {"crop_scale": [0.08, 1.0], "interpolation": "bicubic", "colour": "exact"},
    "views.channels": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]},
}
