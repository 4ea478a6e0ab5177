"""WCL, weakly supervised contrastive learning (Zheng et al., ICCV 2021): labels from the batch's neighbour graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses, recipes
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Neighbours, Queries
from contrastive.recipes import Preset
from contrastive.types import Count, Natural, NonNegative, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET: dict[str, Any] = {
    "method.temperature": 0.1, "method.warmup_epochs": 10, "method.neighbours": 0,
    "method.projector": {"hidden": [4096, 4096], "output": 256},
    "method.graph_projector": {"hidden": [4096, 4096], "output": 256},
    "encoder": recipes.IMAGENET_RESNET50,
    "views.gentle": {"size": 224, "blur": 0.5, "blur_kernel": 23, "colour": "exact"},
    "views.strong": {"size": 224, "crop_scale": [0.08, 1.0], **recipes.STRONG_COLOUR},
    "views.channels": recipes.IMAGENET_CHANNELS,
    "optimiser": {"name": "lars", "lr": 0.075, "lr_scaling": "sqrt", "weight_decay": 1e-6,
                  "warmup_epochs": 10, "warmup_reaches": "zero"},
    "batch": 4096, "epochs": 200,
}  # fmt: skip


@configuration
class WCL:
    """SimCLR on one head; on another, attraction of images joined in the nearest-neighbour graph of the batch.

    The graph of each view labels the other view. With `neighbours` k, low-resolution crops join as further
    anchors; how is not in the authors' release, and two readings fit what is known of it:

    "images": the crops show k-nearest neighbours of the image among all training images, by the features of
    the epoch before, and carry the image's weak label. "features": the crops show the image itself, and their
    positives are the k rows of the batch nearest to its full-size view.

    Temperature, warm-up and heads (the paper's 2048 hidden units) are the authors'; k is ours.

    Paper: https://arxiv.org/abs/2110.04770

    Example:
        >>> import torch
        >>> from contrastive.methods import WCL
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None, second={0: rows, 1: rows})
        >>> method = WCL(temperature=0.5)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        1.693
    """

    name: Literal["wcl"] = "wcl"
    temperature: Positive = 0.1
    graph_weight: NonNegative = 1.0
    """Weight of the weak labels' term, beside 1 for the instances' term."""
    swap: bool = True
    """Whether each view is labelled by the other's graph, not by its own."""
    separate_heads: bool = True
    """Whether the weak labels' term has a head of its own."""
    detach_keys: bool = True
    """Whether gradient reaches anchors alone, as in the authors' code."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    warmup_epochs: Natural = 10
    """Number of first epochs in which both views are `warmup_view`, without crops of neighbours."""
    warmup_view: ViewName = "gentle"
    neighbours: Natural = 0
    """Number k of neighbours; 0: no crops."""
    crops: Count = 4
    """Number of low-resolution crops of an image, if `neighbours` is above 0."""
    crop_view: ViewName = "local"
    crop_reading: Literal["images", "features"] = "images"
    projector: Head = Head(hidden=(2048, 2048), output=128)
    graph_projector: Head = Head(hidden=(2048, 2048), output=128)
    """Head of the weak labels' term, if it is separate."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "wcl": {"warmup_epochs": 2, **dict.fromkeys(("projector", "graph_projector"), recipes.LAPTOP_HEAD)}
    }
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="ours: SimCLR's CIFAR-10 recipe with the authors' temperature; they release no small set",
            values={
                "method.temperature": 0.1, "method.warmup_epochs": 10,
                "method.projector": {"hidden": [512, 512], "output": 128},
                "method.graph_projector": {"hidden": [512, 512], "output": 128},
                "encoder": recipes.CIFAR_RESNET18, **recipes.CIFAR_VIEWS,
                "optimiser": recipes.CIFAR_SGD, "batch": 256, "epochs": 200,
            },
        ),
        "imagenet100": Preset(
            source="ours: the ImageNet recipe at batch 256 for 200 epochs",
            values={**_IMAGENET, "batch": 256, "epochs": 200},
        ),
        "imagenet": Preset(
            source="the authors' released run: heads 4096 and 256, LARS at 0.075 sqrt(batch), 200 epochs; blur of 23 "
                   "taps for Pillow's, and no vector decays (in theirs the down-sampling layers' batch norm does)",
            values=_IMAGENET,
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """Two heads on one network, and after the warm-up the crops of neighbours."""
        count = self.crops if self.neighbours and self.graph_weight else 0
        crops = tuple(range(2, 2 + count))
        shown = Neighbours(self.neighbours, crops) if count and self.crop_reading == "images" else None
        return Assembly(
            views=(*self.views, *(self.crop_view for _ in range(count))),
            online=(0, 1, *crops),
            projector=self.projector,
            second_projector=self.graph_projector if self.separate_heads and self.graph_weight else None,
            warmup_epochs=self.warmup_epochs,
            warmup_views=(self.warmup_view, self.warmup_view),
            neighbours=shown,
            # In the other reading the k nearest are found in the batch.
            smallest_batch=max(2, self.neighbours if count and not shown else 2),
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return the terms of instances, weak labels and, after the warm-up, crops, on the batch of all processes."""
        import torch

        first, second = embeddings.gathered(gather, 0, 1)
        loss = losses.nt_xent(first, second, temperature=self.temperature)
        if not self.graph_weight:
            return loss
        graph = embeddings.second if self.separate_heads else embeddings.online
        rows = {view: gather(embedded) for view, embedded in sorted(graph.items())}
        labels = self.labels(rows)
        given: dict[str, Any] = {"temperature": self.temperature, "detach_keys": self.detach_keys}
        weak = [losses.supervised_contrast(rows[view], rows[view], labels[view], **given) for view in (0, 1)]
        # Each crop is compared with the embeddings of both full-size views.
        crops = [
            self._crop(rows[crop], rows[view], labels[view]) for crop in rows if crop > 1 for view in (0, 1)
        ]
        terms = [torch.stack(some).mean() for some in (weak, crops) if some]
        return loss + self.graph_weight * torch.stack(terms).sum()

    def labels(self, rows: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the weak labels for the anchors of each view."""
        own = losses.weak_labels(rows[0]), losses.weak_labels(rows[1])
        return (own[1], own[0]) if self.swap else own

    def _crop(self, crop: Tensor, keys: Tensor, labels: Tensor) -> Tensor:
        given: dict[str, Any] = {"temperature": self.temperature, "detach_keys": self.detach_keys}
        if self.crop_reading == "images":
            return losses.supervised_contrast(crop, keys, labels, anchor_labels=labels, **given)
        from contrastive.losses.rows import product, unit_rows

        unit = unit_rows(keys.detach())
        nearest = product(unit, unit.T).topk(self.neighbours, dim=1).indices
        return losses.neighbour_contrast(crop, keys, nearest, **given)

    def queries(self) -> Queries:
        """Return the first view; weak labels are those of whole images.

        Raises:
            ValueError: crops of neighbours carry one weak label, a mixture two.
        """
        if self.neighbours:
            raise ValueError(
                "inner.neighbours: crops of neighbours carry one weak label, a mixture two; set it to 0"
            )
        return Queries(views=(0,), whole=(0, 1))

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the loss of a mixture as an anchor among the whole images of its own view."""
        loss = losses.mixed_nt_xent(
            step.online[mixture], step.online[1], *step.mixed, temperature=self.temperature
        )
        if not self.graph_weight:
            return loss
        graph = step.second if self.separate_heads else step.online
        weak = losses.mixed_supervised_contrast(
            graph[mixture],
            graph[0],
            self.labels(graph)[0],
            *step.mixed,
            temperature=self.temperature,
            detach_keys=self.detach_keys,
        )
        return loss + self.graph_weight * weak
