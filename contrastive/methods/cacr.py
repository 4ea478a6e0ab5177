"""CACR, contrastive attraction and contrastive repulsion (Zheng et al., TMLR 2023): far positives, near negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.cacr_recipes import PRESETS
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Queries
from contrastive.recipes import LAPTOP_HEAD, Preset
from contrastive.schedule import Momentum
from contrastive.types import Count, Natural, NonNegative, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class CACR:
    """Attraction to an image's other views, most to the farthest, and repulsion from other images, most from near ones.

    Three published forms: in the batch (no momentum); against a queue (momentum and queue, the MoCo v2
    form); and, with momentum and no queue, InfoNCE re-weighted over the query views (the MoCo v3 form, where
    `attraction_temperature` is the temperature and the other weights and temperatures have no part).
    Temperatures, weights and positives are those of the authors' CIFAR-10 run.

    Paper: https://arxiv.org/abs/2105.03746

    Example:
        >>> import torch
        >>> from contrastive.methods import CACR
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = CACR(positives=1)
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        -2.0
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
    """Number of views beside the query's own."""
    view: ViewName = "strong"
    second_view: ViewName | None = None
    """Augmentation of the second full-size view if it differs, as in MoCo v3."""
    local_views: tuple[ViewName, ...] = ()
    """Smaller crops: views like the others in the batch form, queries alone in the other two."""
    momentum: Momentum | None = None
    queue: Natural = 0
    projector: Head = Head(hidden=(512,), output=128)
    predictor: Head | None = None
    batch_norm_splits: Count = 1
    """Number of parts of the batch with batch statistics of their own, the target's shuffled; 1: one for the batch."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"cacr": {"projector": LAPTOP_HEAD, "positives": 2}}
    presets: ClassVar[dict[str, Preset]] = PRESETS

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
        """The published form that momentum and queue select."""
        if self.momentum is None:
            return "batch"
        return "queue" if self.queue else "reweighted"

    @property
    def forces(self) -> dict[str, Any]:
        """Weights and temperatures of attraction and repulsion."""
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
        """Return the loss of the form that momentum and queue select."""
        import torch

        queries = embeddings.gathered(gather)
        if self.form == "batch":
            return losses.cacr(
                torch.stack(queries), cost=self.cost, detach_weights=self.detach_weights, **self.forces
            )
        keys = [gather(rows) for _, rows in sorted(embeddings.target.items())]
        if embeddings.queue is None:
            return self._reweighted(queries, keys)
        return losses.cacr_queue(torch.stack(queries), torch.stack(keys), embeddings.queue, **self.forces)

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """Names of the diagnostics; none but in the batch form."""
        return tuple(f"cacr_{n}_entropy" for n in ("attraction", "repulsion")) if self.form == "batch" else ()

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Return the entropy of the batch form's weights, which tells how far from equal they are."""
        import torch

        if self.form != "batch" or 0 not in embeddings.online:
            return {}
        found = losses.cacr_weight_entropy(
            torch.stack(embeddings.gathered(gather)),
            attraction_temperature=self.attraction_temperature,
            repulsion_temperature=self.repulsion_temperature,
            variant=self.variant,
        )
        return {f"cacr_{name}_entropy": value for name, value in found._asdict().items()}

    def _reweighted(self, queries: list[Tensor], keys: list[Tensor]) -> Tensor:
        import torch

        found = [
            losses.cacr_reweighted(
                torch.stack([query for other, query in enumerate(queries) if other != view]),
                key,
                temperature=self.attraction_temperature,
                cost=self.cost,
            )
            for view, key in enumerate(keys)
        ]
        return torch.stack(found).mean()

    def queries(self) -> Queries:
        """Return the first view; the others stay whole.

        Raises:
            ValueError: it is not the batch form, has another cost, or smaller crops.
        """
        if self.form != "batch":
            raise ValueError(
                "inner.momentum: mixtures are repelled from the batch without their two sources, which is defined "
                "for CACR's batch form; leave out momentum and queue"
            )
        if self.cost != "euclidean":
            raise ValueError("inner.cost: mixtures are defined for CACR's cost 'euclidean'")
        if self.local_views:
            raise ValueError("inner.local_views: a mixture is of whole views; leave them out")
        return Queries(views=(0,), whole=tuple(range(1, 1 + self.positives)), smallest_batch=3)

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the loss of a mixture, attracted to both its images and repelled from the others."""
        import torch

        rest = [rows for position, rows in sorted(step.online.items()) if 0 < position < mixture]
        return losses.mixed_cacr(
            step.online[mixture],
            torch.stack(rest),
            rest[0],
            *step.mixed,
            detach_weights=self.detach_weights,
            **self.forces,
        )
