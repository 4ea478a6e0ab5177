"""The values that one parameter may take, or several that change together, each range with its source."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass

from contrastive.types import STRICT, Positive


class _Range:
    """What all ranges of numbers have in common."""

    low: Any
    high: Any

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(
                f"a range runs from low to high, got {self.low} to {self.high}; swap them, or use Choice"
            )

    @property
    def size(self) -> int | None:
        """How many values it has; None: more than can be listed."""
        return None

    @property
    def corners(self) -> tuple[float, ...]:
        """Its ends."""
        return (self.low, self.high)

    def contains(self, value: Any) -> bool:
        """Whether the value lies in the range."""
        return self.low <= value <= self.high

    def _within(self, value: float) -> float:
        """The value, or the end that rounding has led past: Optuna refuses what lies outside."""
        return min(max(float(value), self.low), self.high)


@dataclass(frozen=True, config=STRICT)
class Uniform(_Range):
    """Real numbers from `low` to `high`; `source` says who studied this range."""

    low: float
    high: float
    source: str = Field(kw_only=True)
    kind: Literal["uniform"] = Field(default="uniform", kw_only=True)

    def points(self, count: int) -> list[float]:
        """Evenly spaced values, both ends included."""
        return [self._within(float(f"{v:.3g}")) for v in np.linspace(self.low, self.high, count)]

    def at(self, fraction: float) -> float:
        """The value below which this fraction of the range lies."""
        return self._within(self.low + (self.high - self.low) * fraction)


@dataclass(frozen=True, config=STRICT)
class LogUniform(_Range):
    """Positive real numbers, every factor equally likely."""

    low: Positive
    high: Positive
    source: str = Field(kw_only=True)
    kind: Literal["log_uniform"] = Field(default="log_uniform", kw_only=True)

    def points(self, count: int) -> list[float]:
        """Values equal factors apart, both ends included."""
        return [self._within(float(f"{v:.3g}")) for v in np.geomspace(self.low, self.high, count)]

    def at(self, fraction: float) -> float:
        """The value below which this fraction of the range's factors lies."""
        low, high = np.log(self.low), np.log(self.high)
        return self._within(np.exp(low + (high - low) * fraction))


@dataclass(frozen=True, config=STRICT)
class Integer(_Range):
    """Whole numbers from `low` to `high`; `logarithmic`: every factor about equally likely."""

    low: int
    high: int
    source: str = Field(kw_only=True)
    logarithmic: bool = Field(default=False, kw_only=True)
    kind: Literal["integer"] = Field(default="integer", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.logarithmic and self.low < 1:
            raise ValueError(f"a logarithmic range begins at 1 or above, got {self.low}")

    @property
    def size(self) -> int:
        """How many values it has."""
        return self.high - self.low + 1

    @property
    def corners(self) -> tuple[int, ...]:
        """Its ends, and the lower one's neighbour: what must be a multiple of something is found out by it."""
        return tuple(dict.fromkeys((self.low, self.low + 1, self.high)))

    def contains(self, value: Any) -> bool:
        """Whether the value is one of the whole numbers."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def points(self, count: int) -> list[int]:
        """About evenly spaced values, both ends included; all there are if there are no more."""
        if count >= self.size:
            return list(range(self.low, self.high + 1))
        spaced = np.geomspace if self.logarithmic else np.linspace
        return list(dict.fromkeys(round(float(v)) for v in spaced(self.low, self.high, count)))

    def at(self, fraction: float) -> int:
        """The value below which about this fraction of the range lies."""
        low, high = self.low - 0.5, self.high + 0.5
        real = low * (high / low) ** fraction if self.logarithmic else low + (high - low) * fraction
        return int(self._within(round(real)))


class _Listed:
    """What domains of listed values have in common."""

    values: tuple[Any, ...]

    @property
    def size(self) -> int:
        """How many values it has."""
        return len(self.values)

    @property
    def corners(self) -> tuple[Any, ...]:
        """All its values."""
        return self.values

    def contains(self, value: Any) -> bool:
        """Whether the value is listed."""
        return value in self.values

    def points(self, count: int) -> list[Any]:
        """All its values, whatever the count: they are what is to be compared."""
        return list(self.values)

    def at(self, fraction: float) -> Any:
        """The value below which this fraction of the list lies."""
        return self.values[min(int(fraction * self.size), self.size - 1)]


@dataclass(frozen=True, config=STRICT)
class Choice(_Listed):
    """One of the JSON values listed; a value may be a whole sub-configuration."""

    values: tuple[JsonValue, ...] = Field(min_length=1)
    source: str = Field(kw_only=True)
    kind: Literal["choice"] = Field(default="choice", kw_only=True)


@dataclass(frozen=True, config=STRICT)
class Zip(_Listed):
    """Values of several parameters that change together; its key in a space is their paths, joined by ", "."""

    values: tuple[tuple[JsonValue, ...], ...] = Field(min_length=1)
    source: str = Field(kw_only=True)
    kind: Literal["zip"] = Field(default="zip", kw_only=True)

    def contains(self, value: Any) -> bool:
        """Whether the values are listed together."""
        return tuple(value) in self.values


Domain = Annotated[Uniform | LogUniform | Integer | Choice | Zip, Field(discriminator="kind")]
