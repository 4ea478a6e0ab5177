"""Carries out sweeps without Ray and without training: values follow from the arm, epochs take no time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contrastive.config import value_at
from sweeps import store
from sweeps.engine import history as histories
from sweeps.engine.arbiter import Arbiter, Issued
from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.engine import Engine
from sweeps.engine.history import Finished
from sweeps.engine.runs import IssuedRun
from sweeps.engine.study import Study
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from sweeps.store import Writer
from tests.fixtures.tiny_space import TINY

Curve = Callable[[IssuedRun, int], float]
"""The accuracy of a run at an epoch."""


def by_temperature(run: IssuedRun, epoch: int) -> float:
    """Better the nearer its temperature is to 0.1, and the later; a little other on each seed."""
    gap = abs(value_at(run.config, "method.temperature") - 0.1)
    return 50 - 50 * gap + epoch + 0.1 * ((7 * run.seed + run.number) % 5)


def plan(**fields: Any) -> Plan:
    """A plan of the tiny space unless another is given."""
    return plans.checked(**{"space": TINY, "arms": 6, **fields})


CHECKPOINT = 1000
"""Bytes of each run's."""
SITTINGS: list["Sitting"] = []
"""All that are open; `abandon` leaves them as a killed driver does."""


def abandon() -> None:
    """Closes the files of all sittings without an end mark."""
    while SITTINGS:
        for segment in SITTINGS.pop().writer._segments.values():
            segment.file.close()


@dataclass
class Sitting:
    """One opening of a sweep: its engine and its writer. Dropping it is what SIGKILL does to a driver."""

    directory: Path
    plan: Plan
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    reusable: Callable[[str], Finished | None] = lambda _: None
    keep: int = 3
    room: int | None = None
    origin: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        number = len(list(self.directory.glob("segments/trials-driver*")))
        self.writer = Writer(self.directory, f"driver-{number}", origin=self.origin)
        SITTINGS.append(self)
        history = histories.read_history(self.directory)
        self.study = Study(self.plan, "images", self.directory)
        self.engine = Engine(
            self.study,
            self.writer,
            history,
            checkpoints=Checkpoints(self.directory / "checkpoints", keep=self.keep, room=self.room),
            reusable=self.reusable,
            **self.options,
        )


def workers(
    arbiter: Arbiter, curve: Curve = by_temperature, *, count: int = 1, **metrics: float
) -> Iterator[tuple[IssuedRun, int]]:
    """So many workers that take turns; yields after each reported epoch. The store has it before the engine."""
    places: list[tuple[Issued, int] | None] = [None] * count
    idle = 0
    while idle < count:
        idle = 0
        for i in range(count):
            busy = places[i] or place(arbiter.issue())
            if busy is None:
                idle += 1
                continue
            issued, epoch = busy
            places[i] = (issued, epoch + 1) if train(arbiter, issued, epoch + 1, curve, metrics) else None
            yield issued.run, epoch + 1


def place(issued: Any) -> tuple[Issued, int] | None:
    """A run that was given out, and the epoch it goes on from."""
    if not isinstance(issued, Issued):
        return None
    return issued, store.last_epoch(issued.engine.study.directory, issued.run.identity)


def train(arbiter: Arbiter, issued: Issued, epoch: int, curve: Curve, more: dict[str, float]) -> bool:
    """One epoch of a run; whether it goes on."""
    run, engine = issued.run, issued.engine
    metrics = {"knn_top1": curve(run, epoch), "loss": 1.0, "effective_rank": 9.0, "seconds": 2.0, **more}
    checkpoint = engine.study.directory / "checkpoints" / run.identity / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write_bytes(bytes(CHECKPOINT))
    with Writer(engine.study.directory, f"{run.identity}-{run.attempt}-0") as writer:
        writer.report(run.identity, run.attempt, epoch, metrics)
    goes_on = arbiter.report(issued, epoch, metrics)
    if not goes_on or epoch >= run.config.epochs:
        engine.end(run)
        return False
    return True


def carry_out(
    sitting: Sitting, curve: Curve = by_temperature, *, count: int = 1
) -> list[tuple[IssuedRun, int]]:
    """All epochs of a sweep, in order."""
    done = list(workers(Arbiter([sitting.engine]), curve, count=count))
    sitting.writer.close()
    return done
