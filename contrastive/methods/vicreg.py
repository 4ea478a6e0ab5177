"""VICReg (Bardes et al., ICLR 2022): variance, invariance and covariance of two views' embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import (
    CIFAR_RESNET18,
    IMAGENET_RESNET50,
    IMAGENET_UNEQUAL_VIEWS,
    Preset,
)
from contrastive.types import NonNegative, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class VICReg:
    """Views agree, every coordinate of the expander keeps a deviation of 1 over the batch, and none repeats another.

    No negatives, no predictor, no slow target, no stopped gradient, no normalised embedding. Weights and expander
    are the authors'.

    Paper: https://arxiv.org/abs/2105.04906

    Example:
        >>> import torch
        >>> from contrastive.methods import VICReg
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.tensor([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
        >>> step = Embeddings(online={0: rows, 1: rows + 1}, target={}, queue=None)
        >>> method = VICReg(invariance_weight=10.0)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        10.0
    """

    name: Literal["vicreg"] = "vicreg"
    invariance_weight: NonNegative = 25.0
    """Of the distance of the views: the paper's lambda."""
    variance_weight: NonNegative = 25.0
    """Of what keeps each coordinate spread: the paper's mu."""
    covariance_weight: NonNegative = 1.0
    """Of what makes coordinates uncorrelated: the paper's nu."""
    views: tuple[ViewName, ViewName] = ("strong", "second")
    projector: Head = Head(hidden=(8192, 8192), output=8192, output_bias=False)
    """The expander."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "vicreg": {
            "projector": Head(hidden=(256,), output=128),
            "invariance_weight": 1.0, "variance_weight": 1.0, "covariance_weight": 0.04,
        }
    }  # fmt: skip
    """A 25th of the authors' weights, for SGD: LARS does not see the scale of a loss."""
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="solo-learn's CIFAR-10 run, whose variance term, not halved, is twice ours at half the weight; the "
                   "first convolution pads 1 pixel (theirs: 2), the warm-up starts at 0 (theirs: 3e-5)",
            values={
                "method.invariance_weight": 25.0, "method.variance_weight": 50.0, "method.covariance_weight": 1.0,
                "method.views": ["strong", "strong"],
                "method.projector": {"hidden": [2048, 2048], "output": 2048},
                "encoder": CIFAR_RESNET18,
                "views.strong": {"interpolation": "bicubic", "saturation": 0.2, "solarise": 0.1, "colour": "exact"},
                "views.channels": {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]},
                "optimiser": {"name": "lars", "lr": 0.3, "trust": 0.02, "weight_decay": 1e-4, "warmup_epochs": 10,
                              "norms": "summed", "clip": True},
                "batch": 256, "epochs": 1000,
            },
        ),
        "imagenet": Preset(
            source="the authors' code: LARS at 0.2 for batch 256, batch 2048, 1000 epochs; the cosine ends at 0 "
                   "(theirs: a thousandth of the peak), blur of 23 taps for Pillow's",
            values={
                "method.invariance_weight": 25.0, "method.variance_weight": 25.0, "method.covariance_weight": 1.0,
                "method.views": ["strong", "second"],
                "method.projector": {"hidden": [8192, 8192], "output": 8192, "output_bias": False},
                "encoder": {**IMAGENET_RESNET50, "zero_init_residual": True},
                **IMAGENET_UNEQUAL_VIEWS,
                "optimiser": {"name": "lars", "lr": 0.2, "weight_decay": 1e-6, "warmup_epochs": 10,
                              "warmup_reaches": "zero"},
                "batch": 2048, "epochs": 1000,
            },
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if not (self.invariance_weight or self.variance_weight or self.covariance_weight):
            raise ValueError("all three weights are 0; give one of them a weight above 0")
        if self.projector.hidden and not self.projector.batch_norm:
            raise ValueError(
                "projector.batch_norm = false: nothing bounds what an expander without batch statistics gives to "
                "three terms that do not normalise it; set it to true, or leave out its hidden layers"
            )

    @property
    def assembly(self) -> Assembly:
        """One network sees both views."""
        return Assembly(views=self.views, online=(0, 1), projector=self.projector)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 6 of the paper on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.vicreg(
            first,
            second,
            invariance_weight=self.invariance_weight,
            variance_weight=self.variance_weight,
            covariance_weight=self.covariance_weight,
        )

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The mean deviation that the variance term holds up, and the embedding's spectrum, in a number."""
        return ("vicreg_deviation", "vicreg_rank")

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Of the first view: 0 and few directions where the embeddings collapse, 1 and many where they do not."""
        import torch

        from contrastive.evaluate.collapse import effective_rank

        rows = gather(embeddings.online[0])
        return {
            "vicreg_deviation": rows.std(0).mean(),
            "vicreg_rank": torch.tensor(effective_rank(rows)),
        }
