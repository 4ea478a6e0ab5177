"""HCL (Robinson et al., ICLR 2021): SimCLR whose near negatives weigh more, less the positives among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.debiased import Debiased
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import LAPTOP_HEAD, Preset
from contrastive.types import NonNegative, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

_STL10: dict[str, Any] = {
    **Debiased.presets["stl10"].values,
    "method.concentration": 1.0,
    "epochs": 400,
}


@configuration
class HCL:
    """NT-Xent whose negatives are drawn, by importance, from those near the anchor and not of its class.

    Temperature, prior, concentration and head are those of the authors' code.

    Paper: https://arxiv.org/abs/2010.04592

    Example:
        >>> import torch
        >>> from contrastive.methods import HCL
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = HCL(temperature=0.5, positive_prior=0.0)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.594
    """

    name: Literal["hcl"] = "hcl"
    temperature: Positive = 0.5
    positive_prior: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The share of negatives taken to be of the anchor's own class; 0 corrects nothing."""
    concentration: NonNegative = 1.0
    """How much more the near negatives weigh; 0 weighs all alike: debiased contrastive learning."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(512,), output=128)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"hcl": {"projector": LAPTOP_HEAD}}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="ours: the authors' STL-10 run, which their code offers for CIFAR-10, too",
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
        """The paper's objective as its code estimates it, on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.hard_negative(
            first,
            second,
            temperature=self.temperature,
            positive_prior=self.positive_prior,
            concentration=self.concentration,
        )
