"""What may be asked of a sweep: the flags of the command line, which are the keyword arguments of the API."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from search_spaces.space import Space
    from sweeps.planning.plan import Budget
    from sweeps.stoppers import Stopper

Called = TypeVar("Called", bound=Callable[..., Any])


class Flags(TypedDict, total=False):
    """What is asked of a sweep, beside its space, by the flags of `sweeps run`."""

    data: str | Path | None
    """A data set, or a folder of images."""
    method_preset: str | None
    """A published recipe, such as "sce:cifar10"."""
    set: Mapping[str, Any]
    """Values of any field of the configuration by its path, which then no longer vary."""
    epochs: int | None
    """Epochs of a run that is not stopped."""
    smoke: bool
    """Only see that it runs."""
    design: str | None
    """How arms are chosen."""
    arms: int | None
    """How many, the default among them."""
    seeds: int | Sequence[int] | str | None
    """How many, or which."""
    stopper: str | Stopper | None
    """Which runs are stopped early, such as "asha:reduction=3"; "none" stops nothing."""
    objectives: str | None
    """What counts, the most important first."""
    sampler_seed: int | None
    """Seed of the search itself."""
    confirm: int | None
    """How many of the best arms are run again on fresh seeds."""
    confirm_seeds: int | None
    """On how many fresh seeds."""
    budget: str | Budget | None
    """When to end, such as "hours=8"."""
    workers_per_run: int | None
    """Processes that share a run."""
    gpus_per_worker: float | None
    """May be a fraction."""


class Request(Flags, total=False):
    """What is asked of a sweep; what is not there was not given."""

    space: str | Space
    """A `Space`, the name of one, or FILE.py:VARIABLE."""


class Arguments(Flags, total=False):
    """Keyword arguments of `sweeps.start` and `sweeps.resume`: `sweeps.Flags`, and fields of `sweeps.Options`.

    None is the same as no such argument.
    """

    cache: str | Path
    address: str | None
    keep: int
    disk: float | None
    reuse: bool
    reuse_other_code: bool
    fail_fast: bool
    retry_failed: bool
    webhook: str | None


def divided(arguments: Mapping[str, Any]) -> tuple[Request, dict[str, Any]]:
    """Divide arguments other than None into a request and what else there is."""
    there = {name: value for name, value in arguments.items() if value is not None}
    asked = {name: there.pop(name) for name in Request.__annotations__ if name in there}
    return Request(**asked), there


def spelled_out(function: Called) -> Called:
    """Name each of `Arguments` in the signature of a function that takes them all, for `help` and for completion."""
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind.__forward_arg__)
        for name, kind in Arguments.__annotations__.items()
    ]
    function.__signature__ = signature.replace(parameters=[*own, *more])
    return function
