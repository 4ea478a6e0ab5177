"""What decides on runs while they are trained: bookkeeping alone, no Ray, no clock; epochs are the only time."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Verdict:
    """A run ends, gives its place up and may be promoted later, or until the others of its arm have come as far.

    `reason` is for people.
    """

    action: Literal["stop", "pause", "wait"]
    reason: str


@dataclass(frozen=True)
class Peers:
    """What a report was compared with: how many `peers`, itself among them, and the value of the last to go on.

    `cutoff` is None where no place has been given yet, or where the rule has no such value.
    """

    cutoff: float | None
    peers: int


class Judge(Protocol):
    """Decides on runs, or on arms of several runs (`ArmsJudge`). Its state follows from what it was shown, in order."""

    @property
    def comparison(self) -> Peers | None:
        """Of the report that was shown last; None if it was not compared with others."""
        ...

    def observe(self, run: str, epoch: int, value: float) -> Verdict | None:
        """What becomes of a run at this epoch; None: it goes on. Higher values are better, all are finite.

        The latest epoch of a run may be shown again and gets the same answer. A later epoch of a run that was to
        pause says that it was resumed, or never paused.
        """
        ...

    def promote(self, *, more: bool) -> str | None:
        """Which paused run a free place resumes; it counts as resumed. None: none now.

        It may be one that did not pause when it was told to: then ask again.

        Args:
            more: runs are to come that have not been shown yet, whether they wait or are in their first epochs.
        """
        ...

    def lost(self, run: str, *, counts: bool = False) -> None:
        """The run will not be shown again, for a reason that is not the judge's: it failed, or collapsed.

        Args:
            run: which will not.
            counts: it was only never promoted, so others are still compared with it.
        """
        ...


class Observer(ABC):
    """What judges share: a report counts once, and only runs that pause are promoted."""

    def __init__(self) -> None:
        self.latest: dict[str, tuple[int, Verdict | None]] = {}
        """The last epoch of each run, and what became of it."""
        self.comparison: Peers | None = None

    def observe(self, run: str, epoch: int, value: float) -> Verdict | None:
        """See `Judge`."""
        assert math.isfinite(value), f"run {run}, epoch {epoch}: {value} is for the guard, not for a judge"
        known, verdict = self.latest.get(run, (0, None))
        self.comparison = None
        if epoch == known:
            return verdict
        if epoch < known:
            return None  # it went on from there, whatever was said
        verdict = self.decide(run, epoch, value)
        self.latest[run] = epoch, verdict
        return verdict

    @abstractmethod
    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        """The answer to a report that is seen for the first time."""

    def promote(self, *, more: bool) -> str | None:
        """See `Judge`."""
        return None

    def lost(self, run: str, *, counts: bool = False) -> None:  # noqa: B027 - only who promotes waits for anyone
        """See `Judge`."""
