"""Summary of a sweep: its arms, the best beside the default, and whether their difference is significant."""

import re
from dataclasses import dataclass, field
from typing import Literal

from analysis.arms import Arm
from analysis.compare import Comparison
from analysis.intervals import EVERYWHERE, Ends, chance
from analysis.multiple import Difference
from analysis.paired import ALPHA, expected_lead

MAX_PROPOSED_SEEDS = 20
"""Seeds that are proposed to settle something: more is for people to decide."""
Question = Literal["search", "ablation", "addition", "comparison"]
"""Which values are best; what each part of a method is worth, left out or added; which of several methods is best."""
PROPOSED = re.compile(r"--seeds (\d+)-(\d+)")


@dataclass(frozen=True, repr=False)
class Summary:
    """A sweep in numbers; arms are ranked, complete ones first."""

    identifier: str
    label: str
    paths: tuple[str, ...]
    arms: tuple[Arm, ...]
    best: Arm | None
    default: Arm | None
    states: dict[str, int]
    """How many runs are in each state."""
    epochs_spent: int
    epochs_full: int
    comparison: Comparison | None = None
    """Difference of the best and the default, uncorrected."""
    p_holm: float | None = None
    """Its p, corrected for the number of arms, since the best was chosen from all."""
    settle_command: str | None = None
    reported: tuple[str, ...] = ()
    """What others have reported of settings of this space, a sentence each."""
    front: tuple[int, ...] = ()
    """Numbers of the complete arms that no other beats in every objective, if the sweep has several."""
    stopping: str | None = None
    """Whether early stopping would have paid, where nothing was stopped."""
    within: Ends = EVERYWHERE
    """Between what a score lies."""
    seed_deviation: float | None = None
    """The sd of one arm over seeds, as known when the sweep started."""
    proposals: str | None = None
    """How many arms a model has proposed, where one was asked."""
    codes: tuple[str, ...] = ()
    """Each commit with each digest of code that has trained some of the runs."""
    smoke: bool = False
    """It was only to show that a sweep runs: nothing in it is compared."""
    question: Question = "search"
    """What its space asks, and so which rows answer it."""
    rows: tuple[Difference, ...] = ()
    """Each part less the full method, each part added less the bare one, or each method less the default."""
    origin: Arm | None = None
    """What the rows are compared with."""
    data: str = ""
    """The data set, and how many of its images judge."""
    images: int | None = None
    """How many images a score is the share of, where that is known."""
    split: str = "validation"
    """Which images those are."""
    baselines: dict[str, float] = field(default_factory=dict[str, float])
    """What needs no training, by name."""
    unconfirmed: bool = False
    """The best were to be run again on fresh seeds, and have not been."""
    confirmed: "Summary | None" = None
    """The best arms and the default again, on seeds that had no part in choosing them: the sweep's result."""

    def __repr__(self) -> str:
        best = "none" if self.best is None else f"{self.best.score:.1f}"
        return f"<Summary of {self.identifier}: {len(self.arms)} arms, {self.complete} complete, best {best}>"

    @property
    def result(self) -> "Summary":
        """What may be reported: the runs on fresh seeds if there are any, else the search itself."""
        return self.confirmed or self

    @property
    def measured(self) -> str:
        """The metric with its unit, and the data set where it is known."""
        return f"{self.label} on {self.data}" if self.data else self.label

    def titled(self, title: str) -> str:
        """The title of a figure with unit and data set."""
        return f"{title}: {self.measured}"

    @property
    def others(self) -> int:
        """How many arms there are beside the default."""
        return sum(arm is not self.default for arm in self.arms)

    @property
    def significant(self) -> bool | None:
        """Whether the best is told from the default, and not only by itself; None where nothing can be said."""
        if self.comparison is None or not self.comparison.significant:
            return self.comparison and self.comparison.significant
        return self.p_holm is not None and self.p_holm <= ALPHA

    @property
    def verdict(self) -> str | None:
        """The comparison of the best with the default in words, a sentence without its full stop."""
        if self.comparison is None:
            return None
        if self.significant or not self.comparison.significant or self.p_holm is None:
            return self.comparison.sentence
        corrected = f"(p {chance(self.p_holm)}, Holm)"
        return f"{self.comparison.sentence} by itself, but not as the best of {self.others} {corrected}"

    @property
    def luck(self) -> str | None:
        """How far as many arms would lead by luck alone; None where nothing leads, or no deviation is known."""
        if not self.seed_deviation or self.comparison is None or self.best is None or self.others < 2:
            return None
        seeds = len(self.best.scores)
        lead = expected_lead(self.others, self.seed_deviation, seeds)
        known = f"seed deviation {self.seed_deviation:g}, {seeds} seed{'s' if seeds > 1 else ''}"
        many = f"By luck {self.others} arms of equal worth"
        return f"{many} would lead by {lead:.1f} points on average ({known})"

    @property
    def settling(self) -> str | None:
        """The command that would settle it, on as many fresh seeds as show what was seen if it is true.

        Five at least, as what was seen of the best of many is too much, and twenty at most.
        """
        found = self.result.comparison
        needed = min((found and found.seeds_needed) or 0, MAX_PROPOSED_SEEDS)
        return self.settle_command and PROPOSED.sub(
            lambda seeds: f"--seeds {seeds[1]}-{max(int(seeds[2]), int(seeds[1]) + needed - 1)}",
            self.settle_command,
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """On which its runs were trained."""
        return tuple(sorted({seed for arm in self.arms for seed in arm.seeds}))

    @property
    def complete(self) -> int:
        """How many arms are complete."""
        return sum(arm.score is not None for arm in self.arms)
