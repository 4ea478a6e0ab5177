"""Judges, which decide on runs in training: pure bookkeeping without Ray or a clock; epochs are the only time."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """The decision to stop a run, to pause it until it is promoted, or to pause it until its arm's other runs catch up.

    `reason` is for people.
    """

    action: Literal["stop", "pause", "wait"]
    reason: str


@dataclass(frozen=True)
class Peers:
    """The comparison of a report: the number of `peers`, itself included, and the value of the last to go on.

    `cutoff` is None where none may go on yet, or where the rule has no such value.
    """

    cutoff: float | None
    peers: int


class Judge:
    """Judge of runs, or of arms of several runs (`ArmsJudge`); this one lets all go on.

    Its state follows from the reports, in order. A report counts once, and only paused runs are promoted.
    """

    def __init__(self) -> None:
        self.latest: dict[str, tuple[int, Verdict | None]] = {}
        """Last epoch of each run, and the verdict on it."""
        self.comparison: Peers | None = None
        """Comparison of the last report; None if it was not compared with others."""

    def observe(self, run: str, epoch: int, value: float) -> Verdict | None:
        """Return the verdict on a run at this epoch; None: it goes on. Higher values are better, all are finite.

        The latest epoch of a run may be repeated and gets the same answer. A later epoch of a run that was to
        pause means that it was resumed, or never paused.
        """
        assert math.isfinite(value), f"run {run}, epoch {epoch}: {value} is for the guard, not for a judge"
        known, verdict = self.latest.get(run, (0, None))
        self.comparison = None
        if epoch == known:
            return verdict
        if epoch < known:
            return None  # it went on from there, whatever the verdict
        verdict = self.decide(run, epoch, value)
        self.latest[run] = epoch, verdict
        return verdict

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        """Return the verdict on a new report."""
        return None

    def promote(self, *, more: bool) -> str | None:
        """Return the paused run that a free place resumes; it counts as resumed. None: none now.

        If it has not paused although it was told to, ask again.

        Args:
            more: whether further runs will come that have not reported yet, waiting or in their first epochs.
        """
        return None

    def lost(self, run: str, *, counts: bool = False) -> None:
        """Record that a run ended for a reason that is not the judge's: it failed, or collapsed.

        Args:
            run: the run that will not report again.
            counts: it was merely never promoted, so others are still compared with it.
        """
