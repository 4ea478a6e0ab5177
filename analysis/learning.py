"""Check whether each arm of a sweep has learned: its accuracy over seeds beside the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.arms import Arm, numbered
from analysis.compare import holm, p_value
from analysis.intervals import HALF, LEVEL, Ends, Interval, interval
from analysis.load import Record
from analysis.naming import shown
from analysis.paired import ALPHA
from analysis.summarise import summarise
from analysis.tables import Table, markdown

RAW, UNTRAINED = "raw pixels", "untrained"
MEASURED = {"score": "score", "over_untrained": "over_untrained", "over_raw": "over_raw_pixels"}
"""Column of a table's values for each field of `Row`."""
Lines = Mapping[str, Mapping[int, float]]
"""What an arm is held against, by its name: the score on each seed."""


@dataclass(frozen=True)
class Row:
    """One arm: its score, and by how much it passes the encoder before training, paired by seed."""

    name: str
    seeds: int
    score: Interval
    over_untrained: Interval
    over_raw: Interval
    verdict: str
    """What it is clearly above, by Student's tests, corrected by Holm for both comparisons of every row."""


def learning(record: Record) -> list[Row]:
    """Return a row for each complete arm, the best first.

    Raises:
        ValueError: the sweep keeps no baselines, or none of a seed that an arm was run on.
    """
    baselines = record.manifest.get("baselines", {})
    recorded: dict[str, float] = record.manifest.get("untrained", {})
    untrained = {int(seed): value for seed, value in recorded.items()}
    if not untrained or RAW not in baselines:
        raise ValueError(f"{record.manifest.get('id')} holds no baselines; run it again with this version")
    raw = dict.fromkeys(untrained, float(baselines[RAW]))
    lines = {RAW: raw, UNTRAINED: untrained}
    arms = [arm for arm in summarise(record).arms if arm.score is not None]
    without = sorted({seed for arm in arms for seed in arm.scores} - untrained.keys())
    if without:
        raise ValueError(
            f"{record.manifest.get('id')} holds no score of the untrained encoder on seeds {without}; run those seeds "
            "again with this version"
        )
    p = holm([p_value(arm.scores, line, None) for arm in arms for line in lines.values()])
    both = zip(p[::2], p[1::2], strict=True)
    names = numbered([", ".join(map(shown, arm.values.values())) for arm in arms], arms)
    rows = zip(names, arms, both, strict=True)
    return [_row(name, arm, lines, chances, record.within) for name, arm, chances in rows]


def learning_table(record: Record) -> Table:
    """Tabulate `learning`."""
    rows = learning(record)
    label = record.manifest.get("metric_label") or record.metric
    half = HALF if any(row.score.half or row.over_raw.half for row in rows) else ""
    above = f"clearly above (of {2 * len(rows)} comparisons, Holm)"
    head = ("arm", "seeds", f"{label}{half}", f"over untrained{half}", f"over raw pixels{half}", above)
    caption = (
        "Beside what needs no training: the encoder before training, paired by seed, and kNN on raw pixels. "
        f"± is half of Student's {LEVEL:.0%} interval, each for itself. Clearly above: Student's test with Holm."
    )
    cells = [
        (row.name, *map(str, (row.seeds, row.score, row.over_untrained, row.over_raw)), row.verdict)
        for row in rows
    ]
    values: dict[str, list[Any]] = {"arm": [row.name for row in rows], "seeds": [row.seeds for row in rows]}
    for field, column in MEASURED.items():
        values[column] = [getattr(row, field).mean for row in rows]
        values[f"{column}_half_width"] = [getattr(row, field).half for row in rows]
    values["clearly_above"] = [row.verdict for row in rows]
    return Table("baselines", caption, head, tuple(cells), "lrrrrl", values)


def learning_markdown(record: Record) -> str:
    """Format `learning_table` with the baselines as its last rows."""
    table, untrained = learning_table(record), record.manifest["untrained"]
    before = str(interval(list(untrained.values()), record.within))
    baselines = (
        ("untrained encoder", str(len(untrained)), before, "", "", ""),
        (RAW, "", f"{record.manifest['baselines'][RAW]:.1f}", "", "", ""),
    )
    whole = replace(table, rows=(*table.rows, *baselines), values={})
    return markdown(whole).rstrip()


def _row(name: str, arm: Arm, lines: Lines, p: tuple[float | None, float | None], within: Ends) -> Row:
    scores = arm.scores.items()
    gains = {name: interval([score - line[seed] for seed, score in scores]) for name, line in lines.items()}
    own, seeds = interval(list(arm.scores.values()), within), len(arm.scores)
    return Row(name, seeds, own, gains[UNTRAINED], gains[RAW], _verdict(gains, p, seeds))


def _verdict(gains: Mapping[str, Interval], p: Sequence[float | None], seeds: int) -> str:
    if seeds == 1:
        return "one seed cannot tell"
    if all(chance is None for chance in p):
        return "equal differences cannot tell"
    tests = zip(gains.items(), p, strict=True)
    passed = [n for (n, gain), chance in tests if gain.mean > 0 and chance is not None and chance <= ALPHA]
    return " and ".join(passed) or "neither"
