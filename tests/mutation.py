"""Change each operator and constant of a source file once and see that its tests notice.

    python tests/mutation.py contrastive/losses/sce.py tests/contrastive/losses/test_sce.py [--lines A-B] [--most N]

Prints every change that no test noticed, then "N mutants, K killed, S survived"; exit code 1 if any survived. A
survivor asks for a test, or, where the change makes no difference, for simpler code: there is no list of exceptions.

Changed are arithmetic, comparison and boolean operators, signs and `not`, numbers, truth values, conditions, and
the strings that choose a behaviour (compared, defaults, keywords, dictionary keys); not docstrings, annotations
and the text of errors. The tests run on a copy of the tree as it was at the start, one process forked a mutant, the
mutant given to Python's import in place of the file. Hypothesis draws the same examples each time.

A mutant takes as long as importing the package and the first failing test: 2 to 4 seconds, so a loss file of 40
lines takes half a minute to a minute on two cores; a survivor takes as long as all the tests.
"""

import argparse
import ast
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from itertools import islice
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,), ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.BitXor: (ast.BitOr,),
    ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,),
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
HEAVY = ("beartype", "hypothesis", "jaxtyping", "numpy", "pydantic.dataclasses", "pytest", "torchvision")
# Plugins imported before the fork are not rewritten, and need not be.
QUIET = "-x -q --tb=line -p no:cacheprovider --hypothesis-profile=mutation -W ignore::pytest.PytestAssertRewriteWarning"
UNNOTICED, NEVER_IMPORTED = 0, 77


class Mutant(NamedTuple):
    """One changed source and what was changed."""

    line: int
    change: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of one place, in the order of the syntax tree."""
    tree = ast.parse(source)
    for parent, field, index, node in _places(tree):
        for other in _alternatives(parent, field, index, node):
            shown = parent if isinstance(parent, ast.expr | ast.keyword | ast.AugAssign) else node
            before = ast.unparse(shown)
            _put(parent, field, index, other)
            after = ast.unparse(other if shown is node else shown)
            changed = ast.unparse(tree)
            _put(parent, field, index, node)
            yield Mutant(getattr(node, "lineno", shown.lineno), f"{before} -> {after}", changed)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _places(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node that may be changed, with where it hangs."""
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "msg"):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if (
                isinstance(node, ast.AST)
                and not docstring
                and not isinstance(node, ast.Raise | ast.JoinedStr)
            ):
                yield parent, field, index, node
                yield from _places(node)


def _alternatives(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> list[ast.AST]:
    """What could stand in a node's place."""
    truth = isinstance(node, ast.Compare | ast.BoolOp | ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )
    found: list[ast.AST] = [operator() for operator in SWAPS.get(type(node), ())]
    if field == "test" and isinstance(node, ast.expr) and not truth:
        found.append(ast.UnaryOp(ast.Not(), node))
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        found.append(node.operand)
    if isinstance(node, ast.Constant):
        found += [ast.Constant(value) for value in _other_values(parent, field, index, node.value)]
    return found


def _other_values(parent: ast.AST, field: str, index: int | None, value: object) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, 0] if value == 1 else [value + 1]
    chooses = isinstance(parent, ast.Compare | ast.keyword | ast.MatchValue | ast.arguments | ast.AnnAssign)
    if isinstance(value, str) and (chooses or (isinstance(parent, ast.Dict) and field == "keys")):
        return [other for other in _literals(parent, field, index) if other != value] or ["mutated"]
    return []


def _literals(parent: ast.AST, field: str, index: int | None) -> list[str]:
    """The strings that a default's own annotation allows."""
    annotation = parent.annotation if isinstance(parent, ast.AnnAssign) else None
    if isinstance(parent, ast.arguments) and index is not None:
        positional = [*parent.posonlyargs, *parent.args]
        last = positional[len(positional) - len(parent.defaults) :]
        annotation = (parent.kwonlyargs if field == "kw_defaults" else last)[index].annotation
    if annotation is None or "Literal" not in ast.unparse(annotation):
        return []
    return [n.value for n in ast.walk(annotation) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _run(source: str, target: Path, tests: list[str], output: int) -> None:
    """Run the tests with `source` in the target's place; the exit code says how it went."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    imported, original = [], SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        if Path(self.get_filename(name)) != target:
            return original(self, name)
        imported.append(name)
        return self.source_to_code(source.encode(), str(target))

    SourceFileLoader.get_code = get_code  # pyright: ignore[reportAttributeAccessIssue]
    import pytest
    from hypothesis import HealthCheck, Phase, settings

    steady = {
        "derandomize": True,
        "deadline": None,
        "database": None,
        "phases": (Phase.explicit, Phase.generate),
    }
    settings.register_profile("mutation", suppress_health_check=list(HealthCheck), **steady)
    code = pytest.main([*QUIET.split(), *tests])
    os._exit(int(code) if imported or code else NEVER_IMPORTED)


def _start(source: str, target: Path, tests: list[str], output: int) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_run, args=(source, target, tests, output))
    process.start()
    return process


def _survivors(
    changes: list[Mutant], target: Path, tests: list[str], jobs: int, seconds: float
) -> Iterator[Mutant]:
    """Those that every test passes; one that takes too long was noticed."""
    running: dict[BaseProcess, tuple[Mutant, float]] = {}
    waiting, output = iter(changes), os.open(os.devnull, os.O_WRONLY)
    while True:
        for mutant in islice(waiting, jobs - len(running)):
            running[_start(mutant.source, target, tests, output)] = mutant, time.monotonic() + seconds
        if not running:
            return
        wait([process.sentinel for process in running], timeout=1)
        for process, (mutant, deadline) in list(running.items()):
            if time.monotonic() > deadline:
                process.kill()
                process.join()
            if not process.is_alive():
                del running[process]
                if process.exitcode == UNNOTICED:
                    yield mutant


def _check_unchanged(target: Path, tests: list[str]) -> float:
    """How long the tests take on the file as it is; they must pass and must import it."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = _start(target.read_text(), target, tests, output.fileno())
        process.join()
        output.seek(0)
        if process.exitcode == NEVER_IMPORTED:
            raise SystemExit(
                f"{target.name} is not imported by {' '.join(tests)}: give the tests of that file."
            )
        if process.exitcode:
            raise SystemExit(
                f"{output.read().decode()}\nThe tests fail on the file as it is: mend that first."
            )
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--lines", default="1-1000000", help="A-B: only changes in these lines")
    parser.add_argument("--most", type=int, help="N: only so many changes, evenly spread")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    options = parser.parse_args()
    first, last = map(int, options.lines.split("-"))
    os.environ["OMP_NUM_THREADS"] = "1"
    for module in HEAVY:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as folder:
        # Others may be editing; and the package as installed must not come before the copy.
        tree = Path(folder).resolve() / "tree"
        beside = {entry.name for entry in Path.cwd().iterdir()} & {
            "results",
            "data",
            "build",
            "dist",
            "shared",
        }
        skip = shutil.ignore_patterns(".*")
        here = str(Path.cwd())
        shutil.copytree(
            here, tree, ignore=lambda at, names: skip(at, names) | (beside if at == here else set())
        )
        os.chdir(tree)
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{folder}/hypothesis"
        sys.path[0] = str(tree)
        target = tree / options.file
        seconds = _check_unchanged(target, options.tests)
        changes = [m for m in mutants(target.read_text()) if first <= m.line <= last]
        changes = changes[:: -(-len(changes) // options.most)] if options.most and changes else changes
        survived = 0
        for mutant in _survivors(changes, target, options.tests, options.jobs, 20 + 5 * seconds):
            survived += 1
            print(f"{options.file}:{mutant.line}: {mutant.change}", flush=True)
    print(f"{len(changes)} mutants, {len(changes) - survived} killed, {survived} survived")
    sys.exit(survived > 0)


if __name__ == "__main__":
    main()
