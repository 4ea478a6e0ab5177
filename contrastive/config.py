"""A configuration: everything that decides one training run, as frozen data that is legal by construction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import TypeAdapter

from contrastive import paths
from contrastive.data import Data, Shapes
from contrastive.encoder import Encoder, Strided
from contrastive.evaluate.protocols import NEIGHBOURS, Layer, Protocol, Temperature, check_names
from contrastive.methods import SCE, Method
from contrastive.optimiser import SGD, Optimiser
from contrastive.types import Count, Natural, configuration
from contrastive.views import Views
from contrastive.words import closest, in_words

__all__ = [
    "LATER", "NUMERICS", "Config", "Evaluation", "arm", "closest", "from_dict", "identity", "in_words", "replace",
    "to_dict", "to_json", "value_at",
]  # fmt: skip

if TYPE_CHECKING:
    import torch

NUMERICS = 3
"""Raised whenever the same configuration would give another curve than before; part of a run's identity."""

LATER: dict[str, Any] = {
    "interpolation": "bilinear", "channels": None, "second_view": None, "views_together": False,
    "cacr.batch_norm_splits": 1, "output_affine": "none", "zero_init_residual": False, "norms": "of_sum", "clip": False,
    "warmup_reaches": "zero_and_peak", "cosine_by": "step",
}  # fmt: skip
"""Fields added after runs had been recorded, each with the value that stands for the behaviour before.

A field at that value is left out of a run's identity, so that older records keep theirs. "cacr.NAME" is a field of
CACR alone.
"""


@configuration
class Evaluation:
    """Weighted kNN after each epoch, and protocols that are run once, when training has ended.

    The bank of kNN holds the labelled images of the data set (the training images, where it has no others), and the
    queries are its validation images.
    """

    neighbours: Count = NEIGHBOURS
    """Number of neighbours. The default number takes all of a smaller bank; any other must not exceed the bank."""
    temperature: Temperature = 0.1
    layer: Layer = "encoder"
    """Layer of kNN and of the effective rank."""
    after: tuple[Protocol, ...] = ()
    split: Literal["validation", "test"] = "validation"
    """Images that the protocols of `after` are judged on. Test images are for reports, never for a choice."""

    def __post_init__(self) -> None:
        check_names(self.after)


@configuration
class Config:
    """One run. `batch` is the global batch in images; `epochs` is the horizon of every schedule."""

    method: Method = SCE()
    data: Data = Shapes()
    views: Views = Views()
    encoder: Encoder = Strided()
    optimiser: Optimiser = SGD()
    evaluation: Evaluation = Evaluation()
    epochs: Count = 200
    batch: Count = 256
    seed: Natural = 0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        self._check_batch()
        self._check_parts()
        self._check_epochs()

    def _check_batch(self) -> None:
        parts = self.method.assembly
        if self.batch < parts.smallest_batch:
            raise ValueError(
                f"batch = {self.batch}: method '{self.method.name}' as configured needs at least "
                f"{parts.smallest_batch} images to contrast; raise batch"
            )
        written = self.batch * len(parts.queued)
        if parts.queue and parts.queue % written:
            raise ValueError(
                f"method.queue = {parts.queue} is not a multiple of the {written} keys written at each "
                f"step (batch {self.batch} x {len(parts.queued)} queued views); "
                f"{max(1, round(parts.queue / written)) * written} is"
            )
        if self.batch % parts.batch_norm_splits:
            raise ValueError(
                f"method.batch_norm_splits = {parts.batch_norm_splits} does not divide the batch of {self.batch} "
                "images; change either"
            )

    def _check_epochs(self) -> None:
        parts = self.method.assembly
        for owner, warmup in (("method", parts.warmup_epochs), ("optimiser", self.optimiser.warmup_epochs)):
            if warmup >= self.epochs:
                raise ValueError(
                    f"{owner}.warmup_epochs = {warmup} leaves nothing of the {self.epochs} epochs; lower it"
                )
        late = [epoch for epoch in parts.changes if epoch > self.epochs]
        if late or list(parts.changes) != sorted(set(parts.changes)):
            raise ValueError(
                f"method.bandwidth_drops = {list(parts.changes)}: epochs in ascending order, none after the last, "
                f"{self.epochs}"
            )
        if max(self.optimiser.milestones, default=0) >= self.epochs:
            raise ValueError(
                f"optimiser.milestones = {self.optimiser.milestones}: the run ends after {self.epochs} epochs; "
                "keep those below epochs"
            )

    def _check_parts(self) -> None:
        parts = self.method.assembly
        if parts.predictor and parts.predictor.output != parts.projector.output:
            raise ValueError(
                f"method.predictor.output = {parts.predictor.output} is compared with method.projector.output = "
                f"{parts.projector.output}; make them equal"
            )
        sources = parts.mixing.sources if parts.mixing else ()
        names = [views[source] for views in (parts.views, parts.warmup_views) if views for source in sources]
        if len({getattr(self.views, name).size for name in names}) > 1:
            raise ValueError(
                f"views {', '.join(dict.fromkeys(names))} have different sizes and are mixed with one box; "
                "give them one size"
            )

    @property
    def dtype(self) -> torch.dtype:
        """Data type of weights and images."""
        import torch

        return {"float32": torch.float32, "float64": torch.float64}[self.precision]

    @property
    def peak_lr(self) -> float:
        """Learning rate at the end of the warm-up."""
        return self.optimiser.peak(self.batch)


_CONFIG = TypeAdapter(Config)


def to_dict(config: Config) -> dict[str, Any]:
    """Return the configuration as JSON-ready values, defaults filled in."""
    return cast(dict[str, Any], _CONFIG.dump_python(config, mode="json"))


def from_dict(values: Mapping[str, Any]) -> Config:
    """Return the configuration that `to_dict` wrote.

    Raises:
        ValueError: an unknown field or an illegal value, named by its path.
    """
    return in_words(lambda: _CONFIG.validate_python(dict(values)), Config)


def replace(config: Config, changes: Mapping[str, Any]) -> Config:
    """Change the fields at dotted paths: `replace(config, {"method.temperature": 0.2})`.

    All changes are made before the result is checked, outer paths first, so that fields may change together. A new
    "name" puts the defaults of that kind in place of all fields of the old kind.

    >>> replace(Config(), {"optimiser.momentum": 0.8, "optimiser.name": "lars"}).optimiser.lr
    0.3

    Raises:
        ValueError: a path that does not exist (with the closest names), or an illegal value.
    """
    values = to_dict(config)
    for path in sorted(changes, key=paths.outer_first):
        paths.put(values, path, to_json(changes[path]), Config)
    return from_dict(values)


def value_at(config: Config, path: str) -> Any:
    """Return the JSON value of the field at a dotted path.

    Raises:
        ValueError: the path does not exist.
    """
    return paths.get(to_dict(config), path, Config)


def identity(config: Config, fingerprint: str) -> str:
    """Return the digest of a run: its configuration, the content of its data (not its place) and the numerics."""
    return _digest({**_recorded(to_dict(config)), "data": fingerprint, "numerics": NUMERICS})


def arm(config: Config, fingerprint: str) -> str:
    """Return the digest of a run without its seed: runs of one arm differ by nothing else."""
    values = _recorded(to_dict(config))
    return _digest({**values, "data": fingerprint, "numerics": NUMERICS, "seed": None})


def to_json(value: Any) -> Any:
    """Convert a configuration value (a dataclass, a tuple, a number) to JSON-ready values."""
    return TypeAdapter(Any).dump_python(value, mode="json")


def _recorded(value: Any) -> Any:
    """Return the values without the fields of LATER at the value that stands for the behaviour before."""
    if not isinstance(value, dict):
        return value
    values, later = cast(dict[str, Any], value), LATER.items()
    owner = values.get("name")
    return {
        name: _recorded(v)
        for name, v in values.items()
        if (name, v) not in later and (f"{owner}.{name}", v) not in later
    }


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
