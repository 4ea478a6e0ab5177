"""Spaces of CACR (Zheng et al., TMLR 2023)."""

from search_spaces.conditional import When
from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("cacr")

TEMPERATURES = Space(
    name="cacr_temperatures",
    question="How strongly should CACR prefer far positives and near negatives?",
    base=LAPTOP,
    domains={
        "method.attraction_temperature": Uniform(
            0.0, 2.0, source="ours, around the authors' 1; 0 is uniform"
        ),
        "method.repulsion_temperature": LogUniform(0.5, 5.0, source="ours: the authors use 0.9, 1 and 2"),
    },
    first=(
        Alternative(
            "the authors' larger sets",
            {"method.repulsion_temperature": 2.0},
            "the authors' CIFAR-100, STL-10 and ImageNet runs",
        ),
    ),
)

POSITIVES = Space(
    name="cacr_positives",
    question="How many positive views does CACR need?",
    base=LAPTOP,
    domains={
        "method.positives": Choice((1, 2, 4), source="ours: the authors' runs have 4"),
        "method.variant": Choice(
            ("full", "uniform_attraction"),
            source="the authors' ablation; with one positive they are the same",
        ),
    },
    conditions={"method.variant": When("method.positives", (2, 4))},
)

ABLATION = ablation(
    "CACR",
    LAPTOP,
    Alternative("no far positives", {"method.variant": "uniform_attraction"}, "the authors' without_w1"),
    Alternative("no near negatives", {"method.variant": "uniform_repulsion"}, "the authors' without_w2"),
    Alternative("neither", {"method.variant": "uniform"}, "the authors' none"),
    Alternative("no attraction", {"method.attraction_weight": 0.0}, "ours: repulsion alone"),
    Alternative("no repulsion", {"method.repulsion_weight": 0.0}, "ours: attraction alone; it collapses"),
    Alternative("one positive", {"method.positives": 1}, "ours: InfoNCE's single positive"),
    Alternative("weights without gradient", {"method.detach_weights": True}, "the authors' larger forms"),
)

SPACES = (TEMPERATURES, POSITIVES, ABLATION)
