"""Spaces of SCE (Denize et al., WACV 2023)."""

from contrastive.config import Trial
from contrastive.data import Shapes
from contrastive.encoder import Head
from contrastive.methods import SCE
from contrastive.optimiser import SGD, Momentum
from search_spaces.space import Less, LogUniform, Space

LAPTOP = Trial(
    method=SCE(queue=1024, momentum=Momentum(start=0.95), projector=Head(hidden=(256,), output=64)),
    data=Shapes(),
    optimiser=SGD(lr=0.48, nesterov=True, warmup_epochs=2),
    batch=64,
    epochs=24,
)
"""SCE with the paper's temperatures and lambda; queue, momentum and learning rate fit 4,096 small images."""

TEMPERATURES = Space(
    name="sce_temperatures",
    question="Which temperatures of the online and of the target distribution suit SCE?",
    base=LAPTOP,
    domains={
        "method.temperature": LogUniform(
            0.05, 0.8, source="ours, around the paper's 0.1; SimCLR's table 5 goes to 1"
        ),
        "method.target_temperature": LogUniform(0.02, 0.2, source="ours, around the paper's 0.05 and 0.07"),
    },
    constraints=(
        Less(
            "method.target_temperature", "method.temperature", "the target must be the sharper distribution"
        ),
    ),
)
