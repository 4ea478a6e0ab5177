"""Rendering of views from images and a draw."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from contrastive.views.colour import affine_colour, colour_jitter_, greyscale_, solarise_
from contrastive.views.config import View
from contrastive.views.draws import Draw
from contrastive.views.geometry import along_rows_and_columns, blur_matrices, gaussian_blur, resize_matrices


def render(
    images: UInt8[Tensor, "n 3 h w"], draw: Draw, view: View, *, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "n 3 height width"]:
    """Make one view of each image: crop, resize, flip, jitter, greyscale, blur, solarise (SimCLR's order).

    Args:
        images: pixels from 0 to 255.
        draw: one row per image, on the images' device, drawn for their height and width and for this `view`.
        view: the recipe; an operator of probability zero is skipped.
        dtype: of the result, float32 or float64.

    Returns:
        Views in [0, 1] on the images' device.

    Raises:
        ValueError: the images are not uint8, or the draw is of another number of images.
    """
    _check(images, draw)
    size = (view.size or images.shape[2], view.size or images.shape[3])
    pixels = images.to(dtype).div_(255)
    rows, columns = resize_matrices(
        draw.box, draw.flip, images.shape[-2:], size, dtype, interpolation=view.interpolation
    )
    finish = _affine if view.colour == "affine" else _exact
    views = finish(pixels, rows, columns, draw, view)
    if view.solarise:
        solarise_(views, draw.solarise, view.solarise_threshold)
    return views


def _affine(pixels: Tensor, rows: Tensor, columns: Tensor, draw: Draw, view: View) -> Tensor:
    # Blur commutes with an affine colour map, so it costs two products of small matrices and none of images.
    if view.blur:
        sigma = (draw.sigma * draw.blur).to(pixels.dtype)
        vertical, horizontal = blur_matrices(sigma, view.blur_kernel, (rows.shape[1], columns.shape[1]))
        rows, columns = vertical @ rows, horizontal @ columns
    views = along_rows_and_columns(pixels, rows, columns)
    if view.jitter or view.grey:
        return affine_colour(views, _factors(draw), draw.grey)
    return views.clamp_(0, 1)


def _exact(pixels: Tensor, rows: Tensor, columns: Tensor, draw: Draw, view: View) -> Tensor:
    views = along_rows_and_columns(pixels, rows, columns).clamp_(0, 1)
    if view.jitter:
        colour_jitter_(views, _factors(draw), draw.order)
    if view.grey:
        greyscale_(views, draw.grey)
    if view.blur:
        blurred = draw.blur.nonzero()[:, 0]
        views[blurred] = gaussian_blur(views[blurred], draw.sigma[blurred], view.blur_kernel).clamp_(0, 1)
    return views


def _factors(draw: Draw) -> Float[Tensor, "n 4"]:
    """Return the jitter's factors; where an image is not jittered, factors that change nothing."""
    return torch.where(draw.jitter[:, None], draw.factors, draw.factors.new_tensor([1.0, 1.0, 1.0, 0.0]))


def _check(images: Tensor, draw: Draw) -> None:
    if images.dtype != torch.uint8:
        raise ValueError(f"render: images of {images.dtype} were given; pixels are uint8, from 0 to 255")
    if len(images) != len(draw):
        raise ValueError(
            f"render: {len(images)} images and a draw of {len(draw)} were given; each image takes a row of "
            "the draw: keep this rank's rows with draw.rows(slice)"
        )
