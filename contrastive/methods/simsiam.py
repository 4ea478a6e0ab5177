"""SimSiam (Chen & He, CVPR 2021): predict the same network's view of the image, whose gradient is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, directions
from contrastive.recipes import (
    CIFAR_CHANNELS,
    CIFAR_RESNET18,
    IMAGENET_CHANNELS,
    IMAGENET_RESNET50,
    Preset,
)
from contrastive.types import configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class SimSiam:
    """The predictor on one view must point where the projector puts the other; no negatives, no slow target.

    BYOL with a target that does not lag, but for the scale of its loss. Heads are those of the authors' ImageNet
    run: a projector of three layers, normalised to the end, and a predictor with a bottleneck.

    Paper: https://arxiv.org/abs/2011.10566

    Example:
        >>> import torch
        >>> from contrastive.methods import SimSiam
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> views = {0: rows, 1: rows}
        >>> step = Embeddings(online=views, projected=views, target={}, queue=None)
        >>> method = SimSiam()
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        -1.0
    """

    name: Literal["simsiam"] = "simsiam"
    symmetric: bool = True
    """Whether each view is predicted once, the losses averaged; False: only the first, from the second."""
    stop_gradient: bool = True
    """False: gradient reaches what is predicted, too, and the network collapses."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(2048, 2048), output=2048, output_batch_norm=True)
    predictor: Head | None = Head(hidden=(512,), output=2048)
    """None: the network has none, and collapses."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "simsiam": {
            "projector": Head(hidden=(256,), output=64, output_batch_norm=True),
            "predictor": Head(hidden=(16,), output=64),
        }
    }
    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the paper's appendix on CIFAR-10: SGD at 0.03 for batch 256, 800 epochs of batches of 512, two "
                   "layers in the projector, no blur; the predictor's width and standardisation, which it leaves open, "
                   "as on ImageNet and in MoCo's demonstration",
            values={
                "method.symmetric": True, "method.stop_gradient": True, "method.views": ["strong", "strong"],
                "method.projector": {"hidden": [2048], "output": 2048, "output_batch_norm": True},
                "method.predictor": {"hidden": [512], "output": 2048},
                "encoder": {**CIFAR_RESNET18, "zero_init_residual": True},
                "views.strong": {"colour": "exact"}, "views.channels": CIFAR_CHANNELS,
                "optimiser": {"name": "sgd", "lr": 0.03, "momentum": 0.9, "weight_decay": 5e-4,
                              "warmup_epochs": 0},
                "batch": 512, "epochs": 800,
            },
        ),
        "imagenet": Preset(
            source="the authors' code: SGD at 0.05 for batch 256, batch 512, 100 epochs; the predictor's rate follows "
                   "the cosine, too (theirs, with --fix-pred-lr, stays), blur of 23 taps for Pillow's",
            values={
                "method.symmetric": True, "method.stop_gradient": True, "method.views": ["strong", "strong"],
                "method.projector": {"hidden": [2048, 2048], "output": 2048, "output_batch_norm": True},
                "method.predictor": {"hidden": [512], "output": 2048},
                "encoder": {**IMAGENET_RESNET50, "zero_init_residual": True},
                "views.strong": {"size": 224, "blur": 0.5, "blur_kernel": 23, "colour": "exact"},
                "views.channels": IMAGENET_CHANNELS,
                "optimiser": {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4,
                              "warmup_epochs": 0, "cosine_by": "epoch"},
                "batch": 512, "epochs": 100,
            },
        ),
    }  # fmt: skip

    @property
    def assembly(self) -> Assembly:
        """One network and its predictor."""
        return Assembly(views=self.views, online=(0, 1), projector=self.projector, predictor=self.predictor)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 4 of the paper, the mean over the directions; images do not depend on one another."""
        import torch

        found = [
            losses.simsiam(
                embeddings.online[view], embeddings.projected[other], stop_gradient=self.stop_gradient
            )
            for view, other in directions(self.symmetric)
        ]
        return torch.stack(found).mean()

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The paper's sign of collapse."""
        return ("simsiam_spread",)

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """How far the first view's projections are spread over the sphere: 1 in all directions, 0 collapsed."""
        from contrastive.evaluate.collapse import spread

        return {"simsiam_spread": spread(gather(embeddings.projected[0]))}
