"""Spaces of Barlow Twins (Zbontar et al., ICML 2021)."""

from search_spaces.baselines import NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("barlow_twins")
PAPER = "linear top-1 (%) on ImageNet, ResNet-50, 300 epochs"

WEIGHTS = Space(
    name="barlow_twins_weights",
    question="How strongly should Barlow Twins decorrelate coordinates, how many, and at which scale of its loss?",
    base=LAPTOP,
    domains={
        "method.redundancy_weight": LogUniform(
            5e-4, 0.05, source="ours, a decade around the authors' 0.0051"
        ),
        "method.scale": LogUniform(0.01, 1.0, source="ours; the authors' 0.024 and 1, solo-learn's 0.1"),
        "method.projector.output": Choice(
            (32, 64, 128, 256, 512), source="ours: the authors' widths go from 16 to 16,384 of 2,048 features"
        ),
    },
)

ABLATION = ablation(
    "Barlow Twins",
    LAPTOP,
    Alternative(
        "no redundancy reduction",
        {"method.redundancy_weight": 0.0},
        "the paper's study of its loss, the invariance term alone",
    ),
    Alternative(
        "no batch norm in the head",
        {"method.projector.batch_norm": False},
        "the paper's study of its loss",
    ),
    Alternative("one augmentation", {"method.views": ["strong", "strong"]}, "ours: both views alike"),
    Alternative("a narrow embedding", {"method.projector.output": 16}, "the paper's narrowest head"),
    Alternative(
        "no colour",
        {**NO_COLOUR, "views.second.jitter": 0.0, "views.second.grey": 0.0},
        "the paper's study of augmentation",
    ),
    reported=(
        Reported(
            values={"method.redundancy_weight": 0.0051},
            score=71.4,
            what=PAPER,
            source="the paper's study of its loss",
        ),
        Reported(
            values={"method.redundancy_weight": 0.0},
            score=57.3,
            what=PAPER,
            source="the paper's study of its loss",
        ),
        Reported(
            values={"method.projector.batch_norm": False},
            score=71.2,
            what=PAPER,
            source="the paper's study of its loss",
        ),
    ),
)

SPACES = (WEIGHTS, ABLATION)
