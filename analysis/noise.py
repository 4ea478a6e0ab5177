"""How much chance moves the score of one arm from seed to seed, as it was measured before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.paired import ALPHA


@dataclass(frozen=True)
class Noise:
    """How much the score of one arm varies over seeds, as it was measured before."""

    deviation: float
    """Sample standard deviation, in points."""
    seeds: int | None = None
    """How many it rests on; None: taken as exact."""

    def __post_init__(self) -> None:
        """Refuse what is no noise.

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
