"""SimCLR (Chen et al., ICML 2020): two views of an image must find each other in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses, recipes
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Queries
from contrastive.recipes import Preset
from contrastive.types import Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class SimCLR:
    """NT-Xent over both views of the whole batch; no target network, no queue, no predictor.

    Paper: https://arxiv.org/abs/2002.05709

    Example:
        >>> import torch
        >>> from contrastive.methods import SimCLR
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = SimCLR(temperature=0.5)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.594
    """

    name: Literal["simclr"] = "simclr"
    temperature: Positive = 0.2
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(512,), output=128)
    views_together: bool = False
    """Whether both views are one batch to the network, with batch statistics over both."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"simclr": {"projector": recipes.LAPTOP_HEAD}}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the SimCLR authors' advice for CIFAR-10 (2 layers, 64 outputs, temperature 0.2) and their views, "
                   "with antialiasing and torchvision's colours (theirs: TensorFlow's); optimiser ours",
            values={
                "method.temperature": 0.2, "method.projector": {"hidden": [512], "output": 64},
                "encoder": recipes.CIFAR_RESNET18, **recipes.CIFAR_VIEWS,
                "optimiser": recipes.CIFAR_SGD, "batch": 256, "epochs": 200,
            },
        ),
        "imagenet100": Preset(
            source="solo-learn's ImageNet-100 run; the warm-up starts at 0 (theirs: 3e-5), colours are torchvision's "
                   "(those of its DALI loader are one matrix)",
            values={
                "method.temperature": 0.2,
                "method.projector": {"hidden": [4096], "output": 512, "batch_norm": False},
                "encoder": recipes.IMAGENET_RESNET18,
                "views.strong": {"size": 224, "crop_scale": [0.08, 1.0], "interpolation": "bicubic",
                                 **recipes.STRONG_COLOUR},
                "views.channels": recipes.IMAGENET_CHANNELS,
                "optimiser": {"name": "lars", "lr": 0.3, "trust": 0.02, "weight_decay": 1e-4, "warmup_epochs": 10,
                              "norms": "summed", "clip": True},
                "batch": 256, "epochs": 400,
            },
        ),
        "imagenet": Preset(
            source="lightly's ImageNet benchmark: temperature 0.1, LARS at 0.075 sqrt(batch); the cosine ends at 0 "
                   "(theirs: a thousandth of the peak), blur of 23 taps for Pillow's",
            values={
                "method.temperature": 0.1, "method.views_together": True,
                "method.projector": {"hidden": [2048], "output": 128, "output_batch_norm": True,
                                     "output_affine": "both"},
                "encoder": recipes.IMAGENET_RESNET50,
                "views.strong": {"size": 224, "crop_scale": [0.08, 1.0], **recipes.STRONG_COLOUR},
                "views.channels": recipes.IMAGENET_CHANNELS,
                "optimiser": {"name": "lars", "lr": 0.075, "lr_scaling": "sqrt", "weight_decay": 1e-6,
                              "warmup_epochs": 10, "warmup_reaches": "peak", "norms": "summed"},
                "batch": 256, "epochs": 100,
            },
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """One network sees both views."""
        return Assembly(
            views=self.views, online=(0, 1), projector=self.projector, together=self.views_together
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return equation 1 of the paper on the batch of all processes."""
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.nt_xent(first, second, temperature=self.temperature)

    def queries(self) -> Queries:
        """Return the first view, which looks for the second's whole images."""
        return Queries(views=(0,), whole=(1,))

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return NT-Xent of a mixture with both its images."""
        view, key = step.online[mixture], step.online[1 - source]
        return losses.mixed_nt_xent(view, key, *step.mixed, temperature=self.temperature)
