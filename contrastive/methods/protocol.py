"""The contract between a method's file and the model: what a method declares, and what it is given."""

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
"""All processes' rows of a tensor, with gradient."""


@dataclass(frozen=True)
class Mixing:
    """The views that are replaced by a mixture of two images (BSIM), and how it is made."""

    sources: tuple[int, ...]
    """Views that are mixed; the mixture of the i-th of them is view `len(views) + i`."""
    online: tuple[int, ...]
    """Views, mixtures among them, that the online network embeds in a step that mixes."""
    kind: Literal["mixup", "cutmix", "both"]
    alpha: float
    per_sample: bool
    batches: float
    """Share of the batches that are mixed."""


@dataclass(frozen=True)
class Neighbours:
    """Views made not of the image itself but of one of its nearest neighbours among the training images."""

    count: int
    views: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """What the model of a method is assembled from. Views are named by their position in `views`."""

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
    """How many keys of earlier steps are kept; 0 for none."""
    queued: tuple[int, ...] = ()
    """Views that enter the queue, in this order: their target embeddings, or without a target network what the
    online projector makes of them."""
    prototypes: int = 0
    """How many unit vectors, as wide as an embedding, are learned beside the network; 0 for none."""
    batch_norm_splits: int = 1
    """Into how many parts encoders cut the batch for their batch statistics; the target's is shuffled before."""
    whole_online: bool = False
    """Whether the online encoder's statistics are those of the whole batch all the same."""
    warmup_epochs: int = 0
    """For how many epochs the views are `warmup_views`, without neighbours."""
    warmup_views: tuple[ViewName, ...] = ()
    neighbours: Neighbours | None = None
    mixing: Mixing | None = None
    changes: tuple[int, ...] = ()
    """Epochs (from 1) from which on the loss itself is another."""
    smallest_batch: int = 2
    """Images that a loss needs at once, on all processes together."""

    def views_at(self, epoch: int) -> dict[int, ViewName]:
        """The augmentation of each view that is made in this epoch (from 1)."""
        if epoch <= self.warmup_epochs:
            return dict(enumerate(self.warmup_views))
        return dict(enumerate(self.views))


@dataclass(frozen=True)
class Batch:
    """One step's images of this process, and what is drawn for the whole batch of all processes."""

    views: Mapping[int, Tensor]
    """(N, 3, S, S) by position in `Assembly.views`."""
    step: int = 0
    epoch: int = 1
    mixture: Mixture | None = None
    """Of the whole batch; None in a step that does not mix."""
    shuffle: Tensor | None = None
    """Order in which the target network takes the whole batch; None: as it comes."""


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

    def generator(self) -> Generator:
        """What a loss draws from: of this step's own, on the CPU, the same on every process and at each call."""
        from contrastive.randomness import generator

        return generator(self.seed, "loss", self.step)


class Method(Protocol):
    """Read-only view of a method's dataclass; the model is assembled from it."""

    @property
    def name(self) -> str:
        """By which it is told from the others."""
        ...

    @property
    def assembly(self) -> Assembly:
        """Networks, heads, queue and views."""
        ...

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """The scalar to minimise, whose mean over processes is the loss of the whole batch."""
        ...


@runtime_checkable
class Diagnosed(Protocol):
    """A method that has more to say of a step than its loss."""

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The names of what it says, as far as it says it at every step."""
        ...

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Scalars by name, of the whole batch, without gradient; reported of the last step of each epoch."""
        ...


@dataclass(frozen=True, kw_only=True)
class Queries:
    """What may be mixed of a method's views."""

    views: tuple[int, ...]
    """Those that look for their key, and so are mixed."""
    whole: tuple[int, ...] = ()
    """Those whose whole images the loss of a mixture takes from the online network."""
    smallest_batch: int = 2
    """Images that the loss of mixtures needs at once."""
    batch_keys: bool = False
    """Whether the batch's other keys can be negatives, too."""


@dataclass(frozen=True, kw_only=True)
class MixedStep:
    """A mixed step's embeddings of the batch of all processes, by view, and what is mixed with what."""

    online: Mapping[int, Tensor]
    target: Mapping[int, Tensor]
    second: Mapping[int, Tensor]
    queue: Tensor | None
    epoch: int
    partner: Tensor
    """(N,) the other source of each mixture."""
    share: Tensor
    """(N,) how much of a mixture its own image is, from 0 to 1."""
    batch_keys: bool

    @property
    def mixed(self) -> tuple[Tensor, Tensor]:
        """What every loss of mixtures takes."""
        return self.partner, self.share


class Mixable(Method, Protocol):
    """A method whose queries may be mixtures of two images, as `BSIM` has them."""

    def queries(self) -> Queries:
        """Which views may be mixed.

        Raises:
            ValueError: none, as the method is configured; says why.
        """
        ...

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """The loss of view `mixture`, a mixture of view `source`, which must find both its images' keys."""
        ...
