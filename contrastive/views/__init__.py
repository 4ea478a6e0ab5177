"""Random views of a batch of images, one draw per image, on tensors.

Three steps: `draw` makes the random numbers (CPU generator, whole global batch), `render` turns uint8 images
and a draw into views in [0, 1] on the images' device, `normalise` standardises them. The operators are
torchvision's, one parameter per image instead of one per call.
"""

from contrastive.views.colour import (
    brightness,
    colour_jitter,
    contrast,
    greyscale,
    hue,
    normalise,
    saturation,
    solarise,
)
from contrastive.views.config import Channels, View, ViewName, Views
from contrastive.views.draws import Draw, draw
from contrastive.views.geometry import gaussian_blur, horizontal_flip, resized_crop
from contrastive.views.mixing import Mixture, draw_mixture, mix
from contrastive.views.render import render

__all__ = [
    "Channels",
    "Draw",
    "Mixture",
    "View",
    "ViewName",
    "Views",
    "brightness",
    "colour_jitter",
    "contrast",
    "draw",
    "draw_mixture",
    "gaussian_blur",
    "greyscale",
    "horizontal_flip",
    "hue",
    "mix",
    "normalise",
    "render",
    "resized_crop",
    "saturation",
    "solarise",
]
