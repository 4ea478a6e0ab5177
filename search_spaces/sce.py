"""Spaces of SCE (Denize et al., WACV 2023)."""

from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import SHARPER, ablation, laptop
from search_spaces.space import Alternative, Reference, Reported, Space

LAPTOP = laptop("sce")
"""SCE with the paper's temperatures and lambda."""

IMAGENET100 = "linear top-1 (%) on ImageNet-100, ResNet-50"
REVIEW = "a public review that quotes the paper's table on lambda"

TEMPERATURES = Space(
    name="sce_temperatures",
    question="Which temperatures of the online and of the target distribution suit SCE?",
    base=LAPTOP,
    domains={
        "method.temperature": LogUniform(0.05, 1.0, source="ours, around the paper's 0.1"),
        "method.target_temperature": LogUniform(0.02, 0.2, source="ours: the authors' runs use 0.04 to 0.07"),
    },
    constraints=(SHARPER,),
    first=(
        Alternative(
            "the authors' ImageNet",
            {"method.target_temperature": 0.07},
            "the authors' released ImageNet run files",
        ),
    ),
    reference=Reference(
        seed_deviation=2.3,
        seeds=5,
        source="--space sce_temperatures --design grid --arms 1 --seeds 1-5 --stopper none: 49.3 on average",
    ),
)

COEFFICIENT = Space(
    name="sce_coefficient",
    question="How much of SCE's target should be the positive, and how much its relations?",
    base=LAPTOP,
    domains={
        "method.coefficient": Choice(
            tuple(eighth / 8 for eighth in range(9)),
            source="the paper's lambda from 0 to 1; eighths are ours",
        )
    },
    reported=tuple(
        Reported(values={"method.coefficient": value}, score=score, what=IMAGENET100, source=REVIEW)
        for value, score in ((0.0, 81.53), (0.5, 82.94), (1.0, 81.11))
    ),
)


def _terms(name: str, *weights: float) -> Alternative:
    return Alternative(
        name, {"method.weights": [*weights]}, "ours: SCE's terms at its own weights, some at 0"
    )


LOSS_TERMS = Space(
    name="sce_loss_terms",
    question="Which of SCE's contrastive, relational and ceiling terms does it need?",
    base=LAPTOP,
    alternatives=(
        _terms("contrastive", 0.5, 0.0, 0.0),
        _terms("relational", 0.0, 0.5, 0.0),
        _terms("contrastive + relational", 0.5, 0.5, 0.0),
        _terms("contrastive + ceiling", 0.5, 0.0, 0.5),
        _terms("relational + ceiling", 0.0, 0.5, 0.5),
    ),
)

QUEUE = Space(
    name="sce_queue",
    question="How many earlier keys does SCE need as negatives, and from how slow a target?",
    base=LAPTOP,
    domains={
        "method.queue": Choice(
            (0, 128, 256, 512, 1024, 2048), source="ours: the authors use 4,096 for CIFAR-10"
        ),
        "method.momentum.start": Choice((0.95, 0.99), source="ours: the authors use 0.99 over 200 epochs"),
    },
)

ABLATION = ablation(
    "SCE",
    LAPTOP,
    Alternative("no relations (MoCo)", {"method.coefficient": 1.0}, "the paper: lambda 1 is InfoNCE"),
    Alternative("no positive", {"method.coefficient": 0.0}, "the paper: lambda 0"),
    Alternative("no ceiling term", {"method.weights": [0.5, 0.5, 0.0]}, "the paper's terms of the loss"),
    Alternative("no sharpening", {"method.target_temperature": 0.1}, "ours: both temperatures equal"),
    Alternative("no masking", {"method.positive_in_target": "zero_logit"}, "the authors' released code"),
    Alternative("no weak target", {"method.views": ["strong", "strong"]}, "ours: equal views"),
    Alternative("no queue", {"method.queue": 0}, "ours: the batch's own keys"),
    Alternative("no slow target", {"method.momentum.start": 0.0}, "ours: the target is the last step's"),
)

SPACES = (TEMPERATURES, COEFFICIENT, LOSS_TERMS, QUEUE, ABLATION)
