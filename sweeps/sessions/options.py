"""Options of a session: machines, folders, disk space, reuse. None of them changes a result."""

import platform
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
    """Options for carrying out a sweep; a campaign's sweeps share them.

    >>> Options(store="my store", keep=5).typed()
    " --store 'my store' --keep 5"
    """

    store: Path = DEFAULT_STORE
    """Result store."""
    cache: Path = field(default_factory=cache_folder)
    """Folder of prepared images."""
    address: str | None = None
    """Address of a running Ray cluster, HOST:PORT; None: start one on this machine."""
    keep: int = 3
    """Number of complete arms that keep their checkpoints, beside the default."""
    disk: float | None = None
    """Limit on all checkpoints in gigabytes; None: no limit."""
    reuse: bool = True
    """Whether runs that another sweep of the store has finished are reused."""
    reuse_other_code: bool = False
    """Whether also runs trained by other code are reused, from other sweeps and the resumed one."""
    fail_fast: bool = False
    """Whether the first failure ends the sweep."""
    retry_failed: bool = False
    """Whether failed runs of a resumed sweep are tried again."""
    webhook: str | None = None
    """URL that is notified of the end of the sweep."""
    progress: Literal["stdout", "stderr", "none"] = "stdout"
    """Where progress is shown."""
    program: Program = field(default_factory=Program)
    """How the command line is called, for the commands in messages."""

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
        """Return the console for progress; its `out` prints text as it is."""
        from rich.console import Console

        return Console(
            stderr=self.progress == "stderr", quiet=self.progress == "none", emoji=False, highlight=False
        )

    def notify(self, sweep: str, state: str) -> None:
        """Tell the webhook, if there is one, how a sweep has ended."""
        if self.webhook:
            webhook.notify(self.webhook, {"sweep": sweep, "state": state, "host": platform.node()})

    def typed(self) -> str:
        """Return the flags that give a resumed sweep the same options, without defaults."""
        usual = Options()
        shown = [f for f in fields(self) if f.name not in ("webhook", "retry_failed", "fail_fast", *SILENT)]
        different = {f.name: v for f in shown if (v := getattr(self, f.name)) != getattr(usual, f.name)}
        return "".join(f" {_flag(name, value)}" for name, value in different.items())

    def again(self, name: str) -> str:
        """Say what to type to go on with a sweep or campaign.

        >>> print(Options(store="mine", keep=5).again("ID"))
        Go on with
          sweeps resume ID --store mine --keep 5
        """
        return f"Go on with\n  {self.program.line(f'resume {name}', DEFAULT_STORE)}{self.typed()}"

    def line(self, words: str) -> str:
        """Return a command line on the same store, as this program is called."""
        return self.program.line(words, self.store)


SILENT = ("progress", "program")
"""Options of this session only."""


def _flag(name: str, value: object) -> str:
    if name == "reuse":
        return "--no-reuse"
    flag = f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {shlex.quote(str(value))}"
