"""Recordings of sweeps without stopping, as replays need them."""

from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np

from analysis.stopping import MIN_RUNS, rank_correlation
from sweeps.planning.simulation.curves import Curves, check_curves


@dataclass(frozen=True)
class Recording:
    """A sweep without stopping: of every arm on every seed the metric after each epoch, in percent."""

    name: str
    command: str
    metric: str
    horizon: int
    arms: dict[str, dict[str, list[float]]]
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Seconds of each epoch, training and evaluation, by arm and seed; empty if not recorded."""
    unwell: dict[str, dict[str, str]] = field(default_factory=dict)
    """Reason, by arm and seed, for which the guard ended a run; its curve ends there."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Values by path that distinguish the arms; "" where an arm has no such field."""
    plan: dict[str, Any] = field(default_factory=dict)
    """Plan of the sweep, with its space; empty where only curves are known."""

    @property
    def seeds(self) -> list[str]:
        """Seeds on which arms were run; `check` ensures that each arm was run on all of them."""
        return list(dict.fromkeys(seed for curves in self.arms.values() for seed in curves))

    def curves(self, seed: str) -> dict[str, list[float]]:
        """Return the curve of each arm on a seed."""
        return {arm: curves[seed] for arm, curves in self.arms.items()}

    def ended(self, seed: str) -> dict[str, str]:
        """Return the arms that the guard ended on a seed, with the reasons."""
        return {arm: reasons[seed] for arm, reasons in self.unwell.items() if seed in reasons}

    def durations(self, seed: str) -> dict[str, list[float]]:
        """Return the seconds of each arm's epochs on a seed."""
        return {arm: seconds[seed] for arm, seconds in self.seconds.items()}

    @property
    def deviation(self) -> float | None:
        """Effect of a seed on an arm's final value: sd over arms of the difference of two seeds, divided by sqrt(2).

        The common effect of a seed on all arms is left out, since arms are compared on one seed. None: only one seed.
        """
        well = [curves for arm, curves in self.arms.items() if arm not in self.unwell]
        if len(self.seeds) < 2 or len(well) < 2:
            return None
        finals = np.array([[curves[seed][-1] for seed in self.seeds] for curves in well])
        pairs = [(a, b) for a in range(len(self.seeds)) for b in range(a)]
        return fmean(float((finals[:, a] - finals[:, b]).std(ddof=1)) for a, b in pairs) / 2**0.5

    def correlation(self, epoch: int) -> float:
        """Rank correlation of the values at an epoch with the final ones, mean over seeds; only healthy arms count."""
        well = {arm: curves for arm, curves in self.arms.items() if arm not in self.unwell}
        return fmean(
            correlation_at({arm: curves[seed] for arm, curves in well.items()}, epoch) for seed in self.seeds
        )

    def check(self) -> None:
        """Check that it is ground truth with enough arms.

        Raises:
            ValueError: it is not; says why, and what to record instead.
        """
        if len(self.arms) < MIN_RUNS:
            raise ValueError(
                f"{self.name} has {len(self.arms)} arms, and of fewer than {MIN_RUNS} a replay says nothing; "
                "record a sweep with more --arms"
            )
        for seed in self.seeds:
            if lacking := [arm for arm, curves in self.arms.items() if seed not in curves]:
                raise ValueError(
                    f"{self.name}: arm {lacking[0]} was not run on seed {seed}; finish the sweep"
                )
            try:
                check_curves(self.curves(seed), unwell=self.ended(seed), horizon=self.horizon)
            except ValueError as error:
                raise ValueError(f"{self.name}, seed {seed}: {error}") from None


def correlation_at(curves: Curves, epoch: int) -> float:
    """Return Spearman's rank correlation of the values at an epoch with the final ones; nan if either are all equal.

    Raises:
        ValueError: the epoch is not among those recorded, or the curves cannot be replayed.
    """
    horizon = check_curves(curves)
    if not 1 <= epoch <= horizon:
        raise ValueError(f"epoch = {epoch}: the runs have epochs 1 to {horizon}")
    early, final = ([curve[at - 1] for curve in curves.values()] for at in (epoch, horizon))
    return rank_correlation(early, final)
