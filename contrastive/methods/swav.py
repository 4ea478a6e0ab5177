"""SwAV (Caron et al., NeurIPS 2020): predict to which prototypes the image's other views are assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import (
    CIFAR_RESNET18,
    IMAGENET_CHANNELS,
    IMAGENET_RESNET50,
    LAPTOP_HEAD,
    Preset,
)
from contrastive.types import Count, Natural, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class SwAV:
    """Assigns full-size views to prototypes, shared out evenly over the batch; every other view predicts them.

    A batch with fewer images than prototypes is helped by a queue of earlier embeddings, one for all views (the
    authors' has one for each). Defaults are those of the authors' run of batches of 256.

    Paper: https://arxiv.org/abs/2006.09882

    Example:
        >>> import torch
        >>> from contrastive.methods import SwAV
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None, prototypes=rows)
        >>> method = SwAV(prototypes=4, local_views=())
        >>> round(method.loss(step, lambda rows: rows).item(), 4)
        0.0001
    """

    name: Literal["swav"] = "swav"
    temperature: Positive = 0.1
    epsilon: Positive = 0.05
    """How even codes are: small for one prototype an image."""
    iterations: Count = 3
    """Of Sinkhorn's algorithm."""
    prototypes: Annotated[int, Field(ge=2)] = 3000
    """As many as there are images in batch and queue together, at most."""
    frozen_epochs: Natural = 1
    """Number of first epochs in which the prototypes stay as they were drawn."""
    queue: Natural = 7680
    """Earlier embeddings that share the prototypes; 0 for a batch that is large enough by itself."""
    queue_after_epochs: Natural = 15
    """Number of first epochs in which the queue is filled and not used."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    local_views: tuple[ViewName, ...] = ("local",) * 6
    """Smaller crops, which predict and are not assigned."""
    projector: Head = Head(hidden=(2048,), output=128)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "swav": {
            "projector": LAPTOP_HEAD, "prototypes": 64, "queue": 512, "queue_after_epochs": 2, "local_views": (),
        }
    }  # fmt: skip
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="solo-learn's CIFAR-10 run; one queue, of as many steps, for both views (theirs: two), prototypes "
                   "of length 1 (theirs learn it), the first convolution pads 1 pixel (theirs: 2), the warm-up starts "
                   "at 0 (theirs: 3e-5), blur of 13 taps for Pillow's",
            values={
                "method.temperature": 0.1, "method.epsilon": 0.05, "method.iterations": 3,
                "method.prototypes": 3000, "method.frozen_epochs": 2, "method.queue": 7680,
                "method.queue_after_epochs": 50, "method.views": ["strong", "strong"], "method.local_views": [],
                "method.projector": {"hidden": [2048], "output": 128},
                "encoder": CIFAR_RESNET18,
                "views.strong": {"crop_scale": [0.08, 1.0], "interpolation": "bicubic", "brightness": 0.8,
                                 "contrast": 0.8, "saturation": 0.8, "hue": 0.2, "blur": 0.5, "blur_kernel": 13,
                                 "colour": "exact"},
                "views.channels": {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]},
                "optimiser": {"name": "lars", "lr": 0.6, "trust": 0.02, "weight_decay": 1e-6, "warmup_epochs": 10,
                              "norms": "summed", "clip": True},
                "batch": 256, "epochs": 1000,
            },
        ),
        "imagenet": Preset(
            source="the authors' 800-epoch run, 2 x 224 and 6 x 96, batch 4096; the warm-up starts at 0 (theirs: a "
                   "sixteenth of the peak), the cosine ends there (theirs: a thousandth), vectors neither decay nor "
                   "adapt (theirs do), and batch statistics are those of a view (theirs: of all of a size)",
            values={
                "method.temperature": 0.1, "method.epsilon": 0.05, "method.iterations": 3,
                "method.prototypes": 3000, "method.frozen_epochs": 1, "method.queue": 0,
                "method.views": ["strong", "strong"], "method.local_views": ["local"] * 6,
                "method.projector": {"hidden": [2048], "output": 128},
                "encoder": IMAGENET_RESNET50,
                **{f"views.{name}": {"size": size, "crop_scale": scale, "brightness": 0.8, "contrast": 0.8,
                                     "saturation": 0.8, "hue": 0.2, "blur": 0.5, "blur_kernel": 23,
                                     "colour": "exact"}
                   for name, size, scale in (("strong", 224, [0.14, 1.0]), ("local", 96, [0.05, 0.14]))},
                "views.channels": {**IMAGENET_CHANNELS, "std": [0.228, 0.224, 0.225]},
                "optimiser": {"name": "lars", "lr": 0.3, "weight_decay": 1e-6, "norms": "summed",
                              "warmup_epochs": 10},
                "batch": 4096, "epochs": 800,
            },
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """One network sees all views; there are prototypes beside it, and perhaps a queue of its own embeddings."""
        views = (*self.views, *self.local_views)
        return Assembly(
            views=views,
            online=tuple(range(len(views))),
            projector=self.projector,
            prototypes=self.prototypes,
            queue=self.queue,
            queued=(0, 1) if self.queue else (),
            # An even share of less than an image each is no assignment.
            smallest_batch=max(2, self.prototypes - self.queue),
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equations 1 and 2 of the paper on the batch of all processes."""
        import torch

        assert embeddings.prototypes is not None
        prototypes = embeddings.prototypes
        if embeddings.epoch <= self.frozen_epochs:
            # With a gradient of 0, for which several processes wait, where another would be missing.
            prototypes = prototypes.detach() + 0 * prototypes
        return losses.swav(
            torch.stack(embeddings.gathered(gather)),
            prototypes,
            embeddings.queue if embeddings.epoch > self.queue_after_epochs else None,
            temperature=self.temperature,
            epsilon=self.epsilon,
            iterations=self.iterations,
        )

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """How many prototypes are the nearest of some image."""
        return ("swav_prototypes_used",)

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Share of the prototypes that are the nearest of some image's first view; few where embeddings collapse."""
        assert embeddings.prototypes is not None
        nearest = (gather(embeddings.online[0]) @ embeddings.prototypes.T).argmax(1)
        return {
            "swav_prototypes_used": nearest.unique().numel()
            / embeddings.prototypes.new_tensor(self.prototypes)
        }
