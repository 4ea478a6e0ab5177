"""Spaces of alignment and uniformity (Wang & Isola, ICML 2020)."""

from search_spaces.baselines import LINEAR_HEAD, NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
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
        "method.alignment_exponent": Choice(
            (1.0, 2.0), source="ours: the distance and the authors' square of it"
        ),
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

ABLATION = ablation(
    "alignment and uniformity",
    LAPTOP,
    Alternative("no alignment", {"method.alignment_weight": 0.0}, "the paper: both terms are needed"),
    Alternative(
        "no uniformity",
        {"method.uniformity_weight": 0.0},
        "the paper: alignment weighted much higher collapses",
    ),
    Alternative("linear head", LINEAR_HEAD, "SimCLR's study of heads"),
    Alternative("no colour", NO_COLOUR, "ours"),
)

SPACES = (WEIGHTS, ABLATION)
