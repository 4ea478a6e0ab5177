"""Recipes, and the values that several of them share."""

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
"""For a run of a minute on small images, which wants a faster target than the papers' long runs."""
LAPTOP_QUEUE: dict[str, Any] = {"queue": 512, "momentum": LAPTOP_MOMENTUM, "projector": LAPTOP_HEAD}

CIFAR_RESNET18: dict[str, Any] = {"name": "resnet", "depth": 18, "stem": "cifar"}
CIFAR_RESNET50: dict[str, Any] = {"name": "resnet", "depth": 50, "stem": "cifar"}
IMAGENET_RESNET50: dict[str, Any] = {"name": "resnet", "depth": 50, "stem": "imagenet"}
CIFAR_CHANNELS: dict[str, Any] = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2023, 0.1994, 0.2010]}
"""Of most code for CIFAR-10; its deviations are means over images of each image's own, a fifth too small."""
IMAGENET_CHANNELS: dict[str, Any] = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
IMAGENET_RESNET18: dict[str, Any] = {"name": "resnet", "depth": 18, "stem": "imagenet"}
CIFAR_SGD: dict[str, Any] = {
    "name": "sgd", "lr": 0.06, "momentum": 0.9, "weight_decay": 5e-4, "warmup_epochs": 10,
}  # fmt: skip
IMAGENET_MOCO: dict[str, Any] = {
    "encoder": IMAGENET_RESNET50,
    "views.strong": {"size": 224, "blur": 0.5, "blur_kernel": 23, "colour": "exact"},
    "views.channels": IMAGENET_CHANNELS,
    "optimiser": {"name": "sgd", "lr": 0.03, "momentum": 0.9, "weight_decay": 1e-4, "warmup_epochs": 0,
                  "cosine_by": "epoch"},
    "batch": 256, "epochs": 200,
}  # fmt: skip
"""Views, encoder and optimiser of MoCo v2 on ImageNet."""
IMAGENET_BYOL_VIEWS: dict[str, Any] = {
    "views.strong": {"size": 224, "saturation": 0.2, "blur": 1.0, "blur_kernel": 23, "colour": "exact"},
    "views.second": {"size": 224, "saturation": 0.2, "blur": 0.1, "blur_kernel": 23, "solarise": 0.2,
                     "colour": "exact"},
    "views.channels": IMAGENET_CHANNELS,
}  # fmt: skip
"""The two unequal views of BYOL on ImageNet, as SCE and MoCo v3 crop them."""
IMAGENET_UNEQUAL_VIEWS: dict[str, Any] = {
    **{f"views.{name}": {"size": 224, "crop_scale": [0.08, 1.0], "interpolation": "bicubic", "saturation": 0.2,
                         "blur": blur, "blur_kernel": 23, "solarise": solarise, "colour": "exact"}
       for name, blur, solarise in (("strong", 1.0, 0.0), ("second", 0.1, 0.2))},
    "views.channels": IMAGENET_CHANNELS,
}  # fmt: skip
"""Those two views with the crops of BYOL, as Barlow Twins, VICReg and solo-learn have them."""
CIFAR_UNEQUAL_VIEWS: dict[str, Any] = {
    **{f"views.{name}": {"crop_scale": [0.08, 1.0], "interpolation": "bicubic", "saturation": 0.2,
                         "solarise": solarise, "colour": "exact"}
       for name, solarise in (("strong", 0.0), ("second", 0.2))},
    "views.channels": {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]},
}  # fmt: skip
"""The two unequal views of solo-learn's CIFAR-10 runs."""
STRONG_COLOUR: dict[str, Any] = {
    "brightness": 0.8, "contrast": 0.8, "saturation": 0.8, "hue": 0.2,
    "blur": 0.5, "blur_kernel": 23, "colour": "exact",
}  # fmt: skip
"""SimCLR's colours at full strength and its blur, on images of 224 pixels."""
CIFAR_VIEWS: dict[str, Any] = {
    "views.strong": {"crop_scale": [0.08, 1.0], "interpolation": "bicubic", "colour": "exact"},
    "views.channels": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]},
}
