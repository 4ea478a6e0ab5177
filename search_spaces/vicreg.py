"""Spaces of VICReg (Bardes et al., ICLR 2022)."""

from search_spaces.baselines import NO_COLOUR
from search_spaces.domains import LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("vicreg")
SOURCE = "ours, a decade around a 25th of the authors'"

WEIGHTS = Space(
    name="vicreg_weights",
    question="How should VICReg weigh invariance, variance and covariance?",
    base=LAPTOP,
    domains={
        "method.invariance_weight": LogUniform(0.1, 10.0, source=f"{SOURCE} 25; they try 1 to 50"),
        "method.variance_weight": LogUniform(0.1, 10.0, source=f"{SOURCE} 25; they try 1 to 50"),
        "method.covariance_weight": LogUniform(0.004, 0.4, source=f"{SOURCE} 1"),
    },
)

ABLATION = ablation(
    "VICReg",
    LAPTOP,
    Alternative(
        "no invariance",
        {"method.invariance_weight": 0.0},
        "the paper's study of its terms; it collapses",
    ),
    Alternative(
        "no variance",
        {"method.variance_weight": 0.0},
        "the paper's study of its terms; it collapses",
    ),
    Alternative("no covariance", {"method.covariance_weight": 0.0}, "the paper's study of its terms"),
    Alternative(
        "no hidden layer",
        {"method.projector": {"hidden": [], "output": 128}},
        "ours: a linear expander",
    ),
    Alternative("a narrow embedding", {"method.projector": {"hidden": [256], "output": 16}}, "ours"),
    Alternative("one augmentation", {"method.views": ["strong", "strong"]}, "ours: both views alike"),
    Alternative(
        "no colour",
        {**NO_COLOUR, "views.second.jitter": 0.0, "views.second.grey": 0.0},
        "ours",
    ),
)

SPACES = (WEIGHTS, ABLATION)
