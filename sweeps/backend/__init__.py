"""The Ray backend: cluster, Tune adapter and worker. Nothing else imports Ray."""

import atexit
import gc
import sys


def _keep() -> None:
    """Look for no garbage in torch and Ray when the process ends, which takes longer than all else it does then."""
    if "duckdb" not in sys.modules:  # which would complain
        gc.freeze()


atexit.register(_keep)
