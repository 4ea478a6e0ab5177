"""What a sweep has shown, and whether its noise allows to say so; pure functions of a loaded record."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analysis.compare import Comparison, compare
from analysis.load import Record, Run, parameters, setting


@dataclass(frozen=True)
class Arm:
    """One configuration over its seeds. `number` is that of its first run."""

    digest: str
    number: int
    values: dict[str, Any]
    seeds: tuple[int, ...]
    state: str
    """"complete" only when it is on every seed of the sweep, so that all scores rest on the same seeds."""
    epochs: int
    scores: dict[int, float]
    """The metric at the end of each complete run, by seed."""
    last: float | None
    """Mean of the runs' last values, wherever they ended."""
    objectives: dict[str, float] = field(default_factory=dict[str, float])
    """Mean over seeds of every objective of the sweep, of a complete arm."""

    @property
    def score(self) -> float | None:
        """Mean over seeds, or None while the arm is not complete."""
        return float(np.mean(list(self.scores.values()))) if self.state == "complete" else None

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds."""
        several = self.state == "complete" and len(self.scores) > 1
        return float(np.std(list(self.scores.values()), ddof=1)) if several else None


@dataclass(frozen=True)
class Summary:
    """A sweep in numbers; arms are ranked, complete ones first."""

    identifier: str
    label: str
    paths: tuple[str, ...]
    arms: tuple[Arm, ...]
    best: Arm | None
    default: Arm | None
    comparison: Comparison | None
    states: dict[str, int]
    """How many runs are in each state."""
    epochs_spent: int
    epochs_full: int
    settle_command: str | None
    reported: tuple[str, ...] = ()
    """What others have reported of settings of this space, a sentence each."""
    front: tuple[int, ...] = ()
    """Numbers of the complete arms that no other beats in every objective, if the sweep has several."""
    confirmed: "Summary | None" = None
    """The best arms and the default again, on seeds that had no part in choosing them: the sweep's result."""

    @property
    def result(self) -> "Summary":
        """What may be reported: the runs on fresh seeds if there are any, else the search itself."""
        return self.confirmed or self

    @property
    def complete(self) -> int:
        """How many arms are complete."""
        return sum(arm.score is not None for arm in self.arms)


def summarise(record: Record) -> Summary:
    """Ranks the arms of a sweep and compares the best with the default, on fresh seeds if it has such runs."""
    fresh = record.manifest.get("confirm_seeds") or []
    search = [run for run in record.runs if run.seed not in fresh]
    again = [run for run in record.runs if run.seed in fresh]
    if not again:
        return _summarise(record)
    confirmed = _summarise(Record({**record.manifest, "seeds": fresh}, tuple(again)))
    return replace(_summarise(Record(record.manifest, tuple(search))), confirmed=confirmed)


def pareto(points: Sequence[Sequence[float]]) -> list[int]:
    """Which points no other one equals or beats in every coordinate and beats in one; more is better."""
    values = np.array(points, float)
    return [
        i
        for i, point in enumerate(values)
        if not ((values >= point).all(axis=1) & (values > point).any(axis=1)).any()
    ]


def _summarise(record: Record) -> Summary:
    manifest, arms = record.manifest, _arms(record)
    best = arms[0] if arms and arms[0].score is not None else None
    default = next((arm for arm in arms if arm.digest == manifest.get("default_arm")), None)
    horizon = manifest.get("epochs") or max((run.epochs for run in record.runs), default=0)
    return Summary(
        identifier=manifest.get("id", ""),
        label=manifest.get("metric_label") or record.metric,
        paths=parameters(record),
        arms=arms,
        best=best,
        default=default,
        comparison=_comparison(best, default, manifest.get("seed_deviation")),
        states=dict(Counter(run.state for run in record.runs)),
        epochs_spent=sum(run.epochs for run in record.runs),
        epochs_full=horizon * len(record.runs),
        settle_command=manifest.get("settle_command"),
        reported=tuple(map(_figure, manifest.get("space", {}).get("reported", ()))),
        front=_front(record, arms),
    )


def headline(summary: Summary) -> str:
    """The sweep's finding in one sentence, without its full stop."""
    summary = summary.result
    best, comparison = summary.best, summary.comparison
    if best is None or best.score is None:
        return f"No arm is complete: {_counts(summary.states) or 'no run has started'}"
    if best is summary.default:
        return f"The default, at {best.score:.1f}, is the best of {summary.complete} complete arms"
    names = short(summary.paths)
    values = ", ".join(
        f"{names[path].replace('_', ' ')} {shown(value)}" for path, value in best.values.items()
    )
    if comparison is None:
        return f"Best: {values} at {best.score:.1f}; the default is not complete"
    end = {True: "beyond seed noise", False: "not separable from seed noise", None: "one seed cannot tell"}
    gain = f"{comparison.difference:+.1f} over the default"
    return f"Best: {values} at {best.score:.1f}, {gain}: {end[comparison.separable]}"


def text(summary: Summary, limit: int = 20) -> str:
    """The summary for a terminal: the `limit` best arms and the default, the verdict, and what would settle it.

    Where the best arms were run again on fresh seeds, the search is shown, but only those runs are judged.
    """
    tables = [f"{summary.identifier}: {summary.label}", "", *_table(summary, limit)]
    if summary.confirmed:
        seeds = ", ".join(map(str, sorted({seed for arm in summary.confirmed.arms for seed in arm.seeds})))
        tables += ["", f"The best again, and the default, on fresh seeds ({seeds}):", ""]
        tables += _table(summary.confirmed, limit)
    return "\n".join([*tables, "", *_verdict(summary)])


def _table(summary: Summary, limit: int) -> list[str]:
    others = _other_objectives(summary)
    head = ["arm", *short(summary.paths).values(), "seeds", "state", "epochs", "score", *others]
    listed = [arm for rank, arm in enumerate(summary.arms) if rank < limit or arm is summary.default]
    rows = [head, *(_row(arm, summary) for arm in listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    if len(listed) < len(summary.arms):
        lines.append(f"... and {len(summary.arms) - len(listed)} more arms")
    if summary.front:
        front = ", ".join(map(str, sorted(summary.front)))
        lines.append(f"Not beaten in every objective by another: {front}.")
    return lines


def _other_objectives(summary: Summary) -> list[str]:
    """Those beside the one that the score is."""
    named = next((list(arm.objectives) for arm in summary.arms if arm.objectives), [])
    return named[1:]


def short(paths: tuple[str, ...]) -> dict[str, str]:
    """Each path's last name, or the whole path where last names are not unique."""
    names = Counter(path.rpartition(".")[2] for path in paths)
    return {path: name if names[name := path.rpartition(".")[2]] == 1 else path for path in paths}


def shown(value: Any) -> str:
    """A configuration value for people: three digits, a sub-configuration by its name."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return value if isinstance(value, str) else json.dumps(value)


def _comparison(best: Arm | None, default: Arm | None, seed_deviation: float | None) -> Comparison | None:
    if best is None or default is None or best is default or default.score is None:
        return None
    return compare(best.scores, default.scores, seed_deviation)


def _arms(record: Record) -> tuple[Arm, ...]:
    runs: dict[str, list[Run]] = {}
    for run in record.runs:
        runs.setdefault(run.arm, []).append(run)
    seeds = set(record.manifest.get("seeds") or (run.seed for run in record.runs))
    arms = [_arm(digest, members, record, seeds) for digest, members in runs.items()]
    low = float("-inf")

    def rank(arm: Arm) -> tuple[float, ...]:
        return (
            arm.score if arm.score is not None else low,
            low if arm.last is None else arm.last,
            -arm.number,
        )

    return tuple(sorted(arms, key=rank, reverse=True))


def _front(record: Record, arms: Sequence[Arm]) -> tuple[int, ...]:
    objectives = record.manifest.get("objectives") or []
    complete = [arm for arm in arms if arm.objectives]
    if len(objectives) < 2 or not complete:
        return ()
    signs = [1 if objective["direction"] == "maximize" else -1 for objective in objectives]
    points = [
        [sign * arm.objectives[o["metric"]] for sign, o in zip(signs, objectives, strict=True)]
        for arm in complete
    ]
    return tuple(complete[i].number for i in pareto(points))


def _objectives(runs: Sequence[Run], record: Record) -> dict[str, float]:
    """Mean over runs of each objective: the last value, or the sum over epochs."""
    found: dict[str, float] = {}
    for objective in record.manifest.get("objectives") or []:
        curves = [run.curve[objective["metric"]][1] for run in runs if objective["metric"] in run.curve]
        if len(curves) == len(runs):
            found[objective["metric"]] = float(
                np.mean([c.sum() if objective["total"] else c[-1] for c in curves])
            )
    return found


def _arm(digest: str, runs: list[Run], record: Record, seeds: set[int]) -> Arm:
    lasts = {run.seed: run.last(record.metric) for run in runs}
    values = [value for value in lasts.values() if value is not None]
    complete = {run.seed for run in runs if run.state == "complete"}
    scores = {seed: value for seed, value in lasts.items() if value is not None and seed in complete}
    state = _state(runs, scores, seeds)
    return Arm(
        digest=digest,
        number=min(run.number for run in runs),
        values=setting(record, runs[0]),
        seeds=tuple(sorted(lasts)),
        state=state,
        epochs=sum(run.epochs for run in runs),
        scores=scores,
        last=float(np.mean(values)) if values else None,
        objectives=_objectives(runs, record) if state == "complete" else {},
    )


def _state(runs: list[Run], scores: dict[int, float], seeds: set[int]) -> str:
    for state in ("failed", "stopped", "paused", "running"):
        if any(run.state == state for run in runs):
            return state
    if len(scores) < len(runs):
        return "failed"  # it came to its end, but with a value that is not finite
    return "complete" if seeds <= scores.keys() else "running"


def _row(arm: Arm, summary: Summary) -> list[str]:
    mark = {id(summary.best): "best ", id(summary.default): "default "}.get(id(arm), "")
    score = f"{arm.score:.1f}" if arm.score is not None else "" if arm.last is None else f"({arm.last:.1f})"
    spread = f" ± {arm.deviation:.1f}" if arm.deviation is not None else ""
    values = [shown(arm.values[path]) for path in summary.paths]
    others = [f"{arm.objectives[n]:.4g}" if n in arm.objectives else "" for n in _other_objectives(summary)]
    plain = [str(len(arm.seeds)), arm.state, str(arm.epochs), score + spread]
    return [f"{mark}{arm.number}", *values, *plain, *others]


def _verdict(summary: Summary) -> list[str]:
    lines, result = [f"{headline(summary)}."], summary.result
    if result.comparison:
        lines.append(f"Best less default: {result.comparison.sentence}.")
        if result.comparison.separable and result.complete > 2:
            seeds = "these very seeds" if not summary.confirmed else "these seeds"
            lines.append(f"It is the best of {result.complete} on {seeds}: expect less on fresh ones.")
        if not result.comparison.separable and summary.settle_command:
            lines.append(f"To settle it: {summary.settle_command}")
    states = Counter(summary.states)
    spent, full = summary.epochs_spent, summary.epochs_full
    if summary.confirmed:
        states.update(summary.confirmed.states)
        spent, full = spent + summary.confirmed.epochs_spent, full + summary.confirmed.epochs_full
    share = f"{spent:,} of {full:,} epochs ({spent / full if full else 0.0:.0%})"
    return [*lines, f"Runs: {_counts(states) or 'none'}; trained {share}.", *summary.reported]


def _figure(reported: dict[str, Any]) -> str:
    setting = ", ".join(f"{path} {shown(value)}" for path, value in reported["values"].items())
    return f"Reported elsewhere: {setting}: {reported['score']}, {reported['what']} ({reported['source']})."


def _counts(states: dict[str, int]) -> str:
    order = ("complete", "stopped", "paused", "failed", "running")
    return ", ".join(f"{states[state]} {state}" for state in order if state in states)
