"""Evaluation protocols as frozen configurations, with published recipes as presets."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contrastive.data import Data
from contrastive.recipes import Preset
from contrastive.types import Count, Fraction, NonNegative, Positive, Share, configuration
from contrastive.views import View

Layer = Literal["encoder", "projector"]
"""Where features are read: the encoder's output, or the projector's embedding."""
COLDEST = 0.0015
"""Temperature of kNN below which the sum of exp(cosine / temperature) leaves the range of float64."""
Temperature = Annotated[float, Field(ge=COLDEST, allow_inf_nan=False)]
NEIGHBOURS = 20
"""The usual number of kNN."""
WHOLE_TO_EIGHT_PERCENT = (0.08, 1.0)


@configuration
class LinearProbe:
    """A linear classifier on the frozen encoder's features, trained by SGD; the last epoch is reported.

    The features of whole images are computed once; with `augment` they are those of random resized crops,
    flipped half the time, anew in each epoch. `lr` is what stands in the sources, not scaled by the batch.
    The default is MoCo's recipe without crops and at a tenth of its rate, which on the embedded data came
    within a point of the optimum that L-BFGS finds.
    """

    name: Literal["linear"] = "linear"
    layer: Layer = "encoder"
    augment: bool = False
    crop_scale: tuple[Share, Share] = WHOLE_TO_EIGHT_PERCENT
    epochs: Count = 100
    batch: Count = 256
    lr: Positive = 3.0
    momentum: Fraction = 0.9
    nesterov: bool = False
    weight_decay: NonNegative = 0.0
    schedule: Literal["steps", "cosine"] = "steps"
    milestones: tuple[Count, ...] = (60, 80)
    """After how many epochs the rate is multiplied by `factor` ("steps")."""
    factor: Share = 0.1
    data: Data | None = None
    """Another data set to learn and be judged on (transfer); None for the one of the configuration."""

    presets: ClassVar[dict[str, Preset]] = {
        "moco": Preset(
            source="facebookresearch/moco, main_lincls.py: x0.1 after 60 and 80 of 100 epochs",
            values={"augment": True, "lr": 30.0, "batch": 256, "epochs": 100},
        ),
        "sce_cifar10": Preset(
            source="CEA-LIST/SCE, the linear evaluation of its CIFAR-10 run; in place of its crops of the image "
            "padded by 4 pixels ours are crops of 0.6 to 1 of its area",
            values={"augment": True, "crop_scale": [0.6, 1.0], "lr": 30.0, "batch": 256, "epochs": 100},
        ),
        "sce_imagenet": Preset(
            source="CEA-LIST/SCE, the linear evaluation of its ImageNet runs: 0.1 x batch / 256",
            values={"augment": True, "lr": 0.4, "batch": 1024, "epochs": 90, "schedule": "cosine"},
        ),
        "wcl": Preset(
            source="KyleZheng1997/WCL, linear_eval: 0.2 x batch / 256",
            values={"augment": True, "lr": 3.2, "batch": 4096, "epochs": 80, "schedule": "cosine",
                    "nesterov": True},
        ),
        "lightly": Preset(
            source="lightly's benchmarks: 0.1 x batch / 256",
            values={"augment": True, "lr": 0.1, "batch": 256, "epochs": 90, "schedule": "cosine"},
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        _check_scale(self.crop_scale)
        if self.schedule == "steps":
            _check_milestones(self.milestones, self.epochs)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov looks ahead along the momentum, and momentum is 0; raise it")

    @property
    def reported(self) -> tuple[str, ...]:
        """What the names of its metrics begin with."""
        return (_named("linear", self.data, self.layer),)


@configuration
class FineTune:
    """Semi-supervised: encoder and a new linear layer, fine-tuned on a fraction of the labels; the last epoch.

    The fraction is taken of each class, by fixed lists of which each draw is another; the mean over the draws
    comes with half its 95 % interval. SwAV's protocol: batch statistics in training mode, random resized
    crops flipped half the time, both rates multiplied by `factor` after each milestone.
    """

    name: Literal["finetune"] = "finetune"
    fraction: Share = 0.1
    draws: Count = 3
    epochs: Count = 20
    batch: Annotated[int, Field(ge=2)] = 256
    lr: Positive = 0.01
    """Of the encoder."""
    head_lr: Positive = 0.2
    momentum: Fraction = 0.9
    weight_decay: NonNegative = 0.0
    milestones: tuple[Count, ...] = (12, 16)
    factor: Share = 0.2
    crop_scale: tuple[Share, Share] = WHOLE_TO_EIGHT_PERCENT
    data: Data | None = None
    """Another data set to learn and be judged on (transfer); None for the one of the configuration."""

    presets: ClassVar[dict[str, Preset]] = {
        "10pct": Preset(
            source="facebookresearch/swav, eval_semisup.py",
            values={"fraction": 0.1, "lr": 0.01, "head_lr": 0.2},
        ),
        "1pct": Preset(
            source="facebookresearch/swav, eval_semisup.py; its rates for 1 % are recalled, not verified",
            values={"fraction": 0.01, "lr": 0.02, "head_lr": 5.0},
        ),
    }

    def __post_init__(self) -> None:
        _check_scale(self.crop_scale)
        _check_milestones(self.milestones, self.epochs)

    @property
    def reported(self) -> tuple[str, ...]:
        """What the names of its metrics begin with."""
        return (_named(f"finetune_{100 * self.fraction:g}pct", self.data),)


@configuration
class KNN:
    """Weighted nearest neighbours on frozen features, for each number of neighbours.

    Of a bank with fewer images all vote where the number is the usual one or a preset's; another is refused.
    """

    name: Literal["knn"] = "knn"
    layer: Layer = "encoder"
    neighbours: Annotated[tuple[Count, ...], Field(min_length=1)] = (NEIGHBOURS,)
    temperature: Temperature = 0.1
    data: Data | None = None
    """Another data set to learn and be judged on (transfer); None for the one of the configuration."""

    presets: ClassVar[dict[str, Preset]] = {
        "lightly": Preset("lightly's benchmarks", {"neighbours": [200], "temperature": 0.1}),
        "solo": Preset("solo-learn's offline kNN", {"neighbours": [20], "temperature": 0.07}),
    }

    @property
    def reported(self) -> tuple[str, ...]:
        """What the names of its metrics begin with."""
        return tuple(_named(f"knn{k}", self.data, self.layer) for k in self.neighbours)


@configuration
class Collapse:
    """Alignment of two views of an image, uniformity of the first views, effective rank of whole images."""

    name: Literal["collapse"] = "collapse"
    layer: Layer = "encoder"
    view: View = View()
    """How both views are made."""
    data: Data | None = None
    """Another data set to look at; None for the one of the configuration."""

    presets: ClassVar[dict[str, Preset]] = {}

    @property
    def reported(self) -> tuple[str, ...]:
        """What the names of its metrics begin with."""
        return (_named("collapse", self.data, self.layer),)


PROTOCOLS = (LinearProbe, FineTune, KNN, Collapse)
Protocol = Annotated[LinearProbe | FineTune | KNN | Collapse, Field(discriminator="name")]


def check_names(protocols: tuple[Protocol, ...]) -> None:
    """Refuse protocols whose results would go by one name.

    Raises:
        ValueError: says which name.
    """
    names = [name for protocol in protocols for name in protocol.reported]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two protocols report {', '.join(twice)}; leave one of them out")


def _named(name: str, data: Data | None, layer: Layer = "encoder") -> str:
    parts = [f"transfer_{data.name}" if data else "", "" if layer == "encoder" else layer, name]
    return "_".join(part for part in parts if part)


def _check_scale(scale: tuple[float, float]) -> None:
    if scale[0] > scale[1]:
        raise ValueError(f"crop_scale = {scale}: the lower end comes first; swap the two")


def _check_milestones(milestones: tuple[int, ...], epochs: int) -> None:
    if any(milestone >= epochs for milestone in milestones):
        raise ValueError(f"milestones = {milestones} are not all within the {epochs} epochs; lower them")
