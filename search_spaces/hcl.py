"""Spaces of HCL (Robinson et al., ICLR 2021)."""

from search_spaces.baselines import LINEAR_HEAD, NO_COLOUR
from search_spaces.domains import LogUniform, Uniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("hcl")
README = "the README of the authors' image code"
STL10 = "linear top-1 (%) on STL-10, ResNet-50, batch 256"

HARDNESS = Space(
    name="hcl_hardness",
    question="How hard should HCL's negatives be, and how many of them be taken for hidden positives?",
    base=LAPTOP,
    domains={
        "method.concentration": Uniform(
            0.0, 3.0, source="ours, around the authors' 0.5, 1 and 2; their 6 is too hard"
        ),
        "method.positive_prior": Uniform(
            0.0, 0.2, source="ours, around the authors' 0.1; a class of ten has a share of 0.1"
        ),
        "method.temperature": LogUniform(0.1, 1.0, source="ours, around the authors' 0.5"),
    },
    first=(
        Alternative("softer", {"method.concentration": 0.5}, README),
        Alternative("harder", {"method.concentration": 2.0}, README),
    ),
)

ABLATION = ablation(
    "HCL",
    LAPTOP,
    Alternative("no hardness (debiased)", {"method.concentration": 0.0}, f"{README}: debiased"),
    Alternative("no correction", {"method.positive_prior": 0.0}, "ours: hard negatives alone"),
    Alternative("linear head", LINEAR_HEAD, "SimCLR's study of heads"),
    Alternative("no colour", NO_COLOUR, "ours"),
    reported=tuple(
        Reported(
            values={"method.concentration": concentration, "method.positive_prior": 0.1},
            score=score,
            what=STL10,
            source=README,
        )
        for concentration, score in ((0.0, 84.26), (0.5, 86.38), (1.0, 87.44), (2.0, 87.09), (6.0, 83.09))
    ),
)

SPACES = (HARDNESS, ABLATION)
