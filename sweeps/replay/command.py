"""Cost and regret of stopping rules and searches, simulated on sweeps that were recorded without stopping.

SWEEP is a sweep's id, its folder, or a JSON file of curves. All its runs must have been trained to their end (--stopper
none); those that the guard ended end again. Every stopper is replayed with every searcher, on the same random orders of
arms and on the sweep's seeds by turns. The table has, as means over replays:

    by its  arms that the model of a search has proposed, of all but the default; the others were known beforehand, or
    model   drawn by chance. "-": it has none
    regret  points of the metric that the arm it ends with lacks of the best one that there was, with its 95 %
            interval. The interval is of the order of arms; another sweep would have other arms.
    near    share of replays that end within one paired seed deviation of the best
    epochs  trained, as a share of those of all runs
    time    by the simulated clock, with --workers and --delays

then each regret less that of the first row, and the regret when a share of all epochs was trained: of the best arm that
had come to its end by then, "-" while some replay had none.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sweeps.planning.texts import parse_fields
from sweeps.replay import Delays, Recording, measure_replays, of_file, of_sweep
from sweeps.replay.report import ReplayRow, replay_json, replay_markdown
from sweeps.replay.table import RANDOM, SEARCHERS, searching
from sweeps.stoppers import STOPPERS, by_text
from sweeps.store import find
from sweeps.store.driver import DEFAULT_STORE


def main(arguments: Sequence[str] | None = None, program: str = "python -m sweeps.replay") -> int:
    """Run the command line; return its exit code."""
    given = parser(program).parse_args(arguments)
    try:
        recordings = [recording(name, given.store) for name in given.sweeps]
        planned = [(one, jobs(one, given)) for one in recordings]  # all are checked before any is replayed
        compared = [(one, [job() for job in todo]) for one, todo in planned]
    except (ValueError, OSError) as refusal:
        sys.stderr.write(f"{program.removeprefix('python -m ').rpartition('.')[2]}: {refusal}\n")
        return 2
    if given.json:
        _say(json.dumps({"sweeps": [replay_json(one, found) for one, found in compared]}))
    else:
        _say("\n\n".join("\n".join(replay_markdown(one, found)) for one, found in compared))
    return 0


def parser(program: str = "python -m sweeps.replay") -> argparse.ArgumentParser:
    """Return the parser with all flags."""
    p = argparse.ArgumentParser(
        prog=program,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = p.add_argument
    add("sweeps", nargs="+", metavar="SWEEP")
    add("--store", type=Path, default=DEFAULT_STORE, help="the result store (./results)")
    add(
        "--stopper",
        action="append",
        metavar="NAME[:FIELD=VALUE,...]",
        help="may be repeated; every one there is, if none is named",
    )
    names = ", ".join(SEARCHERS)
    add("--searcher", action="append", metavar="NAME", help=f"may be repeated: {names} ({RANDOM})")
    add("--workers", type=int, default=2, metavar="N", help="runs trained at once (2)")
    add("--replays", type=int, default=100, metavar="N", help="of each row (100)")
    add("--delays", default="", metavar="start=5,report=0.1,stop=1", help="seconds without training (none)")
    add(
        "--no-checkpoints",
        action="store_true",
        help="a promoted run repeats what it has had, to see what they are worth",
    )
    add("--seed", type=int, default=0, metavar="N", help="of the orders and searches (0)")
    add("--json", action="store_true", help="one JSON object, for programs")
    return p


def recording(name: str, store: Path) -> Recording:
    """Return the recording that is named.

    Raises:
        ValueError: there is none, or it is not ground truth.
    """
    path = Path(name).expanduser()
    return of_file(path) if path.is_file() else of_sweep(find(name, root=store))


def jobs(one: Recording, given: argparse.Namespace) -> list[Callable[[], ReplayRow]]:
    """Return the replays to run: every searcher with every stopper.

    Raises:
        ValueError: a name or number is invalid; says what is allowed.
    """
    stoppers = {text: by_text(text) for text in given.stopper or STOPPERS}
    searchers = {name: searching(one, name) for name in given.searcher or [RANDOM]}
    delays = _delays(given.delays)
    numbers = {name: getattr(given, name) for name in ("replays", "workers", "seed")}
    measured = partial(measure_replays, one, delays=delays, checkpoints=not given.no_checkpoints, **numbers)

    def job(name: str, text: str) -> ReplayRow:
        return ReplayRow(name, text, measured(stoppers[text], searching=searchers[name]))

    return [partial(job, name, text) for name in searchers for text in stoppers]


def _delays(text: str) -> Delays:
    kinds = dict.fromkeys(vars(Delays()), float)
    return Delays(**parse_fields("--delays", text, kinds)) if text else Delays()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
