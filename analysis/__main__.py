"""Reports of sweeps that have been run: `python -m analysis report SWEEP`, `python -m analysis learning SWEEP`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis import report
from analysis.learning import learning_markdown
from analysis.load import load
from sweeps import store


def main(arguments: Sequence[str] | None = None, program: str = "python -m analysis") -> int:
    """Run the command line; return its exit code."""
    given = _parser(program).parse_args(arguments)
    try:
        if given.command == "report":
            options = {"margin": given.margin, "tabled": given.tables, "figured": given.figures}
            print(report.write(store.find(given.sweep, root=given.store), given.out, **options))
            return 0
        for name in given.sweeps:
            record = load(store.find(name, root=given.store))
            print(f"{record.manifest['id']}\n\n{learning_markdown(record)}\n")
    except (ValueError, OSError) as refusal:
        print(f"{program.removeprefix('python -m ')}: {refusal}", file=sys.stderr)
        return 2
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    says = "each arm over its seeds, beside raw pixels and the encoder before training"
    learning = commands.add_parser("learning", help=says)
    learning.add_argument("sweeps", nargs="+", metavar="SWEEP", help="id or folder of a sweep")
    says = "one self-contained page about a sweep: figures, tables, methods"
    page = commands.add_parser("report", help=says)
    page.add_argument("sweep", nargs="?", metavar="SWEEP", help="id or folder of a sweep (the last one)")
    page.add_argument("--out", type=Path, metavar="FILE", help="where to (report.html in the sweep's folder)")
    says = "largest difference that would not matter"
    page.add_argument("--margin", type=float, metavar="POINTS", help=says)
    says = "a folder for every table as text, Markdown, LaTeX and CSV"
    page.add_argument("--tables", type=Path, metavar="DIR", help=says)
    page.add_argument("--figures", type=Path, metavar="DIR", help="a folder for every figure as PDF and PNG")
    for command in (learning, page):
        says = "the result store (./results)"
        command.add_argument("--store", type=Path, default=Path("results"), help=says)
    return parser


if __name__ == "__main__":
    sys.exit(main())
