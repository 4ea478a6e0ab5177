"""BYOL (Grill et al., NeurIPS 2020): predict a slowly moving network's view of the same image; no negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses, recipes
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Queries, directions
from contrastive.recipes import Preset
from contrastive.schedule import Momentum
from contrastive.types import configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET: dict[str, Any] = {
    "method.momentum": {"start": 0.99, "schedule": "cosine"},
    "method.projector": {"hidden": [4096], "output": 256, "output_bias": False},
    "method.predictor": {"hidden": [4096], "output": 256, "output_bias": False},
    "encoder": recipes.IMAGENET_RESNET50,
    "views.channels": recipes.IMAGENET_CHANNELS,
    **{name: {**recipes.IMAGENET_BYOL_VIEWS[name], "crop_scale": [0.08, 1.0], "interpolation": "bicubic"}
       for name in ("views.strong", "views.second")},
    "optimiser": {"name": "lars", "lr": 0.45, "weight_decay": 1e-6, "warmup_epochs": 10, "warmup_reaches": "zero"},
    "batch": 4096, "epochs": 100,
}  # fmt: skip


@configuration
class BYOL:
    """Regression of the target's embedding of the other view by a predictor on the online network.

    Both directions are summed, as published. Heads of 4096 hidden units and 256 outputs are the paper's.

    Paper: https://arxiv.org/abs/2006.07733

    Example:
        >>> import torch
        >>> from contrastive.methods import BYOL
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={0: rows, 1: rows}, queue=None)
        >>> method = BYOL()
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.0
    """

    name: Literal["byol"] = "byol"
    symmetric: bool = True
    """Whether each view is predicted from the other; False: only the first, from the second."""
    views: tuple[ViewName, ViewName] = ("strong", "second")
    momentum: Momentum = Momentum(start=0.99, schedule="cosine")
    projector: Head = Head(hidden=(4096,), output=256)
    predictor: Head | None = Head(hidden=(4096,), output=256)
    """None leaves it out, and the network collapses."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "byol": {
            "momentum": recipes.LAPTOP_MOMENTUM,
            **dict.fromkeys(("projector", "predictor"), recipes.LAPTOP_HEAD),
        }
    }
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="solo-learn's CIFAR-10 run; the first convolution pads 1 pixel (theirs: 2), the warm-up starts at "
                   "0 (theirs: 3e-5) and the target's cosine ends at 1 (theirs: a step later)",
            values={
                "method.momentum": {"start": 0.99, "schedule": "cosine"},
                "method.projector": {"hidden": [4096], "output": 256},
                "method.predictor": {"hidden": [4096], "output": 256},
                "encoder": recipes.CIFAR_RESNET18,
                **recipes.CIFAR_UNEQUAL_VIEWS,
                "optimiser": {"name": "lars", "lr": 1.0, "trust": 0.02, "weight_decay": 1e-5, "warmup_epochs": 10,
                              "norms": "summed", "clip": True},
                "batch": 256, "epochs": 1000,
            },
        ),
        "imagenet100": Preset(
            source="ours: the ImageNet recipe at batch 256 for 200 epochs",
            values={**_IMAGENET, "batch": 256, "epochs": 200},
        ),
        "imagenet": Preset(
            source="the authors' 100-epoch preset: momentum 0.99, rate 0.45, weight decay 1e-6; resizing is "
                   "antialiased, blur reflects at the border and colours are torchvision's (theirs: neither, and "
                   "TensorFlow's); the target's cosine ends at 1 (theirs: a step later)",
            values=_IMAGENET,
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """A predictor on the online side only, which keeps the two networks from collapsing."""
        return Assembly(
            views=self.views,
            online=(0, 1) if self.symmetric else (1,),
            target=(0, 1) if self.symmetric else (0,),
            projector=self.projector,
            predictor=self.predictor,
            momentum=self.momentum,
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return equation 2 of the paper, summed over the directions."""
        import torch

        found = [
            losses.byol(embeddings.online[online], embeddings.target[target])
            for online, target in directions(self.symmetric)
        ]
        return torch.stack(found).sum()

    def queries(self) -> Queries:
        """Return every view that the online network embeds."""
        return Queries(views=self.assembly.online)

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the distance of a mixture to both its images' targets, summed over directions as without mixtures."""
        one = losses.mixed_byol(step.online[mixture], step.target[1 - source], *step.mixed)
        return one * len(directions(self.symmetric))
