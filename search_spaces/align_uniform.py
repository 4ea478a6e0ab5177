"""Spaces of alignment and uniformity (Wang & Isola, ICML 2020)."""

from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("align_uniform")

WEIGHTS = Space(
    name="align_uniform_weights",
    question="How much should alignment and how much uniformity weigh, and of which distances?",
    base=LAPTOP,
    domains={
        "method.alignment_weight": LogUniform(
            0.25, 4.0, source="ours, around the authors' 1 on STL-10 and 3 on ImageNet-100"
        ),
        "method.uniformity_weight": LogUniform(0.25, 4.0, source="ours, around the authors' 1"),
        "method.alignment_exponent": Choice((1.0, 2.0), source="the two that the paper studies"),
        "method.uniformity_temperature": LogUniform(
            0.5, 8.0, source="ours, around the authors' 2 on STL-10 and 3 on ImageNet-100"
        ),
    },
    first=(
        Alternative(
            "ImageNet-100",
            {"method.alignment_weight": 3.0, "method.uniformity_temperature": 3.0},
            source="the authors' MoCo variant on ImageNet-100",
        ),
    ),
)

ABLATION = Space(
    name="align_uniform_ablation",
    question="What is each part of alignment and uniformity worth?",
    base=LAPTOP,
    alternatives=(
        Alternative(
            "no alignment",
            {"method.alignment_weight": 0.0},
            source="the paper: one term alone leads to useless features",
        ),
        Alternative(
            "no uniformity", {"method.uniformity_weight": 0.0}, source="the paper: alignment alone collapses"
        ),
        Alternative(
            "linear head",
            {"method.projector": {"hidden": [], "output": 64}},
            source="SimCLR's study of heads",
        ),
        Alternative("no colour", {"views.strong.jitter": 0.0, "views.strong.grey": 0.0}, source="ours"),
    ),
)

SPACES = (WEIGHTS, ABLATION)
