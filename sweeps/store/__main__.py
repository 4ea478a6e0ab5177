"""Check, compact, query, export and mirror a result store."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sweeps import store
from sweeps.store.check import check
from sweeps.store.sql import ask

EXAMPLES = """\
examples
  python -m sweeps.store check                                   every file of ./results
  python -m sweeps.store compact results/sweeps/ID
  python -m sweeps.store sql "select number, state, knn_top1 from final order by knn_top1 desc limit 5"
  python -m sweeps.store export --as csv --out tables            also parquet, tensorboard, mlflow, wandb
  python -m sweeps.store mirror results s3://bucket/results      also the other way round, to read it here
"""


def main(arguments: Sequence[str] | None = None, program: str = "python -m sweeps.store") -> int:
    """Run the command line; return its exit code: 0 done, 1 the store has errors, 2 refused."""
    given = _parser(program).parse_args(arguments)
    try:
        if "path" in given:
            given.path = given.path or given.store
        return given.carry_out(given)
    except (ValueError, OSError, store.HeldError) as refusal:
        print(f"{program.removeprefix('python -m ').rpartition('.')[2]}: {refusal}", file=sys.stderr)
        return 2


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)
    made: dict[str, argparse.ArgumentParser] = {}
    for carry_out, text in COMMANDS.items():
        name = carry_out.__name__.removeprefix("_")
        made[name] = commands.add_parser(name, help=text)
        made[name].set_defaults(carry_out=carry_out)
        if name in ("check", "compact", "export"):
            made[name].add_argument("path", nargs="?", type=Path, help="a sweep's folder, or a store")
        if name != "mirror":
            made[name].add_argument(
                "--store", type=Path, default=Path("results"), help="the store (./results)"
            )
    made["export"].add_argument("--as", dest="form", required=True, metavar="FORM", help="see the examples")
    made["export"].add_argument("--out", type=Path, required=True, help="an empty or a new folder")
    made["sql"].add_argument("query")
    made["sql"].add_argument("--json", action="store_true", help="a list of objects instead of a table")
    made["mirror"].add_argument("source", help="a folder or a URL that fsspec knows")
    made["mirror"].add_argument("target", help="the same")
    made["mirror"].add_argument("--checkpoints", action="store_true", help="copy checkpoints too")
    made["mirror"].add_argument("--prune", action="store_true", help="remove what the source has folded")
    return parser


def _check(given: argparse.Namespace) -> int:
    found = [check(directory) for directory in _sweeps(given.path)]
    for one in found:
        print(one.text())
    wrong = sum(len(one.errors) for one in found)
    print(f"{len(found)} sweeps, {wrong} errors, {sum(len(one.notes) for one in found)} notes")
    return 1 if wrong else 0


def _compact(given: argparse.Namespace) -> int:
    refused = 0
    for directory in _sweeps(given.path):
        running = store.being_written(directory)
        try:
            count = store.compact(directory, ended=not running)
        except (store.StoreError, store.HeldError) as error:
            refused += 1
            print(f"{directory.name}: not folded: {error}")
            continue
        state = ", of which it is being written: the closed ones" if running else ""
        print(f"{directory.name}: {count} segments folded{state}")
        for torn in store.torn(directory):
            print(f"  {torn}")
    return 1 if refused else 0


def _sql(given: argparse.Namespace) -> int:
    answer = ask(given.store, given.query)
    _sweeps(given.store)
    print(json.dumps(answer.as_json()) if given.json else answer.text())
    return 0


def _export(given: argparse.Namespace) -> int:
    from sweeps.store.exports import export

    _sweeps(given.path)
    for path in export(given.path, given.form, given.out):
        print(path)
    return 0


def _mirror(given: argparse.Namespace) -> int:
    from sweeps.store.mirror import mirror

    print(mirror(given.source, given.target, checkpoints=given.checkpoints, prune=given.prune))
    return 0


def _sweeps(path: Path) -> list[Path]:
    """Return the sweep in a folder, or all of a store; write to standard error if it has none yet."""
    if (path / store.MANIFEST).is_file():
        store.read_manifest(path)  # that of a newer program is refused
        return [path]
    found = store.sweep_directories(store.open_store(path, create=False))
    if not found:
        print(
            f"store: {path} holds no sweep yet; run one with `python sweeps/run.py --space NAME`",
            file=sys.stderr,
        )
    return found


COMMANDS: dict[Callable[[argparse.Namespace], int], str] = {
    _check: "read every file; say what is torn, missing or left behind; change nothing",
    _compact: "fold the segments of sweeps that nobody is writing, or the closed ones of those that run",
    _export: "write the tables in a form that other programs read",
    _sql: "answer a query over all sweeps of a store; read only",
    _mirror: "copy what is new to another folder or to object storage",
}

if __name__ == "__main__":
    sys.exit(main())
