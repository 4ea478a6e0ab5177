"""Check whether each arm of a sweep has learned: its accuracy over seeds beside the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.arms import Arm, numbered
from analysis.compare import holm, p_value
from analysis.intervals import Ends, Interval, interval
from analysis.load import Record
from analysis.naming import shown
from analysis.paired import ALPHA
from analysis.summarise import summarise

RAW, UNTRAINED = "raw pixels", "untrained"
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
    untrained: dict[int, float] = {
        int(seed): value for seed, value in record.manifest.get("untrained", {}).items()
    }
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
    return [
        _row(name, arm, lines, chances, record.within)
        for name, arm, chances in zip(names, arms, both, strict=True)
    ]


def learning_markdown(record: Record) -> str:
    """The rows as a table, the baselines last."""
    found = learning(record)
    untrained = interval(list(record.manifest["untrained"].values()), record.within)
    above = f"clearly above (of {2 * len(found)} comparisons, Holm)"
    rows = [
        ["arm", "seeds", "kNN top-1 (%)", "over untrained", "over raw pixels", above],
        *(
            [row.name, *map(str, (row.seeds, row.score, row.over_untrained, row.over_raw)), row.verdict]
            for row in found
        ),
        ["untrained encoder", str(len(record.manifest["untrained"])), str(untrained), "", "", ""],
        ["raw pixels", "", f"{record.manifest['baselines']['raw pixels']:.1f}", "", "", ""],
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])


def _row(name: str, arm: Arm, lines: Lines, p: tuple[float | None, float | None], within: Ends) -> Row:
    gains = {
        name: interval([score - line[seed] for seed, score in arm.scores.items()])
        for name, line in lines.items()
    }
    return Row(
        name=name,
        seeds=len(arm.scores),
        score=interval(list(arm.scores.values()), within),
        over_untrained=gains[UNTRAINED],
        over_raw=gains[RAW],
        verdict=_verdict(gains, p, len(arm.scores)),
    )


def _verdict(gains: Mapping[str, Interval], p: Sequence[float | None], seeds: int) -> str:
    if seeds == 1:
        return "one seed cannot tell"
    if all(chance is None for chance in p):
        return "equal differences cannot tell"
    passed = [
        name
        for (name, gain), chance in zip(gains.items(), p, strict=True)
        if gain.mean > 0 and chance is not None and chance <= ALPHA
    ]
    return " and ".join(passed) or "neither"
