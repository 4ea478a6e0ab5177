"""The presets against the numbers of their sources (docs/presets.toml), and the page that shows both."""

import pytest
import torch

from contrastive.views import draw, render
from tests import published
from tests.published import PRESETS, Row

OF_SOURCES = [preset for preset in PRESETS if not published.derived(preset)]


@pytest.mark.parametrize("preset", OF_SOURCES)
def test_a_preset_has_its_sources_numbers_or_says_why_not(preset: str) -> None:
    wrong: list[str] = []
    for row in published.rows(preset):
        if row.is_fact or row.value == published.UNSAID:
            assert row.why, f"{preset}, {row.field}: say what ours is"
        elif row.agrees(preset) == bool(row.why):
            own = published.ours(preset, row.field)
            wrong.append(f"{row.field} = {own!r}, the source's is {row.value!r}; why: {row.why or '-'}")
    assert not wrong, f"{preset}: {wrong}"


@pytest.mark.parametrize("preset", OF_SOURCES)
def test_every_field_that_a_preset_sets_is_compared_with_its_source(preset: str) -> None:
    compared = [row.field for row in published.rows(preset)]
    doubled = {field for field in compared if compared.count(field) > 1}
    assert not doubled, f"{preset}: {doubled} stand in docs/presets.toml more than once"
    whole = tuple(f"{field}." for field in compared)
    missing = {field for field in published.named(preset) if field not in compared}
    missing = {field for field in missing if not field.startswith(whole)}
    assert not missing, f"{preset}: docs/presets.toml says nothing of {sorted(missing)}"


@pytest.mark.parametrize("preset", OF_SOURCES)
def test_every_row_names_a_source_and_a_place(preset: str) -> None:
    rows = list(published.rows(preset))
    assert rows
    for row in rows:
        if row.value != published.UNSAID:
            assert row.where, row
            assert row.source in published.data()["sources"], row


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if published.derived(preset)])
def test_a_preset_made_from_another_says_that_it_is_ours(preset: str) -> None:
    base = published.derived(preset)
    assert base in PRESETS
    assert PRESETS[preset][1].source.startswith("ours: ")
    if preset.startswith("bsim:") and published.derived(base) is None:
        assert not published.changed(preset, base), "a mixture changes nothing but the method"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (0.1, 0.1 + 1e-9, True), (1, 1.0, True), ([0.75, 4 / 3], [0.75, 1.3333333], True),
        (True, 1, False), (None, 0, False), ([1], [1, 2], False), ("sgd", "lars", False), (0.08, 0.2, False),
    ],
)  # fmt: skip
def test_numbers_are_compared_to_six_digits(one: object, other: object, equal: bool) -> None:
    assert published.same(one, other) == equal


def test_a_wrong_number_is_found() -> None:
    assert Row("method.queue", 4096, "moco-demo", "--moco-k", "").agrees("moco:cifar10")
    assert not Row("method.queue", 65536, "moco-demo", "--moco-k", "").agrees("moco:cifar10")


def test_the_page_is_what_presets_and_data_render() -> None:
    expected = published.render()
    assert published.PAGE.read_text() == expected, (
        "render it anew: python tests/published.py > docs/presets.md"
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_the_views_of_a_preset_can_be_made(preset: str) -> None:
    config = published.made(preset)
    images = torch.randint(
        0, 256, (8, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    for name in {*config.method.assembly.views, *config.method.assembly.warmup_views}:
        view = getattr(config.views, name)
        drawn = draw(view, 8, height=32, width=32, generator=torch.Generator().manual_seed(0))
        made = render(images, drawn, view)
        assert made.shape == (8, 3, view.size or 32, view.size or 32)
        assert 0 <= made.min() < made.max() <= 1
