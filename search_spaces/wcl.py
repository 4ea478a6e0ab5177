"""Spaces of WCL (Zheng et al., ICCV 2021)."""

from search_spaces.conditional import When
from search_spaces.domains import Choice, Integer
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("wcl")

NEIGHBOURS = Space(
    name="wcl_neighbours",
    question="How many nearest neighbours should lend WCL their crops, of what, and after how long a warm-up?",
    base=LAPTOP,
    domains={
        "method.neighbours": Integer(0, 16, source="ours: the authors release no multi-crop code"),
        "method.crop_reading": Choice(
            ("images", "features"), source="ours: the two readings of the paper's multi-crop"
        ),
        "method.warmup_epochs": Integer(0, 6, source="ours: the authors warm up for 10 of 100 to 800 epochs"),
    },
    conditions={"method.crop_reading": When("method.neighbours", tuple(range(1, 17)))},
)

ABLATION = ablation(
    "WCL",
    LAPTOP,
    Alternative("no weak labels (SimCLR)", {"method.graph_weight": 0.0}, "the paper's baseline"),
    Alternative("no swap", {"method.swap": False}, "the paper: each view labelled by its own graph"),
    Alternative("no second head", {"method.separate_heads": False}, "the paper: one head or two"),
    Alternative("no warm-up", {"method.warmup_epochs": 0}, "the authors' weaker augmentation at first"),
    Alternative("keys with gradient", {"method.detach_keys": False}, "ours: the released gather has none"),
    Alternative("with neighbours", {"method.neighbours": 4}, "the paper's kNN multi-crop, in our reading"),
    Alternative(
        "small heads",
        {
            "method.projector": {"hidden": [64], "output": 32},
            "method.graph_projector": {"hidden": [64], "output": 32},
        },
        "the authors' README compares two sizes of head",
    ),
    reported=tuple(
        Reported(
            values={"method.projector.hidden": [hidden, hidden], "method.projector.output": output},
            score=score,
            what="linear top-1 (%) on ImageNet, ResNet-50, 100 epochs",
            source="the authors' README",
        )
        for hidden, output, score in ((4096, 256, 68.5), (2048, 128, 68.1))
    ),
)

SPACES = (NEIGHBOURS, ABLATION)
