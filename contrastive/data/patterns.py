"""Eight shapes and eight textures, the two factors of a class: functions of a pixel's place in the object."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Plane = Float[Tensor, "n 32 32"]
"""One value a pixel, for each of n images."""
Parameter = Float[Tensor, "n 1 1"]
"""One value an image."""


class Frame(NamedTuple):
    """Position of each pixel in the object's coordinates: Cartesian and polar."""

    x: Plane
    y: Plane
    radius: Plane
    angle: Plane


class Wave(NamedTuple):
    """Numbers in which two objects of one texture differ."""

    rate: Parameter
    """Radians per unit of length."""
    phase: Parameter
    """Radians."""
    free: Parameter
    """In 0..1; each texture varies something else by it."""


# A shape is a distance-like value in units of the object: negative inside, slope about one at the edge. Its
# second argument in 0..1 is what differs between two objects of one shape (thickness, depth of the notches).


def _star_ratio(place: Frame, points: int, notch: Parameter | float) -> Plane:
    # Radius over that of the boundary on the same ray. An edge runs from a tip (1, 0) to a notch (u, v).
    half = math.pi / points
    turn = (torch.remainder(place.angle + half, 2 * half) - half).abs()
    u, v = notch * math.cos(half), notch * math.sin(half)
    return place.radius * (v * torch.cos(turn) + (1 - u) * torch.sin(turn)) / v


def _disc(place: Frame, _: Parameter) -> Plane:
    return place.radius - 0.82


def _triangle(place: Frame, _: Parameter) -> Plane:
    return (_star_ratio(place, 3, math.cos(math.pi / 3)) - 1.05) * 0.6


def _square(place: Frame, _: Parameter) -> Plane:
    return torch.maximum(place.x.abs(), place.y.abs()) - 0.74


def _star(place: Frame, free: Parameter) -> Plane:
    return (_star_ratio(place, 5, 0.38 + 0.12 * free) - 1) * 0.6


def _cross(place: Frame, free: Parameter) -> Plane:
    x, y, width = place.x.abs(), place.y.abs(), 0.22 + 0.12 * free
    return torch.minimum(torch.maximum(x - width, y - 0.9), torch.maximum(y - width, x - 0.9))


def _ring(place: Frame, free: Parameter) -> Plane:
    width = 0.16 + 0.1 * free
    return (place.radius - (0.9 - width)).abs() - width


def _crescent(place: Frame, free: Parameter) -> Plane:
    bite = torch.hypot(place.x - (0.35 + 0.2 * free), place.y)
    return torch.maximum(place.radius - 0.9, 0.72 - bite)


def _trefoil(place: Frame, free: Parameter) -> Plane:
    return place.radius - (0.62 + (0.2 + 0.12 * free) * torch.cos(3 * place.angle))


# A texture mixes two colours: 0 is the first, 1 the second.


def _step(value: Plane, sharpness: float) -> Plane:
    return torch.sigmoid(value * sharpness)


def _solid(place: Frame, _: Wave) -> Plane:
    return torch.zeros_like(place.x)


def _stripes(place: Frame, wave: Wave) -> Plane:
    return _step(torch.sin(wave.rate * place.x + wave.phase), 5.0)


def _checker(place: Frame, wave: Wave) -> Plane:
    across = torch.sin(0.8 * wave.rate * place.x + wave.phase)
    return _step(across * torch.sin(0.8 * wave.rate * place.y + 6 * wave.free), 8.0)


def _dots(place: Frame, wave: Wave) -> Plane:
    across = torch.cos(wave.rate * place.x + wave.phase)
    return _step(across + torch.cos(wave.rate * place.y + 6 * wave.free) - 0.75, 5.0)


def _circles(place: Frame, wave: Wave) -> Plane:
    return _step(torch.sin(wave.rate * place.radius + wave.phase), 5.0)


def _wedges(place: Frame, wave: Wave) -> Plane:
    return _step(torch.sin(torch.round(3 + 3 * wave.free) * place.angle + wave.phase), 5.0)


def _blotches(place: Frame, wave: Wave) -> Plane:
    bend_x = 2 * torch.sin(0.45 * wave.rate * place.y + 6 * wave.free)
    bend_y = 2 * torch.sin(0.5 * wave.rate * place.x + wave.phase)
    across = torch.sin(0.7 * wave.rate * place.x + wave.phase + bend_x)
    return _step(across + torch.sin(0.6 * wave.rate * place.y + bend_y), 3.5)


def _gradient(place: Frame, _: Wave) -> Plane:
    return torch.sigmoid(2.2 * place.x)


SHAPES: dict[str, Callable[[Frame, Parameter], Plane]] = {
    shape.__name__.removeprefix("_"): shape
    for shape in (_disc, _triangle, _square, _star, _cross, _ring, _crescent, _trefoil)
}
TEXTURES: dict[str, Callable[[Frame, Wave], Plane]] = {
    texture.__name__.removeprefix("_"): texture
    for texture in (_solid, _stripes, _checker, _dots, _circles, _wedges, _blotches, _gradient)
}
