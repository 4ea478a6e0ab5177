"""Debiased contrastive learning (Chuang et al., NeurIPS 2020): SimCLR less the positives among its negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import CIFAR_CHANNELS, CIFAR_RESNET50, LAPTOP_HEAD, Preset
from contrastive.types import Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


_STL10: dict[str, Any] = {
    "method.temperature": 0.5, "method.positive_prior": 0.1,
    "method.projector": {"hidden": [512], "output": 128},
    "encoder": CIFAR_RESNET50,
    "views.strong": {"size": 32, "crop_scale": [0.08, 1.0], "blur": 0.5, "blur_kernel": 3,
                     "colour": "exact"},
    "views.channels": CIFAR_CHANNELS,
    "optimiser": {"name": "adam", "lr": 1e-3, "lr_scaling": "none", "weight_decay": 1e-6,
                  "schedule": "constant", "warmup_epochs": 0},
    "batch": 256, "epochs": 500,
}  # fmt: skip


@configuration
class Debiased:
    """NT-Xent whose negatives are corrected for those that are of the anchor's own class, unknown as they are.

    The authors call it DCL, as others call decoupled contrastive learning. Of their estimators it is the one with
    one positive (M = 1), that of their released code. Temperature, prior and head are theirs.

    Paper: https://arxiv.org/abs/2007.00224

    Example:
        >>> import torch
        >>> from contrastive.methods import Debiased
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = Debiased(temperature=0.5, positive_prior=0.1)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.212
    """

    name: Literal["debiased"] = "debiased"
    temperature: Positive = 0.5
    positive_prior: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The share of negatives taken to be of the anchor's own class; 0 corrects nothing: SimCLR."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(512,), output=128)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"debiased": {"projector": LAPTOP_HEAD}}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="ours: the authors' STL-10 run on CIFAR-10's own images",
            values={**_STL10, "views.strong": {**_STL10["views.strong"], "size": None}},
        ),
        "stl10": Preset(
            source="the authors' released STL-10 run, on images shrunk to 32 pixels",
            values=_STL10,
        ),
    }

    @property
    def assembly(self) -> Assembly:
        """One network sees both views."""
        return Assembly(views=self.views, online=(0, 1), projector=self.projector)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 8 of the paper, with M = 1, on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.debiased(
            first, second, temperature=self.temperature, positive_prior=self.positive_prior
        )
