"""Early stopping: which runs go on, pause or end; independent of Ray.

A stopper is what is configured; its judge decides on arms, report by report, and can be rebuilt by showing it the
same reports in the same order. Where an arm has several seeds, their mean is what is judged (`ArmsJudge`).
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter

from contrastive.config import closest, in_words
from sweeps.stoppers.arms import ArmsJudge
from sweeps.stoppers.asha import Asha
from sweeps.stoppers.guard import UNWELL, Guard, Watch
from sweeps.stoppers.hyperband import Hyperband
from sweeps.stoppers.judge import Judge, Verdict
from sweeps.stoppers.median import Median
from sweeps.stoppers.never import Never
from sweeps.stoppers.one_epoch import OneEpoch
from sweeps.stoppers.pasha import Pasha
from sweeps.stoppers.promote import Promote
from sweeps.stoppers.pruner import Optuna, nested

AnyStopper = Never | Asha | Promote | Hyperband | Median | Pasha | OneEpoch | Optuna
Stopper = Annotated[AnyStopper, Field(discriminator="name")]
STOPPERS: dict[str, AnyStopper] = {kind.name: kind() for kind in get_args(AnyStopper)}
_STOPPER: TypeAdapter[AnyStopper] = TypeAdapter(Stopper)

__all__ = [
    "STOPPERS", "UNWELL", "AnyStopper", "ArmsJudge", "Asha", "Guard", "Hyperband", "Judge", "Median", "Never",
    "OneEpoch", "Optuna", "Pasha", "Promote", "Stopper", "Verdict", "Watch", "by_text", "judge_of",
]  # fmt: skip


def judge_of(
    stopper: AnyStopper, epochs: int, *, seeds: int, deviation: float | None, spared: Callable[[str], bool]
) -> ArmsJudge:
    """Return a new judge of the arms of a sweep; `deviation` is the metric's sd over seeds, for one run."""
    of_mean = None if deviation is None else deviation / seeds**0.5
    judge = stopper.judge(epochs, deviation=of_mean)
    return ArmsJudge(judge, seeds=seeds, meetings=stopper.meetings(epochs), spared=spared)


def by_text(text: str) -> AnyStopper:
    """Parse a stopper from a text such as "asha" or "asha:reduction=3,grace=2".

    For "optuna", other fields are options of its pruner: "optuna:pruner=PercentilePruner,percentile=25"; for one
    that wraps another, "optuna:pruner=PatientPruner,patience=2,wrapped_pruner=PercentilePruner,
    wrapped_pruner.percentile=25", or the inner one as a JSON object with its "pruner" and its options.

    Raises:
        ValueError: there is no such stopper or field, or a value is illegal; says what is allowed.
    """
    name, _, rest = text.partition(":")
    if name not in STOPPERS:
        raise ValueError(f"there is no stopper '{name}'. {closest(name, list(STOPPERS))}")
    given, allowed = _fields(text, rest), [key for key in vars(STOPPERS[name]) if key != "name"]
    unknown = {key: given.pop(key) for key in list(given) if key not in allowed}
    if name == "optuna":
        given["options"] = nested({**given.get("options", {}), **unknown})
    elif unknown:
        first = min(unknown)
        raise ValueError(f"{text}: the stopper {name} has no field '{first}'. {closest(first, allowed)}")
    return in_words(lambda: _STOPPER.validate_python({"name": name, **given}))


def _fields(text: str, rest: str) -> dict[str, Any]:
    """Return the fields of FIELD=VALUE,FIELD=VALUE; a value is JSON or, up to the next comma, text."""
    given: dict[str, Any] = {}
    left = rest or None
    while left is not None:
        part = left.partition(",")[0]
        key, _, value = part.partition("=")
        if not (key and value) or key in given:
            raise ValueError(f"{text}: '{part}': write NAME:FIELD=VALUE,FIELD=VALUE, each field once")
        with suppress(json.JSONDecodeError):
            found, end = json.JSONDecoder().raw_decode(left, len(key) + 1)
            if left[end : end + 1] in ("", ","):  # else a text that begins like JSON
                value, part = found, left[:end]
        given[key] = value
        left = left[len(part) + 1 :] if len(left) > len(part) else None
    return given
