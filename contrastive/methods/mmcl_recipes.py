"""Recipes of MMCL."""

from typing import Any

from contrastive import recipes
from contrastive.recipes import Preset

_IMAGENET: dict[str, Any] = {
    "method.kernel": "rbf", "method.bandwidth": 10.0, "method.regularisation": 0.1, "method.penalty": None,
    "method.solver": "projected_gradient", "method.normalised_step": True, "method.bandwidth_drops": [],
    "method.views_together": True,
    "method.projector": {"hidden": [2048], "output": 128, "output_batch_norm": True, "output_affine": "scale"},
    "encoder": recipes.IMAGENET_RESNET50,
    "views.strong": {"size": 224, "crop_scale": [0.08, 1.0], "interpolation": "bicubic", **recipes.STRONG_COLOUR,
                     "blur_sigma": [0.2, 2.0]},
    "views.channels": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]},
}  # fmt: skip
_LARS: dict[str, Any] = {
    "name": "lars", "lr": 1.2, "lr_scaling": "none", "weight_decay": 1e-6, "warmup_reaches": "neither",
}  # fmt: skip

PRESETS: dict[str, Preset] = {
    "cifar100": Preset(
        source="the authors' released CIFAR-100 run",
        values={
            "method.kernel": "rbf", "method.bandwidth": 50.0, "method.bandwidth_drops": [75, 125],
            "method.regularisation": 0.1, "method.penalty": 100.0,
            "method.solver": "projected_gradient", "method.normalised_step": False,
            "method.projector": {"hidden": [512], "output": 128},
            "encoder": recipes.CIFAR_RESNET50,
            "views.strong": {"crop_scale": [0.08, 1.0], "blur": 0.5, "colour": "exact"},
            "views.channels": recipes.CIFAR_CHANNELS,
            "optimiser": {"name": "adam", "lr": 1e-3, "lr_scaling": "none", "weight_decay": 1e-6,
                          "schedule": "constant", "warmup_epochs": 0},
            "batch": 256, "epochs": 400,
        },
    ),
    "cifar10": Preset(
        source="ours: SimCLR's CIFAR-10 recipe with the authors' ImageNet kernel, solved exactly",
        values={
            "method.kernel": "rbf", "method.bandwidth": 10.0, "method.regularisation": 0.1,
            "method.penalty": None, "method.solver": "exact", "method.symmetric": True,
            "method.projector": {"hidden": [512], "output": 128},
            "encoder": recipes.CIFAR_RESNET18, **recipes.CIFAR_VIEWS,
            "optimiser": recipes.CIFAR_SGD, "batch": 256, "epochs": 200,
        },
    ),
    "imagenet100": Preset(
        source="the authors' released ImageNet-100 run; blur reflects at the border, and no vector decays (in "
               "theirs the down-sampling layers' batch norm does)",
        values={**_IMAGENET, "optimiser": {**_LARS, "warmup_epochs": 20}, "batch": 128, "epochs": 200},
    ),
    "imagenet": Preset(
        source="the authors' released ImageNet run; blur reflects at the border, and no vector decays (in theirs "
               "the down-sampling layers' batch norm does)",
        values={**_IMAGENET, "optimiser": {**_LARS, "warmup_epochs": 10}, "batch": 256, "epochs": 100},
    ),
}  # fmt: skip
