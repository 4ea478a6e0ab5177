"""Where a sweep stands, from its record alone."""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from analysis.arms import Arm
from analysis.load import Record, Run, load
from analysis.naming import name_of
from analysis.summarise import summarise
from sweeps import store
from sweeps.engine import history
from sweeps.engine.retention import checkpoint_sizes
from sweeps.planning.estimate import duration, remaining
from sweeps.store.driver import Driver, driver
from sweeps.store.schema import SECONDS

ENDED = ("complete", "stopped", "failed")


@dataclass(frozen=True)
class Failure:
    """A run that failed, after which epoch, and the last line of its traceback."""

    number: int
    seed: int
    epochs: int
    error: str

    def __str__(self) -> str:
        return f"run {self.number}, seed {self.seed}, after epoch {self.epochs}: {self.error}"


@dataclass(frozen=True, kw_only=True)
class Status:
    """A sweep at one moment. Epochs and seconds are of its own runs; reused ones cost nothing."""

    sweep: str
    directory: str
    question: str
    state: Literal["running", "interrupted", "finished"]
    driver: Driver | None
    closing: str | None
    """Why the last sitting has ended before all was done, or is about to."""
    runs: dict[str, int]
    """How many are in each state; outside a running sweep "running" are those to be resumed."""
    runs_planned: int
    epochs: int
    epochs_expected: int
    proposals: str | None
    """How many arms a model has proposed, where one was asked."""
    best: Arm | None
    """The best complete arm; while there is none, the one with the highest last value."""
    default: Arm | None
    failures: tuple[Failure, ...]
    checkpoint_bytes: int
    seconds_trained: float
    """Training and evaluation, summed over runs."""
    hours: float
    """All sittings, by the clock on the wall."""
    seconds_left: float | None
    """None where no epoch has been timed, or nothing is left."""
    again: str | None
    """What to type to go on; None if the sweep has ended or is running."""


def status(directory: Path, *, again: str) -> Status:
    """Where the sweep in `directory` stands; `again` is what to type to go on with it.

    Raises:
        StoreError: there is no sweep in that folder.
    """
    found = driver(directory)  # first: a driver that ends now has recorded all that is read below
    record, past, events = load(directory), history.read_history(directory), _since_begun(directory)
    summary, closing = summarise(record), _closing(events)
    ended = closing is None and _concluded(directory, record, events)
    state = "running" if found else "finished" if ended else "interrupted"
    return Status(
        sweep=directory.name,
        directory=str(directory),
        question=record.manifest.get("space", {}).get("question", ""),
        state=state,
        driver=found,
        closing=closing,
        runs=dict(Counter(run.state for run in record.runs)),
        runs_planned=_planned(record),
        **_spent(record, past.reused, finished=state == "finished"),
        proposals=summary.proposals,
        best=summary.result.best or summary.best or max(summary.arms, key=_last, default=None),
        default=summary.result.default or summary.default,
        failures=tuple(_failure(run) for run in record.runs if run.state == "failed"),
        checkpoint_bytes=sum(checkpoint_sizes(directory / "checkpoints").values()),
        hours=past.hours,
        again=again if state == "interrupted" else None,
    )


def as_json(found: Status) -> dict[str, Any]:
    """As JSON-ready values; the best arm and the default with their scores."""
    arms = {name: arm and {**asdict(arm), "score": arm.score} for name, arm in _arms(found).items()}
    return {**asdict(found), **arms}


def text(found: Status, failures: int = 10) -> str:
    """The status for people, with the last `failures` failures."""
    who = f", by {found.driver}" if found.driver else ""
    counts = ", ".join(f"{count} {state}" for state, count in sorted(found.runs.items())) or "none yet"
    left = "" if found.seconds_left is None else f"; about {duration(found.seconds_left)} left"
    wall = f"{duration(found.hours * 3600)} in all, " if found.hours else ""
    lines = [
        f"{found.sweep}: {found.question}",
        f"state        {found.state}{who}" + (f": {found.closing}" if found.closing else ""),
        f"runs         {counts}, of {found.runs_planned}",
        f"epochs       {found.epochs:,} of about {found.epochs_expected:,}",
        *([f"arms         {found.proposals}"] if found.proposals else []),
        *(f"{name:<12} {_leader(arm)}" for name, arm in _arms(found).items() if arm is not None),
        *(f"failed       {failure}" for failure in found.failures[-failures:]),
        f"checkpoints  {found.checkpoint_bytes / 1e6:,.1f} MB",
        f"time         {wall}{duration(found.seconds_trained)} of training and evaluation, summed over runs{left}",
    ]
    if len(found.failures) > failures:
        lines.append(f"({len(found.failures) - failures} earlier failures are not shown)")
    return "\n".join([*lines, f"go on with   {found.again}"] if found.again else lines)


def _arms(found: Status) -> dict[str, Arm | None]:
    return {"best": found.best, "default": found.default}


def _leader(arm: Arm) -> str:
    value = arm.last if arm.score is None else arm.score
    reached = "no value yet" if value is None else f"{value:.2f}"
    where = "complete" if arm.score is not None else f"{arm.state}, {arm.epochs} epochs so far"
    return f"{name_of(arm.values)}: {reached} ({where}; {len(arm.seeds)} seed{'s' * (len(arm.seeds) != 1)})"


def _failure(run: Run) -> Failure:
    error = history.last_line(run.reason) or "no reason is recorded"
    return Failure(run.number, run.seed, run.epochs, error)


def _last(arm: Arm) -> float:
    return float("-inf") if arm.last is None else arm.last


def _spent(record: Record, reused: Collection[str], *, finished: bool) -> dict[str, Any]:
    """Return the epochs and seconds of own runs, those expected in all, and the seconds left."""
    own = [run for run in record.runs if run.identity not in reused]
    epochs = sum(run.epochs for run in own)
    before = sum(run.epochs for run in record.runs) - epochs
    trained = sum(float(run.curve[name][1].sum()) for run in own for name in SECONDS if name in run.curve)
    expected = epochs if finished else max(epochs, _expected(record) - before)
    pace = trained / epochs if epochs and trained else None
    workers = sum(run.state == "running" for run in record.runs)
    left = remaining(done=epochs, expected=expected, seconds_per_epoch=pace, workers=workers)
    return {
        "epochs": epochs,
        "epochs_expected": expected,
        "seconds_trained": trained,
        "seconds_left": None if finished else left,
    }


def _planned(record: Record) -> int:
    manifest = record.manifest
    search = manifest.get("plan", {}).get("arms", 0) * len(manifest.get("seeds", ()))
    return max(manifest.get("runs", search), len(record.runs))


def _expected(record: Record) -> int:
    """As the stopper is meant to work, where the manifest says so, else as if nothing was stopped."""
    manifest = record.manifest
    return round(manifest.get("epochs_expected", manifest.get("epochs", 0) * _planned(record)))


def _since_begun(directory: Path) -> list[dict[str, Any]]:
    """The events of the last sitting, from its beginning; none where no sitting has begun."""
    events = store.events(directory).to_pylist()
    begun = [position for position, event in enumerate(events) if event["kind"] == "begun"]
    return events[begun[-1] :] if begun else []


def _closing(events: list[dict[str, Any]]) -> str | None:
    """Why the last sitting ended early, in its driver's words; None if it did not."""
    reasons = [json.loads(event["detail"])["reason"] for event in events if event["kind"] == "closing"]
    return reasons[-1] if reasons else None


def _concluded(directory: Path, record: Record, events: list[dict[str, Any]]) -> bool:
    """Whether the last sitting came to its end: its summary was written after it began, and no run is left."""
    begun, summary = events[0]["time"] if events else 0.0, directory / "summary.json"
    written = summary.is_file() and summary.stat().st_mtime >= begun
    return written and all(run.state in ENDED for run in record.runs)
