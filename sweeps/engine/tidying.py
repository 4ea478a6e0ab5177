"""Removal of checkpoints by the state of their runs in the study."""

import math
import shutil
from collections import defaultdict
from collections.abc import Collection

from sweeps.engine.ledger import Ledger
from sweeps.engine.retention import checkpoint_sizes, removable
from sweeps.engine.runs import METRIC, StudyEntry
from sweeps.planning.designs import key


def tidy(ledger: Ledger, occupied: Collection[str]) -> None:
    """Remove the checkpoints that are no longer needed; those of `occupied` runs are in use."""
    study, checkpoints = ledger.study, ledger.checkpoints
    sizes = checkpoint_sizes(checkpoints.directory)

    def worth(entry: StudyEntry) -> tuple[float, float]:
        score = study.standings.score(entry.arm)
        last = ledger.progress[entry.run.identity].last.get(METRIC, -math.inf)
        return (-math.inf if score is None else score, last)

    known = (study.entries[run] for run in sizes if run in study.entries)
    runs: dict[str, list[str]] = defaultdict(list)
    arms: dict[str, list[str]] = {}
    for entry in sorted(known, key=worth, reverse=True):
        state = "occupied" if entry.run.identity in occupied else _state(ledger, entry)
        runs[state].append(entry.run.identity)
        if state == "complete":
            arms.setdefault(entry.arm, []).append(entry.run.identity)
    gone = removable(
        sizes,
        running=runs["occupied"],
        paused=runs["waiting"],
        failed=runs["failed"],
        complete=list(arms.values()),
        default=arms.get(key(study.plan.space.default()), []),
        keep=checkpoints.keep,
        budget=checkpoints.room,
    )
    for run in gone:
        shutil.rmtree(checkpoints.directory / run, ignore_errors=True)


def _state(ledger: Ledger, entry: StudyEntry) -> str:
    """Return a run's state; "waiting" if it is paused, or complete but its arm may still become one of the best."""
    study = ledger.study
    undecided = entry.run.seed in study.plan.seeds and not study.standings.decided(entry.arm)
    waits = entry.state == "running" or (entry.state == "complete" and undecided)
    return "waiting" if waits else entry.state
