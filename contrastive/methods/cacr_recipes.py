"""Recipes of CACR."""

from typing import Any

from contrastive import recipes
from contrastive.recipes import Preset

_SMALL: dict[str, Any] = {
    "method.attraction_temperature": 1.0,
    "method.positives": 4, "method.momentum": None, "method.queue": 0,
    "method.projector": {"hidden": [512], "output": 128},
    "views.strong": {"jitter": 1.0, "hue": 0.4, "colour": "exact"},
    "encoder": recipes.CIFAR_RESNET18,
    "optimiser": {"name": "sgd", "lr": 0.12, "momentum": 0.9, "weight_decay": 1e-4,
                  "schedule": "steps", "milestones": [155, 170, 185], "warmup_epochs": 0},
    "batch": 128, "epochs": 200,
}  # fmt: skip
_IMAGENET: dict[str, Any] = {
    "method.attraction_temperature": 1.0, "method.repulsion_temperature": 2.0,
    "method.attraction_weight": 1.0, "method.repulsion_weight": 1.0, "method.positives": 4,
    "method.momentum": {"start": 0.999, "schedule": "constant"}, "method.queue": 65536, "method.batch_norm_splits": 8,
    "method.projector": {"hidden": [2048], "output": 128, "batch_norm": False},
    **recipes.IMAGENET_MOCO,
}  # fmt: skip

PRESETS: dict[str, Preset] = {
    "cifar10": Preset(
        source="the authors' CIFAR-10 run; encoder and head ours (theirs: an AlexNet-like one); an epoch's last "
               "batch is dropped where it is smaller",
        values={**_SMALL, "method.repulsion_temperature": 0.9, "views.channels": recipes.CIFAR_CHANNELS},
    ),
    "cifar100": Preset(
        source="the authors' CIFAR-100 run; encoder and head ours (theirs: an AlexNet-like one); an epoch's last "
               "batch is dropped where it is smaller",
        values={**_SMALL, "method.repulsion_temperature": 2.0,
                "views.channels": {"mean": [0.5071, 0.4867, 0.4408], "std": [0.2675, 0.2565, 0.2761]}},
    ),
    "stl10": Preset(
        source="the authors' STL-10 run (64 pixels); encoder and head ours (theirs: an AlexNet-like one); an "
               "epoch's last batch is dropped where it is smaller",
        values={**_SMALL, "method.repulsion_temperature": 2.0,
                "views.strong": {**_SMALL["views.strong"], "size": 64, "crop_scale": [0.08, 1.0]},
                "views.channels": {"mean": [0.44087801806139126, 0.42790631331699347, 0.3867879370752931],
                                   "std": [0.26826768628079806, 0.2610450402318512, 0.26866836876860795]}},
    ),
    "imagenet100": Preset(
        source="ours: the MoCo v2 form at ImageNet's settings; the authors release no ImageNet-100 run",
        values=_IMAGENET,
    ),
    "imagenet": Preset(
        source="the authors' MoCo v2 form: 4 positives, repulsion temperature 2; each view has distances to the "
               "queue of its own (theirs: the first's), blur of 23 taps for Pillow's",
        values=_IMAGENET,
    ),
    "imagenet-moco-v3": Preset(
        source="the authors' MoCo v3 form, the one of their headline results. With two views it is half of MoCo "
               "v3's loss, and how their weights were made their release does not tell; the target's cosine ends "
               "at 1 (theirs: a step later), blur of 23 taps for Pillow's",
        values={
            "method.attraction_temperature": 1.0, "method.cost": "rbf", "method.positives": 1,
            "method.momentum": {"start": 0.996, "schedule": "cosine"}, "method.queue": 0,
            "method.projector": {"hidden": [4096], "output": 256, "output_batch_norm": True},
            "method.predictor": {"hidden": [4096], "output": 256, "output_bias": False},
            "encoder": {**recipes.IMAGENET_RESNET50, "zero_init_residual": True},
            "method.second_view": "second",
            **recipes.IMAGENET_BYOL_VIEWS,
            "optimiser": {"name": "lars", "lr": 0.3, "weight_decay": 1.5e-6, "warmup_epochs": 10,
                          "warmup_reaches": "zero"},
            "batch": 4096, "epochs": 1000,
        },
    ),
}  # fmt: skip
