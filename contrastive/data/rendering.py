"""Drawing of one object: background, clutter, object, occluder, light and noise, a layer each."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from contrastive.data.patterns import SHAPES, TEXTURES, Frame, Parameter, Plane, Wave

SIZE: Final = 32
PIXELS: Final = SIZE / 2
"""Pixels in one unit of length: an image reaches from -1 to 1 both ways."""
NOISE: Final = 8
"""The largest amount, in levels of 255, by which a pixel is off."""

Colour = Float[Tensor, "n 3 1 1"]
Image = Float[Tensor, "n 3 32 32"]


@dataclass(frozen=True)
class Pose:
    """Range of the poses of one class, which makes a set hard for raw pixels."""

    rotation: float
    """Largest turn either way, in radians."""
    shift: float
    """Largest distance of the object's centre from the image's, along each axis."""
    radius: tuple[float, float]
    """Smallest and largest radius of the object."""


FORMS: Final = {
    "easy": Pose(rotation=0.5, shift=0.2, radius=(0.65, 0.95)),
    "medium": Pose(rotation=math.pi, shift=0.3, radius=(0.55, 0.95)),
}


class Draws:
    """Source of the nuisances of `count` images: each call draws one more, uniform between its bounds."""

    def __init__(self, generator: np.random.Generator, count: int) -> None:
        self._generator = generator
        self._count = count

    def __call__(self, low: float = 0.0, high: float = 1.0) -> Parameter:
        """Draw one number an image."""
        uniform = torch.as_tensor(self._generator.random(self._count, dtype=np.float32))
        return uniform[:, None, None] * (high - low) + low

    def angle(self) -> Parameter:
        """Draw a direction or phase."""
        return self(0.0, 2 * math.pi)

    def colour(self, *, saturation: tuple[float, float] = (0.0, 0.7), value: tuple[float, float]) -> Colour:
        """Draw a colour of any hue."""
        return hsv(self(), self(*saturation), self(*value))

    def noise(self) -> Float[Tensor, "n 3 32 32"]:
        """Draw the noise of the sensor at each pixel, in whole levels of 255."""
        shape = (self._count, 3, SIZE, SIZE)
        return torch.as_tensor(self._generator.integers(-NOISE, NOISE, shape, np.int8, endpoint=True)).float()


def hsv(hue: Parameter, saturation: Parameter, value: Parameter) -> Colour:
    """Return the RGB of a hue (1 is a full turn), saturation and value: the HSV cone, one formula for all channels."""
    sectors = [torch.remainder(offset + 6 * hue, 6) for offset in (5, 3, 1)]
    return torch.stack([value * (1 - saturation * torch.minimum(s, 4 - s).clamp(0, 1)) for s in sectors], 1)


def render_objects(
    shape: str, texture: str, hue: float, form: Pose, draws: Draws
) -> UInt8[Tensor, "n 3 32 32"]:
    """Draw images of objects of one class, each with nuisances of its own.

    Args:
        shape: one of `SHAPES`.
        texture: one of `TEXTURES`.
        hue: the hue around which the class's objects lie; without one, contrastive pretraining of a small
            encoder learns almost nothing in a short run.
        form: how far the pose varies.
        draws: source of all that varies; its count is the number of images.
    """
    image = _background(draws)
    image = _clutter(image, draws)
    image = _object(image, draws, shape=shape, texture=texture, hue=hue, form=form)
    image = _occluder(image, draws)
    image = (image - 0.5) * draws(0.75, 1.2)[:, None] + 0.5 + draws(-0.08, 0.08)[:, None]
    levels = torch.floor(image.clamp(0, 1) * 255 + 0.5)
    return (levels + draws.noise()).clamp(0, 255).to(torch.uint8)


def _grid() -> tuple[Float[Tensor, "32 32"], Float[Tensor, "32 32"]]:
    centres = (torch.arange(SIZE, dtype=torch.float32) + 0.5) / PIXELS - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return x, y


def _turn(x: Float[Tensor, "..."], y: Float[Tensor, "..."], angle: Parameter) -> tuple[Plane, Plane]:
    cos, sin = torch.cos(angle), torch.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def _paint(image: Image, colour: Float[Tensor, "n 3 _ _"], cover: Plane) -> Image:
    return image + (colour - image) * cover[:, None]


def _cover(distance: Plane) -> Plane:
    # The share of a pixel within an edge at this signed distance: antialiasing one pixel wide.
    return (0.5 - distance * PIXELS).clamp(0, 1)


def _background(draws: Draws) -> Image:
    x, y = _grid()
    first, second = draws.colour(value=(0.1, 0.5)), draws.colour(value=(0.1, 0.5))
    along, _ = _turn(x, y, draws.angle())
    image = first + (second - first) * torch.sigmoid(2.5 * along + draws(-1.0, 1.0))[:, None]
    tint = torch.stack([draws(-0.5, 0.5) for _ in range(3)], 1)
    return image + draws(0.0, 0.15)[:, None] * _distractor(draws)[:, None] * tint


def _distractor(draws: Draws) -> Plane:
    # Stripes, a checker board or blotches, soft: a texture that says nothing about the class.
    x, y = _turn(*_grid(), draws.angle())
    wave, phase, free, kind = draws(1.0, 2.6) * 2 * math.pi, draws.angle(), 6 * draws(), draws()
    stripes = torch.sin(wave * x + phase)
    checker = stripes * torch.sin(wave * y + free)
    blotches = torch.sin(0.7 * wave * x + phase + 2 * torch.sin(0.45 * wave * y + free))
    return torch.where(kind < 0.33, stripes, torch.where(kind < 0.66, checker, blotches))


def _clutter(image: Image, draws: Draws) -> Image:
    x, y = _grid()
    across, along = _turn(x - draws(-1.0, 1.0), y - draws(-1.0, 1.0), draws.angle())
    distance = torch.hypot(across, along / draws(0.3, 1.0)) - draws(0.08, 0.28)
    return _paint(image, draws.colour(value=(0.3, 0.8)), _cover(distance) * (draws() < 0.8))


def _object(image: Image, draws: Draws, *, shape: str, texture: str, hue: float, form: Pose) -> Image:
    grid_x, grid_y = _grid()
    size, stretch = draws(*form.radius), torch.exp(draws(-0.2, 0.2))
    x, y = grid_x - draws(-form.shift, form.shift), grid_y - draws(-form.shift, form.shift)
    own_x, own_y = _turn(x, y, draws(-form.rotation, form.rotation))
    own_x, own_y = own_x / (size * stretch), own_y / size * stretch
    radius, angle = torch.hypot(own_x, own_y), torch.atan2(own_y, own_x)
    cover = _cover(SHAPES[shape](Frame(own_x, own_y, radius, angle), draws()) * size)
    # The texture has a direction of its own and does not shrink with the object.
    place = Frame(*_turn(x, y, draws.angle()), radius * size, angle)
    mix = TEXTURES[texture](place, Wave(draws(1.6, 2.4) * 2 * math.pi, draws.angle(), draws()))
    light, dark = _palette(hue, draws)
    shade = 1 + draws(0.0, 0.35) * (own_x * draws(-1.0, 1.0) + own_y * draws(-1.0, 1.0))
    return _paint(image, (light + (dark - light) * mix[:, None]) * shade[:, None], cover)


def _palette(hue: float, draws: Draws) -> tuple[Colour, Colour]:
    # Always light against dark: with either polarity even a supervised network learns little at this size.
    first = torch.remainder(hue + draws(-0.22, 0.22) + draws(-0.22, 0.22), 1)
    second = torch.remainder(first + draws(-0.2, 0.2), 1)
    light = hsv(first, draws(0.2, 0.9), draws(0.65, 1.0))
    return light, hsv(second, draws(0.3, 0.9), draws(0.05, 0.35))


def _occluder(image: Image, draws: Draws) -> Image:
    along, _ = _turn(*_grid(), draws.angle())
    distance = (along - draws(-0.9, 0.9)).abs() - draws(0.05, 0.16)
    return _paint(image, draws.colour(value=(0.1, 0.8)), _cover(distance) * (draws() < 0.05))
