"""SCE, similarity contrastive estimation (Denize et al., WACV 2023): contrast and relation in one target."""

from typing import ClassVar, Literal

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor

from contrastive.encoder import Head
from contrastive.losses import sce
from contrastive.methods.protocol import Embeddings, Gather, Preset
from contrastive.optimiser import Momentum
from contrastive.types import STRICT, Fraction, Natural, Positive
from contrastive.views import ViewName


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SCE:
    """The online embedding of one view must show the target's similarities of the other view.

    The target distribution gives `coefficient` to the positive and the rest to the negatives in proportion
    to their similarity to the target embedding, sharpened by `target_temperature`. Defaults are those of
    the authors' CIFAR-10 run, with the paper's masked positive.
    """

    name: Literal["sce"] = "sce"
    temperature: Positive = 0.1
    target_temperature: Positive = 0.05
    coefficient: Fraction = 0.5
    positive_in_target: Literal["masked", "zero_logit"] = "masked"
    """"masked" as the paper writes it; "zero_logit" as the authors' code runs it."""
    symmetric: bool = False
    views: tuple[ViewName, ViewName] = ("weak", "strong")
    """Asymmetric: the first goes to the target, the second to the online network."""
    queue: Natural = 4096
    momentum: Momentum = Momentum(start=0.99)
    projector: Head = Head(hidden=(512,), output=128)
    predictor: Head | None = None

    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the authors' released CIFAR-10 run file",
            values={
                "method.coefficient": 0.5, "method.temperature": 0.1, "method.target_temperature": 0.05,
                "method.queue": 4096, "method.momentum": {"start": 0.99, "schedule": "constant"},
                "method.symmetric": False, "method.views": ["weak", "strong"],
                "method.projector": {"hidden": [512], "output": 128}, "method.predictor": None,
                "views.strong.blur": 0.5, "views.strong.crop_scale": [0.2, 1.0],
                "views.weak.crop_scale": [0.2, 1.0],
                "encoder": {"name": "resnet", "depth": 18, "stem": "cifar"},
                "optimiser": {"name": "sgd", "lr": 0.06, "momentum": 0.9, "weight_decay": 5e-4,
                              "warmup_epochs": 5},
                "batch": 256, "epochs": 200,
            },
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if self.positive_in_target == "zero_logit" and self.queue == 0:
            raise ValueError(
                "positive_in_target 'zero_logit' is defined on a queue, and queue is 0; "
                "set positive_in_target to 'masked' or give a queue"
            )

    @property
    def target_views(self) -> tuple[int, ...]:
        """Views that the target network embeds."""
        return (0, 1) if self.symmetric else (0,)

    @property
    def online_views(self) -> tuple[int, ...]:
        """Views that the online network embeds."""
        return (0, 1) if self.symmetric else (1,)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Mean over the pairs of a target view and another online view."""
        # Without a queue the negatives are the keys of the whole batch, so every process needs them all.
        whole: Gather = gather if embeddings.queue is None else _own
        losses = [
            sce(
                whole(embeddings.online[online]),
                whole(embeddings.target[target]),
                embeddings.queue,
                temperature=self.temperature,
                target_temperature=self.target_temperature,
                coefficient=self.coefficient,
                positive_in_target=self.positive_in_target,
            )
            for target in self.target_views
            for online in self.online_views
            if online != target
        ]
        return torch.stack(losses).mean()


def _own(rows: Tensor) -> Tensor:
    return rows
