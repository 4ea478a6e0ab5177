"""The command line: `python sweeps/run.py --space NAME`. Names and machines; no science."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

# As a script, this folder would come first on the path and hide other packages behind its module names.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

EPILOG = """\
examples:
  python sweeps/run.py --space sce_temperatures
  python sweeps/run.py --space sce_temperatures --data fashion_mnist --trials 20 --epochs 40
  python sweeps/run.py --space sce_temperatures --set method.coefficient=1.0 --set optimiser.lr=0.1
  python sweeps/run.py --space sce_temperatures --design grid --seeds 3 --stopper none
  python sweeps/run.py --space my_space.py:MY_SPACE --address auto --gpus-per-worker 0.5
  python sweeps/run.py --resume sce_temperatures-20260131-093000

A path given to --set names any field of a trial; see them with --space NAME --dry-run --json.
Exit codes: 0 done, 1 no arm is complete, 2 refused before anything was started, 130 interrupted (resume it).
"""


def parser() -> argparse.ArgumentParser:
    """All flags. No other flag is needed than --space."""
    p = argparse.ArgumentParser(
        prog="sweeps",
        description="Sweeps of self-supervised contrastive pretraining: choose, train, stop early, record, show.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = p.add_argument_group("what to run")
    what.add_argument("--space", metavar="NAME", help="a named space, or FILE.py:VARIABLE")
    what.add_argument(
        "--data", metavar="DATA", help="a data set: shapes (default), cifar100:PATH, ...; see --list"
    )
    what.add_argument(
        "--method-preset", metavar="METHOD:PRESET", help="a published recipe, such as sce:cifar10"
    )
    what.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[], help="any field of the trial"
    )
    what.add_argument("--epochs", type=int, metavar="N", help="epochs of a run that is not stopped")
    how = p.add_argument_group("how to search")
    how.add_argument(
        "--design",
        default=None,
        help="tpe, random, grid, listed, rerun:SWEEP; by default what suits the space",
    )
    how.add_argument("--trials", type=int, metavar="N", help="arms, the default among them (12)")
    how.add_argument("--seeds", metavar="N|LIST", help="how many (3), or which (4,5 or 1-5); default: seed 0")
    how.add_argument("--sampler-seed", type=int, metavar="N", help="seed of the search itself (0)")
    how.add_argument("--stopper", metavar="NAME", help="asha (default), none")
    _add_where(p)
    show = p.add_argument_group("what to print")
    show.add_argument("--dry-run", action="store_true", help="print the plan and its cost; run nothing")
    show.add_argument(
        "--list", action="store_true", help="print spaces, methods, data sets, designs, stoppers"
    )
    show.add_argument(
        "--show-method", metavar="NAME", help="print a method's fields and recipes, with sources"
    )
    show.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return p


def _add_where(p: argparse.ArgumentParser) -> None:
    where = p.add_argument_group("where to run and keep it")
    where.add_argument("--workers-per-trial", type=int, metavar="N", help="processes that share a run (1)")
    where.add_argument("--gpus-per-worker", type=float, metavar="X", help="may be a fraction (0)")
    where.add_argument("--address", help="a running Ray cluster; default: one made of this machine")
    where.add_argument("--store", type=Path, default=Path("results"), help="the result store (./results)")
    where.add_argument("--cache", type=Path, default=_default_cache(), help="prepared images (%(default)s)")
    where.add_argument("--resume", metavar="SWEEP", help="go on with a sweep: its id or its folder")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    given = parser().parse_args(arguments)
    try:
        return _dispatch(given, shlex.join(["sweeps", *(sys.argv[1:] if arguments is None else arguments)]))
    except (ValueError, OSError) as refusal:
        print(f"sweeps: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("sweeps: interrupted before anything was started", file=sys.stderr)
        return 130


def _dispatch(given: argparse.Namespace, command: str) -> int:
    from sweeps import command as commands
    from sweeps import show

    if given.list:
        return show.show_list(given.json)
    if given.show_method:
        return show.show_method(given.show_method, given.json)
    if given.resume:
        commands.check_resume(given)
        from sweeps import session

        return session.resume(given)
    plan = commands.plan_of(given)
    if given.dry_run:
        return show.show_plan(plan, given.json)
    from sweeps import session

    return session.start(plan, given, command)


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contrastive-sweeps"


if __name__ == "__main__":
    sys.exit(main())
