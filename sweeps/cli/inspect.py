"""What the flags print that look at a sweep or a store."""

import argparse
import json
import os
import sys
from collections.abc import Callable

from sweeps import store
from sweeps.store.driver import ask_to_stop, program


def show_status(given: argparse.Namespace) -> int:
    """Where a sweep stands."""
    from sweeps.cli import status

    found = status.status(store.find(given.status, root=given.store), program=program(given.store))
    return _say(json.dumps(status.as_json(found)) if given.json else status.text(found))


def show_tail(given: argparse.Namespace) -> int:
    """What happens in a sweep, until it ends or the reader has seen enough."""
    from sweeps.cli.tail import tail

    directory = store.find(given.tail, root=given.store)
    try:
        for line in tail(directory):
            _say(json.dumps(line.as_json()) if given.json else line.text())
    except BrokenPipeError:  # as in `--tail SWEEP | head`: nothing more is wanted, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        pass
    return 0


def stop(given: argparse.Namespace) -> int:
    """Asks the driver of a sweep to end."""
    directory = store.find(given.stop, root=given.store)
    driver = ask_to_stop(directory)
    if given.json:
        return _say(json.dumps({"sweep": directory.name, "asked": vars(driver)}))
    return _say(
        f"Asked {driver} to end {directory.name}: each run in training ends at its next report. Go on with\n"
        f"  {program(given.store)} --resume {directory.name}"
    )


def export(given: argparse.Namespace) -> int:
    """Writes the best arm of a sweep as files of its own."""
    from sweeps.cli.export import export as write

    done = write(store.find(given.export, root=given.store), given.out)
    return _say(json.dumps(done.as_json()) if given.json else done.text())


def sql(given: argparse.Namespace) -> int:
    """Answers a query over the store."""
    from sweeps.store.sql import ask

    answer = ask(given.store, given.sql)
    return _say(json.dumps(answer.as_json()) if given.json else answer.text())


LOOKS: dict[str, Callable[[argparse.Namespace], int]] = {
    "status": show_status,
    "tail": show_tail,
    "stop": stop,
    "export": export,
    "sql": sql,
}
"""By their flags."""


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return 0
