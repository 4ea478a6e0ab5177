"""Spaces of debiased contrastive learning (Chuang et al., NeurIPS 2020)."""

from search_spaces.baselines import LINEAR_HEAD, NO_COLOUR
from search_spaces.domains import LogUniform, Uniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("debiased")
README = "the authors' README"
STL10 = "linear top-1 (%) on STL-10, ResNet-50, batch 256"

PRIOR = Space(
    name="debiased_prior",
    question="How many of the negatives should be taken for hidden positives, and at which temperature?",
    base=LAPTOP,
    domains={
        "method.positive_prior": Uniform(
            0.0, 0.2, source="ours, around the authors' 0.05 and 0.1; a class of ten has a share of 0.1"
        ),
        "method.temperature": LogUniform(0.1, 1.0, source="ours, around the authors' 0.5"),
    },
    first=(
        Alternative("a smaller prior", {"method.positive_prior": 0.05}, README),
        Alternative("SimCLR", {"method.positive_prior": 0.0}, f"{README}: biased"),
    ),
)

ABLATION = ablation(
    "debiased contrastive learning",
    LAPTOP,
    Alternative("no correction (SimCLR)", {"method.positive_prior": 0.0}, README),
    Alternative("linear head", LINEAR_HEAD, "SimCLR's study of heads"),
    Alternative("no colour", NO_COLOUR, "ours"),
    reported=tuple(
        Reported(values={"method.positive_prior": prior}, score=score, what=STL10, source=README)
        for prior, score in ((0.0, 80.15), (0.05, 81.85), (0.1, 84.26))
    ),
)

SPACES = (PRIOR, ABLATION)
