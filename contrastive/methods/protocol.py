"""The contract between a method and the model: what a method declares, and what it receives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from contrastive.encoder import Head
from contrastive.schedule import Momentum
from contrastive.views import ViewName

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from contrastive.views import Mixture

SMALL_CROPS = "inner.views: a mixture of a multi-crop's small crop shows neither source; give two views"
Gather = Callable[["Tensor"], "Tensor"]
"""Gathers the rows of a tensor from all processes, with gradient."""


@dataclass(frozen=True)
class Mixing:
    """Views that are replaced by mixtures of two images (BSIM), and how the mixtures are made."""

    sources: tuple[int, ...]
    """Views that are mixed; the mixture of the i-th source is view `len(views) + i`."""
    online: tuple[int, ...]
    """Views that the online network embeds in a step that mixes, mixtures among them."""
    kind: Literal["mixup", "cutmix", "both"]
    alpha: float
    per_sample: bool
    batches: float
    """Share of the batches that are mixed."""


@dataclass(frozen=True)
class Neighbours:
    """Views that show one of an image's nearest neighbours among the training images instead of the image."""

    count: int
    views: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """Parts from which the model of a method is assembled. Views are named by their position in `views`."""

    views: tuple[ViewName, ...]
    """The augmentation of each view of an image."""
    online: tuple[int, ...]
    """Views that the online network embeds."""
    target: tuple[int, ...] = ()
    """Views that the target network embeds; none when there is no target network."""
    together: bool = False
    """Whether a network takes its views of one size as one batch, with batch statistics over all of them."""
    projector: Head
    """The head on the encoder, in both networks."""
    second_projector: Head | None = None
    """Another head on the online encoder, beside the first."""
    predictor: Head | None = None
    """The head on the online projector."""
    momentum: Momentum | None = None
    """How the target network follows the online one; None when there is no target network."""
    queue: int = 0
    """Number of keys of earlier steps that are kept; 0 for none."""
    queued: tuple[int, ...] = ()
    """Views that enter the queue, in this order: their target embeddings, or without a target network what the
    online projector makes of them."""
    prototypes: int = 0
    """How many unit vectors, as wide as an embedding, are learned beside the network; 0 for none."""
    batch_norm_splits: int = 1
    """Number of parts of the batch with batch statistics of their own; the target's batch is shuffled before."""
    whole_online: bool = False
    """Whether the online encoder takes the statistics of the whole batch in spite of `batch_norm_splits`."""
    warmup_epochs: int = 0
    """Number of first epochs in which the views are `warmup_views`, without neighbours."""
    warmup_views: tuple[ViewName, ...] = ()
    neighbours: Neighbours | None = None
    mixing: Mixing | None = None
    changes: tuple[int, ...] = ()
    """Epochs (from 1) at whose start the loss itself changes."""
    smallest_batch: int = 2
    """Number of images that the loss needs at once, on all processes together."""

    def views_at(self, epoch: int) -> dict[int, ViewName]:
        """Return the augmentation of each view that is made in this epoch (from 1)."""
        if epoch <= self.warmup_epochs:
            return dict(enumerate(self.warmup_views))
        return dict(enumerate(self.views))


@dataclass(frozen=True)
class Batch:
    """One step's images of this process, and the draws for the whole batch of all processes."""

    views: Mapping[int, Tensor]
    """(N, 3, S, S) by position in `Assembly.views`."""
    step: int = 0
    epoch: int = 1
    mixture: Mixture | None = None
    """Mixtures of the whole batch; None in a step that does not mix."""
    shuffle: Tensor | None = None
    """Order in which the target network takes the whole batch; None leaves it as it is."""


@dataclass(frozen=True)
class Embeddings:
    """One step's embeddings of this process's share of the batch; keys are positions in `Assembly.views`."""

    online: Mapping[int, Tensor]
    """(N, D) after projector and predictor, with gradient."""
    target: Mapping[int, Tensor]
    """(N, D) of the target network, without gradient."""
    queue: Tensor | None
    """(K, D) unit rows of earlier steps, oldest overwritten first; None when the method keeps no queue."""
    projected: Mapping[int, Tensor] = field(default_factory=dict[int, "Tensor"])
    """(N, D) of the online network after the projector alone, with gradient."""
    prototypes: Tensor | None = None
    """(P, D) unit rows, with gradient; None when the method learns none."""
    second: Mapping[int, Tensor] = field(default_factory=dict[int, "Tensor"])
    """(N, E) after the second projector, with gradient; empty when there is none."""
    mixture: Mixture | None = None
    epoch: int = 1
    step: int = 0
    seed: int = 0
    """Of the run."""

    def gathered(self, gather: Gather, *views: int) -> list[Tensor]:
        """Return the online embeddings of these views, by default of all in their order, from all processes."""
        return [gather(self.online[view]) for view in views or sorted(self.online)]

    def generator(self) -> Generator:
        """What a loss draws from: of this step's own, on the CPU, the same on every process and at each call."""
        from contrastive.randomness import generator

        return generator(self.seed, "loss", self.step)


def directions(symmetric: bool) -> tuple[tuple[int, int], ...]:
    """Return pairs of an online view and the view that it looks for: both ways, or the first by the second alone."""
    return ((1, 0), (0, 1)) if symmetric else ((1, 0),)


class Method(Protocol):
    """Read-only view of a method's dataclass; the model is assembled from it."""

    @property
    def name(self) -> str:
        """Name that tells the method from the others."""
        ...

    @property
    def assembly(self) -> Assembly:
        """Networks, heads, queue and views."""
        ...

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return the scalar to minimise, whose mean over processes is the loss of the whole batch."""
        ...


@runtime_checkable
class Diagnosed(Protocol):
    """A method that reports more of a step than its loss."""

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """Names of the values that `diagnose` returns at every step."""
        ...

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Return scalars of the whole batch by name, without gradient; those of an epoch's last step are reported."""
        ...


@dataclass(frozen=True, kw_only=True)
class Queries:
    """The views of a method that may be mixed, and what their loss needs."""

    views: tuple[int, ...]
    """Views that look for their key, and so are mixed."""
    whole: tuple[int, ...] = ()
    """Views whose whole images the loss of a mixture takes from the online network."""
    smallest_batch: int = 2
    """Number of images that the loss of mixtures needs at once."""
    batch_keys: bool = False
    """Whether the batch's other keys can be negatives, too."""


@dataclass(frozen=True, kw_only=True)
class MixedStep:
    """A mixed step's embeddings of the batch of all processes, by view, and the partner and share of each mixture."""

    online: Mapping[int, Tensor]
    target: Mapping[int, Tensor]
    second: Mapping[int, Tensor]
    queue: Tensor | None
    epoch: int
    partner: Tensor
    """(N,) row of the other source of each mixture."""
    share: Tensor
    """(N,) share of a mixture's own image, from 0 to 1."""
    batch_keys: bool

    @property
    def mixed(self) -> tuple[Tensor, Tensor]:
        """Partner and share, which every loss of mixtures takes."""
        return self.partner, self.share


class Mixable(Method, Protocol):
    """A method whose queries may be mixtures of two images, as in `BSIM`."""

    def queries(self) -> Queries:
        """Return the views that may be mixed.

        Raises:
            ValueError: this configuration of the method allows no mixtures; names the field.
        """
        ...

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """Return the loss of view `mixture`, a mixture of view `source`, which must find both its images' keys."""
        ...
