"""Spaces of SwAV (Caron et al., NeurIPS 2020)."""

from search_spaces.baselines import LINEAR_HEAD, NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("swav")

PROTOTYPES = Space(
    name="swav_prototypes",
    question="How many prototypes does SwAV need, how even should codes be, and at which temperature predicted?",
    base=LAPTOP,
    domains={
        "method.prototypes": Choice(
            (16, 32, 64, 128, 256), source="ours: the authors' 3,000 are three for each class of ImageNet"
        ),
        "method.epsilon": LogUniform(0.01, 0.2, source="ours, around the authors' 0.05"),
        "method.temperature": LogUniform(0.05, 0.5, source="ours, around the authors' 0.1"),
    },
)

ABLATION = ablation(
    "SwAV",
    LAPTOP,
    Alternative("a short queue", {"method.queue": 128}, "ours: three images a prototype, with the batch"),
    Alternative(
        "one iteration", {"method.iterations": 1}, "the paper's study; with under 3 it fails to converge"
    ),
    Alternative("nothing frozen", {"method.frozen_epochs": 0}, "ours: prototypes learn from the start"),
    Alternative("fixed prototypes", {"method.frozen_epochs": 24}, "the paper's study of prototypes"),
    Alternative("with small crops", {"method.local_views": ["local", "local"]}, "the paper's multi-crop"),
    Alternative("linear head", LINEAR_HEAD, "ours"),
    Alternative("no colour", NO_COLOUR, "ours"),
)

SPACES = (PROTOTYPES, ABLATION)
