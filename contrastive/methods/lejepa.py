"""LeJEPA (Balestriero & LeCun 2025): views near their mean, embeddings distributed as an isotropic Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather
from contrastive.recipes import IMAGENET_CHANNELS, LAPTOP_HEAD, Preset
from contrastive.types import Count, Fraction, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class LeJEPA:
    """Predicts each view by the mean of the global ones, and tests embeddings for normality along random directions.

    That test, SIGReg, is all that keeps embeddings apart: no negatives, no predictor, no slow target, no stopped
    gradient. Directions are drawn anew at each step. Defaults are those of the paper, the head that of the authors'
    example.

    Paper: https://arxiv.org/abs/2511.08544

    Example:
        >>> import torch
        >>> from contrastive.methods import LeJEPA
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.zeros(64, 4)  # collapsed
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = LeJEPA(regularisation_weight=0.5, local_views=())
        >>> round(method.loss(step, lambda rows: rows).item(), 1)
        13.1
    """

    name: Literal["lejepa"] = "lejepa"
    regularisation_weight: Fraction = 0.05
    """Of the test; the rest is the prediction's: the paper's lambda."""
    slices: Count = 1024
    """Directions of a step."""
    limit: Positive = 5.0
    """Highest frequency of the characteristic function."""
    points: Annotated[int, Field(ge=2)] = 9
    """Frequencies from 0 to the limit; the paper's 17 go from -5 to 5."""
    views: Annotated[tuple[ViewName, ...], Field(min_length=1)] = ("strong", "strong")
    """The global ones, whose mean is predicted."""
    local_views: tuple[ViewName, ...] = ("local",) * 6
    projector: Head = Head(hidden=(2048, 2048), output=16)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        "lejepa": {"projector": LAPTOP_HEAD, "local_views": (), "slices": 256}
    }
    presets: ClassVar[dict[str, Preset]] = {
        "imagenette": Preset(
            source="the authors' minimal example, a ViT-S/8 by timm on ImageNette at 128 pixels: the projector is on "
                   "timm's own features (theirs: on 512 linear ones), without stochastic depth (theirs: 0.1), the "
                   "warm-up starts at 0 (theirs: a hundredth) and the cosine ends there (theirs: at half the peak), "
                   "and batch statistics are those of a view (theirs: of all)",
            values={
                "method.regularisation_weight": 0.02, "method.slices": 256, "method.limit": 3.0,
                "method.points": 17, "method.views": ["strong"] * 4, "method.local_views": [],
                "method.projector": {"hidden": [2048, 2048], "output": 16},
                "encoder": {"name": "timm", "model": "vit_small_patch8_224", "image_size": 128},
                "views.strong": {"size": 128, "crop_scale": [0.08, 1.0], "brightness": 0.8, "contrast": 0.8,
                                 "saturation": 0.8, "hue": 0.2, "blur": 0.5, "blur_kernel": 7, "solarise": 0.1,
                                 "colour": "exact"},
                "views.channels": IMAGENET_CHANNELS,
                "optimiser": {"name": "adamw", "lr": 2e-3, "lr_scaling": "none", "weight_decay": 0.05,
                              "decay_vectors": True, "warmup_epochs": 1, "warmup_reaches": "zero"},
                "batch": 256, "epochs": 800,
            },
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if len(self.views) + len(self.local_views) < 2:
            raise ValueError(
                "views and local_views: one view in all, which is its own prediction; give another to either"
            )

    @property
    def assembly(self) -> Assembly:
        """One network sees all views."""
        views = (*self.views, *self.local_views)
        return Assembly(views=views, online=tuple(range(len(views))), projector=self.projector)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Prediction and test on the batch of all processes, along this step's directions."""
        import torch

        rows = torch.stack(embeddings.gathered(gather))
        return losses.lejepa(
            rows,
            self._directions(embeddings, rows),
            regularisation_weight=self.regularisation_weight,
            global_views=len(self.views),
            limit=self.limit,
            points=self.points,
        )

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The test's value by itself, and the embedding's spectrum, in a number."""
        return ("lejepa_sigreg", "lejepa_rank")

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Of the first view: about 1 and many directions for a normal sample, more and few where it collapses."""
        import torch

        from contrastive.evaluate.collapse import effective_rank

        rows = gather(embeddings.online[0])
        directions = self._directions(embeddings, rows)
        found = losses.sigreg(rows[None], directions, limit=self.limit, points=self.points)
        return {"lejepa_sigreg": found, "lejepa_rank": torch.tensor(effective_rank(rows))}

    def _directions(self, embeddings: Embeddings, like: Tensor) -> Tensor:
        """Evenly over the sphere."""
        import torch

        drawn = torch.randn(
            self.slices, like.shape[-1], generator=embeddings.generator(), dtype=torch.float64
        )
        return drawn.to(like.device, like.dtype)
