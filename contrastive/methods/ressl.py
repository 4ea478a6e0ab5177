"""ReSSL (Zheng et al., NeurIPS 2021): keep an image's relations to a queue under augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from contrastive import losses, recipes
from contrastive.encoder import Head
from contrastive.methods.protocol import SMALL_CROPS, Assembly, Embeddings, Gather, MixedStep, Queries
from contrastive.recipes import Preset
from contrastive.schedule import Momentum
from contrastive.types import Count, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET: dict[str, Any] = {
    "method.temperature": 0.1, "method.target_temperature": 0.04, "method.queue": 131072,
    "method.momentum": {"start": 0.999, "schedule": "constant"}, "method.batch_norm_splits": 8,
    "method.views": ["weak", "strong"],
    "method.projector": {"hidden": [4096], "output": 512, "batch_norm": False},
    "views.weak.size": 224, "views.weak.colour": "exact",
    "views.strong": {"size": 224, "blur": 0.5, "blur_kernel": 23, "colour": "exact"},
    "views.channels": recipes.IMAGENET_CHANNELS,
    "encoder": recipes.IMAGENET_RESNET50,
    "optimiser": {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4,
                  "decay_vectors": False, "warmup_epochs": 5, "warmup_reaches": "zero"},
    "batch": 256, "epochs": 200,
}  # fmt: skip


@configuration
class ReSSL:
    """Match of the online view's similarities to the queue with the weak target view's, sharpened.

    Temperatures are the authors' (0.1 and 0.04); the queue, momentum and head are for CIFAR.

    Paper: https://arxiv.org/abs/2107.09282

    Example:
        >>> import torch
        >>> from contrastive.methods import ReSSL
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={0: rows, 1: rows}, queue=-rows)
        >>> method = ReSSL(temperature=0.1)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        1.099
    """

    name: Literal["ressl"] = "ressl"
    temperature: Positive = 0.1
    target_temperature: Positive = 0.04
    views: Annotated[tuple[ViewName, ...], Field(min_length=2)] = ("weak", "strong")
    """The first goes to the target, the others to the online network."""
    queue: Count = 4096
    momentum: Momentum = Momentum(start=0.99)
    projector: Head = Head(hidden=(512,), output=128)
    batch_norm_splits: Count = 1
    """Number of parts of the batch with batch statistics of their own, the target's shuffled; 1: one for the batch."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"ressl": recipes.LAPTOP_QUEUE}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="solo-learn's temperatures, the authors' split batch norm, decay and views for small sets (blur "
                   "of 13 taps for Pillow's); rest ours",
            values={
                "method.temperature": 0.1, "method.target_temperature": 0.04, "method.queue": 4096,
                "method.momentum": {"start": 0.99, "schedule": "constant"}, "method.batch_norm_splits": 8,
                "method.views": ["weak", "strong"], "method.projector": {"hidden": [512], "output": 128},
                "views.strong": {"blur": 0.5, "blur_kernel": 13, "colour": "exact"},
                "views.weak.colour": "exact",
                "encoder": recipes.CIFAR_RESNET18, "views.channels": recipes.CIFAR_CHANNELS,
                "optimiser": {**recipes.CIFAR_SGD, "warmup_epochs": 5}, "batch": 256, "epochs": 200,
            },
        ),
        "imagenet100": Preset(
            source="ours: the ImageNet recipe; of ImageNet-100 the authors release none",
            values=_IMAGENET,
        ),
        "imagenet": Preset(
            source="the authors' ImageNet run, one crop; blur of 23 taps for Pillow's, and no vector decays (in "
                   "theirs the down-sampling layers' batch norm does)",
            values=_IMAGENET,
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """One weak view for the target, any number of strong ones for the online network."""
        return Assembly(
            views=self.views,
            online=tuple(range(1, len(self.views))),
            target=(0,),
            projector=self.projector,
            momentum=self.momentum,
            queue=self.queue,
            queued=(0,),
            batch_norm_splits=self.batch_norm_splits,
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return the mean over the online views; it is the relational term of SCE alone."""
        return losses.sce_crops(
            embeddings.online,
            embeddings.target,
            embeddings.queue,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
            weights=(0.0, 1.0, 0.0),
        )

    def queries(self) -> Queries:
        """Return the view that the online network embeds.

        Raises:
            ValueError: there are several.
        """
        if len(self.views) > 2:
            raise ValueError(SMALL_CROPS)
        return Queries(views=self.assembly.online)

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the cross-entropy of a mixture's relations with those of both its images."""
        assert step.queue is not None
        return losses.mixed_ressl(
            step.online[mixture],
            step.target[1 - source],
            step.queue,
            *step.mixed,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )
