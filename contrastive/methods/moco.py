"""MoCo v2 (He et al., CVPR 2020; Chen et al. 2020): find the key of a slowly moving network among a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses, recipes
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Queries, directions
from contrastive.recipes import Preset
from contrastive.schedule import Momentum
from contrastive.types import Count, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET: dict[str, Any] = {
    "method.temperature": 0.2, "method.queue": 65536, "method.symmetric": False,
    "method.momentum": {"start": 0.999, "schedule": "constant"}, "method.batch_norm_splits": 8,
    "method.projector": {"hidden": [2048], "output": 128, "batch_norm": False},
    "method.predictor": None, **recipes.IMAGENET_MOCO,
}  # fmt: skip


@configuration
class MoCo:
    """InfoNCE of one view's query against the other view's key and a queue of earlier keys.

    Temperature, queue and momentum are those of the authors' CIFAR-10 demonstration.

    Paper: https://arxiv.org/abs/1911.05722, version 2: https://arxiv.org/abs/2003.04297

    Example:
        >>> import torch
        >>> from contrastive.methods import MoCo
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={0: rows, 1: rows}, queue=-rows)
        >>> method = MoCo(temperature=0.2)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        0.02
    """

    name: Literal["moco"] = "moco"
    temperature: Positive = 0.1
    symmetric: bool = False
    """Whether each view is query once and key once; the losses are averaged (the authors' demonstration sums them,
    which is twice the learning rate and half the decay)."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    """Asymmetric: the first goes to the target, the second to the online network."""
    queue: Count = 4096
    momentum: Momentum = Momentum(start=0.99)
    projector: Head = Head(hidden=(512,), output=128, batch_norm=False)
    predictor: Head | None = None
    batch_norm_splits: Count = 1
    """Number of parts of the batch with batch statistics of their own, the target's shuffled; 1: one for the batch."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"moco": recipes.LAPTOP_QUEUE}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the authors' CIFAR-10 demonstration (8 batch-norm splits, asymmetric, linear head; symmetric, "
                   "theirs sums both directions and ours is their mean)",
            values={
                "method.temperature": 0.1, "method.queue": 4096, "method.symmetric": False,
                "method.momentum": {"start": 0.99, "schedule": "constant"}, "method.batch_norm_splits": 8,
                "method.projector": {"hidden": [], "output": 128}, "method.predictor": None,
                "encoder": recipes.CIFAR_RESNET18, "views.channels": recipes.CIFAR_CHANNELS,
                "views.strong": {"crop_scale": [0.08, 1.0], "colour": "exact"},
                "optimiser": {"name": "sgd", "lr": 0.03, "momentum": 0.9, "weight_decay": 5e-4,
                              "warmup_epochs": 0, "cosine_by": "epoch_end"},
                "batch": 512, "epochs": 200,
            },
        ),
        "imagenet100": Preset(
            source="ours: the ImageNet recipe; of ImageNet-100 the authors release none",
            values=_IMAGENET,
        ),
        "imagenet": Preset(
            source="Chen et al. 2020, MoCo v2, 200 epochs (splits: the authors' 8 GPUs); blur of 23 taps for Pillow's",
            values=_IMAGENET,
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """A target network and a queue of its earlier keys."""
        both = (0, 1)
        return Assembly(
            views=self.views,
            online=both if self.symmetric else (1,),
            target=both if self.symmetric else (0,),
            projector=self.projector,
            predictor=self.predictor,
            momentum=self.momentum,
            queue=self.queue,
            queued=both if self.symmetric else (0,),
            batch_norm_splits=self.batch_norm_splits,
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return equation 1 of the paper, the mean over the pairs; the queue is shared, so own rows are enough."""
        import torch

        assert embeddings.queue is not None
        found = [
            losses.info_nce(
                embeddings.online[online],
                embeddings.target[target],
                embeddings.queue,
                temperature=self.temperature,
            )
            for online, target in directions(self.symmetric)
        ]
        return torch.stack(found).mean()

    def queries(self) -> Queries:
        """Return every view that the online network embeds."""
        return Queries(views=self.assembly.online, batch_keys=True)

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return InfoNCE of a mixture with both its images' keys."""
        return losses.mixed_info_nce(
            step.online[mixture],
            step.target[1 - source],
            step.queue,
            *step.mixed,
            temperature=self.temperature,
            batch_keys=step.batch_keys,
        )
