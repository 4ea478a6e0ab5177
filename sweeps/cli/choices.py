"""The options that several commands share, and what they become: a request for a plan, and options of a session."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sweeps.cli.command import Call, option
from sweeps.store.driver import DEFAULT_STORE, Program
from sweeps.store.locate import KINDS, Kind

if TYPE_CHECKING:
    from sweeps.sessions.options import Options
    from sweeps.sessions.request import Request

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]
FOLDER = click.Path(path_type=Path)

STORE = option(
    "where to run and keep it",
    "--store",
    type=FOLDER,
    default=DEFAULT_STORE,
    help="Result store [./results].",
)
CACHE = click.option("--cache", type=FOLDER, hidden=True, expose_value=False)
"""Where nothing is prepared, it may be said all the same: an alias of the command has it."""
JSON = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output, for programs."
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the plan and what it will take; run nothing.")
SWEEP = click.argument("sweep", required=False)
KIND = click.option(
    "--kind", type=click.Choice(["sweep", "campaign"]), help="Which of them is meant, where either could be."
)

WHAT = (
    option(
        "what to run",
        "--data",
        metavar="DATA",
        help="Data set: shapes, cifar100:PATH, a folder of images; see `list`.",
    ),
    option(
        "what to run",
        "--method-preset",
        metavar="METHOD:PRESET",
        help="Published recipe, such as sce:cifar10.",
    ),
    option(
        "what to run",
        "--set",
        "assignments",
        metavar="PATH=VALUE",
        multiple=True,
        help="Any field of a configuration; what is set no longer varies; may be repeated.",
    ),
    option("what to run", "--epochs", type=int, metavar="N", help="Epochs of a run that is not stopped."),
)
"""What is trained, around a space."""

HOW_MUCH = (
    # "--trials" and "--workers-per-trial" are their former names.
    option(
        "how to search",
        "--arms",
        "--trials",
        "arms",
        type=int,
        metavar="N",
        help="Arms, the default among them [12].",
    ),
    option(
        "how to search", "--seeds", metavar="N|LIST", help="How many (3), or which (4,5 or 1-5) [seed 0]."
    ),
    option(
        "how to search",
        "--stopper",
        metavar="NAME[:FIELD=VALUE,...]",
        help="Which runs are stopped early, such as asha:reduction=3,grace=2; none stops nothing; see `list`.",
    ),
    option(
        "how to search",
        "--confirm",
        type=int,
        metavar="K",
        help="Run the best K arms and the default on fresh seeds.",
    ),
    option("how to search", "--confirm-seeds", type=int, metavar="N", help="On how many fresh seeds [5]."),
    option(
        "how to search",
        "--budget",
        metavar="LIMIT=N,...",
        help="When to end, whichever comes first: runs=100,epochs=5000,hours=8,gpu_hours=20, or 90m.",
    ),
)
"""What a sweep may grow by."""

HOW = (
    option(
        "how to search",
        "--design",
        metavar="NAME",
        help="How arms are chosen; see `list`; by default what suits the space.",
    ),
    option(
        "how to search",
        "--objectives",
        metavar="METRIC,...",
        help="What counts, the most important first: knn_top1,seconds:min,effective_rank [knn_top1].",
    ),
    option("how to search", "--sampler-seed", type=int, metavar="N", help="Seed of the search itself [0]."),
    option(
        "how to search",
        "--workers-per-run",
        "--workers-per-trial",
        "workers_per_run",
        type=int,
        metavar="N",
        help="Processes that share a run [1].",
    ),
    option("how to search", "--gpus-per-worker", type=float, metavar="X", help="May be a fraction [0]."),
)
"""What stays as it was when a sweep grows."""

CARRIED_OUT = (
    STORE,
    option(
        "where to run and keep it",
        "--cache",
        type=FOLDER,
        help="Prepared images [the platform's folder for caches].",
    ),
    option(
        "where to run and keep it",
        "--address",
        metavar="HOST:PORT",
        help="A running Ray cluster [one made of this machine].",
    ),
    option(
        "where to run and keep it",
        "--keep",
        type=int,
        default=3,
        metavar="N",
        help="Complete arms that keep their checkpoints, beside the default [3].",
    ),
    option(
        "where to run and keep it",
        "--disk",
        type=float,
        metavar="GB",
        help="What all checkpoints may take [no limit].",
    ),
    option(
        "where to run and keep it",
        "--no-reuse",
        is_flag=True,
        help="Train anew what another sweep of the store has finished.",
    ),
    option(
        "where to run and keep it",
        "--reuse-other-code",
        is_flag=True,
        help="Reuse also what other code has trained: if you know that the numbers are the same.",
    ),
    option("where to run and keep it", "--fail-fast", is_flag=True, help="End the sweep when a run fails."),
    JSON,
)
"""Where, and with what."""
WEBHOOK = option(
    "where to run and keep it",
    "--webhook",
    metavar="URL",
    help="Is told how the sweep ended: a POST of JSON.",
)
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
    from sweeps.sessions.options import Options
    from sweeps.sessions.request import Request

    rest = dict(typed)
    rest["progress"] = "stderr" if rest.pop("as_json", False) else "stdout"
    rest["reuse"] = not rest.pop("no_reuse", False)
    rest["set"] = rest.pop("assignments", ())
    given = {name: value for name, value in rest.items() if value is not None}
    asked = Request(**{name: given.pop(name) for name in list(given) if name in Request.__dataclass_fields__})
    return asked, Options(**given, program=call().program)


def kinds(kind: Kind | None) -> tuple[Kind, ...]:
    """What may be meant by a name."""
    return (kind,) if kind else KINDS


def call() -> Call:
    """What was called."""
    return click.get_current_context().find_object(Call) or Call(Program(), ())


def as_typed(webhook: str | None) -> str:
    """What was typed, for the record; a webhook's address is often a secret."""
    return shlex.join(["sweeps", *(word.replace(webhook or "\0", "URL") for word in call().words)])


def say(content: Any, text: str, *, as_json: bool) -> None:
    """The content as JSON, or what it is in words."""
    click.echo(json.dumps(content) if as_json else text)
