"""Standings of the arms of a search, seed by seed."""

from collections.abc import Collection
from statistics import fmean

from sweeps.engine.runs import StudyEntry
from sweeps.planning.designs import key
from sweeps.planning.plan import Plan


class Standings:
    """The first objective of every run of the search that has ended, greater is better; arms by their keys."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.sign = 1 if plan.objectives[0].direction == "maximize" else -1
        self.given_up: set[str] = set()
        """Arms that were stopped; they get no more seeds."""
        self._ended: dict[str, dict[int, float | None]] = {}

    def update(self, entry: StudyEntry) -> None:
        """Update the standing of a run; runs on fresh seeds are no part of the search."""
        if entry.state == "running":
            self._ended.get(entry.arm, {}).pop(entry.run.seed, None)
        elif entry.run.seed in self.plan.seeds:
            value = self.sign * entry.values[0] if entry.state == "complete" else None
            self._ended.setdefault(entry.arm, {})[entry.run.seed] = value
            stoppable = self.plan.stopper.meetings(self.plan.epochs)
            if entry.state == "stopped" and stoppable and entry.arm != key(self.plan.space.default()):
                self.given_up.add(entry.arm)

    def decided(self, text: str) -> bool:
        """Return whether an arm has ended on every seed of the search, or gets no more seeds."""
        return len(self._ended.get(text, {})) == len(self.plan.seeds) or text in self.given_up

    def score(self, text: str) -> float | None:
        """Return the mean of an arm; None until it has ended on every seed, and if any run failed."""
        return _mean(self._ended[text].values()) if self.decided(text) else None

    def scores(self) -> dict[str, float | None]:
        """Return the score of each decided arm."""
        return {text: self.score(text) for text in self._ended if self.decided(text)}

    def ranking(self) -> list[str]:
        """Return the arms that are complete on every seed of the search, best mean of the first objective first."""
        scores = {text: score for text, score in self.scores().items() if score is not None}
        return sorted(scores, key=lambda text: -scores[text])

    def partial_ranking(self) -> list[str]:
        """Return the arms that are complete on some seeds when the search ends early: most seeds first."""
        found = {text: tuple(ended.values()) for text, ended in self._ended.items() if not self.decided(text)}
        scores = {
            text: (len(values), mean) for text, values in found.items() if (mean := _mean(values)) is not None
        }
        return sorted(scores, key=lambda text: scores[text], reverse=True)


def _mean(values: Collection[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None
