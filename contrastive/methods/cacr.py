"""CACR, contrastive attraction and contrastive repulsion (Zheng et al., TMLR 2023): far positives, near negatives."""

from typing import Any, ClassVar, Literal

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor

from contrastive.encoder import Head
from contrastive.losses import cacr, cacr_queue, cacr_reweighted, cacr_weight_entropy
from contrastive.losses.cacr import CACRWeightEntropy
from contrastive.methods.protocol import (
    CIFAR_CHANNELS,
    CIFAR_RESNET18,
    IMAGENET_CHANNELS,
    IMAGENET_RESNET50,
    Assembly,
    Embeddings,
    Gather,
    Preset,
)
from contrastive.optimiser import Momentum
from contrastive.types import STRICT, Count, Natural, NonNegative
from contrastive.views import ViewName

_SMALL: dict[str, Any] = {
    "method.attraction_temperature": 1.0,
    "method.positives": 4, "method.momentum": None, "method.queue": 0,
    "method.projector": {"hidden": [512], "output": 128},
    "views.strong": {"jitter": 1.0, "hue": 0.4, "colour": "exact"},
    "encoder": CIFAR_RESNET18,
    "optimiser": {"name": "sgd", "lr": 0.12, "momentum": 0.9, "weight_decay": 1e-4,
                  "schedule": "steps", "milestones": [155, 170, 185], "warmup_epochs": 0},
    "batch": 128, "epochs": 200,
}  # fmt: skip
_IMAGENET: dict[str, Any] = {
    "method.attraction_temperature": 1.0, "method.repulsion_temperature": 2.0,
    "method.attraction_weight": 1.0, "method.repulsion_weight": 1.0, "method.positives": 4,
    "method.momentum": {"start": 0.999, "schedule": "constant"}, "method.queue": 65536, "method.batch_norm_splits": 8,
    "method.projector": {"hidden": [2048], "output": 128, "batch_norm": False},
    "encoder": IMAGENET_RESNET50,
    "views.strong": {"size": 224, "blur": 0.5, "blur_kernel": 23, "colour": "exact"},
    "views.channels": IMAGENET_CHANNELS,
    "optimiser": {"name": "sgd", "lr": 0.03, "momentum": 0.9, "weight_decay": 1e-4,
                  "warmup_epochs": 0, "cosine_by": "epoch"},
    "batch": 256, "epochs": 200,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CACR:
    """Attracts a view to the image's other views, the farthest most, and repels it from other images, the nearest most.

    Three published forms: in the batch (no momentum); against a queue (momentum and queue, the MoCo v2
    form); and, with momentum and no queue, InfoNCE re-weighted over the query views (the MoCo v3 form, where
    `attraction_temperature` is the temperature and the other weights and temperatures have no part).
    Temperatures, weights and positives are those of the authors' CIFAR-10 run.
    """

    name: Literal["cacr"] = "cacr"
    attraction_temperature: NonNegative = 1.0
    repulsion_temperature: NonNegative = 0.9
    attraction_weight: NonNegative = 1.0
    repulsion_weight: NonNegative = 1.0
    cost: Literal["euclidean", "rbf"] = "euclidean"
    variant: Literal["full", "uniform_attraction", "uniform_repulsion", "uniform"] = "full"
    detach_weights: bool = False
    """Whether no gradient flows through the attraction and repulsion weights."""
    positives: Count = 4
    """Views beside the query's own."""
    view: ViewName = "strong"
    second_view: ViewName | None = None
    """Of the second of the full-size views, where it is another, as in MoCo v3."""
    local_views: tuple[ViewName, ...] = ()
    """Smaller crops: views like the others in the batch form, queries alone in the other two."""
    momentum: Momentum | None = None
    queue: Natural = 0
    projector: Head = Head(hidden=(512,), output=128)
    predictor: Head | None = None
    batch_norm_splits: Count = 1
    """Parts of the batch with batch statistics of their own, the target's shuffled; 1 with synchronised ones."""

    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the authors' CIFAR-10 run; encoder and head ours (theirs: an AlexNet-like one); an epoch's last "
                   "batch is dropped where it is smaller",
            values={**_SMALL, "method.repulsion_temperature": 0.9, "views.channels": CIFAR_CHANNELS},
        ),
        "cifar100": Preset(
            source="the authors' CIFAR-100 run; encoder and head ours (theirs: an AlexNet-like one); an epoch's last "
                   "batch is dropped where it is smaller",
            values={**_SMALL, "method.repulsion_temperature": 2.0,
                    "views.channels": {"mean": [0.5071, 0.4867, 0.4408], "std": [0.2675, 0.2565, 0.2761]}},
        ),
        "stl10": Preset(
            source="the authors' STL-10 run (64 pixels); encoder and head ours (theirs: an AlexNet-like one); an "
                   "epoch's last batch is dropped where it is smaller",
            values={**_SMALL, "method.repulsion_temperature": 2.0,
                    "views.strong": {**_SMALL["views.strong"], "size": 64, "crop_scale": [0.08, 1.0]},
                    "views.channels": {"mean": [0.44087801806139126, 0.42790631331699347, 0.3867879370752931],
                                       "std": [0.26826768628079806, 0.2610450402318512, 0.26866836876860795]}},
        ),
        "imagenet100": Preset(
            source="ours: the MoCo v2 form at ImageNet's settings; the authors release no ImageNet-100 run",
            values={**_IMAGENET, "epochs": 200},
        ),
        "imagenet": Preset(
            source="the authors' MoCo v2 form: 4 positives, repulsion temperature 2; each view has distances to the "
                   "queue of its own (theirs: the first's), blur of 23 taps for Pillow's",
            values=_IMAGENET,
        ),
        "imagenet-moco-v3": Preset(
            source="the authors' MoCo v3 form, the one of their headline results. With two views it is half of MoCo "
                   "v3's loss, and how their weights were made their release does not tell; the target's cosine ends "
                   "at 1 (theirs: a step later), blur of 23 taps for Pillow's",
            values={
                "method.attraction_temperature": 1.0, "method.cost": "rbf", "method.positives": 1,
                "method.momentum": {"start": 0.996, "schedule": "cosine"}, "method.queue": 0,
                "method.projector": {"hidden": [4096], "output": 256, "output_batch_norm": True},
                "method.predictor": {"hidden": [4096], "output": 256, "output_bias": False},
                "encoder": {**IMAGENET_RESNET50, "zero_init_residual": True},
                "method.second_view": "second",
                "views.strong": {"size": 224, "saturation": 0.2, "blur": 1.0, "blur_kernel": 23,
                                 "colour": "exact"},
                "views.second": {"size": 224, "saturation": 0.2, "blur": 0.1, "blur_kernel": 23,
                                 "solarise": 0.2, "colour": "exact"},
                "views.channels": IMAGENET_CHANNELS,
                "optimiser": {"name": "lars", "lr": 0.3, "weight_decay": 1.5e-6, "warmup_epochs": 10,
                              "warmup_reaches": "zero"},
                "batch": 4096, "epochs": 1000,
            },
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if self.queue and self.momentum is None:
            raise ValueError("a queue holds keys of a target network; give momentum, or set queue to 0")
        if self.predictor and self.momentum is None:
            raise ValueError("a predictor goes with a target network; give momentum, or leave predictor out")
        if self.batch_norm_splits > 1 and self.momentum is None:
            raise ValueError(
                "batch_norm_splits hide keys of a target network from its queries; give momentum, or set it to 1"
            )
        if not self.attraction_weight and not self.repulsion_weight:
            raise ValueError(
                "attraction_weight and repulsion_weight are both 0; give one of them a weight above 0"
            )
        if self.form == "queue" and self.cost != "euclidean":
            raise ValueError("the queue form has the cost 'euclidean' only; change cost or set queue to 0")
        ignored = (
            self.variant != "full" or self.detach_weights or self.repulsion_weight != self.attraction_weight
        )
        if self.form == "reweighted" and ignored:
            raise ValueError(
                "the re-weighted form has no variant, detach_weights or weights of its own; leave them as they are, "
                "or give a queue or leave out momentum"
            )
        if self.form == "reweighted" and self.attraction_temperature == 0:
            raise ValueError("the momentum form divides by attraction_temperature; give it a value above 0")

    @property
    def form(self) -> Literal["batch", "queue", "reweighted"]:
        """Which of the three published forms this is."""
        if self.momentum is None:
            return "batch"
        return "queue" if self.queue else "reweighted"

    @property
    def forces(self) -> dict[str, Any]:
        """How strongly, and with which preference, it attracts and repels."""
        return {
            "attraction_temperature": self.attraction_temperature,
            "repulsion_temperature": self.repulsion_temperature,
            "attraction_weight": self.attraction_weight,
            "repulsion_weight": self.repulsion_weight,
            "variant": self.variant,
        }

    @property
    def assembly(self) -> Assembly:
        """All views are queries; with a target network, the full-size ones are keys too."""
        count = 1 + self.positives
        full: list[ViewName] = [self.view for _ in range(count)]
        full[1] = self.second_view or self.view
        views = (*full, *self.local_views)
        return Assembly(
            views=views,
            online=tuple(range(len(views))),
            target=tuple(range(count)) if self.momentum else (),
            projector=self.projector,
            predictor=self.predictor,
            momentum=self.momentum,
            queue=self.queue,
            queued=(count - 1,) if self.queue else (),
            batch_norm_splits=self.batch_norm_splits,
        )

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """The form that momentum and queue make it."""
        queries = [gather(rows) for _, rows in sorted(embeddings.online.items())]
        if self.form == "batch":
            return cacr(
                torch.stack(queries), cost=self.cost, detach_weights=self.detach_weights, **self.forces
            )
        keys = [gather(rows) for _, rows in sorted(embeddings.target.items())]
        if embeddings.queue is None:
            return self._reweighted(queries, keys)
        return cacr_queue(torch.stack(queries), torch.stack(keys), embeddings.queue, **self.forces)

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """What `diagnose` tells; in the other forms nothing."""
        return tuple(f"cacr_{n}_entropy" for n in CACRWeightEntropy._fields) if self.form == "batch" else ()

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """How far from equal the weights of the batch form are."""
        if self.form != "batch" or 0 not in embeddings.online:
            return {}
        found = cacr_weight_entropy(
            torch.stack([gather(rows) for _, rows in sorted(embeddings.online.items())]),
            attraction_temperature=self.attraction_temperature,
            repulsion_temperature=self.repulsion_temperature,
            variant=self.variant,
        )
        return {f"cacr_{name}_entropy": value for name, value in found._asdict().items()}

    def _reweighted(self, queries: list[Tensor], keys: list[Tensor]) -> Tensor:
        losses = [
            cacr_reweighted(
                torch.stack([query for other, query in enumerate(queries) if other != view]),
                key,
                temperature=self.attraction_temperature,
                cost=self.cost,
            )
            for view, key in enumerate(keys)
        ]
        return torch.stack(losses).mean()
