"""What a method declares and what it is given: the contract between a method's file and the model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from contrastive.encoder import Head
from contrastive.optimiser import Momentum
from contrastive.views import ViewName

Gather = Callable[[Tensor], Tensor]
"""All processes' rows of a tensor, with gradient."""


@dataclass(frozen=True)
class Embeddings:
    """One step's embeddings of this process's share of the batch; keys are positions in `Method.views`."""

    online: dict[int, Tensor]
    """(N, D) after projector and predictor, with gradient."""
    target: dict[int, Tensor]
    """(N, D) of the target network, without gradient."""
    queue: Tensor | None
    """(K, D) unit rows of earlier steps, oldest overwritten first; None when the method keeps no queue."""


@dataclass(frozen=True)
class Preset:
    """A published recipe: values for paths of a trial, and where they come from."""

    source: str
    values: dict[str, object]


class Method(Protocol):
    """Read-only view of a method's dataclass; the model is assembled from it."""

    @property
    def views(self) -> tuple[ViewName, ...]:
        """The augmentation of each view of an image."""
        ...

    @property
    def projector(self) -> Head:
        """The head on the encoder, in both networks."""
        ...

    @property
    def predictor(self) -> Head | None:
        """The head on the online projector, if there is one."""
        ...

    @property
    def momentum(self) -> Momentum | None:
        """How the target network follows the online one; None when there is no target network."""
        ...

    @property
    def queue(self) -> int:
        """How many keys of earlier steps are kept; 0 for none."""
        ...

    @property
    def online_views(self) -> tuple[int, ...]:
        """Views that the online network embeds."""
        ...

    @property
    def target_views(self) -> tuple[int, ...]:
        """Views that the target network embeds."""
        ...

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """The scalar to minimise, whose mean over processes is the loss of the whole batch."""
        ...
