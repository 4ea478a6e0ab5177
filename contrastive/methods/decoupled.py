"""Decoupled contrastive learning (Yeh et al., ECCV 2022): SimCLR without the positive in the denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.methods.simclr import SimCLR
from contrastive.recipes import LAPTOP_HEAD, Preset
from contrastive.types import Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class Decoupled:
    """NT-Xent whose gradient does not fade where the positive is found: DCL, and with `sigma` DCLW.

    The authors call it DCL, as others call debiased contrastive learning. The temperature is that of lightly's
    benchmark.

    Paper: https://arxiv.org/abs/2110.06848

    Example:
        >>> import torch
        >>> from contrastive.methods import Decoupled
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = Decoupled(temperature=0.5)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        -0.208
    """

    name: Literal["decoupled"] = "decoupled"
    temperature: Positive = 0.1
    sigma: Positive | None = None
    """Of the weights of DCLW, by which distant positives are pulled harder, the more so the smaller it is; None: all
    alike."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(512,), output=128)
    views_together: bool = False
    """Whether both views are one batch to the network, with batch statistics over both."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "decoupled": {"projector": LAPTOP_HEAD},
        "decoupled, weighted": {"projector": LAPTOP_HEAD, "sigma": 0.5},
    }
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="ours: SimCLR's CIFAR-10 recipe at the temperature of lightly's benchmark",
            values={**SimCLR.presets["cifar10"].values, "method.temperature": 0.1, "method.sigma": None},
        ),
        "imagenet": Preset(
            source="lightly's ImageNet benchmark of DCL: SimCLR's with temperature 0.1, LARS at 0.075 sqrt(batch); "
                   "the cosine ends at 0 (theirs: a thousandth of the peak), blur of 23 taps for Pillow's",
            values={**SimCLR.presets["imagenet"].values, "method.sigma": None},
        ),
        "imagenet-weighted": Preset(
            source="lightly's ImageNet benchmark of DCLW: DCL's with sigma 0.5; the cosine ends at 0 (theirs: a "
                   "thousandth of the peak), blur of 23 taps for Pillow's",
            values={**SimCLR.presets["imagenet"].values, "method.sigma": 0.5},
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """One network sees both views."""
        return Assembly(
            views=self.views, online=(0, 1), projector=self.projector, together=self.views_together
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 6 of the paper on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.decoupled(first, second, temperature=self.temperature, sigma=self.sigma)
