"""Reasons for which a sweep issues no more runs."""

import re
from dataclasses import dataclass, field
from typing import Literal

from sweeps.engine.history import last_line

SAME_FAILURES = 10
"""Consecutive runs that fail with the same error before the sweep ends: the next would fail, too."""


@dataclass(frozen=True)
class Closing:
    """Reason for the end of a sweep: a request, an exhausted budget, or failing runs."""

    kind: Literal["interrupted", "spent", "failing"]
    reason: str


@dataclass
class FailureStreak:
    """Counter of consecutive runs that failed alike; with `fail_fast`, the first failure is enough."""

    fail_fast: bool
    errors: list[str] = field(default_factory=list[str])

    def clear(self) -> None:
        """Reset the count: a run has ended well."""
        self.errors.clear()

    def add(self, reason: str) -> Closing | None:
        """Count a failure; return why the sweep is to end, or None."""
        last = last_line(reason)
        error = re.sub(r"\b[0-9a-f]{8,}\b|[\d.]+", "#", last)  # digests and numbers differ from run to run
        self.errors = [*self.errors, error] if error in self.errors[-1:] else [error]
        if self.fail_fast:
            return Closing("failing", f"a run has failed: {last}")
        if len(self.errors) >= SAME_FAILURES:
            return Closing("failing", f"{SAME_FAILURES} runs in a row failed alike: {last}")
        return None
