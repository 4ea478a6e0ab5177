"""Configuration of the views of an image."""

from typing import Literal

from contrastive.types import Count, Fraction, NonNegative, Positive, Share, configuration

Interpolation = Literal["bilinear", "bicubic"]
ViewName = Literal[
    "strong", "weak", "second", "gentle", "local", "local_small", "local_medium", "local_large"
]


@configuration
class View:
    """Augmentation of one view. The defaults are SimCLR's and MoCo v2's for 32-pixel images (no blur).

    `crop_scale` is the share of the image's area, `crop_ratio` width over height, `size` the output's side in
    pixels (None: the image's own height and width). `flip`, `jitter`, `grey`, `blur` and `solarise` are
    probabilities per image; `brightness`, `contrast`, `saturation` and `hue` are ColorJitter's strengths, hue
    in turns of the colour circle. `blur_sigma` and `blur_kernel` are in output pixels; a kernel of 13 reaches
    three of the usual largest sigma and is, off the border, a level or so of 255 from Pillow's Gaussian.

    `colour="exact"` is torchvision's arithmetic: four operators in an order drawn per image, each clamped,
    hue in HSV. `"affine"` is one 3×3 matrix and an offset per image, clamped once: faster, equal without hue
    where nothing is clamped, and hue a rotation of the chroma plane.
    """

    crop_scale: tuple[Share, Share] = (0.2, 1.0)
    crop_ratio: tuple[Positive, Positive] = (3 / 4, 4 / 3)
    size: Count | None = None
    interpolation: Interpolation = "bilinear"
    flip: Fraction = 0.5
    jitter: Fraction = 0.8
    brightness: NonNegative = 0.4
    contrast: NonNegative = 0.4
    saturation: NonNegative = 0.4
    hue: NonNegative = 0.1
    grey: Fraction = 0.2
    blur: Fraction = 0.0
    blur_sigma: tuple[Positive, Positive] = (0.1, 2.0)
    blur_kernel: Count = 3
    solarise: Fraction = 0.0
    solarise_threshold: Fraction = 0.5
    colour: Literal["affine", "exact"] = "affine"

    def __post_init__(self) -> None:
        for name in ("crop_scale", "crop_ratio", "blur_sigma"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    f"View.{name}: ({low}, {high}) was given; the lower end comes first: swap the two"
                )
        if self.blur_kernel % 2 == 0:
            raise ValueError(
                f"View.blur_kernel: {self.blur_kernel} was given; a kernel has a centre, so it is odd: "
                f"take {self.blur_kernel - 1} or {self.blur_kernel + 1}"
            )
        if self.hue > 0.5:
            raise ValueError(
                f"View.hue: {self.hue} was given; it is in turns of the colour circle, 0 to 0.5: take 0.5 "
                "for any hue at all"
            )


@configuration
class Channels:
    """Mean and standard deviation, in 0..1, that standardise red, green and blue."""

    mean: tuple[Fraction, Fraction, Fraction]
    std: tuple[Positive, Positive, Positive]


@configuration
class Views:
    """Views that a method may ask for by name, and the standardisation of the encoder's images.

    The local views are the low-resolution crops of a multi-crop: SCE's four scales and, at 32 pixels, its four
    sizes (192, 160, 128 and 96 of 224), rounded to even numbers.
    """

    strong: View = View()
    weak: View = View(jitter=0.0, grey=0.0)
    """Crop and flip only."""
    second: View = View(solarise=0.2)
    """The other of two unequal strong views, as in BYOL."""
    gentle: View = View()
    """Augmentation of a method's warm-up epochs."""
    local: View = View(size=14, crop_scale=(0.086, 0.429))
    local_small: View = View(size=18, crop_scale=(0.114, 0.571))
    local_medium: View = View(size=22, crop_scale=(0.143, 0.715))
    local_large: View = View(size=28, crop_scale=(0.172, 0.86))
    channels: Channels | None = None
    """Standardisation of all images that the encoder sees, in evaluation too; None: by the training images."""
