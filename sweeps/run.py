"""The script `python sweeps/run.py --space NAME`; `sweeps` has the same as subcommands."""

import sys
from collections.abc import Sequence
from pathlib import Path

# As a script, this folder would come first on the path and hide other packages behind its module names.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from sweeps.cli import flagged  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    return flagged.run(sys.argv[1:] if arguments is None else list(arguments))


if __name__ == "__main__":
    sys.exit(main())
