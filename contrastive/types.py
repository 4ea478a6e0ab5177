"""Numbers that carry their legal range, and the one configuration all config dataclasses share."""

from typing import Annotated

from pydantic import ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]

STRICT = ConfigDict(extra="forbid", validate_default=True, use_attribute_docstrings=True)
"""No unknown field, no illegal default: `@dataclass(frozen=True, kw_only=True, config=STRICT)`."""
