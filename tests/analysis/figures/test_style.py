from itertools import combinations, pairwise

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from analysis.figures.heat import heat_map
from analysis.figures.labels import wrapped
from analysis.figures.style import (
    CATEGORICAL,
    DEFAULT_LOOK,
    DIVERGING,
    LOOKS,
    SEQUENTIAL,
    contrast_ratio,
    ink_on,
    luminance,
    save,
    shades,
)

SHARES = np.linspace(0, 1, 101)


def luma(colour) -> float:
    """Grey as video and most drivers make it (Rec. 601)."""
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


def lightness(colour) -> float:
    """CIE 1976 L*, 0 to 100."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


@pytest.mark.parametrize("grey", [luma, lightness])
def test_the_sequential_scale_is_in_order_in_grey_and_never_as_light_as_paper(grey):
    steps = [grey(SEQUENTIAL(share)) for share in SHARES]
    assert all(earlier > later for earlier, later in pairwise(steps))
    assert contrast_ratio(SEQUENTIAL(0.0), "white") > 1.3


@pytest.mark.parametrize("grey", [luma, lightness])
def test_the_diverging_scale_tells_in_grey_how_far_from_the_middle(grey):
    steps = np.array([grey(DIVERGING(share)) for share in SHARES])
    assert (np.diff(steps[:51]) > 0).all()
    assert (np.diff(steps[50:]) < 0).all()
    assert np.abs(steps - steps[::-1]).max() < 0.06 * steps.max()


def test_series_are_told_apart_without_colour():
    for one, two in combinations([*LOOKS, DEFAULT_LOOK], 2):
        assert one.marker != two.marker
    for one, two in pairwise(LOOKS):
        assert one.dash != two.dash
    for one, two in pairwise([*CATEGORICAL, CATEGORICAL[0]]):
        assert abs(lightness(one) - lightness(two)) > 10
        assert abs(luma(one) - luma(two)) > 0.15


@pytest.mark.parametrize("scale", [SEQUENTIAL, DIVERGING])
def test_numbers_can_be_read_on_every_colour(scale):
    assert min(contrast_ratio(ink_on(scale(share)), scale(share)) for share in SHARES) > 3.9
    assert (ink_on("black"), ink_on("white")) == ("white", "#222222")


def test_luminance_and_contrast_are_those_of_the_standard():
    assert contrast_ratio("white", "black") == pytest.approx(21)
    assert contrast_ratio("black", "white") == pytest.approx(21)
    assert luminance("#808080") == pytest.approx(0.21586, abs=1e-5)


@given(st.lists(st.floats(-100, 100), max_size=20))
def test_better_values_are_never_lighter(values):
    tint, _ = shades(values)
    greys = [lightness(tint(value)) for value in sorted(values)]
    assert all(earlier >= later - 1e-9 for earlier, later in pairwise(greys))


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80),
    st.integers(3, 20),
    st.integers(1, 3),
)
def test_names_keep_within_their_lines(name, width, lines):
    rows = wrapped(name, width, lines).split("\n")
    assert len(rows) <= lines
    assert all(len(row) <= width for row in rows)
    if len(name) <= width and name == " ".join(name.split()):
        assert rows == [name]


def test_drawing_follows_the_house_style_and_not_the_settings_of_whoever_draws():
    with matplotlib.rc_context({"font.size": 30, "axes.spines.top": True}):
        figure = heat_map([[1.0, 2.0]], ["a"], ["x", "y"], label="points", seeds=2)
        assert matplotlib.rcParams["font.size"] == 30
    assert {text.get_fontsize() for text in figure.axes[0].texts} == {7.5}


def test_a_name_with_dollars_is_drawn_as_it_stands(tmp_path):
    figure = heat_map([[1.0, 2.0]], [r"$\frac$"], ["a $1", "$x_1$"], label="points, $", seeds=2)
    (path,) = save(figure, tmp_path / "priced", ("svg",))
    text = path.read_text(encoding="utf-8")
    assert all(name in text for name in (r"$\frac$", "a $1", "$x_1$"))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(-10, 110))
def test_an_arm_has_the_colour_that_the_bar_has_at_its_value(values: list[float], value: float) -> None:
    tint, bar = shades(values)
    assert tint(value) == bar.to_rgba(value)
