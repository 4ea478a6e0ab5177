"""Tables of sweeps that have been run: `python -m analysis learning SWEEP`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.learning import markdown
from analysis.load import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    learning = commands.add_parser(
        "learning", help="each arm over its seeds, beside raw pixels and the encoder before training"
    )
    learning.add_argument("sweeps", nargs="+", metavar="SWEEP", help="id or folder of a sweep")
    learning.add_argument("--store", type=Path, default=Path("results"), help="the result store (./results)")
    given = parser.parse_args(arguments)
    try:
        for name in given.sweeps:
            record = load(_folder(name, given.store))
            print(f"{record.manifest['id']}\n\n{markdown(record)}\n")
    except ValueError as refusal:
        print(f"analysis: {refusal}", file=sys.stderr)
        return 2
    return 0


def _folder(name: str, root: Path) -> Path:
    return Path(name) if (Path(name) / "sweep.json").is_file() else root / "sweeps" / name


if __name__ == "__main__":
    sys.exit(main())
