"""SCE, similarity contrastive estimation (Denize et al., WACV 2023): contrast and relation in one target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from contrastive import losses, recipes
from contrastive.encoder import Head
from contrastive.methods.protocol import SMALL_CROPS, Assembly, Embeddings, Gather, MixedStep, Queries
from contrastive.recipes import Preset
from contrastive.schedule import Momentum
from contrastive.types import Count, Fraction, Natural, NonNegative, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET = {
    "method.coefficient": 0.5, "method.temperature": 0.1, "method.target_temperature": 0.07,
    "method.symmetric": True, "method.queue": 65536,
    "method.momentum": {"start": 0.99, "schedule": "cosine"}, "method.batch_norm_splits": 1,
    "method.predictor": {"hidden": [4096], "output": 256, "output_bias": False},
    "encoder": recipes.IMAGENET_RESNET50,
    **recipes.IMAGENET_BYOL_VIEWS,
    "batch": 4096,
}  # fmt: skip


@configuration
class SCE:
    """Match of one view's similarities with a target made of the positive and the other view's similarities.

    The target distribution gives `coefficient` to the positive and the rest to the negatives in proportion
    to their similarity to the target embedding, sharpened by `target_temperature`. Defaults are those of
    the authors' CIFAR-10 run, with the paper's masked positive.

    Paper: https://arxiv.org/abs/2111.14585

    Example:
        >>> import torch
        >>> from contrastive.methods import SCE
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={0: rows, 1: rows}, queue=-rows)
        >>> method = SCE(coefficient=0.5)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        5.0
    """

    name: Literal["sce"] = "sce"
    temperature: Positive = 0.1
    target_temperature: Positive = 0.05
    coefficient: Fraction = 0.5
    positive_in_target: Literal["masked", "zero_logit"] = "masked"
    """"masked" as the paper writes it; "zero_logit" as the authors' code runs it."""
    weights: tuple[NonNegative, NonNegative, NonNegative] | None = None
    """Weights of the contrastive, relational and ceiling terms; None: coefficient, 1 - coefficient, 1 - coefficient."""
    symmetric: bool = False
    views: Annotated[tuple[ViewName, ...], Field(min_length=2)] = ("weak", "strong")
    """Asymmetric: the first goes to the target, all others to the online network. Symmetric: the first two go
    to the target and all to the online network. Views beyond two make a multi-crop."""
    queue: Natural = 4096
    """0: the other keys of the batch are the negatives."""
    momentum: Momentum = Momentum(start=0.99)
    projector: Head = Head(hidden=(512,), output=128)
    predictor: Head | None = None
    batch_norm_splits: Count = 1
    """Number of parts of the shuffled batch with batch statistics of their own, in the target network alone as in
    the authors' code; 1: the statistics of the whole batch there, too."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"sce": recipes.LAPTOP_QUEUE}
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the authors' released CIFAR-10 run file, with the paper's masked target; blur of 13 taps for "
                   "Pillow's, and the target starts as a copy",
            values={
                "method.coefficient": 0.5, "method.temperature": 0.1, "method.target_temperature": 0.05,
                "method.queue": 4096, "method.momentum": {"start": 0.99, "schedule": "constant"},
                "method.symmetric": False, "method.views": ["weak", "strong"], "method.batch_norm_splits": 8,
                "method.projector": {"hidden": [512], "output": 128}, "method.predictor": None,
                "views.strong": {"crop_scale": [0.2, 1.0], "blur": 0.5, "blur_kernel": 13, "colour": "exact"},
                "views.weak.crop_scale": [0.2, 1.0], "views.weak.colour": "exact",
                "encoder": recipes.CIFAR_RESNET18, "views.channels": recipes.CIFAR_CHANNELS,
                "optimiser": {**recipes.CIFAR_SGD, "warmup_epochs": 5}, "batch": 256, "epochs": 200,
            },
        ),
        "imagenet": Preset(
            source="the authors' released ImageNet run file, 2 x 224, 200 epochs, with the paper's masked target; "
                   "colours are torchvision's (theirs: kornia's), the second view, too, is flipped, and the target "
                   "starts as a copy",
            values={
                **_IMAGENET,
                "method.views": ["strong", "second"],
                "method.projector": {"hidden": [2048, 2048], "output": 256, "output_batch_norm": True},
                "optimiser": {"name": "lars", "lr": 0.3, "weight_decay": 1e-6, "warmup_epochs": 10},
                "epochs": 200,
            },
        ),
        "imagenet-multicrop": Preset(
            source="the authors' released ImageNet run file, 2 x 224 and a crop each of 192, 160, 128, 96; masked; "
                   "colours are torchvision's (theirs: kornia's), and the target starts as a copy",
            values={
                **_IMAGENET,
                "method.views": ["strong", "second", "local_large", "local_medium", "local_small", "local"],
                "method.projector": {"hidden": [4096, 4096], "output": 256, "output_batch_norm": True},
                **{f"views.{name}": {"size": size, "crop_scale": scale, "saturation": 0.2, "blur": 0.5,
                                     "blur_kernel": 23, "solarise": 0.2, "colour": "exact"}
                   for name, size, scale in (("local_large", 192, [0.172, 0.86]),
                                             ("local_medium", 160, [0.143, 0.715]),
                                             ("local_small", 128, [0.114, 0.571]),
                                             ("local", 96, [0.086, 0.429]))},
                "optimiser": {"name": "lars", "lr": 0.3, "weight_decay": 1e-6, "warmup_epochs": 10},
                "epochs": 200,
            },
        ),
        "imagenet100": Preset(
            source="ours: the authors' ImageNet recipe at batch 256; of ImageNet-100 they release no run file",
            values={
                **_IMAGENET,
                "method.views": ["strong", "second"], "batch": 256, "epochs": 200,
                "method.projector": {"hidden": [2048, 2048], "output": 256, "output_batch_norm": True},
                "optimiser": {"name": "sgd", "lr": 0.3, "momentum": 0.9, "weight_decay": 1e-4,
                              "decay_vectors": False, "warmup_epochs": 10},
            },
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if self.positive_in_target == "zero_logit" and self.queue == 0:
            raise ValueError(
                "positive_in_target 'zero_logit' is defined on a queue, and queue is 0; "
                "set positive_in_target to 'masked' or give a queue"
            )
        if self.weights is not None and not any(self.weights):
            raise ValueError(
                "weights = (0, 0, 0) leaves no term of the loss; give one of them a weight above 0"
            )

    @property
    def assembly(self) -> Assembly:
        """A target network, its queue, and as many online views as there are."""
        first = 0 if self.symmetric else 1
        target = (0, 1) if self.symmetric else (0,)
        return Assembly(
            views=self.views,
            online=tuple(range(first, len(self.views))),
            target=target,
            projector=self.projector,
            predictor=self.predictor,
            momentum=self.momentum,
            queue=self.queue,
            queued=target if self.queue else (),
            batch_norm_splits=self.batch_norm_splits,
            whole_online=True,
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return the mean over the pairs of a target view and another online view."""
        online, target = embeddings.online, embeddings.target
        if embeddings.queue is None:
            # The negatives are the keys of the whole batch, so every process needs them all.
            online = {view: gather(rows) for view, rows in online.items()}
            target = {view: gather(rows) for view, rows in target.items()}
        rest = 1 - self.coefficient
        return losses.sce_crops(
            online,
            target,
            embeddings.queue,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
            positive_in_target=self.positive_in_target,
            weights=self.weights or (self.coefficient, rest, rest),
        )

    def queries(self) -> Queries:
        """Return every view that the online network embeds.

        Raises:
            ValueError: there are small crops, or weights of their own.
        """
        if len(self.views) > 2:
            raise ValueError(SMALL_CROPS)
        if self.weights is not None:
            raise ValueError(
                "inner.weights: mixtures are defined for SCE's own weighting; leave weights out, set coefficient"
            )
        return Queries(views=self.assembly.online)

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the loss of a mixture, whose target is that of both its images in proportion."""
        return losses.mixed_sce(
            step.online[mixture],
            step.target[1 - source],
            step.queue,
            *step.mixed,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
            coefficient=self.coefficient,
            positive_in_target=self.positive_in_target,
        )
