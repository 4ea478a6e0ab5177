"""The values that one parameter may take, each range with its source."""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass

from contrastive.types import STRICT, Positive


class _Range:
    """What all ranges of numbers have in common."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(
                f"a range runs from low to high, got {self.low} to {self.high}; swap them, or use Choice"
            )

    @property
    def corners(self) -> tuple[float, ...]:
        """Its ends."""
        return (self.low, self.high)

    def contains(self, value: Any) -> bool:
        """Whether the value lies in the range."""
        return self.low <= value <= self.high


@dataclass(frozen=True, config=STRICT)
class Uniform(_Range):
    """Real numbers from `low` to `high`; `source` says who studied this range."""

    low: float
    high: float
    source: str = Field(kw_only=True)
    kind: Literal["uniform"] = Field(default="uniform", kw_only=True)


@dataclass(frozen=True, config=STRICT)
class LogUniform(_Range):
    """Positive real numbers, every factor equally likely."""

    low: Positive
    high: Positive
    source: str = Field(kw_only=True)
    kind: Literal["log_uniform"] = Field(default="log_uniform", kw_only=True)


@dataclass(frozen=True, config=STRICT)
class Choice:
    """One of the JSON values listed; a value may be a whole sub-configuration."""

    values: tuple[JsonValue, ...] = Field(min_length=1)
    source: str = Field(kw_only=True)
    kind: Literal["choice"] = Field(default="choice", kw_only=True)

    @property
    def corners(self) -> tuple[Any, ...]:
        """All its values."""
        return self.values

    def contains(self, value: Any) -> bool:
        """Whether the value is listed."""
        return value in self.values


Domain = Annotated[Uniform | LogUniform | Choice, Field(discriminator="kind")]
