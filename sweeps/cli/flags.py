"""The flags of the command line, its manual, and which flags do not belong together."""

import argparse
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from platformdirs import user_cache_path

KEEP = 3
"""Complete arms that keep their checkpoints unless told otherwise."""

DESCRIPTION = """\
Sweeps of self-supervised contrastive pretraining: choose a question, train its arms, stop the hopeless early,
record everything, say what came of it. An arm is a configuration, a run is an arm on one seed.
No other flag is needed than --space. SWEEP is a sweep's id, as it is printed, or its folder.
"""

EPILOG = """\
examples
  find out what there is
    python sweeps/run.py --list                                  spaces, methods, recipes, data sets, designs, stoppers
    python sweeps/run.py --show sce_temperatures                 a space: what varies, in which range, after whom
    python sweeps/run.py --show sce                              a method: its fields, its recipes and their sources
    python sweeps/run.py --space sce_temperatures --dry-run      the plan, and what it will take
  ask a question
    python sweeps/run.py --space sce_temperatures
    python sweeps/run.py --space sce_temperatures --data fashion_mnist --arms 20 --epochs 40
    python sweeps/run.py --space cacr_ablation --seeds 5         CACR without each of its parts
    python sweeps/run.py --space sce_temperatures --set method.coefficient=1.0 --set optimiser.lr=0.1
    python sweeps/run.py --space sce_temperatures --method-preset sce:cifar10 --data cifar10:PATH --gpus-per-worker 1
    python sweeps/run.py --space my_space.py:MY_SPACE
  search in another way
    python sweeps/run.py --space sce_temperatures --design grid --seeds 3 --stopper none
    python sweeps/run.py --space sce_temperatures --stopper asha:reduction=3,grace=2
    python sweeps/run.py --space sce_temperatures --objectives knn_top1,seconds:min
    python sweeps/run.py --space sce_temperatures --arms 1000 --budget hours=8
  settle it
    python sweeps/run.py --space sce_temperatures --confirm 3 --confirm-seeds 5
    python sweeps/run.py --design rerun:SWEEP --arms 2 --seeds 1-5 --stopper none
  look at it and go on with it
    python sweeps/run.py --status SWEEP
    python sweeps/run.py --tail SWEEP
    python sweeps/run.py --stop SWEEP
    python sweeps/run.py --resume SWEEP
    python sweeps/run.py --resume SWEEP --arms 24 --seeds 0-4  a larger sweep that keeps what it has
    python sweeps/run.py --export SWEEP --out best
    python sweeps/run.py --sql "select sweep, number, state, knn_top1 from final order by knn_top1 desc limit 5"

--set names any field of a run by its path, its value as JSON or as a word; --show SPACE --json has a whole run.

what comes out
  A table of the arms, the verdict on the best one ("significantly better" or not), and a folder
  STORE/sweeps/ID with sweep.json (the plan and where it was run), parts/*.parquet (every epoch of every run),
  summary.json, overview.png and .pdf, study.log (for optuna-dashboard) and checkpoints.
  With --json: one JSON object on standard output, the rest on standard error; --tail writes an object a line.

how to go on
  Every reported epoch is kept, whatever happens. Ctrl-C once, or --stop, ends a sweep at the next report of each
  run, and Ctrl-C twice at once; --resume goes on from there after that, a crash or a power cut. With new --arms,
  --seeds, --space, --budget or --confirm the sweep grows; with --retry-failed, runs that have failed are tried again.

exit codes
  0    done
  1    the sweep has ended and no arm is complete, or failing runs have ended it
  2    refused, with the reason, before anything was started or written
  130  interrupted; the command to go on with is printed
"""

LOOKS = ("list", "show", "status", "tail", "stop", "export", "sql")
"""The flags that look at something and train nothing."""

ANYWHERE = {"store", "cache", "json"}
"""What may stand beside any of them, as in an alias of the command."""

NEEDS: dict[str, tuple[str, ...]] = {
    "out": ("export",),
    "retry_failed": ("resume",),
    "confirm_seeds": ("confirm", "resume"),
}
"""Flags that mean something only beside one of these."""


class _Parser(argparse.ArgumentParser):
    """Says what was meant by a flag that there is not."""

    def error(self, message: str) -> NoReturn:
        _, unknown, words = message.partition("unrecognized arguments: ")
        if unknown:
            from sweeps.planning.slips import corrections

            hint = corrections(words.split(), self._option_string_actions)
            message = f"{message}; {hint}" if hint else message
        super().error(message)


def parser() -> argparse.ArgumentParser:
    """All flags. No other flag is needed than --space."""
    p = _Parser(
        prog="sweeps",
        usage="sweeps --space NAME [...]  |  --resume SWEEP [...]  |  --list | --show | --status | ...",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # a new flag shall not change what an old script means
    )
    _add_what(p)
    _add_how(p)
    _add_where(p)
    _add_going_on(p)
    _add_looks(p)
    return p


def _add_what(p: argparse.ArgumentParser) -> None:
    what = p.add_argument_group("what to run")
    what.add_argument("--space", metavar="NAME", help="a named space, or FILE.py:VARIABLE")
    what.add_argument(
        "--data", metavar="DATA", help="a data set: shapes (default), cifar100:PATH, ...; see --list"
    )
    what.add_argument(
        "--method-preset", metavar="METHOD:PRESET", help="a published recipe, such as sce:cifar10"
    )
    what.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="any field of the configuration; what is set no longer varies; may be repeated",
    )
    what.add_argument("--epochs", type=int, metavar="N", help="epochs of a run that is not stopped")
    what.add_argument(
        "--smoke",
        action="store_true",
        help="only see that it runs, in half a minute: a few images, epochs and arms, one seed",
    )


def _add_how(p: argparse.ArgumentParser) -> None:
    how = p.add_argument_group("how to search")
    how.add_argument(
        "--design", metavar="NAME", help="how arms are chosen; see --list; by default what suits the space"
    )
    arms = ("--arms", "--trials")  # former
    how.add_argument(*arms, type=int, metavar="N", help="arms, the default among them (12)")
    how.add_argument("--seeds", metavar="N|LIST", help="how many (3), or which (4,5 or 1-5); default: seed 0")
    how.add_argument(
        "--objectives",
        metavar="METRIC,...",
        help="what counts, the most important first, such as knn_top1,seconds:min,effective_rank (knn_top1)",
    )
    how.add_argument(
        "--stopper",
        metavar="NAME[:FIELD=VALUE,...]",
        help="which runs are stopped early, such as asha:reduction=3,grace=2; see --list; none stops nothing",
    )
    how.add_argument("--sampler-seed", type=int, metavar="N", help="seed of the search itself (0)")
    how.add_argument(
        "--confirm",
        type=int,
        metavar="K",
        help="at the end, run the best K arms and the default on fresh seeds",
    )
    how.add_argument("--confirm-seeds", type=int, metavar="N", help="on how many")
    how.add_argument(
        "--budget",
        metavar="LIMIT=N,...",
        help="when to end, whichever comes first: runs=100,epochs=5000,hours=8,gpu_hours=20",
    )


def add_places(p: argparse.ArgumentParser) -> Any:
    """The flags that sweeps and campaigns share: which machines and folders. Returns their group."""
    where = p.add_argument_group("where to run and keep it")
    where.add_argument(
        "--address", metavar="HOST:PORT", help="a running Ray cluster; default: one made of this machine"
    )
    where.add_argument("--store", type=Path, default=Path("results"), help="the result store (./results)")
    where.add_argument("--cache", type=Path, default=_usual_cache(), help="prepared images (%(default)s)")
    where.add_argument(
        "--keep",
        type=int,
        default=KEEP,
        metavar="N",
        help="complete arms that keep their checkpoints, beside the default (%(default)s)",
    )
    where.add_argument("--disk", type=float, metavar="GB", help="what all checkpoints may take (no limit)")
    where.add_argument(
        "--no-reuse", action="store_true", help="train anew what another sweep of the store has finished"
    )
    where.add_argument(
        "--reuse-other-code",
        action="store_true",
        help="also what other code has trained, in other sweeps and in the resumed one: if the numbers are the same",
    )
    return where


def _add_where(p: argparse.ArgumentParser) -> None:
    where = add_places(p)
    where.add_argument("--workers-per-run", type=int, metavar="N", help="processes that share a run (1)")
    former = "--workers-per-trial"
    where.add_argument(former, dest="workers_per_run", type=int, help=argparse.SUPPRESS)
    where.add_argument("--gpus-per-worker", type=float, metavar="X", help="may be a fraction (0)")
    where.add_argument("--webhook", metavar="URL", help="is told how the sweep ended: a POST of JSON")


def _add_going_on(p: argparse.ArgumentParser) -> None:
    on = p.add_argument_group("to go on")
    on.add_argument("--resume", metavar="SWEEP", help="go on with a sweep, or let it grow")
    on.add_argument("--retry-failed", action="store_true", help="with --resume: try failed runs again")
    on.add_argument("--fail-fast", action="store_true", help="end the sweep when a run fails")


def _add_looks(p: argparse.ArgumentParser) -> None:
    look = p.add_argument_group("to look, without training anything")
    look.add_argument("--list", action="store_true", help="everything that has a name")
    look.add_argument(
        "--show", metavar="NAME", help="a space or a method in full, or the space FILE.py:VARIABLE"
    )
    look.add_argument("--dry-run", action="store_true", help="with --space: the plan, and what it will take")
    look.add_argument(
        "--status", metavar="SWEEP", help="where a sweep stands: best arm, failures, time left, disk"
    )
    look.add_argument("--tail", metavar="SWEEP", help="its last lines, and new ones as they come")
    look.add_argument("--stop", metavar="SWEEP", help="ask a running sweep to end as after one Ctrl-C")
    look.add_argument("--export", metavar="SWEEP", help="write its best arm and trained encoders to --out")
    look.add_argument("--out", type=Path, metavar="DIR", help="where --export writes")
    look.add_argument(
        "--sql", metavar="QUERY", help="ask the store; its views: final, reports, runs, events; read only"
    )
    look.add_argument("--json", action="store_true", help="any of these, or a sweep's summary, for programs")


OF_SMOKE = {"data", "epochs", "design", "arms", "seeds", "confirm", "confirm_seeds", "budget", "resume"}
"""What a smoke test chooses for itself."""


def check(given: argparse.Namespace) -> None:
    """Refuses flags that do not belong together.

    Raises:
        ValueError: names them.
    """
    used = said(given)
    looks = [name for name in LOOKS if name in used]
    if len(looks) > 1:
        raise ValueError(f"{named(looks)}: one at a time")
    for name in looks:
        idle = sorted(used - {name, *ANYWHERE, *(other for other in NEEDS if name in NEEDS[other])})
        if idle:
            raise ValueError(f"{named([name])} trains nothing; leave out {named(idle)}")
    for name, others in NEEDS.items():
        if name in used and not used & set(others):
            raise ValueError(f"{named([name])} means nothing without {' or '.join(map(_flag, others))}")
    if given.smoke and (idle := sorted(used & OF_SMOKE)):
        raise ValueError(f"--smoke has images, epochs, arms and seed of its own; leave out {named(idle)}")
    if "export" in used and "out" not in used:
        raise ValueError("--export writes files; name a folder for them with --out")
    if given.webhook:
        from sweeps.sessions import webhook

        webhook.check_url(given.webhook)


def said(given: argparse.Namespace) -> set[str]:
    """The flags that were given another value than they have by themselves."""
    usual = parser()
    return {name for name, value in vars(given).items() if value != usual.get_default(name)}


def look(given: argparse.Namespace) -> str | None:
    """The flag of LOOKS that was given, or None."""
    return next((name for name in LOOKS if getattr(given, name)), None)


def as_typed(given: argparse.Namespace, typed: list[str]) -> str:
    """What was typed, for the record; a webhook's address is often a secret."""
    secret = given.webhook or "\0"
    return shlex.join(["sweeps", *(word.replace(secret, "URL") for word in typed)])


def places(given: argparse.Namespace) -> str:
    """The flags of where and how a sweep is kept, as far as they differ from what is usual, to be typed again."""
    usual = {"address": None, "keep": KEEP, "disk": None, "cache": _usual_cache(), "no_reuse": False}
    usual["reuse_other_code"] = False
    different = {name: getattr(given, name) for name, value in usual.items() if getattr(given, name) != value}
    words = [_flag(n) if v is True else f"{_flag(n)} {shlex.quote(str(v))}" for n, v in different.items()]
    return "".join(f" {word}" for word in words)


def named(names: Iterable[str]) -> str:
    """Flags as they are typed."""
    return ", ".join(map(_flag, names))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _usual_cache() -> Path:
    """The folder of `contrastive.caches`, said here so that looking at a sweep loads nothing of that package."""
    return user_cache_path("contrastive-sweeps", appauthor=False)
