"""The mutation script on a file of a few lines, half of it tested."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import mutation

SCRIPT = mutation.__file__
TOY = '''"""Docstrings with 1 + 1 stay as they are."""

from typing import Literal


def total(a: int, b: int) -> int:
    """So do those == of functions."""
    return a + b


def unseen(a: int, b: int) -> int:
    return a - b


def not_asked_for(a: int) -> int:
    return -a
'''
TOY_TEST = """
from toy import total

def test_total():
    assert total(2, 3) == 5
"""


def changes(source: str) -> set[str]:
    return {mutant.change for mutant in mutation.mutants(source)}


def run(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "toy.py", "test_toy.py", *flags]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "test_toy.py").write_text(TOY_TEST)
    return tmp_path


def test_the_operator_that_no_test_reads_survives_and_the_file_is_left_alone(toy: Path):
    result = run(toy, "--lines", "5-12")
    assert result.stdout.splitlines() == [
        "toy.py:12: a - b -> a + b",
        "2 mutants, 1 killed, 1 survived",
    ], result.stderr
    assert result.returncode == 1
    assert (toy / "toy.py").read_text() == TOY


def test_a_loop_without_end_is_noticed(tmp_path: Path):
    (tmp_path / "toy.py").write_text("n = 1\nwhile n < 1:\n    pass\n")
    (tmp_path / "test_toy.py").write_text("from toy import n\n\ndef test_n():\n    assert n == 1\n")
    ends = mutation.Mutant(2, "", "n = 1\n")
    endless = mutation.Mutant(2, "", "while True:\n    pass\n")
    arguments = tmp_path / "toy.py", [str(tmp_path / "test_toy.py")]
    assert list(mutation._survivors([endless, ends], *arguments, jobs=2, seconds=20)) == [ends]


def test_tests_that_fail_or_do_not_import_the_file_are_refused(tmp_path: Path):
    target, tests = tmp_path / "toy.py", tmp_path / "test_toy.py"
    target.write_text("n = 1\n")
    tests.write_text("def test_nothing():\n    pass\n")
    with pytest.raises(SystemExit, match=r"toy\.py is not imported by"):
        mutation._check_unchanged(target, [str(tests)])
    tests.write_text("def test_it():\n    assert False\n")
    with pytest.raises(SystemExit, match="The tests fail on the file as it is"):
        mutation._check_unchanged(target, [str(tests)])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a @ b", {"a @ b -> a * b"}),
        ("x += 1", {"x += 1 -> x -= 1", "x += 1 -> x += 2", "x += 1 -> x += 0"}),
        ("x = -a", {"-a -> a"}),
        ("x = f(a, dim=0)", {"dim=0 -> dim=1"}),
        ("x = f(a, keepdim=True)", {"keepdim=True -> keepdim=False"}),
        ("x = 1e-12", {"1e-12 -> 1.000000000001"}),
        ("x = a < b", {"a < b -> a <= b", "a < b -> a >= b"}),
        ("x = a is b and c", {"a is b and c -> a is b or c", "a is b -> a is not b"}),
        ("if not a: b()", {"not a -> a"}),
        ("if a: b()", {"a -> not a"}),
        ("x = b if a() else c", {"b if a() else c -> b if not a() else c"}),
        ("x = kind == 'exact'", {"kind == 'exact' -> kind != 'exact'", "kind == 'exact' -> kind == 'mutated'"}),
        ("def f(*, kind: Literal['a', 'b', 'c'] = 'b'): g()", {"'b' -> 'a'", "'b' -> 'c'"}),
        ("def f(kind: Literal['a', 'b'] = 'b', n: int = 4): g()", {"'b' -> 'a'", "4 -> 5"}),
        ("class A:\n    kind: Literal['a', 'b'] = 'b'", {"'b' -> 'a'"}),
        ("check('name', 'exact')", set()),
        ("x: Float[Tensor, '2 n'] = f()", set()),
        ("raise ValueError(f'{n + 1} given')", set()),
        ("message = f'{n + 1} given'", set()),
        ("assert a, 'text' + 'more'", {"a -> not a"}),
    ],
)  # fmt: skip
def test_what_is_changed_and_what_is_not(source: str, expected: set[str]):
    assert changes(source) == expected
