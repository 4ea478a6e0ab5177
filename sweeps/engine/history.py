"""History of a resumed sweep, and equal runs of other sweeps, as read from the store."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from sweeps import store
from sweeps.store.schema import METRIC, WHENCE

ORDERED = ("judging", "judged", "lost")
"""Kinds of events that record the order in which the judge received reports and failures."""
ASKED = ["run", "attempt", "state", "reason", *WHENCE]
Epoch = tuple[int, dict[str, float]]
"""An epoch's number and its metrics."""


@dataclass(frozen=True)
class History:
    """Recorded history of a sweep: its reports (run, epoch, metrics), as recorded, and the state of its runs."""

    reports: list[tuple[str, int, dict[str, float]]] = field(default_factory=list)
    heard: int = 0
    """Number of leading reports in the order in which the judge saw them; the others are ordered by time."""
    losses: dict[int, list[tuple[str, str, str]]] = field(default_factory=dict[int, Any])
    """Runs that failed or were ended by the guard (run, state, reason), by the number of reports judged before."""
    seeds: dict[int, int] = field(default_factory=dict[int, int])
    """Seeds per arm, by the number of reports judged before that number held."""
    order: int = 0
    """Next position in this order."""
    states: dict[str, str] = field(default_factory=dict[str, str])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    attempts: dict[str, int] = field(default_factory=dict[str, int])
    reused: frozenset[str] = frozenset()
    """Runs whose reports come from another sweep."""
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Origin of each run that has reported: columns of schema.WHENCE, "" where it was not recorded."""
    sittings: tuple[tuple[float, float], ...] = ()
    """Start of each session and time of the last record in it, in seconds since the epoch."""

    def in_state(self, state: str) -> list[str]:
        """Return the runs whose latest state this is."""
        return [run for run, latest in self.states.items() if latest == state]

    @property
    def hours(self) -> float:
        """Wall-clock hours of all sessions so far."""
        return hours(self.sittings)


@dataclass(frozen=True)
class Finished:
    """A complete run of another sweep."""

    sweep: str
    epochs: list[Epoch]
    checkpoint: Path
    """Folder of its checkpoint, which may no longer exist."""
    origin: Mapping[str, str] = field(default_factory=dict[str, str])
    """Code, commit and machine that trained it: columns of schema.WHENCE."""


@dataclass(frozen=True)
class Elsewhere:
    """Complete runs of the other sweeps of a store; called with an identity it returns the run, or None."""

    sweeps: dict[str, tuple[Path, dict[str, str]]]
    """The sweep that trained each reusable run, and the run's origin: columns of schema.WHENCE."""
    others: dict[str, tuple[Path, dict[str, str]]]
    """The same of runs that other code has trained: these are not reused."""
    curves: Callable[[Path], dict[str, list[Epoch]]]
    """The epochs of a sweep's runs."""
    met: set[str] = field(default_factory=set[str])
    """Runs of other code that were asked for."""

    def __call__(self, run: str) -> Finished | None:
        """Return the run, if the right code has trained it."""
        if run not in self.sweeps:
            self.met.update({run} & self.others.keys())
            return None
        other, origin = self.sweeps[run]
        return Finished(other.name, self.curves(other)[run], other / "checkpoints" / run, origin)

    def passed_over(self, runs: Iterable[str]) -> str:
        """Say in a sentence how many of these exist but were trained by other code; "" if none."""
        found = [self.others[run][1] for run in runs if run in self.others]
        if not found:
            return ""
        codes = [(one["commit"][:7] or "unknown", one["code"][:7] or "not recorded") for one in found]
        by = "; ".join(dict.fromkeys(f"commit {commit}, code {code}" for commit, code in codes))
        exist, them = ("run exists", "it") if len(found) == 1 else ("runs exist", "them")
        return (
            f"{len(found)} equal {exist} that other code has trained ({by}): not reused. If you know that this code "
            f"gives the same numbers, take {them} over with --reuse-other-code."
        )


def read_history(directory: Path) -> History:
    """Read the history of the sweep in `directory`; it is empty for a sweep that never ran."""
    events = store.events(directory).to_pylist()
    runs, table = store.runs(directory).select(ASKED).to_pylist(), store.epochs(directory)
    reports, attempts = _epochs(table)
    reported = set(attempts)
    for row in runs:
        attempts[row["run"]] = max(row["attempt"], attempts.get(row["run"], 0))
    return History(
        **_in_order(reports, events),
        states={row["run"]: row["state"] for row in runs},
        reasons={row["run"]: row["reason"] for row in runs},
        attempts=attempts,
        reused=frozenset(event["run"] for event in events if event["kind"] == "reused"),
        origins={row["run"]: _whence(row) for row in runs if row["run"] in reported},
        sittings=_sittings(events, table["time"].to_pylist()),
    )


def finished_elsewhere(directory: Path, code: str | None = None) -> Elsewhere:
    """Find the runs, by identity, that were trained to their end in other sweeps of the same store.

    Smoke tests are left out. `code`: digest of the code that must have trained them; None: any code.
    """
    sweeps: dict[str, tuple[Path, dict[str, str]]] = {}
    others: dict[str, tuple[Path, dict[str, str]]] = {}
    every = [] if store.is_smoke_test(directory) else store.sweep_directories(directory.parent.parent)
    for other in every:
        if other == directory or store.is_smoke_test(other):
            continue
        for row in store.runs(other).select(ASKED).to_pylist():
            if row["state"] == "complete" and not row["reason"]:
                same = code is None or row["code"] == code
                (sweeps if same else others)[row["run"]] = other, _whence(row)
    others = {run: found for run, found in others.items() if run not in sweeps}
    return Elsewhere(sweeps, others, lru_cache(maxsize=4)(_curves))


def _whence(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: row[name] or "" for name in WHENCE}


def _curves(directory: Path) -> dict[str, list[Epoch]]:
    found: dict[str, list[Epoch]] = {}
    for run, epoch, metrics in _epochs(store.epochs(directory))[0]:
        found.setdefault(run, []).append((epoch, metrics))
    return found


def _epochs(reports: Any) -> tuple[list[tuple[str, int, dict[str, float]]], dict[str, int]]:
    """Return the metrics of each epoch, in the order of recording, and the last attempt of each run."""
    attempts: dict[str, int] = {}
    ordered = reports.sort_by([("time", "ascending"), ("sequence", "ascending")])
    names = [name for name in ordered.column_names if name.startswith(METRIC)]
    runs, epochs, tries, *columns = (ordered[n].to_pylist() for n in ("run", "epoch", "attempt", *names))
    for run, attempt in zip(runs, tries, strict=True):
        attempts[run] = max(attempt, attempts.get(run, 0))
    plain = [name.removeprefix(METRIC) for name in names]
    found = [
        {name: column[row] for name, column in zip(plain, columns, strict=True) if column[row] is not None}
        for row in range(len(runs))
    ]
    return list(zip(runs, epochs, found, strict=True)), attempts


def _in_order(
    reports: list[tuple[str, int, dict[str, float]]], events: list[dict[str, Any]]
) -> dict[str, Any]:
    """Order what the judge was shown and told; reports without a recorded position come last."""
    left = {(run, epoch): (run, epoch, metrics) for run, epoch, metrics in reports}
    ordered: list[tuple[str, int, dict[str, float]]] = []
    losses: dict[int, list[tuple[str, str, str]]] = {}
    seeds: dict[int, int] = {}
    places = [(json.loads(event["detail"]), event) for event in events if event["kind"] in ORDERED]
    places.sort(key=lambda place: place[0]["order"])
    for detail, event in places:
        if event["kind"] == "judging":
            seeds[len(ordered)] = detail["seeds"]
        elif event["kind"] == "lost":
            losses.setdefault(len(ordered), []).append((event["run"], detail["state"], detail["reason"]))
        elif report := left.pop((event["run"], event["epoch"]), None):
            ordered.append(report)
    return {
        "reports": [*ordered, *left.values()],
        "heard": len(ordered),
        "losses": losses,
        "seeds": seeds,
        "order": places[-1][0]["order"] + 1 if places else 0,
    }


def last_line(reason: str) -> str:
    """Return the last line of a traceback; of another reason all of it."""
    return (reason.strip().splitlines() or [""])[-1]


def hours(sittings: Iterable[tuple[float, float]]) -> float:
    """Return the hours covered by the sessions of at least one sweep."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(sittings):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total / 3600


def _sittings(events: list[dict[str, Any]], reports: list[float]) -> tuple[tuple[float, float], ...]:
    """Return each session's span: from its start to the last record before the next one started."""
    begun = [event["time"] for event in events if event["kind"] == "begun"]
    times = sorted([*(event["time"] for event in events if event["kind"] != "compacted"), *reports])
    following = [*begun[1:], float("inf")] if begun else []
    ends = [times[bisect_left(times, start) - 1] for start in following]
    return tuple(zip(begun, ends, strict=True))
