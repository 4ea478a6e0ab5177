"""The command line: `python sweeps/run.py --space NAME`. Names and machines; no science."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# As a script, this folder would come first on the path and hide other packages behind its module names.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from sweeps.cli import flags  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    typed = sys.argv[1:] if arguments is None else list(arguments)
    given = flags.parser().parse_args(typed)

    def work() -> int:
        flags.check(given)
        look = flags.look(given)
        return _look(look, given) if look else _dispatch(given, flags.as_typed(given, typed))

    return guarded("sweeps", work)


def guarded(name: str, work: Callable[[], int]) -> int:
    """The exit code of what a command line does; what it refuses is said in one line."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return work()
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as refusal:
        from contrastive.words import sentence

        print(f"{name}: {sentence(refusal)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: interrupted before anything was started", file=sys.stderr)
        return 130


def _look(flag: str, given: argparse.Namespace) -> int:
    """What trains nothing. Each imports what it needs: to look at a sweep takes neither torch nor Ray."""
    if flag in ("list", "show"):
        from sweeps.cli import show

        return show.show_list(given.json) if flag == "list" else show.show_name(given.show, given.json)
    from sweeps.cli import inspect as command

    return command.LOOKS[flag](given)


def _dispatch(given: argparse.Namespace, command: str) -> int:
    if given.resume:
        from sweeps.sessions import session

        return session.resume(given)
    from sweeps.cli import arguments as commands

    plan = commands.plan_of(given)
    if given.dry_run:
        from sweeps.cli import show

        return show.show_plan(plan, given)
    from sweeps.sessions import session

    return session.start(plan, given, command)


if __name__ == "__main__":
    sys.exit(main())
