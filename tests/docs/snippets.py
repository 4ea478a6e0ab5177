"""The commands and programs that README and documentation show, found where they stand.

A fenced block of `bash` holds commands, one of `python` a program. What a block's title names is a file that the page's
commands use. A block that cannot be run anywhere says so, and why, in the line above it:

    <!-- not run: it needs a cluster with Slurm -->
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^(?P<indent> *)(?:<!-- not run: (?P<why>[^\n]+) -->\n *)?"
    r"```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<body>.*?)\n *```",
    re.DOTALL | re.MULTILINE,
)
SHELL, PROGRAM = ("bash", "sh", "console", "shell"), ("python", "py", "pycon")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    title: str | None
    why_not: str | None
    body: str

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """The words of each command line."""
        for line in self.body.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words and (self.language != "console" or line.startswith("$ ")):
                yield words


def blocks() -> list[Block]:
    """Every block of commands and every program."""
    return [block for page in PAGES for block in of(page) if block.language in (*SHELL, *PROGRAM)]


def of(page: Path) -> Iterator[Block]:
    """The blocks of a page."""
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', found["info"])
        body = "\n".join(line.removeprefix(found["indent"]) for line in found["body"].split("\n"))
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["language"], title and title[1], found["why"], body)
