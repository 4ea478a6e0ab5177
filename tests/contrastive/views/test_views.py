"""Views: each operator against torchvision's, image by image; the draws against torchvision's samplers."""

import itertools
import math
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from PIL import ImageFilter
from pydantic import TypeAdapter
from scipy.stats import ks_2samp
from torch import Tensor
from torchvision.transforms import ColorJitter, InterpolationMode, RandomResizedCrop
from torchvision.transforms.functional import to_pil_image
from torchvision.transforms.v2 import functional as vision

from contrastive import views as ours
from contrastive.views import Draw, View, Views, draw, normalise, render

CLOSE = {"rtol": 0.0, "atol": 1e-5}
FULL = View(blur=0.5, solarise=0.3, colour="exact")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def floats(count: int, height: int = 32, width: int = 32, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, height, width, generator=seeded(seed))


def pixels(count: int, height: int = 32, width: int = 32, low: int = 0, high: int = 256) -> Tensor:
    shape = (count, 3, height, width)
    return torch.randint(low, high, shape, generator=seeded(1), dtype=torch.uint8)


def drawn(view: View, count: int, height: int = 32, width: int = 32, seed: int = 0) -> Draw:
    return draw(view, count, height=height, width=width, generator=seeded(seed))


def same(a: Draw, b: Draw, *names: str) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)


EVERY_FIELD = [field.name for field in fields(Draw)]


@pytest.mark.parametrize(
    ("operator", "reference", "low", "high"),
    [
        (ours.brightness, vision.adjust_brightness, 0.0, 2.0),
        (ours.contrast, vision.adjust_contrast, 0.0, 2.0),
        (ours.saturation, vision.adjust_saturation, 0.0, 2.0),
        (ours.hue, vision.adjust_hue, -0.5, 0.5),
    ],
)
def test_a_colour_operator_is_torchvisions_with_one_factor_per_image(operator, reference, low, high):
    images = floats(64)
    images[:8] = images[:8, :1].expand(-1, 3, -1, -1)
    images[8:16] = (images[8:16] * 2).round() / 2
    factor = torch.linspace(low, high, 64)[torch.randperm(64, generator=seeded())]
    expected = [reference(image, f.item()) for image, f in zip(images, factor, strict=True)]
    torch.testing.assert_close(operator(images, factor), torch.stack(expected), **CLOSE)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_colour_jitter_is_torchvisions_in_every_order(order):
    images, factors = floats(8), drawn(View(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.5), 8).factors
    steps = (vision.adjust_brightness, vision.adjust_contrast, vision.adjust_saturation, vision.adjust_hue)
    expected = []
    for image, row in zip(images, factors.tolist(), strict=True):
        for step in order:
            image = steps[step](image, row[step])  # noqa: PLW2901
        expected.append(image)
    result = ours.colour_jitter(images, factors, torch.tensor([order] * 8))
    torch.testing.assert_close(result, torch.stack(expected), **CLOSE)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(32, 32), (16, 16), (96, 96), (20, 50)])
def test_a_resized_crop_is_torchvisions_antialiased_one(size, interpolation):
    images = floats(48, 40, 56)
    box = drawn(View(crop_scale=(0.02, 1.0)), 48, 40, 56).box
    expected = [
        vision.resized_crop(image, *where, list(size), InterpolationMode(interpolation), antialias=True)
        for image, where in zip(images, box.tolist(), strict=True)
    ]
    result = ours.resized_crop(images, box, size, interpolation)
    torch.testing.assert_close(result, torch.stack(expected), **CLOSE)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [16, 32, 60])
def test_a_rendered_crop_is_pillows_to_its_rounding(size, interpolation):
    view = View(size=size, interpolation=interpolation, flip=0.0, jitter=0.0, grey=0.0, colour="exact")
    images = pixels(16, 40, 56, low=90, high=170)  # Pillow clips overshoots after each direction: have none
    draws = drawn(view, 16, 40, 56)
    for image, row, result in zip(images, draws.box.tolist(), render(images, draws, view), strict=True):
        whole = to_pil_image(image)
        expected = vision.resized_crop(whole, *row, [size, size], InterpolationMode(interpolation))
        # It rounds to 1/255 after each, too.
        assert (result - vision.to_image(expected) / 255).abs().max() < 1.6 / 255


def test_a_kernel_of_13_is_pillows_gaussian_and_one_of_3_is_not():
    view = View(size=32, crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, jitter=0.0, grey=0.0)
    images = (floats(16).cumsum(3).sin() * 127 + 128).byte()
    blurred = [to_pil_image(image).filter(ImageFilter.GaussianBlur(2.0)) for image in images]
    inside = slice(7, -7)  # Pillow repeats the border pixels, we reflect

    def difference(kernel: int) -> float:
        recipe = replace(view, blur=1.0, blur_sigma=(2.0, 2.0), blur_kernel=kernel)
        away = render(images, drawn(recipe, 16), recipe) - torch.stack([*map(vision.to_image, blurred)]) / 255
        return away[:, :, inside, inside].abs().max().item()

    assert difference(13) < 4 / 255
    assert difference(3) > 20 / 255


@pytest.mark.parametrize("kernel", [1, 3, 5, 13, 23])
def test_gaussian_blur_is_torchvisions_and_sigma_zero_leaves_an_image(kernel):
    images, sigma = floats(16, 24, 32), torch.linspace(0.1, 2.0, 16)
    expected = [
        vision.gaussian_blur(image, [kernel, kernel], [s, s])
        for image, s in zip(images, sigma.tolist(), strict=True)
    ]
    torch.testing.assert_close(ours.gaussian_blur(images, sigma, kernel), torch.stack(expected), **CLOSE)
    assert torch.equal(ours.gaussian_blur(images, 0 * sigma, kernel), images)


def test_flip_greyscale_and_solarise_are_torchvisions_on_the_chosen_images_only():
    images, chosen = floats(32), torch.arange(32) % 3 == 0
    for result, reference in [
        (ours.horizontal_flip(images, chosen), vision.horizontal_flip),
        (ours.greyscale(images, chosen), lambda image: vision.rgb_to_grayscale(image, 3)),
        (ours.solarise(images, chosen, 0.5), lambda image: vision.solarize(image, 0.5)),
    ]:
        expected = torch.stack([reference(i) if c else i for i, c in zip(images, chosen, strict=True)])
        torch.testing.assert_close(result, expected, **CLOSE)
        assert torch.equal(images, floats(32))


def test_normalise_is_torchvisions_and_returns_channels_last():
    images, mean, std = floats(4), (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
    result = normalise(images, mean, std)
    torch.testing.assert_close(result, vision.normalize(images, list(mean), list(std)), **CLOSE)
    torch.testing.assert_close(normalise(images, torch.tensor(mean), torch.tensor(std)), result)
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("level", [0.0, 7 / 255, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_channel_that_never_varies_is_standardised_to_zero(level: float, dtype: torch.dtype):
    images, mean, std = floats(4).to(dtype), (0.4, 0.5, level), (0.2, 0.3, 0.0)
    images[:2, 2] = level  # as in training, and two images in which it varies after all
    result = normalise(images, mean, std)
    assert (result[:, 2] == 0).all()
    torch.testing.assert_close(result[:, :2], normalise(images[:, :2], mean[:2], std[:2]))


def by_torchvision(image: Tensor, one: Draw, recipe: View) -> Tensor:
    """SimCLR's pipeline on one image with the parameters of a draw of one row."""
    size, kernel = [recipe.size] * 2, [recipe.blur_kernel] * 2
    filtered = InterpolationMode(recipe.interpolation)
    view = vision.resized_crop(image, *one.box[0].tolist(), size, filtered, antialias=True).clamp(0, 1)
    view = vision.horizontal_flip(view) if one.flip else view
    steps = (vision.adjust_brightness, vision.adjust_contrast, vision.adjust_saturation, vision.adjust_hue)
    for step in one.order[0].tolist() if one.jitter else ():
        view = steps[step](view, one.factors[0, step].item())
    view = vision.rgb_to_grayscale(view, 3) if one.grey else view
    view = vision.gaussian_blur(view, kernel, [one.sigma.item()] * 2) if one.blur else view
    return vision.solarize(view, 0.5) if one.solarise else view


@pytest.mark.parametrize(("size", "interpolation", "kernel"), [
    (16, "bilinear", 3), (32, "bilinear", 13), (32, "bicubic", 3), (48, "bicubic", 13),
])  # fmt: skip
def test_an_exact_view_is_torchvisions_pipeline(size, interpolation, kernel):
    view = replace(FULL, size=size, interpolation=interpolation, blur_kernel=kernel)
    images = pixels(64, 32, 40)
    draws = drawn(view, 64, 32, 40)
    result = render(images, draws, view, dtype=torch.float64)
    for i in range(64):
        expected = by_torchvision(images[i].double() / 255, draws.rows(slice(i, i + 1)), view)
        # A pixel within rounding of the threshold may be solarised by one and not by the other.
        settled = (torch.minimum(expected, 1 - expected) - 0.5).abs() > 1e-5
        torch.testing.assert_close(result[i][settled], expected[settled], **CLOSE)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (48, 96)])
@pytest.mark.parametrize("scale", [(0.2, 1.0), (0.6, 1.0)])
def test_boxes_are_distributed_as_random_resized_crops(height, width, scale):
    count, view = 4000, View(crop_scale=scale)
    mine = drawn(view, count, height, width).box
    torch.manual_seed(0)
    image = torch.empty(3, height, width)
    theirs = torch.tensor(
        [RandomResizedCrop.get_params(image, list(scale), list(view.crop_ratio)) for _ in range(count)]
    )
    for side, (a, b) in enumerate(zip(mine.T, theirs.T, strict=True)):
        assert ks_2samp(a.numpy(), b.numpy()).pvalue > 1e-3, f"column {side} of the box"
    ratio = (mine[:, 2] / mine[:, 3]).numpy(), (theirs[:, 2] / theirs[:, 3]).numpy()
    assert ks_2samp(*ratio).pvalue > 1e-3


@pytest.mark.parametrize(("height", "width"), [(8, 64), (64, 8), (30, 32)])
def test_where_no_box_fits_the_crop_is_torchvisions_central_one(height, width):
    view = View(crop_scale=(1.0, 1.0), crop_ratio=(0.5, 0.6) if height == 30 else (3 / 4, 4 / 3))
    expected = RandomResizedCrop.get_params(torch.empty(3, height, width), [1.0, 1.0], list(view.crop_ratio))
    assert set(map(tuple, drawn(view, 50, height, width).box.tolist())) == {tuple(expected)}


def test_factors_and_orders_are_distributed_as_colour_jitters():
    view, count = View(brightness=1.2, contrast=0.4, saturation=0.2, hue=0.1), 4000
    draws = drawn(view, count)
    torch.manual_seed(0)
    jitter = ColorJitter(view.brightness, view.contrast, view.saturation, view.hue)
    ranges = jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue
    theirs = [ColorJitter.get_params(*ranges) for _ in range(count)]
    for k, column in enumerate(draws.factors.T):
        assert ks_2samp(column.numpy(), [row[k + 1] for row in theirs]).pvalue > 1e-3
    orders = (draws.order * torch.tensor([64, 16, 4, 1])).sum(1)
    seen = orders.unique(return_counts=True)[1]
    assert len(seen) == 24
    assert ((seen - count / 24).abs() < 5 * math.sqrt(count / 24)).all()


@pytest.mark.parametrize("name", ["flip", "jitter", "grey", "blur", "solarise"])
def test_an_operator_is_drawn_with_its_probability(name):
    for probability in (0.0, 0.3, 1.0):
        share = getattr(drawn(View(**{name: probability}), 5000), name).double().mean().item()
        assert abs(share - probability) <= 5 * math.sqrt(probability * (1 - probability) / 5000)


@given(
    low=st.integers(60, 110),
    strength=st.floats(0, 0.15),
    grey=st.sampled_from([0.0, 0.5]),
    size=st.sampled_from([None, 16, 40]),
)
@settings(max_examples=20, deadline=None)
def test_affine_colour_is_exact_without_hue_where_nothing_is_clamped(low, strength, grey, size):
    shared = {"brightness": strength, "contrast": strength, "saturation": strength, "hue": 0.0}
    view = View(**shared, jitter=0.9, grey=grey, size=size)
    images, draws = pixels(24, low=low, high=low + 80), drawn(view, 24)
    exact, affine = (
        render(images, draws, replace(view, colour=c), dtype=torch.float64) for c in ("exact", "affine")
    )
    assert ((exact > 0) & (exact < 1)).all(), "a clamped example proves nothing"
    torch.testing.assert_close(affine, exact, rtol=0, atol=1e-7)


def test_affine_hue_turns_the_way_exact_hue_does():
    images = pixels(64, low=60, high=200)
    view = View(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, grey=0.0, jitter=1.0, hue=0.1)
    view = replace(view, brightness=0.0, contrast=0.0, saturation=0.0)
    draws = drawn(view, 64)
    unturned = images / 255
    change = [render(images, draws, replace(view, colour=c)) - unturned for c in ("affine", "exact")]
    assert torch.corrcoef(torch.stack([c.flatten() for c in change]))[0, 1] > 0.6


@pytest.mark.parametrize("colour", ["affine", "exact"])
def test_grey_images_stay_grey_and_images_drawn_grey_become_so(colour):
    view = View(colour=colour, hue=0.5, blur=0.5, grey=0.3)
    images, draws = pixels(64), drawn(view, 64)
    spread = render(images[:, :1].expand(-1, 3, -1, -1), draws, view)
    torch.testing.assert_close(spread, spread[:, :1].expand_as(spread), **CLOSE)
    result = render(images, draws, view)
    apart = (result - result[:, :1]).abs().amax((1, 2, 3))
    assert (apart[draws.grey] < 1e-5).all()
    assert (apart[~draws.grey] > 1e-2).all()


@pytest.mark.parametrize("colour", ["affine", "exact"])
def test_each_image_has_its_own_draw(colour):
    view = replace(FULL, colour=colour)
    images, draws = pixels(1).expand(64, -1, -1, -1), drawn(view, 64)
    assert len(render(images, draws, view).flatten(1).unique(dim=0)) == 64


@pytest.mark.parametrize("colour", ["affine", "exact"])
def test_a_view_does_not_depend_on_the_other_images(colour):
    view = replace(FULL, colour=colour)
    images, draws = pixels(32), drawn(view, 32)
    others = images.clone()
    others[1::2] = 255 - others[1::2]
    torch.testing.assert_close(
        render(others, draws, view)[::2], render(images, draws, view)[::2], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("colour", ["affine", "exact"])
@pytest.mark.parametrize("ranks", [1, 2, 4, 32])
def test_views_do_not_depend_on_the_number_of_ranks(colour, ranks):
    view = replace(FULL, colour=colour, solarise=0.0)
    images, draws = pixels(32), drawn(view, 32)
    shares = [slice(start, start + 32 // ranks) for start in range(0, 32, 32 // ranks)]
    parts = torch.cat([render(images[share], draws.rows(share), view) for share in shares])
    torch.testing.assert_close(parts, render(images, draws, view), rtol=0, atol=1e-6)


@pytest.mark.parametrize("colour", ["affine", "exact"])
def test_an_empty_batch_and_one_that_no_operator_chose_are_rendered(colour):
    view = replace(FULL, colour=colour)
    draws = drawn(view, 200)
    untouched = (~(draws.blur | draws.grey | draws.jitter | draws.solarise | draws.flip)).nonzero()[:, 0]
    assert len(untouched) > 0
    for chosen in (untouched, untouched[:0]):
        assert len(render(pixels(len(chosen)), draws.rows(chosen), view)) == len(chosen)


def test_rows_takes_a_slice_or_positions():
    draws = drawn(FULL, 10)
    assert same(draws.rows(slice(2, 8, 3)), draws.rows(torch.tensor([2, 5])), *EVERY_FIELD)
    assert len(draws.rows(torch.tensor([7, 7, 0]))) == 3
    assert same(draws.to("cpu"), draws, *EVERY_FIELD)


def test_a_draw_is_a_function_of_the_generators_state():
    assert same(drawn(FULL, 16, seed=3), drawn(FULL, 16, seed=3), *EVERY_FIELD)
    assert not any(same(drawn(FULL, 64, seed=3), drawn(FULL, 64, seed=4), name) for name in EVERY_FIELD)
    generator = seeded(3)
    first, second = (draw(FULL, 16, height=32, width=32, generator=generator) for _ in range(2))
    assert not same(first, second, "box")


def test_recipes_that_differ_in_one_operator_share_every_other_draw():
    plain, other = drawn(View(), 64), drawn(View(jitter=0.1, hue=0.0, blur=0.5), 64)
    assert same(plain, other, "box", "flip", "order", "grey", "sigma", "solarise")
    assert not same(plain, other, "jitter")


@pytest.mark.parametrize("colour", ["affine", "exact"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_views_lie_in_zero_to_one_and_have_the_dtype_and_size_asked_for(colour, dtype):
    strong = {"brightness": 2.0, "contrast": 2.0, "saturation": 2.0, "hue": 0.5}
    view = replace(FULL, colour=colour, size=20, interpolation="bicubic", **strong)
    images = pixels(64, 24, 36)
    before = images.clone()
    result = render(images, drawn(view, 64, 24, 36), view, dtype=dtype)
    assert (result.dtype, tuple(result.shape)) == (dtype, (64, 3, 20, 20))
    assert result.min() >= 0
    assert result.max() <= 1
    assert torch.equal(images, before)
    assert render(images, drawn(view, 64, 24, 36), replace(view, size=None)).shape == images.shape


@pytest.mark.parametrize("colour", ["affine", "exact"])
def test_a_recipe_that_does_nothing_returns_the_image(colour):
    view = View(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, jitter=0.0, grey=0.0, colour=colour)
    images = pixels(8)
    torch.testing.assert_close(render(images, drawn(view, 8), view), images / 255, rtol=0, atol=1e-6)


@given(seed=st.integers(0, 1000), third=st.sampled_from([-1, 1]))
@settings(max_examples=20, deadline=None)
def test_a_third_of_a_turn_of_hue_permutes_the_channels(seed, third):
    images = floats(4, 8, 8, seed=seed)
    turned = ours.hue(images, torch.full((4,), third / 3))
    torch.testing.assert_close(turned, images.roll(third, dims=1), **CLOSE)


def test_float_images_and_a_draw_of_another_batch_are_refused():
    view = View()
    # The shape checker, where it is on, refuses them before `render` can.
    with pytest.raises((ValueError, TypeCheckError), match=r"(?i)uint8"):
        render(pixels(4).float(), drawn(view, 4), view)
    with pytest.raises(ValueError, match=r"draw\.rows"):
        render(pixels(4), drawn(view, 8), view)
    with pytest.raises(ValueError, match="at most 15"):
        ours.gaussian_blur(floats(2, 8, 8), torch.ones(2), 17)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"crop_scale": (0.9, 0.2)}, "swap the two"),
        ({"crop_scale": (0.0, 1.0)}, "greater than 0"),
        ({"crop_ratio": (2.0, 1.0)}, "swap the two"),
        ({"blur_sigma": (2.0, 0.1)}, "swap the two"),
        ({"blur_kernel": 4}, "take 3 or 5"),
        ({"hue": 0.7}, "take 0.5"),
        ({"flip": 1.5}, "less than or equal to 1"),
        ({"sharpness": 1.0}, "sharpness"),
    ],
)
def test_an_illegal_recipe_is_refused_with_what_to_do(setting, says):
    with pytest.raises(ValueError, match=says):
        View(**setting)


def test_recipes_go_through_json_and_back():
    adapter = TypeAdapter(Views)
    views = Views(strong=View(blur=0.5, size=96), second=View(solarise=0.2, colour="exact"))
    assert adapter.validate_json(adapter.dump_json(views)) == views
    assert views.weak.jitter == views.weak.grey == 0.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("colour", ["affine", "exact"])
def test_a_gpu_renders_what_the_cpu_renders(colour):
    view = replace(FULL, colour=colour, solarise=0.0)
    images, draws = pixels(64), drawn(view, 64)
    there = render(images.cuda(), draws.to("cuda"), view)
    torch.testing.assert_close(there.cpu(), render(images, draws, view), **CLOSE)
