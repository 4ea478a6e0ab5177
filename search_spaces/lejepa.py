"""Spaces of LeJEPA (Balestriero & LeCun 2025)."""

from search_spaces.baselines import LINEAR_HEAD, NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("lejepa")

WEIGHT = Space(
    name="lejepa_weight",
    question="How strongly should LeJEPA make embeddings normal?",
    base=LAPTOP,
    domains={
        "method.regularisation_weight": LogUniform(
            0.005, 0.5, source="ours, a decade around the authors' 0.05; their example has 0.02"
        )
    },
    first=(
        Alternative(
            "the authors' example",
            {"method.regularisation_weight": 0.02},
            source="the authors' minimal example",
        ),
    ),
)

SLICES = Space(
    name="lejepa_slices",
    question="How finely must LeJEPA test its embeddings: along how many directions, how wide, at which frequencies?",
    base=LAPTOP,
    domains={
        "method.slices": Choice((16, 64, 256, 1024), source="ours; the paper's 1,024, its listing's 256"),
        "method.projector.output": Choice((16, 64, 256), source="ours; the authors' example has 16"),
        "method.limit": Choice((3.0, 5.0), source="the authors' example and their paper"),
    },
)

ABLATION = ablation(
    "LeJEPA",
    LAPTOP,
    Alternative("no test", {"method.regularisation_weight": 0.0}, "ours: prediction alone; it collapses"),
    Alternative("no prediction", {"method.regularisation_weight": 1.0}, "ours: the test alone"),
    Alternative("few directions", {"method.slices": 4}, "ours; the paper finds 16, drawn anew, to do well"),
    Alternative("low frequencies", {"method.limit": 1.0}, "ours: little beside mean and variance"),
    Alternative("linear head", LINEAR_HEAD, "ours"),
    Alternative("no colour", NO_COLOUR, "ours"),
)

SPACES = (WEIGHT, SLICES, ABLATION)
