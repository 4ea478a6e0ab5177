"""What a sweep is carried out with: machines, folders, disk space, what is reused. None of it changes a result."""

import shlex
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from contrastive.caches import cache_folder
from sweeps.sessions import webhook
from sweeps.store.driver import DEFAULT_STORE, Program

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a sweep is carried out with; a campaign's sweeps share them.

    >>> Options(store="my store", keep=5).typed()
    " --store 'my store' --keep 5"
    """

    store: Path = DEFAULT_STORE
    """The result store."""
    cache: Path = field(default_factory=cache_folder)
    """Prepared images."""
    address: str | None = None
    """A running Ray cluster, HOST:PORT; None: one made of this machine."""
    keep: int = 3
    """Complete arms that keep their checkpoints, beside the default."""
    disk: float | None = None
    """Gigabytes that all checkpoints may take; None: no limit."""
    reuse: bool = True
    """Whether runs that another sweep of the store has finished are taken from there."""
    reuse_other_code: bool = False
    """Also those that other code has trained, in other sweeps and in the resumed one."""
    fail_fast: bool = False
    """Whether the first failure ends the sweep."""
    retry_failed: bool = False
    """Whether failed runs of a resumed sweep are tried again."""
    webhook: str | None = None
    """A URL that is told how the sweep ended."""
    progress: Literal["stdout", "stderr", "none"] = "stdout"
    """Where a person sees what happens."""
    program: Program = field(default_factory=Program)
    """How the command line is called, for the commands that are shown."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", Path(self.store).expanduser())
        object.__setattr__(self, "cache", Path(self.cache).expanduser())
        if self.keep < 0:
            raise ValueError(f"keep = {self.keep}: give how many arms keep their checkpoints, 0 or more")
        if self.disk is not None and not 0 < self.disk < float("inf"):
            raise ValueError(f"disk = {self.disk}: give a number of gigabytes above 0")
        if self.webhook is not None:
            webhook.check_url(self.webhook)

    def console(self) -> "Console":
        """Where a person reads along."""
        from rich.console import Console

        return Console(stderr=self.progress == "stderr", quiet=self.progress == "none", emoji=False)

    def typed(self) -> str:
        """The flags that give a resumed sweep the same options, without what is usual."""
        usual = Options()
        shown = [f for f in fields(self) if f.name not in ("webhook", "retry_failed", "fail_fast", *SILENT)]
        different = {f.name: v for f in shown if (v := getattr(self, f.name)) != getattr(usual, f.name)}
        return "".join(f" {_flag(name, value)}" for name, value in different.items())

    def line(self, words: str) -> str:
        """A command line on the same store, as this program is called."""
        return self.program.line(words, self.store)


SILENT = ("progress", "program")
"""Of this sitting only."""


def _flag(name: str, value: object) -> str:
    if name == "reuse":
        return "--no-reuse"
    flag = f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {shlex.quote(str(value))}"
