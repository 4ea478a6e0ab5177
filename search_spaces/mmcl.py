"""Spaces of MMCL (Shah et al., AAAI 2022)."""

from search_spaces.conditional import When
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Space

LAPTOP = laptop("mmcl")

MARGIN = Space(
    name="mmcl_margin",
    question="How wide a margin should MMCL ask for, with which kernel width, and does an exact solution pay?",
    base=LAPTOP,
    domains={
        "method.penalty": Choice(
            (None, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
            source="ours: the authors' 100 and none never act; the box does between 0.02 and 1",
        ),
        "method.bandwidth": LogUniform(0.5, 50.0, source="the authors' CIFAR schedule goes from 50 to 0.5"),
        "method.regularisation": LogUniform(0.01, 1.0, source="ours, around the authors' 0.1"),
        "method.solver": Choice(
            ("exact", "inverse", "projected_gradient"),
            source="the authors' two solvers, and the exact solution of what they solve",
        ),
        "method.normalised_step": Choice(
            (True, False), source="the authors' ImageNet and CIFAR runs differ in the step of their solver"
        ),
    },
    conditions={"method.normalised_step": When("method.solver", ("projected_gradient",))},
    first=(
        Alternative(
            "the authors' ImageNet",
            {"method.solver": "projected_gradient"},
            "the authors' released ImageNet runs: bandwidth 10, no box",
        ),
        Alternative(
            "the authors' CIFAR-100",
            {
                "method.bandwidth": 50.0,
                "method.solver": "projected_gradient",
                "method.normalised_step": False,
            },
            "the authors' released CIFAR-100 run before its bandwidth drops; its box never acts",
        ),
    ),
)

ABLATION = ablation(
    "MMCL",
    LAPTOP,
    Alternative("no kernel", {"method.kernel": "linear"}, "the authors' kernels"),
    Alternative("no second side", {"method.symmetric": False}, "the authors' code is one-sided"),
    Alternative("no exact solution", {"method.solver": "projected_gradient"}, "the authors' PGD"),
    Alternative("no support vectors", {"method.solver": "inverse"}, "the authors' INV, clipped at 0"),
    Alternative("no slack", {"method.regularisation": 0.001}, "ours: a hard margin"),
    Alternative("boxed", {"method.penalty": 0.05}, "ours: where the box acts"),
)

SPACES = (MARGIN, ABLATION)
