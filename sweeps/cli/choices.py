"""The options that several commands share, and what they become: a request for a plan, and options of a session."""

import json
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sweeps.cli.command import Call, Option
from sweeps.store import locate
from sweeps.store.driver import DEFAULT_STORE, Program
from sweeps.store.locate import KINDS, Kind

if TYPE_CHECKING:
    from sweeps.sessions.arguments import Request
    from sweeps.sessions.options import Options

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]
FOLDER = click.Path(path_type=Path)
what = partial(click.option, cls=Option, section="what to run")
how = partial(click.option, cls=Option, section="how to search")
where = partial(click.option, cls=Option, section="where to run and keep it")

STORE = where("--store", type=FOLDER, default=DEFAULT_STORE, help="Result store [./results].")
CACHE = click.option("--cache", type=FOLDER, hidden=True, expose_value=False)
"""Where nothing is prepared, it may be said all the same: an alias of the command has it."""
JSON = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output, for programs."
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the plan and what it will take; run nothing.")
SWEEP = click.argument("sweep", required=False)
KIND = click.option("--kind", type=click.Choice(KINDS), help="Which of them is meant, where either could be.")

WHAT = (
    what("--data", metavar="DATA", help="Data set: shapes, cifar100:PATH, a folder of images; see `list`."),
    what("--method-preset", metavar="METHOD:PRESET", help="Published recipe, such as sce:cifar10."),
    what(
        "--set",
        "assignments",
        metavar="PATH=VALUE",
        multiple=True,
        help="Any field of a configuration; what is set no longer varies; may be repeated.",
    ),
    what("--epochs", type=int, metavar="N", help="Epochs of a run that is not stopped."),
)
"""What is trained, around a space."""

HOW_MUCH = (
    # "--trials" and "--workers-per-trial" are their former names.
    how("--arms", "--trials", "arms", type=int, metavar="N", help="Arms, the default among them [12]."),
    how("--seeds", metavar="N|LIST", help="How many (3), or which (4,5 or 1-5) [seed 0]."),
    how(
        "--stopper",
        metavar="NAME[:FIELD=VALUE,...]",
        help="Which runs are stopped early, such as asha:reduction=3,grace=2; none stops nothing; see `list`.",
    ),
    how("--confirm", type=int, metavar="K", help="Run the best K arms and the default on fresh seeds."),
    how("--confirm-seeds", type=int, metavar="N", help="On how many fresh seeds [5]."),
    how(
        "--budget",
        metavar="LIMIT=N,...",
        help="When to end, whichever comes first: runs=100,epochs=5000,hours=8,gpu_hours=20, or 90m.",
    ),
)
"""What a sweep may grow by."""

HOW = (
    how("--design", metavar="NAME", help="How arms are chosen; see `list`; by default what suits the space."),
    how(
        "--objectives",
        metavar="METRIC,...",
        help="What counts, the most important first: knn_top1,seconds:min,effective_rank [knn_top1].",
    ),
    how("--sampler-seed", type=int, metavar="N", help="Seed of the search itself [0]."),
    how(
        "--workers-per-run",
        "--workers-per-trial",
        "workers_per_run",
        type=int,
        metavar="N",
        help="Processes that share a run [1].",
    ),
    how("--gpus-per-worker", type=float, metavar="X", help="May be a fraction [0]."),
)
"""What stays as it was when a sweep grows."""

CARRIED_OUT = (
    STORE,
    where("--cache", type=FOLDER, help="Prepared images [the platform's folder for caches]."),
    where("--address", metavar="HOST:PORT", help="A running Ray cluster [one made of this machine]."),
    where(
        "--keep",
        type=int,
        default=3,
        metavar="N",
        help="Complete arms that keep their checkpoints, beside the default [3].",
    ),
    where("--disk", type=float, metavar="GB", help="What all checkpoints may take [no limit]."),
    where("--no-reuse", is_flag=True, help="Train anew what another sweep of the store has finished."),
    where(
        "--reuse-other-code",
        is_flag=True,
        help="Reuse also what other code has trained: if you know that the numbers are the same.",
    ),
    where("--fail-fast", is_flag=True, help="End the sweep when a run fails."),
    JSON,
)
"""Where, and with what."""
WEBHOOK = where("--webhook", metavar="URL", help="Is told how the sweep ended: a POST of JSON.")
RETRY = click.option("--retry-failed", is_flag=True, help="Try failed runs again.")


def several(*options: Decorator[Any]) -> Decorator[Any]:
    """One decorator of several, in this order."""

    def decorate(function: F) -> F:
        for one in reversed(options):
            function = one(function)
        return function

    return decorate


def split(typed: dict[str, Any]) -> "tuple[Request, Options]":
    """What is to be run, and what it is carried out with, of what a command was given.

    Raises:
        ValueError: an option that cannot be meant.
    """
    from sweeps.sessions.arguments import divided
    from sweeps.sessions.options import Options
    from sweeps.sessions.spaces import parse_assignment

    rest = dict(typed)
    rest["progress"] = "stderr" if rest.pop("as_json", False) else "stdout"
    rest["reuse"] = not rest.pop("no_reuse", False)
    if assignments := rest.pop("assignments", ()):
        rest["set"] = dict(map(parse_assignment, assignments))
    asked, others = divided(rest)
    return asked, Options(**others, program=call().program)


def found(sweep: str | None, kind: Kind | None, store: Path) -> tuple[Path, bool]:
    """The folder of the sweep or campaign that is meant, and whether it is a campaign's."""
    directory = locate.find(sweep, root=store, kinds=(kind,) if kind else KINDS)
    return directory, locate.is_campaign(directory)


def call() -> Call:
    """What was called."""
    return click.get_current_context().find_object(Call) or Call(Program(), ())


def as_typed(webhook: str | None) -> str:
    """What was typed, for the record; a webhook's address is often a secret."""
    return shlex.join(["sweeps", *(word.replace(webhook or "\0", "URL") for word in call().words)])


def say(content: Any, text: str, *, as_json: bool) -> None:
    """The content as JSON, or what it is in words."""
    click.echo(json.dumps(content) if as_json else text)
