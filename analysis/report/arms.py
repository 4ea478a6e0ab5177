"""Tables of arms: what the seeds of each one say."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analysis.arms import Arm
from analysis.estimate import MIN_SEEDS, Estimate, estimate
from analysis.figures.marks import role
from analysis.figures.scale import is_number
from analysis.intervals import LEVEL, span
from analysis.learning import learning_table
from analysis.load import Run
from analysis.naming import cells, short
from analysis.report.blocks import Block, Section
from analysis.report.evidence import Evidence
from analysis.report.markup import tag
from analysis.summary import Summary
from analysis.tables import Table, dense

INTERVAL_HEAD = f"{LEVEL:.0%} interval"
NONE_COMPLETE = "Not beside what needs no training: no arm is complete."
CUT = (
    " Intervals are cut at 0 and at 100. Within 0.2 of either they cover 90 to 95 % only, as measured for accuracies "
    "of a thousand images."
)


def section(evidence: Evidence) -> Section:
    """The best again on fresh seeds, if there are such runs, then the search, then what needs no training."""
    summary = evidence.summary
    if not summary.arms:
        return Section("Arms", (tag("p", "No run has begun, so there are no arms."),))
    blocks: list[Block] = []
    if summary.confirmed:
        seeds = ", ".join(map(str, evidence.manifest["confirm_seeds"]))
        caption = (
            f"The best arms and the default on fresh seeds ({seeds}): the result. {_words(summary.confirmed)}"
        )
        blocks.append(arm_table(evidence, summary.confirmed, "confirmed", caption))
    which = "The search that chose them" if summary.confirmed else "All arms"
    blocks.append(arm_table(evidence, summary, "arms", f"{which}, best first. {_words(summary)}"))
    try:
        beside = learning_table(evidence.search)
        blocks.append(beside if beside.rows else tag("p", NONE_COMPLETE, class_="absent"))
    except ValueError as reason:
        blocks.append(tag("p", f"Not beside what needs no training: {reason}.", class_="absent"))
    return Section("Arms", tuple(blocks))


def arm_table(evidence: Evidence, summary: Summary, name: str, caption: str) -> Table:
    """A row for each arm: its parameters, and the mean of its seeds with its interval."""
    runs: dict[str, list[Run]] = {}
    for run in evidence.record.runs:
        runs.setdefault(run.arm, []).append(run)
    # An arm that was run again keeps the number that it has in the search.
    numbers = {arm.digest: str(arm.number) for arm in (*summary.arms, *evidence.summary.arms)}
    others = sorted({o for arm in summary.arms for o in arm.objectives} - {evidence.record.metric})
    names = [path.replace("_", " ") for path in short(summary.paths).values()]
    head = [
        "arm",
        "",
        *names,
        *("seeds", "state", "epochs", "mean", INTERVAL_HEAD, "sd", "IQM", "s a run"),
        *others,
    ]
    columns = cells(summary.arms, summary.paths)
    rows: list[tuple[str, ...]] = []
    cut = False
    full: list[dict[str, Any]] = []
    for arm in summary.arms:
        scores = [list(arm.scores.values())]
        found = estimate(scores, evidence.generator, within=summary.within) if arm.score is not None else None
        cut = cut or bool(found and found.interval and {*found.interval} & {*summary.within})
        values = columns[arm.digest]
        state = [str(len(arm.seeds)), arm.state, str(arm.epochs)]
        seconds = [run.seconds for run in runs[arm.digest] if run.seed in arm.seeds and run.seconds]
        mean = float(np.mean(seconds)) if seconds else None
        cost = "" if mean is None else f"{mean:.3g}"
        more = [f"{arm.objectives[o]:.4g}" if o in arm.objectives else "" for o in others]
        rows.append(
            (numbers[arm.digest], role(arm, summary), *values, *state, *_numbers(arm, found), cost, *more)
        )
        own = {"arm": int(numbers[arm.digest]), "role": role(arm, summary), "digest": arm.digest}
        full.append(own | _values(arm, found, summary.paths, others) | {"seconds_of_a_run": mean})
    sides = ["r", "l", *(_side(column) for column in _columns(summary)), *"rlr", *("r" * (5 + len(others)))]
    caption += CUT if cut else ""
    kept = frozenset(place for place, arm in enumerate(summary.arms) if arm is summary.default)
    named = {key: [row[key] for row in full] for key in (full[0] if full else ())}
    return dense(Table(name, caption, tuple(head), tuple(rows), "".join(sides), named, kept))


def _words(summary: Summary) -> str:
    seeds = max(len(arm.seeds) for arm in summary.arms)
    over = f"over {seeds} seeds" if seeds > 1 else "on one seed, so without intervals"
    hollow = (
        " In parentheses: the last value of arms that are not complete."
        if summary.complete < len(summary.arms)
        else ""
    )
    metric = f"{summary.label}: mean {over}"
    if seeds > 1:
        interval = "smoothed bootstrap" if seeds >= MIN_SEEDS else "Student's"
        metric += f", {interval} interval, standard deviation and interquartile mean"
    return f"{metric}; epochs of all its runs; seconds that a run took.{hollow}"


def _numbers(arm: Arm, found: Estimate | None) -> list[str]:
    if found is None:
        return ["" if arm.last is None else f"({arm.last:.1f})", "", "", ""]
    interval = "" if found.interval is None else span(*found.interval)
    deviation = "" if found.deviation is None else f"{found.deviation:.2f}"
    return [f"{found.mean:.1f}", interval, deviation, f"{found.iqm:.1f}" if found.values > 1 else ""]


def _values(arm: Arm, found: Estimate | None, paths: Sequence[str], others: Sequence[str]) -> dict[str, Any]:
    """The same with all digits, by name of the column."""
    low, high = found.interval if found and found.interval else (None, None)
    parameters = {f"config.{path}": arm.values[path] for path in paths}
    state = {"seeds": len(arm.seeds), "state": arm.state, "epochs": arm.epochs, "last": arm.last}
    mean = {"mean": found and found.mean, "interval_low": low, "interval_high": high}
    spread = {"deviation": found and found.deviation, "iqm": found and found.iqm}
    return {
        **parameters,
        **state,
        **mean,
        **spread,
        **{f"metric.{name}": arm.objectives.get(name) for name in others},
    }


def _columns(summary: Summary) -> Iterable[list[object]]:
    return ([arm.values[path] for arm in summary.arms] for path in summary.paths)


def _side(column: Sequence[object]) -> str:
    return "r" if all(map(is_number, column)) else "l"
