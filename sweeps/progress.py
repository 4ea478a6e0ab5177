"""What a person sees while a sweep runs: a live table in a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from sweeps.plan import Plan
from sweeps.searcher import METRIC
from sweeps.study import Run

REFRESH_PER_SECOND = 4


@dataclass
class _Line:
    run: Run
    state: str = "running"
    epoch: int = 0
    value: float | None = None
    reason: str = ""


class Progress(AbstractContextManager["Progress"]):
    """Collects what happens to each run and shows it."""

    def __init__(
        self, plan: Plan, console: Console, clock: Callable[[], float] = time.monotonic, *, before: int = 0
    ):
        """`before`: runs that had ended in earlier sittings."""
        self.plan, self.console, self.clock, self.before = plan, console, clock, before
        self.started = clock()
        self.lines: dict[str, _Line] = {}
        self.lock = threading.Lock()
        self.live = Live(get_renderable=self.table, console=console, refresh_per_second=REFRESH_PER_SECOND)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def state(self, run: Run, state: str, reason: str, epochs: int) -> None:
        """A run has started or ended."""
        with self.lock:
            line = self.lines.setdefault(run.identity, _Line(run))
            line.state, line.reason = state, reason
            line.epoch = max(line.epoch, epochs)
        if not self.console.is_terminal:
            self.console.print(self._sentence(line), highlight=False, markup=False, soft_wrap=True)

    def report(self, run: Run, epoch: int, value: float) -> None:
        """A run has finished an epoch."""
        with self.lock:
            line = self.lines.setdefault(run.identity, _Line(run))
            line.epoch, line.value = epoch, value
        if not self.console.is_terminal:
            self.console.print(
                f"{self._seconds()}  run {run.number}  epoch {epoch}/{self.plan.epochs}  {METRIC} {value:.2f}",
                highlight=False,
                markup=False,
            )

    def table(self) -> Table:
        """The runs so far, in order of issue; the best complete one stands out."""
        with self.lock:
            lines = list(self.lines.values())
        total = self.plan.runs
        ended = self.before + sum(line.state != "running" for line in lines)
        best = max((line.value for line in lines if line.state == "complete" and line.value), default=None)
        table = Table(title=f"{self.plan.space.name}: {ended} of {total} runs ended, {self._seconds()}")
        table.add_column("run", justify="right")
        for path in self.plan.space.setting(self.plan.space.base):
            table.add_column(path.removeprefix("method."), justify="right")
        for column in ("seed", "epoch", "kNN top-1 %"):
            table.add_column(column, justify="right")
        table.add_column("state")
        for line in lines:
            style = "bold green" if line.value == best and line.state == "complete" else STYLES[line.state]
            table.add_row(*map(escape, self._cells(line)), style=style)
        return table

    def _cells(self, line: _Line) -> list[str]:
        values = [_short(value) for value in self.plan.space.setting(line.run.trial).values()]
        accuracy = "" if line.value is None else f"{line.value:.2f}"
        state = line.state if line.state != "stopped" else f"stopped at {line.reason.partition(':')[0]}"
        return [str(line.run.number), *values, str(line.run.seed), str(line.epoch), accuracy, state]

    def _sentence(self, line: _Line) -> str:
        values = ", ".join(
            f"{path.removeprefix('method.')} {_short(value)}"
            for path, value in self.plan.space.setting(line.run.trial).items()
        )
        first = line.reason.strip().splitlines()[-1:] if line.state == "failed" else [line.reason]
        why = f" ({first[0]})" if first and first[0] else ""
        return f"{self._seconds()}  run {line.run.number}  seed {line.run.seed}  {values}: {line.state}{why}"

    def _seconds(self) -> str:
        return f"{self.clock() - self.started:.0f} s"


STYLES = {"running": "", "complete": "green", "stopped": "dim", "failed": "red"}


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
