"""Who chooses the arms of a replay."""

from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol

Ending = Literal["complete", "stopped", "unwell"]
"""How a run ends: with the value it reported last, for others that were better, or for its own health."""


class Searcher(Protocol):
    """Chooses which arm is run next, and is told what becomes of it, as a sweep's study is."""

    def ask(self) -> str | None:
        """The next run, each once. None: there is no other."""
        ...

    def report(self, run: str, epoch: int, value: float) -> None:
        """The value of a run after an epoch."""
        ...

    def tell(self, run: str, state: Ending) -> None:
        """The run has come to its end, or it will not."""
        ...

    @property
    def proposed(self) -> int | None:
        """How many arms a model has proposed, not chance; None if the search has no model."""
        ...


class Listed:
    """Runs in an order that is known beforehand."""

    def __init__(self, order: Sequence[str]):
        self.left = deque(order)

    def ask(self) -> str | None:
        """See `Searcher`."""
        return self.left.popleft() if self.left else None

    def report(self, run: str, epoch: int, value: float) -> None:
        """See `Searcher`."""

    def tell(self, run: str, state: Ending) -> None:
        """See `Searcher`."""

    @property
    def proposed(self) -> int | None:
        """See `Searcher`."""
        return None
