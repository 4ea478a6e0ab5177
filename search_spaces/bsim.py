"""Spaces of BSIM (Chu et al. 2020)."""

from search_spaces.domains import Choice
from search_spaces.laptop import laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("bsim on simclr")
UN_MIX = "kNN top-1 (%) on CIFAR-10, ResNet-18, MoCo, 1000 epochs"

MIXING = Space(
    name="bsim_mixing",
    question="How should BSIM mix: mixup or CutMix, how evenly, and how many of the batches?",
    base=LAPTOP,
    domains={
        "method.kind": Choice(
            ("mixup", "cutmix", "both"), source="mixup (Zhang 2018), CutMix (Yun 2019), Un-Mix's both"
        ),
        "method.alpha": Choice((0.2, 0.5, 1.0, 2.0), source="ours, around i-Mix's and Un-Mix's 1"),
        "method.batches": Choice((0.25, 0.5, 0.75, 1.0), source="ours: the share of batches that are mixed"),
    },
)

ABLATION = Space(
    name="bsim_ablation",
    question="What is each part of BSIM worth?",
    base=LAPTOP,
    alternatives=(
        Alternative("no mixtures", {"method.weight": 0.0}, source="the paper's baseline: the inner method"),
        Alternative("no whole images (BSIM)", {"method.weight": 1.0}, source="the paper's unweighted form"),
        Alternative("half of the batches", {"method.batches": 0.5}, source="ours"),
        Alternative(
            "no cutting", {"method.kind": "mixup", "method.per_sample": False}, source="mixup (Zhang 2018)"
        ),
        Alternative("a share for each image", {"method.per_sample": True}, source="MixCo and i-Mix's mixup"),
        Alternative("nearly whole images", {"method.alpha": 0.2}, source="ours, after mixup's small alphas"),
    ),
    reported=(
        Reported(
            values={"method.weight": 0.0},
            score=89.11,
            what=UN_MIX,
            source="Un-Mix's README: without mixtures",
        ),
        Reported(
            values={"method.weight": 0.5},
            score=91.34,
            what=UN_MIX,
            source="Un-Mix's README: plain loss + mixtures",
        ),
    ),
)

SPACES = (MIXING, ABLATION)
