"""Alignment and uniformity (Wang & Isola, ICML 2020): views of an image together, images spread over the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import CIFAR_CHANNELS, CIFAR_RESNET18, LAPTOP_HEAD, Preset
from contrastive.types import NonNegative, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


_STL10: dict[str, Any] = {
    "method.alignment_weight": 1.0, "method.uniformity_weight": 1.0,
    "method.alignment_exponent": 2.0, "method.uniformity_temperature": 2.0,
    "method.projector": {"hidden": [512], "output": 128}, "method.views_together": True,
    "encoder": CIFAR_RESNET18,
    "views.strong": {"size": 64, "crop_scale": [0.08, 1.0], "jitter": 1.0, "hue": 0.4,
                     "colour": "exact"},
    "views.channels": {"mean": [0.44087801806139126, 0.42790631331699347, 0.3867879370752931],
                       "std": [0.26826768628079806, 0.2610450402318512, 0.26866836876860795]},
    "optimiser": {"name": "sgd", "lr": 0.12, "momentum": 0.9, "weight_decay": 1e-4,
                  "schedule": "steps", "milestones": [155, 170, 185], "warmup_epochs": 0},
    "batch": 768, "epochs": 200,
}  # fmt: skip


@configuration
class AlignUniform:
    """What contrastive losses do in the limit of many negatives, in two terms with a weight each.

    Exponent, temperature and weights are the authors'; they train an AlexNet-like network without a head of its own.

    Paper: https://arxiv.org/abs/2005.10242

    Example:
        >>> import torch
        >>> from contrastive.methods import AlignUniform
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = AlignUniform(uniformity_weight=0.5)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        -2.0
    """

    name: Literal["align_uniform"] = "align_uniform"
    alignment_weight: NonNegative = 1.0
    uniformity_weight: NonNegative = 1.0
    alignment_exponent: Positive = 2.0
    """Of the distance between an image's views."""
    uniformity_temperature: Positive = 2.0
    """The larger it is, the less count any but the closest images."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(512,), output=128)
    views_together: bool = False
    """Whether both views are one batch to the network, with batch statistics over both."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"align_uniform": {"projector": LAPTOP_HEAD}}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="ours: the STL-10 run on CIFAR-10's own images, with the statistics usual there",
            values={**_STL10, "views.strong": {**_STL10["views.strong"], "size": None},
                    "views.channels": CIFAR_CHANNELS},
        ),
        "stl10": Preset(
            source="the authors' STL-10 run (64 pixels); encoder and head ours (theirs: an AlexNet-like one); an "
                   "epoch's last batch is dropped where it is smaller",
            values=_STL10,
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if not self.alignment_weight and not self.uniformity_weight:
            raise ValueError(
                "alignment_weight and uniformity_weight are both 0, which leaves nothing to learn; give one above 0"
            )

    @property
    def assembly(self) -> Assembly:
        """One network sees both views."""
        return Assembly(
            views=self.views, online=(0, 1), projector=self.projector, together=self.views_together
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Both terms, weighted, on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.align_uniform(
            first,
            second,
            alignment_exponent=self.alignment_exponent,
            uniformity_temperature=self.uniformity_temperature,
            alignment_weight=self.alignment_weight,
            uniformity_weight=self.uniformity_weight,
        )
