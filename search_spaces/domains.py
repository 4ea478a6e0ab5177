"""Values that one parameter may take, or several that change together, each range with its source."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, JsonValue

from contrastive.types import Positive, strict


def _fractions(count: int) -> list[float]:
    """Return the inner ones of `count` evenly spaced numbers from 0 to 1."""
    return [place / (count - 1) for place in range(1, count - 1)]


class _Domain:
    """What ranges and lists have in common: a value of one parameter has one part, that of a `Zip` one for each."""

    def parts(self, value: Any) -> tuple[Any, ...]:
        return (value,)

    def joined(self, parts: tuple[Any, ...]) -> Any:
        return parts[0]


class _Range(_Domain):
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
        """Number of values; None: more than can be listed."""
        return None

    @property
    def corners(self) -> tuple[float, ...]:
        return (self.low, self.high)

    def contains(self, value: Any) -> bool:
        return self.low <= value <= self.high

    def between(self, fraction: float) -> float:
        raise NotImplementedError

    def points(self, count: int) -> list[Any]:
        """Return values equal steps (or factors) apart, both ends included; fewer if the range has fewer numbers."""
        return [self.low] if count < 2 else self._spread(map(self.between, _fractions(count)))

    def _within(self, value: float) -> float:
        """Return the value, or the end that rounding has passed: Optuna refuses values outside."""
        return min(max(float(value), self.low), self.high)

    def _spread(self, inner: Iterable[float]) -> list[float]:
        """Return both ends and the values between, each once, as decimals of 15 digits if these tell them apart.

        So 0.30000000000000004 becomes 0.3, and a fraction of a range is the same value on every grid.
        """
        exact = sorted({self.low, self.high, *map(self._within, inner)})
        plain = {self.low, self.high, *(self._within(float(f"{value:.15g}")) for value in exact)}
        return sorted(plain) if len(plain) == len(exact) else exact


@strict()
class Uniform(_Range):
    """Real numbers from `low` to `high`; `source` says who studied this range.

    >>> Uniform(0.0, 1.0, source="the paper's figure 3").points(3)
    [0.0, 0.5, 1.0]
    """

    low: float
    high: float
    source: str = Field(kw_only=True)
    kind: Literal["uniform"] = Field(default="uniform", kw_only=True)

    def between(self, fraction: float) -> float:
        """Return the number at this fraction of the way from the low end to the high one."""
        return self.low + (self.high - self.low) * fraction

    def at(self, fraction: float) -> float:
        """Return the value below which this fraction of the range lies."""
        return self._within(self.between(fraction))


@strict()
class LogUniform(_Range):
    """Positive real numbers, every factor equally likely: for rates, temperatures and whatever else spans decades.

    >>> LogUniform(0.01, 1.0, source="ours").points(3)
    [0.01, 0.1, 1.0]
    """

    low: Positive
    high: Positive
    source: str = Field(kw_only=True)
    kind: Literal["log_uniform"] = Field(default="log_uniform", kw_only=True)

    def between(self, fraction: float) -> float:
        """Return the number at this fraction of the factors from the low end to the high one."""
        if self.high / self.low > 2:
            return self.low * (self.high / self.low) ** fraction
        width = math.log1p((self.high - self.low) / self.low)  # the quotient of a narrow range loses digits
        return self.low + self.low * math.expm1(width * fraction)

    def at(self, fraction: float) -> float:
        """Return the value below which this fraction of the range's factors lies."""
        low, high = np.log(self.low), np.log(self.high)
        return self._within(np.exp(low + (high - low) * fraction))


@strict()
class Integer(_Range):
    """Whole numbers from `low` to `high`; `logarithmic`: every factor about equally likely.

    >>> Integer(1, 64, source="ours", logarithmic=True).points(4)
    [1, 4, 16, 64]
    """

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
        """Number of values."""
        return self.high - self.low + 1

    @property
    def corners(self) -> tuple[int, ...]:
        """The ends, and the lower one's neighbour, which reveals values that must be multiples of something."""
        return tuple(dict.fromkeys((self.low, self.low + 1, self.high)))

    def contains(self, value: Any) -> bool:
        """Whether the value is one of the whole numbers."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def between(self, fraction: float) -> float:
        """Return the real number at this fraction of the steps, or factors, from low to high."""
        low, high = self.low, self.high
        return low * (high / low) ** fraction if self.logarithmic else low + (high - low) * fraction

    def points(self, count: int) -> list[int]:
        """Return about evenly spaced values, both ends included; all values if there are fewer."""
        if count >= self.size or count < 2:
            return list(range(self.low, self.high + 1))[:count]
        found = [self.low]
        for place, f in enumerate(_fractions(count), start=1):
            real = self.between(f)
            # Where factors are finer than whole numbers, the next that is free; room is left for those above.
            found.append(min(max(round(real), found[-1] + 1), self.high - (count - 1 - place)))
        return [*found, self.high]

    def at(self, fraction: float) -> int:
        """Return the value below which about this fraction of the range lies."""
        low, high = self.low - 0.5, self.high + 0.5
        real = low * (high / low) ** fraction if self.logarithmic else low + (high - low) * fraction
        return int(self._within(round(real)))


class _Listed(_Domain):
    """What domains of listed values have in common."""

    values: tuple[Any, ...]

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def corners(self) -> tuple[Any, ...]:
        return self.values

    def contains(self, value: Any) -> bool:
        return value in self.values

    def points(self, count: int) -> list[Any]:
        """Return all values whatever the count, for they are to be compared."""
        return list(self.values)

    def at(self, fraction: float) -> Any:
        """Return the value below which this fraction of the list lies."""
        return self.values[min(int(fraction * self.size), self.size - 1)]


@strict()
class Choice(_Listed):
    """One of the JSON values listed; a value may be a whole sub-configuration.

    >>> Choice((0, 512, 2048), source="the paper's table 5").points(2)
    [0, 512, 2048]
    >>> Choice(({"name": "sgd"}, {"name": "lars", "trust": 0.01}), source="ours").size
    2
    """

    values: tuple[JsonValue, ...] = Field(min_length=1)
    source: str = Field(kw_only=True)
    kind: Literal["choice"] = Field(default="choice", kw_only=True)


@strict()
class Zip(_Listed):
    """Values of several parameters that change together; its key in a space is their paths, joined by ", ".

    With `{"batch, optimiser.lr": ...}` a larger batch has a larger rate here:

    >>> Zip(((64, 0.1), (256, 0.4)), source="ours").contains((64, 0.4))
    False
    """

    values: tuple[tuple[JsonValue, ...], ...] = Field(min_length=1)
    source: str = Field(kw_only=True)
    kind: Literal["zip"] = Field(default="zip", kw_only=True)

    def contains(self, value: Any) -> bool:
        """Whether the values are listed together."""
        return tuple(value) in self.values

    def parts(self, value: Any) -> tuple[Any, ...]:
        """Return the value of each parameter."""
        return tuple(value)

    def joined(self, parts: tuple[Any, ...]) -> Any:
        """Return the parameters' values together."""
        return parts


Domain = Annotated[Uniform | LogUniform | Integer | Choice | Zip, Field(discriminator="kind")]
