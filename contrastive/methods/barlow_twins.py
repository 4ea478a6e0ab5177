"""Barlow Twins (Zbontar et al., ICML 2021): coordinates of two views correlate with their twins and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import (
    CIFAR_RESNET18,
    CIFAR_UNEQUAL_VIEWS,
    IMAGENET_RESNET50,
    IMAGENET_UNEQUAL_VIEWS,
    Preset,
)
from contrastive.types import NonNegative, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class BarlowTwins:
    """The cross-correlation matrix of both views' embeddings, over the whole batch, must be the identity.

    No negatives, no predictor, no slow target, no stopped gradient. Weight and head are the authors'.

    Paper: https://arxiv.org/abs/2103.03230

    Example:
        >>> import torch
        >>> from contrastive.methods import BarlowTwins
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> step = Embeddings(online={0: rows, 1: -rows}, target={}, queue=None)
        >>> method = BarlowTwins(scale=0.1)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.8
    """

    name: Literal["barlow_twins"] = "barlow_twins"
    redundancy_weight: NonNegative = 0.0051
    """Of what makes coordinates uncorrelated, beside 1 for what makes views agree: the paper's lambda."""
    scale: Positive = 1.0
    """Of the whole loss, against a weight decay or beside other losses."""
    views: tuple[ViewName, ViewName] = ("strong", "second")
    projector: Head = Head(hidden=(8192, 8192), output=8192, output_bias=False)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "barlow_twins": {"projector": Head(hidden=(256,), output=128), "scale": 0.1}
    }
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="solo-learn's CIFAR-10 run; the first convolution pads 1 pixel (theirs: 2), the warm-up starts at "
                   "0 (theirs: 3e-5)",
            values={
                "method.redundancy_weight": 0.0051, "method.scale": 0.1, "method.views": ["strong", "second"],
                "method.projector": {"hidden": [2048, 2048], "output": 2048},
                "encoder": CIFAR_RESNET18,
                **CIFAR_UNEQUAL_VIEWS,
                "optimiser": {"name": "lars", "lr": 0.3, "trust": 0.02, "weight_decay": 1e-4, "warmup_epochs": 10,
                              "norms": "summed", "clip": True},
                "batch": 256, "epochs": 1000,
            },
        ),
        "imagenet": Preset(
            source="the authors' code: LARS at 0.2 for batch 256, batch 2048, 1000 epochs; vectors have the rate of "
                   "all others (theirs: 0.0048), the cosine ends at 0 (theirs: a thousandth of the peak), blur of 23 "
                   "taps for Pillow's",
            values={
                "method.redundancy_weight": 0.0051, "method.scale": 1.0, "method.views": ["strong", "second"],
                "method.projector": {"hidden": [8192, 8192], "output": 8192, "output_bias": False},
                "encoder": {**IMAGENET_RESNET50, "zero_init_residual": True},
                **IMAGENET_UNEQUAL_VIEWS,
                "optimiser": {"name": "lars", "lr": 0.2, "weight_decay": 1e-6, "warmup_epochs": 10,
                              "warmup_reaches": "zero"},
                "batch": 2048, "epochs": 1000,
            },
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """One network sees both views."""
        return Assembly(views=self.views, online=(0, 1), projector=self.projector)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 1 of the paper on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.barlow_twins(first, second, redundancy_weight=self.redundancy_weight, scale=self.scale)

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The embedding's spectrum, in a number."""
        return ("barlow_twins_rank",)

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """In how many directions the first view's embeddings are spread: fewer as they collapse."""
        import torch

        from contrastive.evaluate.collapse import effective_rank

        return {"barlow_twins_rank": torch.tensor(effective_rank(gather(embeddings.online[0])))}
