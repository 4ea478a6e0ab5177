"""Any of Optuna's pruners as a stopper. Optuna is imported when one is made or used, not before."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import JsonValue

from contrastive.config import closest
from contrastive.types import strict
from sweeps.stoppers.judge import Judge, Verdict
from sweeps.stoppers.settings import Settings

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.trial import Trial

USUAL = "MedianPruner"


@strict(kw_only=True)
class Optuna(Settings):
    """Any pruner of Optuna, by the name of its class and its keyword arguments.

    Akiba et al., KDD 2019. The pruner is asked at every epoch, about a study in memory that holds this seed's
    runs. Most pruners look at all runs each time, so thousands of runs are better left to the other stoppers.

    Raises:
        ValueError: no pruner has this name, or it cannot be built with these arguments.
    """

    name: Literal["optuna"] = "optuna"
    pruner: str = USUAL
    options: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Keyword arguments. A pruner that wraps another takes its name, or {"pruner": NAME, option: value, ...}.

    In a line: optuna:pruner=PatientPruner,patience=2,wrapped_pruner=PercentilePruner,wrapped_pruner.percentile=25
    """

    def __post_init__(self) -> None:
        if (self.pruner, self.options) != (USUAL, {}):  # the default is valid; naming it needs no Optuna
            _build(self.pruner, self.options)

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        return _OptunaJudge(_build(self.pruner, self.options), self.pruner, epochs)


def nested(options: Mapping[str, Any]) -> dict[str, Any]:
    """Nest options: "wrapped_pruner.percentile" is an option of the wrapped pruner."""
    found: dict[str, Any] = {}
    for path in sorted(options, key=lambda path: path.count(".")):  # the name of a pruner before its options
        *outer, name = path.split(".")
        inside = found
        for step in outer:
            if not isinstance(inside.get(step), dict):
                inside[step] = {"pruner": inside.get(step)}
            inside = inside[step]
        inside[name] = options[path]
    return found


class _OptunaJudge(Judge):
    """Judge by an Optuna pruner. Stopped runs stay open in the study: pruners count complete ones, controls go on."""

    def __init__(self, pruner: "BasePruner", name: str, epochs: int):
        import optuna

        super().__init__()
        self.name, self.epochs = name, epochs
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        # Hyperband draws a run's bracket from the study's name and the run's number.
        self.study = optuna.create_study(
            study_name="judge", direction="maximize", pruner=pruner, sampler=optuna.samplers.RandomSampler(0)
        )
        self.trials: dict[str, Trial] = {}

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        if run not in self.trials:
            self.trials[run] = self.study.ask()
        trial = self.trials[run]
        trial.report(value, epoch)
        if epoch >= self.epochs:
            self.study.tell(trial, value)
            return None
        return Verdict("stop", f"epoch {epoch}: {value:.1f}, {self.name}") if trial.should_prune() else None


def _build(name: str, options: Mapping[str, Any]) -> "BasePruner":
    from optuna import pruners
    from optuna.exceptions import ExperimentalWarning

    names = sorted(set(pruners.__all__) - {"BasePruner"})
    if name not in names:
        raise ValueError(f"pruner = {name}: Optuna has no such pruner. {closest(name, names)}")
    kind = getattr(pruners, name)
    options = {key: _wrapped(value) if key == "wrapped_pruner" else value for key, value in options.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return kind(**options)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}; it takes {inspect.signature(kind)}") from error


def _wrapped(value: Any) -> "BasePruner | None":
    match value:
        case None:
            return None
        case str():
            return _build(value, {})
        case {"pruner": str(name), **options}:
            return _build(name, options)
        case _:
            raise ValueError(f"wrapped_pruner = {value!r}: the name of a pruner, or its name and options")
