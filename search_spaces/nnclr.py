"""Spaces of NNCLR (Dwibedi et al., ICCV 2021)."""

from search_spaces.baselines import NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("nnclr")

SUPPORT = Space(
    name="nnclr_support",
    question="Among how many earlier images should NNCLR look for neighbours, and at which temperature?",
    base=LAPTOP,
    domains={
        "method.queue": Choice(
            (64, 256, 512, 1024, 2048, 4096),
            source="ours: 98,304 on ImageNet, where the paper finds more to be better; here are 4,096 images",
        ),
        "method.temperature": LogUniform(0.05, 0.5, source="ours, around VISSL's 0.1 and solo-learn's 0.2"),
    },
)

ABLATION = ablation(
    "NNCLR",
    LAPTOP,
    Alternative("no neighbours", {"method.swap": False}, "ours: each image its own positive"),
    Alternative("no predictor", {"method.predictor": None}, "ours: neighbours find the projections"),
    Alternative("one direction", {"method.symmetric": False}, "ours"),
    Alternative("a short queue", {"method.queue": 64}, "ours: a batch, the one before"),
    Alternative(
        "no colour",
        {**NO_COLOUR, "views.second.jitter": 0.0, "views.second.grey": 0.0},
        "the paper's study of augmentation: random crops alone",
    ),
    Alternative("no solarisation", {"views.second.solarise": 0.0}, "ours"),
)

SPACES = (SUPPORT, ABLATION)
