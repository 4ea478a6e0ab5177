"""Common fields of stoppers, and the rungs that follow from them."""

from typing import Annotated

from pydantic import Field

from contrastive.types import Count, Fraction, NonNegative, strict
from sweeps.stoppers.judge import Judge

Ladder = tuple[tuple[int, float], ...]
"""Epochs at which runs are compared, and how many runs should go on after each."""


@strict(kw_only=True)
class Settings:
    """Fields and defaults of every stopper."""

    control: Fraction = 0.0
    """Share of the arms, drawn at random, that are controls: they are never stopped, and show what stopping costs."""

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """Return a new judge of runs that are compared with each other; `deviation` is the metric's sd over seeds."""
        return Judge()

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """Return the rungs, and how many of these runs should go on after each, for a plan's expected epochs.

        By default none: how many runs are ended depends on their curves, so a plan counts all epochs.
        """
        return ()

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at which an arm's runs wait for each other, so that none is far ahead when the arm ends.

        By default a sixth of the horizon and its doublings: for rules that look at every epoch.
        """
        return multiplied(max(1, epochs // 6), 2, epochs)


@strict(kw_only=True)
class Rungs(Settings):
    """Base of stoppers that compare runs at epochs `grace` x `reduction`^j, below the horizon."""

    grace: Count | None = None
    """First of these epochs; None means a sixth of the horizon."""
    reduction: Annotated[int, Field(ge=2)] = 2
    """One in `reduction` runs goes on."""
    noise: NonNegative = 0.0
    """Margin below the cutoff, in standard deviations over seeds, within which runs go on (if the sd is known)."""

    def rungs(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at which runs are compared; the end of training is none of them."""
        return multiplied(self.grace or max(1, epochs // 6), self.reduction, epochs)

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """Return the rungs; see `Settings`."""
        return self.rungs(epochs)

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """Return the rungs, and how many runs go on after each if it keeps exactly its share."""
        return tuple(
            (rung, max(1.0, runs / self.reduction**level))
            for level, rung in enumerate(self.rungs(epochs), start=1)
        )

    def margin(self, deviation: float | None) -> float:
        """Return how far below the cutoff a run may lie, in units of the metric."""
        return self.noise * (deviation or 0.0)


def multiplied(first: int, by: int, epochs: int) -> tuple[int, ...]:
    """Multiply an epoch again and again by a factor, below the horizon."""
    found = list[int]()
    while first < epochs:
        found.append(first)
        first *= by
    return tuple(found)
