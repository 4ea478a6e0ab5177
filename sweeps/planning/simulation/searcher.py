"""Searchers that choose the arms of a replay."""

from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol

Ending = Literal["complete", "stopped", "unwell"]
"""How a run ends: with its last value, stopped because others were better, or ended by the guard."""


class Searcher(Protocol):
    """Interface that chooses the next arm and is told its outcome, as a sweep's study is."""

    def ask(self) -> str | None:
        """Return the next run, each once; None if there is no other."""
        ...

    def report(self, run: str, epoch: int, value: float) -> None:
        """Record the value of a run after an epoch."""
        ...

    def tell(self, run: str, state: Ending) -> None:
        """Record how a run has ended."""
        ...

    @property
    def proposed(self) -> int | None:
        """Number of arms proposed by a model rather than at random; None if the search has no model."""
        ...


class Listed:
    """Searcher that issues runs in a given order."""

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
