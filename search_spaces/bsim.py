"""Spaces of BSIM (Chu et al. 2020)."""

from search_spaces.domains import Choice
from search_spaces.laptop import ablation, laptop
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

ABLATION = ablation(
    "BSIM",
    LAPTOP,
    Alternative("no mixtures", {"method.weight": 0.0}, "the paper's baseline: the inner method"),
    Alternative("no whole images (BSIM)", {"method.weight": 1.0}, "the paper's unweighted form"),
    Alternative("half of the batches", {"method.batches": 0.5}, "ours"),
    Alternative("no cutting", {"method.kind": "mixup", "method.per_sample": False}, "mixup (Zhang 2018)"),
    Alternative("a share for each image", {"method.per_sample": True}, "MixCo and i-Mix's mixup"),
    Alternative("nearly whole images", {"method.alpha": 0.2}, "ours, after mixup's small alphas"),
    reported=tuple(
        Reported(
            values={"method.weight": weight}, score=score, what=UN_MIX, source=f"Un-Mix's README: {what}"
        )
        for weight, score, what in ((0.0, 89.11, "without mixtures"), (0.5, 91.34, "plain loss + mixtures"))
    ),
)

SPACES = (MIXING, ABLATION)
