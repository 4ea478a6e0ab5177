"""Tables of arms: mean, interval and spread over seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.arms import Arm
from analysis.estimate import MIN_SEEDS, estimate
from analysis.figures.marks import role
from analysis.figures.scale import is_number
from analysis.intervals import LEVEL, span
from analysis.learning import learning_table
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
    """Tabulate the best arms on fresh seeds, if there are such runs; then all arms; then all beside the baselines."""
    summary = evidence.summary
    if not summary.arms:
        return Section("Arms", (tag("p", "No run has begun, so there are no arms."),))
    blocks: list[Block] = []
    if summary.confirmed:
        seeds = ", ".join(map(str, evidence.manifest["confirm_seeds"]))
        caption = f"The best arms and the default on fresh seeds ({seeds}): the result."
        caption = f"{caption} {_words(summary.confirmed)}"
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
    """Tabulate the arms: parameters, and the mean over seeds with its interval."""
    others = sorted({o for arm in summary.arms for o in arm.objectives} - {evidence.record.metric})
    names = [path.replace("_", " ") for path in short(summary.paths).values()]
    measured = ("seeds", "state", "epochs", "mean", INTERVAL_HEAD, "sd", "IQM", "s a run")
    head = ("arm", "", *names, *measured, *others)
    parameters, full = cells(summary.arms, summary.paths), _values(evidence, summary, others)
    rows = [_row(row, parameters[row["digest"]], others) for row in full]
    sides = ["rl", *(_side(path, summary.arms) for path in summary.paths), "rlr", "r" * (5 + len(others))]
    ends = {row[end] for row in full for end in ("interval_low", "interval_high")}
    caption += CUT if ends & {*summary.within} else ""
    kept = frozenset(place for place, arm in enumerate(summary.arms) if arm is summary.default)
    columns = {key: [row[key] for row in full] for key in (full[0] if full else ())}
    return dense(Table(name, caption, head, tuple(rows), "".join(sides), columns, kept))


def _values(evidence: Evidence, summary: Summary, others: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows with all digits, by name of the column."""
    # An arm that was run again keeps the number that it has in the search.
    numbers = {arm.digest: arm.number for arm in (*summary.arms, *evidence.summary.arms)}
    seconds: dict[tuple[str, int], float] = {(r.arm, r.seed): r.seconds for r in evidence.record.runs}
    rows: list[dict[str, Any]] = []
    for arm in summary.arms:
        scores = [list(arm.scores.values())]
        found = estimate(scores, evidence.generator, within=summary.within) if arm.score is not None else None
        low, high = found.interval if found and found.interval else (None, None)
        costs = [cost for seed in arm.seeds if (cost := seconds[arm.digest, seed])]
        rows.append(
            {
                "arm": numbers[arm.digest],
                "role": role(arm, summary),
                "digest": arm.digest,
                **{f"config.{path}": arm.values[path] for path in summary.paths},
                "seeds": len(arm.seeds),
                "state": arm.state,
                "epochs": arm.epochs,
                "last": arm.last,
                "mean": found and found.mean,
                "interval_low": low,
                "interval_high": high,
                "deviation": found and found.deviation,
                "iqm": found and found.iqm,
                **{f"metric.{other}": arm.objectives.get(other) for other in others},
                "seconds_of_a_run": float(np.mean(costs)) if costs else None,
            }
        )
    return rows


def _words(summary: Summary) -> str:
    seeds = max(len(arm.seeds) for arm in summary.arms)
    over = f"over {seeds} seeds" if seeds > 1 else "on one seed, so without intervals"
    hollow = " In parentheses: the last value of arms that are not complete."
    hollow = hollow if summary.complete < len(summary.arms) else ""
    metric = f"{summary.label}: mean {over}"
    if seeds > 1:
        interval = "smoothed bootstrap" if seeds >= MIN_SEEDS else "Student's"
        metric += f", {interval} interval, standard deviation and interquartile mean"
    return f"{metric}; epochs of all its runs; seconds that a run took.{hollow}"


def _row(row: Mapping[str, Any], parameters: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Format a row; an arm without a mean shows its last value in parentheses."""
    mean, low, high = row["mean"], row["interval_low"], row["interval_high"]
    shown = f"{mean:.1f}" if mean is not None else "" if row["last"] is None else f"({row['last']:.1f})"
    interval = "" if low is None else span(low, high)
    iqm = _number(row["iqm"], ".1f") if row["seeds"] > 1 else ""
    state = (str(row["arm"]), row["role"], *parameters, str(row["seeds"]), row["state"], str(row["epochs"]))
    cost = _number(row["seconds_of_a_run"], ".3g")
    more = [_number(row[f"metric.{other}"], ".4g") for other in others]
    return (*state, shown, interval, _number(row["deviation"], ".2f"), iqm, cost, *more)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _side(path: str, arms: Sequence[Arm]) -> str:
    return "r" if all(is_number(arm.values[path]) for arm in arms) else "l"
