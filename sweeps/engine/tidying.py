"""Removal of checkpoints by the state of their runs in the study."""

import math
from collections.abc import Collection

from sweeps.engine.ledger import Ledger
from sweeps.engine.run_progress import METRIC
from sweeps.engine.runs import StudyEntry
from sweeps.planning.designs import key


def tidy(ledger: Ledger, occupied: Collection[str]) -> None:
    """Remove the checkpoints that are no longer needed; those of `occupied` runs are in use."""
    study, checkpoints = ledger.study, ledger.checkpoints
    entries = study.entries

    def standing(entry: StudyEntry) -> str:
        undecided = entry.run.seed in study.plan.seeds and not study.standings.decided(entry.arm)
        state = "undecided" if entry.state == "complete" and undecided else entry.state
        return "occupied" if entry.run.identity in occupied else state

    def worth(entry: StudyEntry) -> tuple[float, float]:
        score = study.standings.score(entry.arm)
        last = ledger.progress[entry.run.identity].last.get(METRIC, -math.inf)
        return (-math.inf if score is None else score, last)

    sizes = checkpoints.measure()
    checkpoints.tidy(
        sizes,
        {run: standing(entries[run]) for run in sizes if run in entries},
        arm=lambda run: entries[run].arm,
        worth=lambda run: worth(entries[run]),
        default=key(study.plan.space.default()),
    )
