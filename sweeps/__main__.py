"""The command `sweeps`: `python -m sweeps run SPACE`."""

import sys

from sweeps.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
