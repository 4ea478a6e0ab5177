"""Fields that stoppers share, and the rungs that follow from them."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from contrastive.types import STRICT, Count, Fraction, NonNegative

Ladder = tuple[tuple[int, float], ...]
"""Epochs at which runs are compared, and how many runs are meant to go on after each."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Settings:
    """What every stopper has."""

    control: Fraction = 0.0
    """Share of the arms, drawn at random, that are never stopped: they show what stopping costs."""

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """Epochs at which the runs of an arm wait for each other, so that none is far ahead when the arm ends.

        By default a sixth of the horizon, and always twice as much: for rules that look at every epoch.
        """
        return multiplied(max(1, epochs // 6), 2, epochs)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rungs(Settings):
    """A stopper that compares runs at epochs `grace` x `reduction`^j, below the horizon."""

    grace: Count | None = None
    """The first of these epochs; None means a sixth of the horizon."""
    reduction: Annotated[int, Field(ge=2)] = 2
    """One of so many goes on."""
    noise: NonNegative = 0.0
    """Runs nearer to the cutoff than so many seed deviations go on too, where the deviation is known."""

    def rungs(self, epochs: int) -> tuple[int, ...]:
        """Epochs at which runs are compared; the end of training is none of them."""
        return multiplied(self.grace or max(1, epochs // 6), self.reduction, epochs)

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """See `Settings`: the rungs."""
        return self.rungs(epochs)

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """The rungs, and how many runs go on after each if it keeps exactly its share."""
        return tuple(
            (rung, max(1.0, runs / self.reduction**level))
            for level, rung in enumerate(self.rungs(epochs), start=1)
        )

    def margin(self, deviation: float | None) -> float:
        """How far below the cutoff a run may lie, in units of the metric."""
        return self.noise * (deviation or 0.0)


def multiplied(first: int, by: int, epochs: int) -> tuple[int, ...]:
    """An epoch, and always so many times as much, below the horizon."""
    found = list[int]()
    while first < epochs:
        found.append(first)
        first *= by
    return tuple(found)
