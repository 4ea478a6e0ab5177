"""Spaces of the methods that the others are compared with: SimCLR, MoCo v2, BYOL and ReSSL."""

from pydantic import JsonValue

from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import SHARPER, ablation, laptop
from search_spaces.space import Alternative, Space

AUGMENTATION = "SimCLR's study of augmentation"
DEMONSTRATION = "the authors' CIFAR-10 demonstration"
NO_COLOUR: dict[str, JsonValue] = {"views.strong.jitter": 0.0, "views.strong.grey": 0.0}
LINEAR_HEAD: dict[str, JsonValue] = {"method.projector": {"hidden": [], "output": 64}}

SIMCLR_TEMPERATURE = Space(
    name="simclr_temperature",
    question="Which temperature suits SimCLR?",
    base=laptop("simclr"),
    domains={"method.temperature": LogUniform(0.05, 1.0, source="ours, around SimCLR's 0.1 to 0.5")},
    first=(
        Alternative("ImageNet", {"method.temperature": 0.1}, "lightly's ImageNet benchmark of SimCLR"),
        Alternative("STL-10", {"method.temperature": 0.5}, "HCL's and DCL's SimCLR runs on STL-10"),
    ),
)

SIMCLR_ABLATION = ablation(
    "SimCLR's augmentation and head",
    laptop("simclr"),
    Alternative("no colour", NO_COLOUR, AUGMENTATION),
    Alternative("no greyscale", {"views.strong.grey": 0.0}, AUGMENTATION),
    Alternative("no crop", {"views.strong.crop_scale": [1.0, 1.0]}, AUGMENTATION),
    Alternative("no flip", {"views.strong.flip": 0.0}, "ours"),
    Alternative("linear head", LINEAR_HEAD, "SimCLR's study of heads"),
)

MOCO_QUEUE = Space(
    name="moco_queue",
    question="How many earlier keys does MoCo need as negatives, and from how slow a target?",
    base=laptop("moco"),
    domains={
        "method.queue": Choice(
            (64, 256, 512, 1024, 2048),
            source="ours: the authors use 65,536 on ImageNet and 4,096 on CIFAR-10",
        ),
        "method.momentum.start": Choice(
            (0.9, 0.95), source="ours: the authors use 0.99 and 0.999; a short run wants less"
        ),
    },
)

MOCO_ABLATION = ablation(
    "MoCo",
    laptop("moco"),
    Alternative("no slow target", {"method.momentum.start": 0.0}, "ours: the last step's target"),
    Alternative("a short queue", {"method.queue": 64}, "ours"),
    Alternative("linear head", LINEAR_HEAD, DEMONSTRATION),
    Alternative("no colour", NO_COLOUR, "ours"),
    Alternative(
        "both directions",
        {"method.symmetric": True},
        f"{DEMONSTRATION}, which sums them where ours is their mean",
    ),
    Alternative("split batch norm", {"method.batch_norm_splits": 8}, DEMONSTRATION),
)

BYOL_MOMENTUM = Space(
    name="byol_momentum",
    question="How slowly should BYOL's target follow?",
    base=laptop("byol"),
    domains={
        "method.momentum.start": Choice(
            (0.9, 0.95, 0.97, 0.99, 0.996),
            source="the authors' presets use 0.97 to 0.996; a short run wants less",
        ),
        "method.momentum.schedule": Choice(("constant", "cosine"), source="BYOL raises it to 1 by a cosine"),
    },
)

BYOL_ABLATION = ablation(
    "BYOL",
    laptop("byol"),
    Alternative("no predictor", {"method.predictor": None}, "ours: nothing is left against collapse"),
    Alternative("no slow target", {"method.momentum": {"start": 0.0}}, "ours: the last step's target"),
    Alternative("one direction", {"method.symmetric": False}, "ours"),
    Alternative("no colour", {**NO_COLOUR, "views.second.jitter": 0.0, "views.second.grey": 0.0}, "ours"),
    Alternative("no solarisation", {"views.second.solarise": 0.0}, "ours"),
)

RESSL_TEMPERATURES = Space(
    name="ressl_temperatures",
    question="Which temperatures of the online and of the target distribution suit ReSSL?",
    base=laptop("ressl"),
    domains={
        "method.temperature": LogUniform(0.05, 0.5, source="ours, around the authors' 0.1"),
        "method.target_temperature": LogUniform(0.01, 0.1, source="ours, around the authors' 0.04"),
    },
    constraints=(SHARPER,),
)

RESSL_ABLATION = ablation(
    "ReSSL",
    laptop("ressl"),
    Alternative("no sharpening", {"method.target_temperature": 0.1}, "ours: both temperatures equal"),
    Alternative("no weak target", {"method.views": ["strong", "strong"]}, "the paper's weak augmentation"),
    Alternative("a short queue", {"method.queue": 64}, "ours"),
    Alternative("no slow target", {"method.momentum.start": 0.0}, "ours"),
)

SPACES = (
    SIMCLR_TEMPERATURE, SIMCLR_ABLATION, MOCO_QUEUE, MOCO_ABLATION,
    BYOL_MOMENTUM, BYOL_ABLATION, RESSL_TEMPERATURES, RESSL_ABLATION,
)  # fmt: skip
