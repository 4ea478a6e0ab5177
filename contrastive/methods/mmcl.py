"""MMCL, max-margin contrastive learning (Shah et al., AAAI 2022): a support vector machine for every anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.mmcl_recipes import PRESETS
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Queries
from contrastive.recipes import LAPTOP_HEAD, Preset
from contrastive.schedule import Momentum
from contrastive.types import Count, Natural, Positive, configuration
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Tensor

DIAGNOSED = ("margin", "share_zero", "share_at_penalty", "kkt_residual")
"""Fields of `contrastive.losses.mmcl_duals.MMCLDiagnostics`."""


@configuration
class MMCL:
    """Support vector machines that part each anchor from its view's other images, read at the anchor's other view.

    `penalty` is the box on the dual variables (None: no box), `regularisation` the price of squared slack,
    `bandwidth` the width of the kernel; what they do to the margin stands in `contrastive.losses.mmcl`.
    Kernel, bandwidth and regularisation are those of the authors' ImageNet runs; they solve by projected
    gradient descent from a random start, we exactly.

    Paper: https://arxiv.org/abs/2112.11450

    Example:
        >>> import torch
        >>> from contrastive.methods import MMCL
        >>> from contrastive.methods.protocol import Embeddings
        >>> rows = torch.eye(4)
        >>> step = Embeddings(online={0: rows, 1: rows}, target={}, queue=None)
        >>> method = MMCL(kernel="linear")
        >>> round(method.loss(step, lambda rows: rows).item(), 3)
        -1.463
    """

    name: Literal["mmcl"] = "mmcl"
    kernel: Literal["rbf", "linear", "tanh", "polynomial", "min"] = "rbf"
    bandwidth: Positive = 10.0
    """Divisor of the squared distance (rbf) or factor of the cosine (tanh); the other kernels have none."""
    bandwidth_drops: tuple[Count, ...] = ()
    """Epochs at whose start the bandwidth falls to a tenth (the authors on CIFAR: 75, 125)."""
    regularisation: Positive = 0.1
    penalty: Positive | None = None
    solver: Literal["exact", "inverse", "projected_gradient"] = "exact"
    normalised_step: bool = True
    """Whether projected gradient descent steps by 1 over the norm of each anchor's matrix, instead of by 0.001."""
    symmetric: bool = False
    """Whether machines are built on both views; the authors build them on the first alone."""
    unit_diagonal: bool = False
    """Whether 1 stands for k(x, x) whatever the kernel, as in the authors' code."""
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    queue: Natural = 0
    """Number of earlier keys of a target network used as negatives; 0: the batch is used. An extension."""
    momentum: Momentum = Momentum(start=0.99)
    """Momentum of the target network; without a queue there is none."""
    projector: Head = Head(hidden=(512,), output=128)
    views_together: bool = False
    """Whether both views are one batch to the network, with batch statistics over both."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"mmcl": {"projector": LAPTOP_HEAD, "symmetric": True}}
    presets: ClassVar[dict[str, Preset]] = PRESETS

    def __post_init__(self) -> None:
        definite = self.kernel in ("rbf", "linear") or (
            self.kernel in ("polynomial", "min") and not self.unit_diagonal
        )
        if self.solver == "exact" and not definite:
            what = "is not positive definite" if self.kernel == "tanh" else "with k(x, x) taken for 1 is not"
            raise ValueError(
                f"kernel '{self.kernel}' {what}, so its machines have no exact solution; take 'rbf', 'linear', "
                "'polynomial' or 'min' with unit_diagonal=False, or solver 'projected_gradient' as published"
            )
        if self.solver == "inverse" and self.kernel == "tanh" and not self.unit_diagonal:
            raise ValueError(
                "kernel 'tanh' is not positive definite, so the inverse solver may find no inverse; set "
                "unit_diagonal to true as published, or take solver 'projected_gradient'"
            )
        if self.queue and (self.symmetric or self.unit_diagonal or self.solver == "projected_gradient"):
            raise ValueError(
                "a queue goes with the solvers 'exact' and 'inverse', symmetric=False and unit_diagonal=False; "
                "change these or set queue to 0"
            )
        if self.queue and self.views_together:
            raise ValueError(
                "with a queue each view has a network of its own, so that views_together joins nothing; set it to "
                "false, or queue to 0"
            )

    @property
    def assembly(self) -> Assembly:
        """One network; with a queue, a target network whose keys are anchors and negatives."""
        if not self.queue:
            return Assembly(
                views=self.views,
                online=(0, 1),
                projector=self.projector,
                changes=self.bandwidth_drops,
                together=self.views_together,
            )
        return Assembly(
            views=self.views,
            changes=self.bandwidth_drops,
            online=(1,),
            target=(0,),
            projector=self.projector,
            momentum=self.momentum,
            queue=self.queue,
            queued=(0,),
        )

    def bandwidth_at(self, epoch: int) -> float:
        """Return the bandwidth in force in this epoch (from 1)."""
        return self.bandwidth / 10 ** sum(epoch >= drop for drop in self.bandwidth_drops)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return the negated decision values of the anchors' other views, on the whole batch or the queue."""
        if embeddings.queue is not None:
            assert self.solver != "projected_gradient"
            return losses.mmcl_queue(
                embeddings.online[1],
                embeddings.target[0],
                embeddings.queue,
                kernel=self.kernel,
                bandwidth=self.bandwidth_at(embeddings.epoch),
                regularisation=self.regularisation,
                penalty=self.penalty,
                solver=self.solver,
            )
        first, second = embeddings.gathered(gather, 0, 1)
        return losses.mmcl(first, second, symmetric=self.symmetric, **self.machine(embeddings.epoch))

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """Names of the diagnostics; none with a queue."""
        return () if self.queue else tuple(f"mmcl_{name}" for name in DIAGNOSED)

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Return margin, shares of dual variables at 0 and at the penalty, and their distance from the optimum."""
        if embeddings.queue is not None or 0 not in embeddings.online:
            return {}
        found = losses.mmcl_diagnostics(gather(embeddings.online[0]), **self.machine(embeddings.epoch))
        return {f"mmcl_{name}": value for name, value in found._asdict().items()}

    def machine(self, epoch: int) -> dict[str, Any]:
        """Return the options by which machines are built and solved in this epoch."""
        from contrastive.losses.support_vectors import ProjectedGradient

        return {
            "kernel": self.kernel,
            "bandwidth": self.bandwidth_at(epoch),
            "regularisation": self.regularisation,
            "penalty": self.penalty,
            "solver": self.solver,
            "unit_diagonal": self.unit_diagonal,
            "projected_gradient": ProjectedGradient(normalised_step=self.normalised_step),
        }

    def queries(self) -> Queries:
        """Return the views at which machines are read.

        Raises:
            ValueError: the machines are built on a queue.
        """
        if self.queue:
            raise ValueError(
                "inner.queue: a mixture is read by both sources' machines, built on the batch; set it to 0"
            )
        views, whole = ((1, 0), (0, 1)) if self.symmetric else ((1,), (0,))
        return Queries(views=views, whole=whole)

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the negated decision values of a mixture under both its images' machines."""
        view, key = step.online[mixture], step.online[1 - source]
        return losses.mixed_mmcl(view, key, *step.mixed, **self.machine(step.epoch))
