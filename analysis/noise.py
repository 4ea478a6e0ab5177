"""Known noise: the sd of one arm's score over seeds, as measured before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.paired import ALPHA


@dataclass(frozen=True)
class Noise:
    """The sd of one arm's score over seeds, as measured before."""

    deviation: float
    """Sample standard deviation, in points."""
    seeds: int | None = None
    """Number of seeds that it was estimated from; None: taken as exact."""

    def __post_init__(self) -> None:
        """Refuse an illegal deviation.

        Raises:
            ValueError: the deviation is not a number above 0.
        """
        if not 0 < self.deviation < np.inf:
            raise ValueError(
                f"a seed deviation of {self.deviation:g} points tells no difference from chance; "
                "give one above 0, or no noise where none is known"
            )

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> "Noise | None":
        """What was known when a sweep began; a deviation of 0, from seeds that were all equal, tells nothing."""
        deviation = manifest.get("seed_deviation")
        return cls(deviation, manifest.get("seed_deviation_seeds")) if deviation else None

    @property
    def freedom(self) -> float:
        """Degrees of freedom of its square."""
        return np.inf if self.seeds is None else max(self.seeds - 1, 1)

    @property
    def threshold(self) -> float:
        """What the difference of two runs passes by chance once in twenty: it has sqrt(2) of the deviation of one."""
        return float(stats.t.isf(ALPHA / 2, self.freedom)) * 2**0.5 * self.deviation

    def p(self, difference: float) -> float:
        """Two-sided, of the difference of two runs."""
        return float(2 * stats.t.sf(abs(difference) / (2**0.5 * self.deviation), self.freedom))
