"""A summary for a terminal: the arms, the verdict, and what would settle it."""

from collections import Counter

from analysis import tables
from analysis.arms import Arm
from analysis.headline import caveats, counts, finding_of
from analysis.intervals import plus_minus
from analysis.naming import cells, short
from analysis.paper import paper_table
from analysis.summary import Summary


def summary_text(summary: Summary, limit: int = 20) -> str:
    """Format the summary for a terminal: the `limit` best arms and the default (mean ± sd over seeds), and the verdict.

    Where the best arms were run again on fresh seeds, the search is shown, but only those runs are judged.
    """
    told = [f"{one}." for one in caveats(summary)]
    shown = [f"{summary.identifier}: {summary.label}", *told, "", *_opening(summary, limit)]
    if summary.confirmed:
        seeds = ", ".join(map(str, sorted({seed for arm in summary.confirmed.arms for seed in arm.seeds})))
        shown += ["", f"The best again, and the default, on fresh seeds ({seeds}):", ""]
        shown += _table(summary.confirmed, limit)
    return "\n".join([*shown, "", *_verdict(summary)])


def _opening(summary: Summary, limit: int) -> list[str]:
    """The rows that answer the question of the space; of an ablation the other arms after its own, if there are any."""
    result, rows = summary.result, _table(summary, limit)
    if result.question not in ("ablation", "addition") or not result.rows:
        return rows
    told = {row.number for row in result.rows if row.difference is not None}
    others = [arm for arm in result.arms if arm is not result.origin and arm.number not in told]
    return [*tables.text(paper_table(summary)).rstrip().splitlines(), *(["", *rows] if others else [])]


def _table(summary: Summary, limit: int) -> list[str]:
    others = _other_objectives(summary)
    score = "score ± sd" if any(arm.deviation for arm in summary.arms) else "score"
    head = ["arm", *short(summary.paths).values(), "seeds", "state", "epochs", score, *others]
    listed = [arm for rank, arm in enumerate(summary.arms) if rank < limit or arm is summary.default]
    values = cells(listed, summary.paths)
    rows = [head, *(_row(arm, summary, values[arm.digest]) for arm in listed)]
    lines = tables.aligned(rows, "r" * len(head))
    if len(listed) < len(summary.arms):
        lines.append(f"... and {len(summary.arms) - len(listed)} more arms")
    if summary.front:
        front = ", ".join(map(str, sorted(summary.front)))
        lines.append(f"Not beaten in every objective by another: {front}.")
    return lines


def _other_objectives(summary: Summary) -> list[str]:
    """Those beside the one that the score is."""
    named = next((list(arm.objectives) for arm in summary.arms if arm.objectives), [])
    return [name for name in named if name != "knn_top1"]


def _row(arm: Arm, summary: Summary, values: list[str]) -> list[str]:
    mark = {id(summary.best): "best ", id(summary.default): "default "}.get(id(arm), "")
    last = "" if arm.last is None else f"({arm.last:.1f} at {arm.last_epoch})"
    score = last if arm.score is None else plus_minus(arm.score, arm.deviation)
    others = [f"{arm.objectives[n]:.4g}" if n in arm.objectives else "" for n in _other_objectives(summary)]
    plain = [str(len(arm.seeds)), arm.state, str(arm.epochs), score]
    return [f"{mark}{arm.number}", *values, *plain, *others]


def _verdict(summary: Summary) -> list[str]:
    lines, result = [f"{finding_of(summary)}."], summary.result
    if result.comparison and result.question in ("search", "comparison"):
        lines.append(f"Best less default: {result.verdict}.")
        if result.luck and not summary.confirmed:
            lines.append(f"{result.luck}.")
        if result.significant and result.complete > 2:
            seeds = "these very seeds" if not summary.confirmed else "these seeds"
            lines.append(f"It is the best of {result.complete} on {seeds}: expect less on fresh ones.")
        if not result.significant and summary.settling:
            lines.append(f"To settle it: {summary.settling}")
    if summary.unconfirmed:
        lines.append("The best have not been confirmed on fresh seeds: these are candidates, not results.")
    states = Counter(summary.states)
    spent, full = summary.epochs_spent, summary.epochs_full
    if summary.confirmed:
        states.update(summary.confirmed.states)
        spent, full = spent + summary.confirmed.epochs_spent, full + summary.confirmed.epochs_full
    share = f"{spent:,} of {full:,} epochs ({spent / full if full else 0.0:.0%})"
    lines.append(f"Runs: {counts(states) or 'none'}; trained {share}.")
    lines += [f"{summary.proposals}."] if summary.proposals else []
    return [*lines, *([summary.stopping] if summary.stopping else []), *summary.reported]
