"""Early stopping on online kNN accuracy, as pure bookkeeping: no Ray, no clock; epochs are the only time.

A stopper's state follows from the values it has seen, in order, so a resumed sweep feeds it the store's rows.
"""

from bisect import insort
from typing import Annotated, Literal, Protocol

from pydantic import Field
from pydantic.dataclasses import dataclass

from contrastive.config import closest
from contrastive.types import STRICT, Count


class Judge(Protocol):
    """Decides, report by report."""

    def observe(self, run: str, epoch: int, value: float) -> str | None:
        """Why this run ends at this epoch (in words), or None if it goes on."""
        ...


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Never:
    """Every run is trained to its end."""

    name: Literal["none"] = "none"

    @property
    def kept(self) -> float:
        """Share of the runs that go on after a rung."""
        return 1.0

    def rungs(self, epochs: int) -> tuple[int, ...]:
        """Epochs at which runs are compared."""
        return ()

    def judge(self, epochs: int) -> Judge:
        """A fresh judge of runs of `epochs` epochs."""
        return _AshaJudge((), 2)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Asha:
    """Asynchronous successive halving, stopping form (Li et al., MLSys 2020).

    At epoch `grace` x `reduction`^j a run goes on if it is among the best 1/`reduction` (rounded up) of those
    that have come there. `grace` None means a sixth of the horizon: earlier, accuracy says how fast a run warms
    up, not where it ends.
    """

    name: Literal["asha"] = "asha"
    grace: Count | None = None
    reduction: Annotated[int, Field(ge=2)] = 2

    @property
    def kept(self) -> float:
        """Share of the runs that go on after a rung."""
        return 1 / self.reduction

    def rungs(self, epochs: int) -> tuple[int, ...]:
        """Epochs at which runs are compared; the end of training is none of them."""
        rung, rungs = self.grace or max(1, epochs // 6), []
        while rung < epochs:
            rungs.append(rung)
            rung *= self.reduction
        return tuple(rungs)

    def judge(self, epochs: int) -> Judge:
        """A fresh judge of runs of `epochs` epochs."""
        return _AshaJudge(self.rungs(epochs), self.reduction)


Stopper = Annotated[Never | Asha, Field(discriminator="name")]
STOPPERS: dict[str, Never | Asha] = {"none": Never(), "asha": Asha()}


def stopper(name: str) -> Never | Asha:
    """The stopper of that name, with its defaults.

    Raises:
        ValueError: there is none; the closest names are given.
    """
    if name not in STOPPERS:
        raise ValueError(f"there is no stopper '{name}'. {closest(name, list(STOPPERS))}")
    return STOPPERS[name]


class _AshaJudge:
    def __init__(self, rungs: tuple[int, ...], reduction: int):
        self.reduction = reduction
        self.values: dict[int, list[float]] = {rung: [] for rung in rungs}
        self.decided: dict[tuple[str, int], str | None] = {}

    def observe(self, run: str, epoch: int, value: float) -> str | None:
        if epoch not in self.values:
            return None
        if (run, epoch) not in self.decided:  # a resumed run shows its last epoch again
            insort(self.values[epoch], value)
            self.decided[run, epoch] = self._decide(epoch, value)
        return self.decided[run, epoch]

    def _decide(self, epoch: int, value: float) -> str | None:
        rung = self.values[epoch]
        kept = -(-len(rung) // self.reduction)
        cutoff = rung[-kept]
        if value >= cutoff:
            return None
        return f"rung {epoch}: {value:.1f} below {cutoff:.1f}, the best {kept} of {len(rung)}"
