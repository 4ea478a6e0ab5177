"""Spaces of NNCLR (Dwibedi et al., ICCV 2021)."""

from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("nnclr")

SUPPORT = Space(
    name="nnclr_support",
    question="Among how many earlier images should NNCLR look for neighbours, and at which temperature?",
    base=LAPTOP,
    domains={
        "method.queue": Choice(
            (64, 256, 512, 1024, 2048, 4096),
            source="ours: the paper varies it from 8,192 to 98,304 on ImageNet; here are 4,096 images",
        ),
        "method.temperature": LogUniform(
            0.05, 0.5, source="ours, around the paper's 0.1 and solo-learn's 0.2"
        ),
    },
)

ABLATION = Space(
    name="nnclr_ablation",
    question="What is each part of NNCLR worth?",
    base=LAPTOP,
    alternatives=(
        Alternative("no neighbours", {"method.swap": False}, source="ours: each image its own positive"),
        Alternative(
            "no predictor", {"method.predictor": None}, source="the paper's ablation of the predictor"
        ),
        Alternative("one direction", {"method.symmetric": False}, source="ours"),
        Alternative("a short queue", {"method.queue": 64}, source="ours: a batch, the one before"),
        Alternative(
            "no colour",
            {
                "views.strong.jitter": 0.0,
                "views.strong.grey": 0.0,
                "views.second.jitter": 0.0,
                "views.second.grey": 0.0,
            },
            source="the paper's study of augmentation: random crops alone",
        ),
        Alternative("no solarisation", {"views.second.solarise": 0.0}, source="ours"),
    ),
)

SPACES = (SUPPORT, ABLATION)
