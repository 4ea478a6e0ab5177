"""The command line of replays; it also knows Optuna, which nothing else here does."""

import sys

from sweeps.replay.command import main

if __name__ == "__main__":
    sys.exit(main())
