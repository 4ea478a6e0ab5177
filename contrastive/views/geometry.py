"""Crop, resize, flip and blur as matrices per image and axis, applied by two small batched products."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from contrastive.views.config import Interpolation


def resized_crop(
    images: Float[Tensor, "n c h w"],
    box: Int[Tensor, "n 4"],
    size: tuple[int, int],
    interpolation: Interpolation = "bilinear",
) -> Float[Tensor, "n c height width"]:
    """Cut a box out of each image and resize it, antialiased, as PIL and torchvision do.

    Args:
        images: of any range; bicubic interpolation may leave that range.
        box: (top, left, height, width) in pixels, inside the image.
        size: (height, width) of the result.
        interpolation: the filter.
    """
    none = torch.zeros_like(box[:, 0], dtype=torch.bool)
    rows, columns = resize_matrices(
        box, none, images.shape[-2:], size, images.dtype, interpolation=interpolation
    )
    return along_rows_and_columns(images, rows, columns)


def horizontal_flip(images: Float[Tensor, "n c h w"], flip: Bool[Tensor, " n"]) -> Float[Tensor, "n c h w"]:
    """Mirror left and right each image where `flip` is true."""
    views = images.clone()
    views[flip] = images[flip].flip(-1)
    return views


def gaussian_blur(
    images: Float[Tensor, "n c h w"], sigma: Float[Tensor, " n"], kernel: int
) -> Float[Tensor, "n c h w"]:
    """Blur each image with its own sigma, borders reflected, as torchvision does.

    Args:
        images: of any range.
        sigma: in pixels; zero leaves an image as it is.
        kernel: width of the kernel in pixels, odd.

    Raises:
        ValueError: the kernel reaches further than a reflection of the image.
    """
    return along_rows_and_columns(images, *blur_matrices(sigma.to(images.dtype), kernel, images.shape[-2:]))


def along_rows_and_columns(
    images: Float[Tensor, "n c h w"], rows: Float[Tensor, "n height h"], columns: Float[Tensor, "n width w"]
) -> Float[Tensor, "n c height width"]:
    """Compute rows @ image @ columnsᵀ for every image and channel."""
    n, c, h, w = images.shape
    narrow = torch.bmm(images.reshape(n, c * h, w), columns.mT).view(n, c, h, columns.shape[1])
    # Channel by channel: a broadcast matmul would copy `rows` for each, which costs half as much again.
    return torch.stack([torch.bmm(rows, plane) for plane in narrow.unbind(1)], 1)


def resize_matrices(
    box: Int[Tensor, "n 4"],
    flip: Bool[Tensor, " n"],
    image: Sequence[int],
    size: Sequence[int],
    dtype: torch.dtype,
    *,
    interpolation: Interpolation = "bilinear",
) -> tuple[Float[Tensor, "n height h"], Float[Tensor, "n width w"]]:
    """Return the matrices of `resized_crop`, then `horizontal_flip`, for the rows and for the columns."""
    top, left, height, width = box.to(dtype).unbind(1)
    weigh_ = {"bilinear": _triangle_, "bicubic": _cubic_}[interpolation]
    rows = _resize_matrix(top, height, torch.zeros_like(flip), (image[0], size[0]), weigh_)
    return rows, _resize_matrix(left, width, flip, (image[1], size[1]), weigh_)


def _resize_matrix(
    start: Float[Tensor, " n"],
    length: Float[Tensor, " n"],
    flip: Bool[Tensor, " n"],
    sides: tuple[int, int],
    weigh_: Callable[[Tensor], Tensor],
) -> Float[Tensor, "n target source"]:
    """Return a filter around each target pixel's centre, in units of the larger of source and target pixel."""
    source, target = sides
    step = length / target
    position = torch.arange(source, dtype=start.dtype, device=start.device) + 0.5 - start[:, None]
    place = torch.arange(target, dtype=start.dtype, device=start.device) + 0.5
    centre = torch.where(flip[:, None], target - place, place) * step[:, None]
    weights = (position[:, None, :] - centre[:, :, None]).abs_()
    weights = weigh_(weights.mul_(1 / step.clamp(min=1.0)[:, None, None]))
    inside = (position > 0) & (position < length[:, None])
    weights *= inside.to(start.dtype)[:, None, :]
    return weights.div_(weights.sum(2, keepdim=True))


def _triangle_(distance: Tensor) -> Tensor:
    """Apply the linear filter in place: 0 from a distance of 1 on."""
    return distance.neg_().add_(1).clamp_(min=0)


def _cubic_(distance: Tensor) -> Tensor:
    """Apply Keys' cubic filter (1981) with a = -1/2, as in PIL, in place: 0 from a distance of 2 on."""
    distance.clamp_(max=2)
    near = distance.square().mul_(distance.mul(1.5).sub_(2.5)).add_(1)
    far = distance.mul(-0.5).add_(2.5).mul_(distance).sub_(4).mul_(distance).add_(2)
    return torch.where(distance < 1, near, far)


def blur_matrices(
    sigma: Float[Tensor, " n"], kernel: int, size: Sequence[int]
) -> tuple[Float[Tensor, "n height height"], Float[Tensor, "n width width"]]:
    """Return the matrices of `gaussian_blur`, for the rows and for the columns."""
    height, width = size
    rows = _blur_matrix(sigma, kernel, height)
    return rows, rows if width == height else _blur_matrix(sigma, kernel, width)


def _blur_matrix(sigma: Float[Tensor, " n"], kernel: int, size: int) -> Float[Tensor, "n {size} {size}"]:
    """Return a band of the kernel's weights, folded back at both ends."""
    reach = kernel // 2
    if reach >= size:
        raise ValueError(
            f"gaussian_blur: a kernel of {kernel} pixels was given for a side of {size}; it reflects at "
            f"the border, so it is at most {2 * size - 1}: take a smaller kernel"
        )
    offset = torch.arange(-reach, reach + 1, device=sigma.device)
    # A floor under sigma makes the kernel of sigma zero exactly (0, …, 1, …, 0) and not 0 / 0.
    weights = (-0.5 * (offset / sigma.clamp(min=1e-3)[:, None]).square()).softmax(1)
    column = (torch.arange(size, device=sigma.device) + offset[:, None]).abs()
    column = (size - 1) - (size - 1 - column).abs()
    bands = torch.nn.functional.one_hot(column, size).to(sigma.dtype).view(kernel, size * size)
    return (weights @ bands).unflatten(1, (size, size))
