"""Parts of a space beside its domains: constraints, listed arms, and results known from elsewhere."""

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass

from contrastive.config import Config, to_dict
from contrastive.types import STRICT, Count, Positive
from search_spaces.conditional import ABSENT, value_in


@dataclass(frozen=True, config=STRICT)
class Less:
    """The number at path `smaller` stays below the one at path `larger`, wherever a configuration has both.

    >>> from contrastive.config import Config
    >>> sharper = Less("method.target_temperature", "method.temperature", "the target is the sharper distribution")
    >>> sharper.holds(Config())
    True
    """

    smaller: str
    larger: str
    reason: str

    def holds(self, config: Config) -> bool:
        """Whether the configuration keeps to it."""
        values = to_dict(config)
        smaller, larger = (value_in(values, path) for path in (self.smaller, self.larger))
        return ABSENT in (smaller, larger) or smaller < larger


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reference:
    """A result of the base arm that was measured before, so that a sweep of one seed knows its noise."""

    seed_deviation: Positive
    """Standard deviation over seeds of the last knn_top1, in points."""
    seeds: Count
    source: str


@dataclass(frozen=True, config=STRICT)
class Alternative:
    """An arm with a name: changes to the base that belong together.

    In an ablation it is the base without one of its components.
    """

    name: str
    values: dict[str, JsonValue] = Field(min_length=1)
    source: str = Field(kw_only=True)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reported:
    """A figure that others have published of one setting, to lay ours beside."""

    values: dict[str, JsonValue]
    """What varies, by path; other settings are those of `what`."""
    score: float
    what: str
    """What was measured, on what, how trained."""
    source: str
