"""Encoders (images to features) and heads (features to embeddings)."""

from __future__ import annotations

import difflib
import functools
import importlib
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from contrastive import types
from contrastive.types import Count, configuration

if TYPE_CHECKING:
    from torch import nn


@configuration
class Strided:
    """Four 3x3 convolutions with all work at 16x16 and below: about 10 CPU seconds for a real 32x32 run.

    Widths are `width`, 2, 4 and 4 times `width`; width 16 has 61 thousand parameters and 64 features.
    """

    name: Literal["strided"] = "strided"
    width: Count = 16

    @property
    def dim(self) -> int:
        """Number of features."""
        return 4 * self.width

    def build(self) -> nn.Module:
        """A module from (N, 3, H, W) to (N, dim); its initial weights come from torch's current generator."""
        from torch import nn

        w = self.width
        return nn.Sequential(
            *_convolution(3, w, kernel=4, stride=2),
            *_convolution(w, 2 * w, kernel=3, stride=2),
            *_convolution(2 * w, 4 * w, kernel=3, stride=2),
            *_convolution(4 * w, 4 * w, kernel=3, stride=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


@configuration
class ResNet:
    """He et al. 2016. The "cifar" stem is one 3x3 convolution of stride 1 without max-pooling."""

    name: Literal["resnet"] = "resnet"
    depth: Literal[18, 34, 50] = 18
    stem: Literal["cifar", "imagenet"] = "cifar"
    zero_init_residual: bool = False
    """Whether the last scale of each residual branch starts at 0, so that each block starts as the identity."""

    @property
    def dim(self) -> int:
        """Number of features."""
        return 2048 if self.depth == 50 else 512

    def build(self) -> nn.Module:
        """A module from (N, 3, H, W) to (N, dim); its initial weights come from torch's current generator."""
        from torch import nn
        from torchvision import models

        network = models.get_model(
            f"resnet{self.depth}", weights=None, zero_init_residual=self.zero_init_residual
        )
        network.fc = nn.Identity()
        if self.stem == "cifar":
            network.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
            network.maxpool = nn.Identity()
        return network


@configuration
class Timm:
    """Any image model of the timm library, untrained, without its classifier: timm.list_models() names them.

    `image_size` is told to models that are made for one size, such as "vit_tiny_patch16_224" at 32.
    """

    name: Literal["timm"] = "timm"
    model: str
    image_size: Count | None = None

    def __post_init__(self) -> None:
        try:
            timm = importlib.import_module("timm")
        except ImportError:
            raise ValueError("timm is not installed: pip install 'contrastive-sweeps[timm]'") from None
        if not timm.is_model(self.model):
            names: list[str] = timm.list_models()
            near = difflib.get_close_matches(self.model, names, n=5, cutoff=0.4)
            raise ValueError(f"timm has no model '{self.model}'. Near it: {', '.join(near) or 'none'}")

    @property
    def dim(self) -> int:
        """Number of features."""
        return _timm_features(self.model, self.image_size)

    def build(self) -> nn.Module:
        """A module from (N, 3, H, W) to (N, dim); its initial weights come from torch's current generator."""
        return _timm_model(self.model, self.image_size)


ENCODERS: Final = (Strided, ResNet, Timm)
"""All encoders. To add one: its class above, and its name here."""

if TYPE_CHECKING:

    class Encoder(Protocol):
        """What a configuration of an encoder can do."""

        @property
        def name(self) -> str:
            """By which it is told from the others."""
            ...

        @property
        def dim(self) -> int:
            """Number of features."""
            ...

        def build(self) -> nn.Module:
            """A module from (N, 3, H, W) to (N, dim); its initial weights come from torch's current generator."""
            ...
else:
    Encoder = types.union(ENCODERS)


@configuration
class Head:
    """A perceptron on features: projector or predictor.

    `hidden` are the widths between features and the `output` embedding; each is followed by batch
    normalisation (if `batch_norm`) and ReLU. `output_batch_norm` normalises the embedding, too, without scale
    and shift unless `output_affine` names them. A layer followed by batch normalisation has no bias; the last
    has one if `output_bias`.
    """

    hidden: tuple[Count, ...] = (256,)
    output: Count = 64
    batch_norm: bool = True
    output_batch_norm: bool = False
    output_bias: bool = True
    output_affine: Literal["none", "scale", "both"] = "none"
    """What the embedding's batch normalisation learns: nothing (SCE, MoCo v3), a scale (MMCL), scale and shift."""

    def __post_init__(self) -> None:
        if self.output_affine != "none" and not self.output_batch_norm:
            raise ValueError(
                f"output_affine = '{self.output_affine}' is of a batch normalisation that is not there; set "
                "output_batch_norm to true, or output_affine to 'none'"
            )

    def build(self, features: int) -> nn.Module:
        """A module from (N, features) to (N, output)."""
        from torch import nn

        layers: list[nn.Module] = []
        for width in self.hidden:
            layers.append(nn.Linear(features, width, bias=not self.batch_norm))
            layers += [nn.BatchNorm1d(width)] if self.batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            features = width
        layers.append(nn.Linear(features, self.output, bias=self.output_bias and not self.output_batch_norm))
        layers += [self._output_norm()] if self.output_batch_norm else []
        return nn.Sequential(*layers)

    def _output_norm(self) -> nn.Module:
        from torch import nn

        norm = nn.BatchNorm1d(self.output, affine=self.output_affine != "none")
        if self.output_affine == "scale":
            norm.bias.requires_grad_(False)
        return norm


def _convolution(channels: int, width: int, *, kernel: int, stride: int) -> list[nn.Module]:
    from torch import nn

    convolution = nn.Conv2d(channels, width, kernel, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]


def _timm_model(model: str, image_size: int | None) -> Any:
    timm = importlib.import_module("timm")
    if image_size is None:
        return timm.create_model(model, pretrained=False, num_classes=0)
    try:
        return timm.create_model(model, pretrained=False, num_classes=0, img_size=image_size)
    except TypeError as error:
        raise ValueError(
            f"image_size = {image_size}: timm's {model} is for any size; leave it out"
        ) from error


@functools.cache
def _timm_features(model: str, image_size: int | None) -> int:
    import torch

    # A model is the only thing that knows; torch's generator shall not notice that one was built to ask it.
    with torch.random.fork_rng(devices=[]):
        built = _timm_model(model, image_size)
    return built.head_hidden_size  # of what comes out without a classifier; num_features is before some heads
