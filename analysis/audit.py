"""Audit of early stopping in one recorded sweep: epochs saved, rank agreement, and controls that it would have lost."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from analysis.intervals import LEVEL, span
from analysis.load import Record
from analysis.stopping import TENTH, WEAK, Agreement, agreements

DONE = {"stop": "stopped", "pause": "paused", "promote": "promoted", "goes on": "went on"}
"""Past tense of each decision."""


@dataclass(frozen=True)
class Rung:
    """An epoch at which runs were judged."""

    epoch: int
    decisions: Mapping[str, int]
    """Number of runs by decision at this epoch: "stopped", "paused", "promoted", "spared" (a control) and others."""
    saved: int
    """Epochs saved by the runs that ended here."""


@dataclass(frozen=True)
class Controls:
    """Runs that would have been stopped, but were controls; the default, which is always exempt, is not counted.

    A control counts as wrongly stopped if it ends within one sd over seeds of the best other run of its seed, or above.
    Those whose seed has no other complete run are left out.
    """

    count: int
    wrong: int
    interval: tuple[float, float]
    """Wilson's 95 % interval of the share that would have been stopped wrongly."""
    worst: float
    """Largest lead of a control over the best other run of its seed, in points; 0 if none leads."""
    deviation: float
    """Standard deviation over seeds, in points; 0 if unknown, so that only controls as good as the best count."""


@dataclass(frozen=True)
class Audit:
    """Effect of stopping on a sweep; runs on fresh seeds, which are never stopped, are left out."""

    horizon: int
    agreements: tuple[Agreement, ...]
    """Rank agreement at each epoch but the last, over the complete runs, controls included."""
    rungs: tuple[Rung, ...]
    first: int
    """Epoch of the first rung; a tenth of the horizon where nothing was judged."""
    spent: int
    full: int
    """Epochs trained, and those of all runs without stopping."""
    controls: Controls | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return the audit in sentences, with a warning where the first rung tells little."""
        rungs = [f"At epoch {r.epoch}: {_counted(r.decisions)}; {r.saved} epochs saved." for r in self.rungs]
        spent = f"Trained {self.spent:,} of {self.full:,} epochs ({self.spent / max(self.full, 1):.0%})."
        return (*self._ranks(), *rungs, spent, self._spared())

    def _ranks(self) -> list[str]:
        found = next((one for one in self.agreements if one.epoch == self.first), None)
        if found is None:
            ranks = f"ranks at epoch {self.first} tell those at the end"
            return [f"Too few runs are complete to say how well {ranks}."]
        seeds = f", the same on {found.seeds} seeds" if found.seeds > 1 else ", on one seed"
        if found.interval:
            seeds = f", {span(*found.interval, 2)} over {found.seeds} seeds"
        both = f"{found.spearman:.2f} (Spearman{seeds}; Kendall {found.kendall:.2f})"
        says = [f"Ranks at epoch {self.first} of {self.horizon} correlate {both} with those at the end."]
        weak = f"Warning: below {WEAK} stopping there is little better than chance; put the first rung later."
        return [*says, weak] if found.spearman < WEAK else says

    def _spared(self) -> str:
        found = self.controls
        if found is None:
            return "No control was spared, so nobody knows what stopping cost; control=0.1 would spare some."
        low, high = found.interval
        share = f"{found.wrong / found.count:.0%}, 95 % interval {low:.0%} to {high:.0%}"
        controls = f"{found.count} control{'' if found.count == 1 else 's'}"
        if not found.wrong:
            return f"None of {controls} would have been stopped wrongly ({share})."
        near = f"they ended at most {found.deviation:.1f} points below the best other run of their seed"
        worst = f"the worst loss is {found.worst:.1f} points"
        return f"Of {controls} {found.wrong} would have been stopped wrongly ({share}): {near}; {worst}."


def audit(record: Record, events: Sequence[Mapping[str, Any]] = ()) -> Audit:
    """Audit the early stopping of a sweep.

    Args:
        record: the sweep, finished or not.
        events: rows of its events, {"run", "epoch", "kind", "detail"}, the detail in JSON. That of kind "rung"
            has a "decision"; for "promoted" and "spared" the kind says it. Without any of kind "rung" what was
            stopped is taken from the runs.
    """
    search = record.search
    horizon = record.manifest.get("epochs") or max((run.epochs for run in search.runs), default=0)
    found = agreements(search, range(1, horizon))
    rungs = _rungs(search, events, horizon)
    return Audit(
        horizon=horizon,
        agreements=tuple(one for one in found if one is not None),
        rungs=rungs,
        first=rungs[0].epoch if rungs else -(-horizon // TENTH),
        spent=sum(run.epochs for run in search.runs),
        full=horizon * len(search.runs),
        controls=_controls(search, events),
    )


def _rungs(record: Record, events: Sequence[Mapping[str, Any]], horizon: int) -> tuple[Rung, ...]:
    runs = record.runs
    own = {run.identity for run in runs}
    default = {run.identity for run in runs if run.arm == record.manifest.get("default_arm")}
    known = [e for e in events if e["kind"] in ("rung", "promoted", "spared") and e["run"] in own]
    done = {(event["epoch"], event["run"], _done(event, default)) for event in known}
    ended = [run for run in runs if run.state in ("stopped", "paused")]
    if not any(event["kind"] == "rung" for event in known):
        judged = [run for run in ended if run.rung in (0, run.epochs)]  # the guard ends runs between rungs
        done |= {(run.epochs, run.identity, run.state) for run in judged}
    counts = {epoch: Counter[str]() for epoch in sorted({epoch for epoch, _, _ in done})}
    for epoch, _, word in sorted(done):
        counts[epoch][word] += 1
    ends = Counter(run.epochs for run in ended)
    return tuple(Rung(epoch, dict(words), ends[epoch] * (horizon - epoch)) for epoch, words in counts.items())


def _done(event: Mapping[str, Any], default: Collection[str]) -> str:
    decided = event["kind"]
    if decided == "rung":
        decided = str(json.loads(event["detail"])["decision"])
    if decided == "spared" and event["run"] in default:
        return "spared as the default"
    return DONE.get(decided, decided)


def _controls(record: Record, events: Sequence[Mapping[str, Any]]) -> Controls | None:
    default = record.manifest.get("default_arm")
    spared = {event["run"] for event in events if event["kind"] == "spared"}
    spared -= {run.identity for run in record.runs if run.arm == default}
    complete = [(run, run.last(record.metric)) for run in record.runs if run.state == "complete"]
    ends = [(run, end) for run, end in complete if end is not None]
    best: dict[int, float] = {}
    for run, end in ends:
        if run.identity not in spared:
            best[run.seed] = max(end, best.get(run.seed, end))
    leads = [end - best[run.seed] for run, end in ends if run.identity in spared and run.seed in best]
    if not leads:
        return None
    deviation = record.manifest.get("seed_deviation") or 0.0
    wrong = sum(lead >= -deviation for lead in leads)
    share = stats.binomtest(wrong, len(leads)).proportion_ci(LEVEL, method="wilson")
    return Controls(len(leads), wrong, (float(share.low), float(share.high)), max(0.0, *leads), deviation)


def _counted(decisions: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in decisions.items())
