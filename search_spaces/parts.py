"""Parts of a space beside its domains: conditions, constraints, listed arms, and results known from elsewhere."""

from typing import Annotated

from pydantic import Field, JsonValue

from contrastive.config import Config, to_dict
from contrastive.paths import ABSENT, value_in
from contrastive.types import Count, Positive, strict


@strict()
class When:
    """A domain exists only where the field at `path` has one of these values.

    Each optimiser has its own range of learning rates here:

    >>> from contrastive import Config
    >>> from search_spaces.domains import Choice, LogUniform
    >>> from search_spaces.space import Space
    >>> rates = Space(
    ...     name="rates",
    ...     question="Which optimiser, and at which rate?",
    ...     base=Config(),
    ...     domains={
    ...         "optimiser.name": Choice(("sgd", "adam"), source="ours"),
    ...         "optimiser.lr (sgd)": LogUniform(0.01, 1.0, source="ours"),
    ...         "optimiser.lr (adam)": LogUniform(1e-4, 1e-2, source="ours"),
    ...     },
    ...     conditions={
    ...         "optimiser.lr (sgd)": When("optimiser.name", ("sgd",)),
    ...         "optimiser.lr (adam)": When("optimiser.name", ("adam",)),
    ...     },
    ... )
    >>> rates.flat({"optimiser.name": "adam", "optimiser.lr (sgd)": 0.5, "optimiser.lr (adam)": 0.001})
    {'optimiser.name': 'adam', 'optimiser.lr': 0.001}
    """

    path: str
    values: tuple[JsonValue, ...] = Field(min_length=1)


@strict()
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
        """Whether the configuration satisfies the constraint."""
        values = to_dict(config)
        smaller, larger = (value_in(values, path) for path in (self.smaller, self.larger))
        return ABSENT in (smaller, larger) or smaller < larger


@strict(kw_only=True)
class Reference:
    """Result of the base arm measured before, which gives the noise of a sweep of one seed."""

    seed_deviation: Positive
    """Standard deviation over seeds of the last knn_top1, in points."""
    seeds: Count
    source: str


@strict()
class Alternative:
    """An arm with a name: changes to the base that belong together.

    In an ablation it is the base without one of its components.
    """

    name: str
    values: Annotated[dict[str, JsonValue], Field(min_length=1)]
    source: str


@strict(kw_only=True)
class Reported:
    """Published figure of one setting, for comparison."""

    values: dict[str, JsonValue]
    """Values that vary, by path; other settings are those of `what`."""
    score: float
    what: str
    """Metric, images and training of the figure."""
    source: str
