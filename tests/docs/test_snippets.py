"""Every command line and program of README and documentation is run, as `snippets` finds them.

Programs are run in a folder that has a store of recorded sweeps in `results`, a folder of images in `photos`, and a set
in CIFAR-10's format in `data/cifar10`; SWEEP stands for one of the recorded sweeps. Commands are run there too, in this
process, which has imported what they need. What would start a sweep, or go on with one, is run with --dry-run, which
builds its whole plan. Only `--smoke` and `sweeps.start` are run as they stand, by the
end-to-end tests.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from search_spaces import SPACES
from sweeps.planning import estimate
from tests.docs.snippets import PAGES, PROGRAM, ROOT, SHELL, Block, blocks, of
from tests.formats import write_cifar, write_images
from tests.typed import planned

sys.path[:0] = [str(ROOT / "docs")]
from generated import spaces  # noqa: E402
from generated.commands import SCRIPTS, main_of  # noqa: E402

BLOCKS = blocks()
RUN = [block for block in BLOCKS if block.why_not is None]
RECORDED = "sce_temperatures-20261125-105047"
TYPED = {
    tuple(words): block for block in reversed(RUN) if block.language in SHELL for words in block.commands()
}
"""Each command line once, and where it stands first."""
COMMANDS = [
    pytest.param(
        block,
        words,
        id=f"{block.where} {' '.join(words)[:60]}",
        marks=[pytest.mark.end_to_end] * ("--smoke" in words),
    )
    for words, block in reversed(TYPED.items())
]
PROGRAMS = [
    pytest.param(block, id=block.where, marks=[pytest.mark.end_to_end] * ("sweeps.start(" in block.body))
    for block in RUN
    if block.language in PROGRAM
]
TRAINS = {"run", "resume", "campaign"}
AS_TYPED = {"--dry-run", "--smoke", "--help"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of the pages are typed."""
    made = tmp_path_factory.mktemp("typed")
    shutil.copytree(ROOT / "tests" / "fixtures" / "evidence", made / "results")
    write_images(made / "photos", ("cats", "dogs"), count=60)
    write_cifar(made / "data" / "cifar10")
    for block in BLOCKS:
        if block.title:
            (made / block.title).write_text(block.body, "utf-8")
    return made


@pytest.fixture(autouse=True)
def typed_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In that folder, with its own cache; how long an epoch takes is not measured each time."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setattr(estimate, "measured", lambda *_, **__: estimate.Pace(None, "it is not measured here"))


@pytest.mark.parametrize(("block", "words"), COMMANDS)
def test_a_command_line_of_the_documentation_runs(
    block: Block, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    started, arguments = entry([word.replace("SWEEP", RECORDED) for word in words])
    code = main_of(started)(arguments)
    said = capsys.readouterr()
    assert code == 0, f"{block.where}: {said.err}"


@pytest.mark.parametrize("block", PROGRAMS)
def test_a_program_of_the_documentation_runs(block: Block, capsys: pytest.CaptureFixture[str]):
    names: dict[str, Any] = {"__name__": "typed"}
    exec(compile(block.body, block.where, "exec"), names)


def test_the_command_on_each_space_s_page_is_a_plan():
    """Pages that are read off the code share one form; their plans are built, and not shown."""
    typed = {
        line for text in spaces.pages().values() for line in text.splitlines() if line.startswith("sweeps ")
    }
    assert len(typed) == len(SPACES)
    for line in typed:
        program, command, *words = line.split()
        assert (program, command) == ("sweeps", "run")
        assert planned("--space", *words).arms >= 2, line


def test_what_cannot_be_run_says_why_and_is_counted():
    left = {block.where: block.why_not for block in BLOCKS if block.why_not}
    assert len(left) == 11, left
    assert all(len(why.split()) >= 4 for why in left.values()), left


def test_no_command_hides_in_a_block_that_is_not_found():
    """Indented, or in a block of another language."""
    program = re.compile(r"^(?:\$ |    +)?(?:python |sweeps |make |pip |from \w+ import )")
    for page in PAGES:
        text, inside = page.read_text("utf-8"), [block.body for block in of(page)]
        fenced = {line.strip() for body in inside for line in body.splitlines()}
        hidden = [line for line in text.splitlines() if program.match(line) and line.strip() not in fenced]
        assert hidden == [], page
        others = [b.where for b in of(page) if b.language == "text" and program.match(b.body)]
        assert others == [], page


def entry(words: Sequence[str]) -> tuple[str, list[str]]:
    """The function that a command line starts, and its arguments, changed where it would train for long."""
    if words[0] in SCRIPTS:
        started, arguments = SCRIPTS[words[0]], [*words[1:]]
    elif words[:2] == ("python", "-m"):
        started, arguments = f"{words[2]}.__main__:main", [*words[3:]]
    else:
        raise AssertionError(
            f"{' '.join(words)}: no program of this project; mark its block as not run, and say why"
        )
    trains = arguments[0] in TRAINS and not AS_TYPED & set(arguments)
    return started, [*arguments, "--dry-run"] if trains else arguments
