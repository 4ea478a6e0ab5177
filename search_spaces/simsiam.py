"""Spaces of SimSiam (Chen & He, CVPR 2021)."""

from search_spaces.baselines import NO_COLOUR
from search_spaces.domains import Choice, LogUniform
from search_spaces.laptop import ablation, laptop
from search_spaces.space import Alternative, Reported, Space

LAPTOP = laptop("simsiam")
PAPER = "linear top-1 (%) on ImageNet, ResNet-50, 100 epochs"
STEADY = f"{PAPER}, the predictor's rate constant"
SYMMETRISATION = "the paper's study of symmetrisation"

PREDICTOR = Space(
    name="simsiam_predictor",
    question="How narrow should SimSiam's predictor be, and how fast and with how much decay should it learn?",
    base=LAPTOP,
    domains={
        "method.predictor.hidden": Choice(
            ([4], [8], [16], [32], [64], [256]),
            source="ours, around the authors' quarter of the output's width",
        ),
        "optimiser.lr": LogUniform(0.1, 1.0, source="ours; the authors use 0.03 and 0.05 in long runs"),
        "optimiser.weight_decay": Choice(
            (1e-4, 5e-4, 1e-3), source="the authors' ImageNet and CIFAR-10 runs, and twice the latter"
        ),
    },
)

ABLATION = ablation(
    "SimSiam",
    LAPTOP,
    Alternative("no stop-gradient", {"method.stop_gradient": False}, "the paper; it collapses"),
    Alternative("no predictor", {"method.predictor": None}, "the paper's Table 1; it collapses"),
    Alternative("one direction", {"method.symmetric": False}, SYMMETRISATION),
    Alternative(
        "no normalised output",
        {"method.projector.output_batch_norm": False},
        "the paper's Table 3",
    ),
    Alternative(
        "no bottleneck",
        {"method.predictor": {"hidden": [64], "output": 64}},
        "the paper's appendix B; less stable",
    ),
    Alternative("no colour", NO_COLOUR, "ours"),
    reported=(
        Reported(
            values={"method.stop_gradient": True}, score=67.7, what=PAPER, source="the paper's Figure 2"
        ),
        Reported(
            values={"method.stop_gradient": False}, score=0.1, what=PAPER, source="the paper's Figure 2"
        ),
        Reported(values={"method.predictor": None}, score=0.1, what=PAPER, source="the paper's Table 1"),
        *(
            Reported(values={"method.symmetric": symmetric}, score=score, what=STEADY, source=SYMMETRISATION)
            for symmetric, score in ((True, 68.1), (False, 64.8))
        ),
        *(
            Reported(
                values={"method.projector.output_batch_norm": normalised},
                score=score,
                what=STEADY,
                source="the paper's Table 3, with batch norm in the hidden layers",
            )
            for normalised, score in ((True, 68.1), (False, 67.4))
        ),
    ),
)

SPACES = (PREDICTOR, ABLATION)
