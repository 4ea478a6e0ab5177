"""Spaces of decoupled contrastive learning (Yeh et al., ECCV 2022)."""

from search_spaces.baselines import LINEAR_HEAD, NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("decoupled, weighted")
IMAGENET = "linear top-1 (%) on ImageNet, ResNet-50, 100 epochs, batch 256"

WEIGHTS = Space(
    name="decoupled_weights",
    question="At which temperature should negatives and positives be decoupled, and do the weights of positives pay?",
    base=LAPTOP,
    domains={
        "method.temperature": LogUniform(0.05, 1.0, source="ours, around lightly's 0.1 and SimCLR's 0.5"),
        "method.sigma": Choice(
            (None, 0.3, 0.5, 1.0, 2.0), source="ours, around lightly's 0.5; None is the paper's DCL"
        ),
    },
    first=(Alternative("DCL", {"method.sigma": None}, "the paper's plain form"),),
)

ABLATION = ablation(
    "weighted decoupled contrastive learning",
    LAPTOP,
    Alternative("no weights (DCL)", {"method.sigma": None}, "the paper's plain form"),
    Alternative("linear head", LINEAR_HEAD, "SimCLR's study of heads"),
    Alternative("no colour", NO_COLOUR, "ours"),
    reported=tuple(
        Reported(values={"method.sigma": sigma}, score=score, what=IMAGENET, source="lightly's benchmark")
        for sigma, score in ((None, 65.1), (0.5, 64.5))
    ),
)

SPACES = (WEIGHTS, ABLATION)
