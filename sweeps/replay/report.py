"""Tables and JSON that the command line prints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.intervals import half_width
from sweeps.planning.estimate import duration
from sweeps.replay import FRACTIONS, Measured, Recording, interval_text


@dataclass(frozen=True)
class ReplayRow:
    """Result of a searcher and a stopper on a recording."""

    searcher: str
    stopper: str
    found: Measured

    @property
    def name(self) -> str:
        """Text of the first two cells."""
        return f"{self.searcher} | `{self.stopper}`"

    @property
    def curve(self) -> list[tuple[float | None, float | None]]:
        """Mean regret and half its 95 % interval at each of FRACTIONS; None while some replay had no complete arm."""
        columns = self.found.curve.T
        return [
            (None, None) if np.isnan(column).any() else (float(column.mean()), half_width(column))
            for column in columns
        ]

    def as_json(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        found = self.found
        return {
            "searcher": self.searcher,
            "stopper": self.stopper,
            "regret": {"mean": float(found.regrets.mean()), "half_width": half_width(found.regrets)},
            "regrets": found.regrets.tolist(),
            "near": found.near,
            "epochs": found.epochs,
            "hours": found.hours,
            "proposed": found.proposed,
            "curve": [
                {"epochs": share, "regret": mean, "half_width": half}
                for share, (mean, half) in zip(FRACTIONS, self.curve, strict=True)
            ],
        }


def replay_markdown(one: Recording, rows: Sequence[ReplayRow]) -> Iterator[str]:
    """Return the tables of a recording, line by line."""
    yield f"### {one.name}: {len(one.arms)} arms x {len(one.seeds)} seeds, {one.horizon} epochs"
    yield ""
    yield f"Recorded by `{one.command}`."
    if one.deviation is None:
        yield "It has one seed: the seed deviation is unknown, so near is not told and no stopper allows for noise."
    else:
        yield f"Paired seed deviation: {one.deviation:.2f} points."
    if not one.seconds:
        yield "It has no times: an epoch takes a second of the simulated clock."
    yield ""
    yield "| searcher | stopper | by its model | regret | near | epochs | time | less the first |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        found = row.found
        near = "-" if found.near is None else f"{found.near:.0%}"
        less = "" if row is rows[0] else interval_text(found.regrets - rows[0].found.regrets)
        model = "-" if found.proposed is None else f"{found.proposed:.0f} of {len(one.arms) - 1}"
        time = duration(found.hours * 3600)
        yield f"| {row.name} | {model} | {found.regret} | {near} | {found.epochs:.0%} | {time} | {less} |"
    yield ""
    yield f"| regret at | | {' | '.join(f'{share:.0%}' for share in FRACTIONS)} |"
    yield "|---" * (len(FRACTIONS) + 2) + "|"
    for row in rows:
        means = ("-" if mean is None else f"{mean:.2f}" for mean, _ in row.curve)
        yield f"| {row.name} | {' | '.join(means)} |"


def replay_json(one: Recording, rows: Sequence[ReplayRow]) -> dict[str, Any]:
    """Return the same as JSON-ready values; null for unknown ones."""
    fields = ("name", "command", "metric", "horizon", "seeds", "deviation")
    return {
        **{name: getattr(one, name) for name in fields},
        "arms": len(one.arms),
        "rows": [r.as_json() for r in rows],
    }
