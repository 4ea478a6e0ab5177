"""NNCLR (Dwibedi et al., ICCV 2021): an image's positive is its nearest neighbour among earlier images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, directions
from contrastive.recipes import (
    CIFAR_RESNET18,
    CIFAR_UNEQUAL_VIEWS,
    IMAGENET_RESNET18,
    IMAGENET_UNEQUAL_VIEWS,
    LAPTOP_HEAD,
    Preset,
)
from contrastive.types import Count, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


_SOLO: dict[str, Any] = {
    "method.temperature": 0.2, "method.queue": 65536,
    "method.projector": {"hidden": [2048, 2048], "output": 256, "output_batch_norm": True, "output_affine": "both"},
    "method.predictor": {"hidden": [4096], "output": 256},
    "optimiser": {"name": "lars", "lr": 0.4, "trust": 0.02, "weight_decay": 1e-5, "warmup_epochs": 10,
                  "norms": "summed", "clip": True},
    "batch": 256,
}  # fmt: skip


@configuration
class NNCLR:
    """The prediction from one view must be found by the nearest neighbour of the other in a queue of embeddings.

    One network and no slow target: the queue, the paper's support set, holds what the projector has made of the
    first views. Temperature, queue and heads are those of the ImageNet run as VISSL reproduces it.

    Paper: https://arxiv.org/abs/2104.14548

    Example:
        >>> import torch
        >>> from contrastive.methods import NNCLR
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=rows, projected={0: rows, 1: rows})
        >>> method = NNCLR(temperature=0.5)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.341
    """

    name: Literal["nnclr"] = "nnclr"
    temperature: Positive = 0.1
    swap: bool = True
    """Whether an embedding gives way to its nearest neighbour; False: it stands for itself, and there is no queue."""
    symmetric: bool = True
    """Whether either view's prediction is found by the other's neighbour; False: only that from the second view."""
    views: tuple[ViewName, ViewName] = ("strong", "second")
    queue: Count = 98304
    projector: Head = Head(hidden=(2048, 2048), output=256, output_batch_norm=True)
    predictor: Head | None = Head(hidden=(4096,), output=256)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "nnclr": {"queue": 512, "projector": LAPTOP_HEAD, "predictor": LAPTOP_HEAD}
    }
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="solo-learn's CIFAR-10 run; the first convolution pads 1 pixel (theirs: 2) and the warm-up starts "
                   "at 0 (theirs: 3e-5)",
            values={
                **_SOLO,
                "encoder": CIFAR_RESNET18,
                **CIFAR_UNEQUAL_VIEWS,
                "epochs": 1000,
            },
        ),
        "imagenet100": Preset(
            source="solo-learn's ImageNet-100 run; the warm-up starts at 0 (theirs: 3e-5), colours are torchvision's "
                   "(those of its DALI loader are one matrix)",
            values={
                **_SOLO,
                "encoder": IMAGENET_RESNET18,
                **IMAGENET_UNEQUAL_VIEWS,
                "epochs": 400,
            },
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """A predictor on the one network, and the embeddings of earlier first views."""
        return Assembly(
            views=self.views,
            online=(0, 1),
            projector=self.projector,
            predictor=self.predictor,
            queue=self.queue if self.swap else 0,
            queued=(0,) if self.swap else (),
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 3 of the paper, the mean over the pairs, on the batch of all processes."""
        import torch

        found: list[Tensor] = []
        for predicted, other in directions(self.symmetric):
            neighbour = embeddings.projected[other].detach()
            if embeddings.queue is not None:
                neighbour = losses.support_neighbours(neighbour, embeddings.queue)
            prediction = gather(embeddings.online[predicted])
            found.append(losses.nnclr(prediction, gather(neighbour), temperature=self.temperature))
        return torch.stack(found).mean()
