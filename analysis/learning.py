"""Whether each arm of a sweep has learned: its accuracy over seeds beside what needs no training."""

from dataclasses import dataclass

import numpy as np

from analysis.compare import half_width
from analysis.load import Record
from analysis.summarise import Arm, shown, summarise


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and Student's 95 % interval of it; without one where there is one seed."""

    mean: float
    half: float | None

    def __str__(self) -> str:
        return f"{self.mean:.1f}" if self.half is None else f"{self.mean:.1f} ± {self.half:.1f}"

    @property
    def low(self) -> float:
        """The lower end; the mean of one seed has none."""
        return float("-inf") if self.half is None else self.mean - self.half


@dataclass(frozen=True)
class Row:
    """One arm: its score, and by how much it passes the encoder before training, paired by seed."""

    name: str
    seeds: int
    score: Interval
    over_untrained: Interval
    over_raw: Interval

    @property
    def verdict(self) -> str:
        """What it clearly passes: the whole interval lies above. One seed has none."""
        if self.seeds == 1:
            return "one seed cannot tell"
        passed = [
            name
            for name, gain in (("raw pixels", self.over_raw), ("untrained", self.over_untrained))
            if gain.low > 0
        ]
        return " and ".join(passed) or "neither"


def learning(record: Record) -> list[Row]:
    """A row for each complete arm, the best first.

    Raises:
        ValueError: the sweep is of a version that kept no baselines.
    """
    baselines = record.manifest.get("baselines", {})
    untrained = {int(seed): value for seed, value in record.manifest.get("untrained", {}).items()}
    if not untrained or "raw pixels" not in baselines:
        raise ValueError(f"{record.manifest.get('id')} holds no baselines; run it again with this version")
    arms = [arm for arm in summarise(record).arms if arm.score is not None]
    return [_row(arm, untrained, baselines["raw pixels"]) for arm in arms]


def markdown(record: Record) -> str:
    """The rows as a table, the baselines last."""
    found = learning(record)
    untrained = interval(list(record.manifest["untrained"].values()))
    rows = [
        ["arm", "seeds", "kNN top-1 (%)", "over untrained", "over raw pixels", "clearly above"],
        *(
            [row.name, *map(str, (row.seeds, row.score, row.over_untrained, row.over_raw)), row.verdict]
            for row in found
        ),
        ["untrained encoder", str(len(record.manifest["untrained"])), str(untrained), "", "", ""],
        ["raw pixels", "", f"{record.manifest['baselines']['raw pixels']:.1f}", "", "", ""],
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])


def interval(values: list[float]) -> Interval:
    """Mean and half width of Student's interval.

    Raises:
        ValueError: no value is given.
    """
    if not values:
        raise ValueError("an interval of no value; give one or more")
    return Interval(float(np.mean(values)), half_width(np.array(values)) if len(values) > 1 else None)


def _row(arm: Arm, untrained: dict[int, float], raw: float) -> Row:
    return Row(
        name=", ".join(shown(value) for value in arm.values.values()),
        seeds=len(arm.scores),
        score=interval(list(arm.scores.values())),
        over_untrained=interval([score - untrained[seed] for seed, score in arm.scores.items()]),
        over_raw=interval([score - raw for score in arm.scores.values()]),
    )
