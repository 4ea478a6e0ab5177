"""Progress display of a running sweep: a live table in a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from analysis.naming import name_of, short, shown
from sweeps.engine.engine import Engine
from sweeps.engine.history import last_line
from sweeps.engine.ledger import Watcher
from sweeps.engine.runs import METRIC, IssuedRun
from sweeps.planning.estimate import duration, remaining
from sweeps.planning.plan import Plan, expected_epochs_of

REFRESH_PER_SECOND = 4
MAX_LINES = 24
"""Maximum lines of the table: of a long sweep it shows the runs in training, the best and the last."""
FRAME = 12
"""Lines of a terminal for the table's title, head and foot and for what is below it."""
STARTING = "starting Ray"


@dataclass
class _Line:
    run: IssuedRun
    state: str = "running"
    epoch: int = 0
    value: float | None = None
    reason: str = ""


class Progress(Watcher, AbstractContextManager["Progress"]):
    """Collector and display of what happens to each run."""

    def __init__(self, plan: Plan, console: Console, clock: Callable[[], float] = time.monotonic):
        self.plan, self.console, self.clock = plan, console, clock
        self.started = clock()
        self.before, self.done_before, self.done = 0, 0, 0
        self.started_training = False
        self.best: tuple[float, IssuedRun] | None = None
        self.directory: Path | None = None
        self.total, self.expected = plan.runs + plan.confirm_runs, expected_epochs_of(plan)[1]
        self.paths = tuple(plan.space.setting(plan.space.base))
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

    def begin(self, engine: Engine) -> None:
        """Show the state of the sweep at the start of this session."""
        open_runs = {run.identity for run in engine.study.unfinished()}
        self.before = len(engine.study.entries.keys() - open_runs - self.lines.keys())
        self.done_before, self.started = engine.ledger.epochs_spent, self.clock()
        self.directory = engine.study.directory
        for entry in engine.study.entries.values():
            if entry.state == "complete":
                self._lead(entry.values[0], entry.run)

    def training(self) -> None:
        """Show that Ray has started and the first run is training."""
        self.started_training = True
        if not self.console.is_terminal:
            self.say(f"{self._seconds()}  training")

    def state(self, run: IssuedRun, state: str, reason: str, epochs: int) -> None:
        """Show that a run has started or ended."""
        with self.lock:
            line = self.lines.setdefault(run.identity, _Line(run))
            line.state, line.reason = state, reason
            line.epoch = max(line.epoch, epochs)
            if state == "complete" and line.value is not None:
                self._lead(line.value, run)
        if not self.console.is_terminal:
            self.say(self._sentence(line))

    def report(self, run: IssuedRun, epoch: int, value: float) -> None:
        """Show that a run has finished an epoch."""
        with self.lock:
            line = self.lines.setdefault(run.identity, _Line(run))
            line.epoch, line.value = epoch, value
            self.done += 1
            self.started_training = True
        if not self.console.is_terminal:
            self.say(
                f"{self._seconds()}  run {run.number}  epoch {epoch}/{self.plan.epochs}  {METRIC} {value:.2f}"
            )

    def say(self, line: str) -> None:
        """Print a separate line, above the table if there is one."""
        self.console.out(line, highlight=False)

    def left(self) -> float | None:
        """Estimate the seconds left from the pace of this session; None while that is unknown."""
        return remaining(
            done=self.done_before + self.done,
            expected=self.expected,
            seconds_per_epoch=(self.clock() - self.started) / self.done if self.done else None,
            workers=1,  # the pace of all of them together
        )

    def table(self) -> Table:
        """Return the table of runs in order of issue, of many the most informative; the best complete one is marked."""
        with self.lock:
            lines, leader = list(self.lines.values()), self.best
        ended = self.before + sum(line.state not in ("running", "paused") for line in lines)
        left = self.left()
        rest = "" if left is None else f", about {duration(left)} to go"
        table = Table(
            title=f"{self.plan.space.name}: {ended} of {self.total} runs ended, {self._seconds()}{rest}",
            caption="\n".join(map(escape, self._foot(leader))),
            box=box.SIMPLE_HEAD,
        )
        table.add_column("run", justify="right")
        for name in short(self.paths).values():
            table.add_column(name.replace("_", " "), justify="right", overflow="fold")
        for column in ("seed", "epoch", "kNN %"):
            table.add_column(column, justify="right")
        table.add_column("state")
        for line in _most_telling(lines, max(4, min(MAX_LINES, self.console.height - FRAME))):
            first = leader is not None and line.run.identity == leader[1].identity
            table.add_row(
                *map(escape, self._cells(line)), style="bold green" if first else STYLES[line.state]
            )
        return table

    def _foot(self, leader: tuple[float, IssuedRun] | None) -> list[str]:
        """Return the best so far, of earlier sessions, too, and the place of the store."""
        lines: list[str] = []
        if leader is not None:
            best, run = leader
            setting = name_of(self._setting(run))
            lines.append(f"best so far: {best:.2f} % (run {run.number}, {setting})")
        return [*lines, *([f"in {self.directory}"] if self.directory else [])]

    def _lead(self, value: float, run: IssuedRun) -> None:
        if self.best is None or value > self.best[0]:
            self.best = value, run

    def _setting(self, run: IssuedRun) -> dict[str, Any]:
        return self.plan.space.setting(run.config)

    def _cells(self, line: _Line) -> list[str]:
        setting, run = self._setting(line.run), line.run
        values = [shown(setting.get(path, "")) for path in self.paths]
        accuracy = "" if line.value is None else f"{line.value:.2f}"
        return [str(run.number), *values, str(run.seed), str(line.epoch), accuracy, self._state(line)]

    def _state(self, line: _Line) -> str:
        return STARTING if line.state == "running" and not self.started_training else line.state

    def _sentence(self, line: _Line) -> str:
        run, why = line.run, f" ({last_line(line.reason)})" if line.reason else ""
        head = f"{self._seconds()}  run {run.number}  seed {run.seed}"
        return f"{head}  {name_of(self._setting(run))}: {self._state(line)}{why}"

    def _seconds(self) -> str:
        return f"{self.clock() - self.started:.0f} s"


STYLES = {"running": "", "paused": "dim", "complete": "green", "stopped": "dim", "failed": "red"}


def _most_telling(lines: list[_Line], count: int) -> list[_Line]:
    if len(lines) <= count:
        return lines
    running = [line for line in lines if line.state == "running"]
    best = sorted(lines, key=lambda line: -(line.value or 0.0))[: count // 2]
    chosen = [*running, *best, *reversed(lines)]
    numbers = list(dict.fromkeys(line.run.number for line in chosen))[:count]
    return [line for line in lines if line.run.number in set(numbers)]
