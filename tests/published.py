"""The presets beside their sources: `python tests/published.py > docs/presets.md` renders docs/presets.toml.

docs/presets.toml says what each source has, as data; what we have is read off the presets.
"""

import json
import math
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from contrastive.config import Config, replace, to_dict, to_json, value_at
from contrastive.methods import METHODS
from contrastive.recipes import Preset
from contrastive.views import Views

DATA = Path(__file__).parent.parent / "docs" / "presets.toml"
PAGE = DATA.with_suffix(".md")
PRESETS: dict[str, tuple[type, Preset]] = {
    f"{method().name}:{name}": (method, preset)
    for method in METHODS
    for name, preset in method.presets.items()
}
NULL, UNSAID = "null", "unsaid"


@dataclass(frozen=True)
class Row:
    """One number of a source."""

    field: str
    value: Any
    source: str
    where: str
    why: str

    @property
    def differs(self) -> bool:
        """Whether ours is said to be another."""
        return bool(self.why) and not self.why.startswith("the same")

    @property
    def is_fact(self) -> bool:
        """Whether no field of ours holds it."""
        return self.field.startswith("(")

    def agrees(self, preset: str) -> bool:
        """Whether ours is the source's."""
        return not self.is_fact and same(ours(preset, self.field), self.value)


@cache
def data() -> dict[str, Any]:
    """docs/presets.toml."""
    return tomllib.loads(DATA.read_text())


@cache
def made(preset: str) -> Config:
    """What the preset is, from its method's own defaults."""
    method, found = PRESETS[preset]
    own = {"method": to_json(method()), "views": to_json(Views())}
    return replace(Config(), {**own, **found.values})


def ours(preset: str, field: str) -> Any:
    """Our value of a field; `peak_lr` is the learning rate that lr, its scaling and the batch make."""
    return made(preset).peak_lr if field == "peak_lr" else value_at(made(preset), field)


def rows(preset: str) -> Iterator[Row]:
    """What the sources say of a preset."""
    for recipe in data()["recipe"]:
        if preset in recipe["presets"]:
            for fields, value, source, where, *why in recipe["values"]:
                names = [fields] if fields.startswith("(") else fields.split()
                for field in names:
                    yield Row(field, None if value == NULL else value, source, where, *(why or [""]))


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, numbers to six digits."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    return math.isclose(one, other, rel_tol=1e-6) if numbers else one == other and type(one) is type(other)


def leaves(values: Any, path: str) -> Iterator[str]:
    """The paths of all values below a path."""
    if not isinstance(values, dict):
        yield path
        return
    for name, value in values.items():
        yield from leaves(value, f"{path}.{name}")


def named(preset: str) -> set[str]:
    """The fields that a preset sets, and those of the views it uses that have any effect."""
    config = made(preset)
    found = {leaf for path, value in PRESETS[preset][1].values.items() for leaf in leaves(value, path)}
    parts = config.method.assembly
    used = {f"views.{name}" for name in (*parts.views, *parts.warmup_views)}
    found = {field for field in found if not field.startswith("views.") or field.startswith("views.channels")}
    return found | {field for view in used for field in effective(to_dict(config)["views"][view[6:]], view)}


def effective(view: dict[str, Any], path: str) -> Iterator[str]:
    """The fields of a view that change a pixel."""
    of = {"jitter": ("brightness", "contrast", "saturation", "hue", "colour")}
    of |= {"blur": ("blur_sigma", "blur_kernel"), "solarise": ("solarise_threshold",)}
    idle = {field for operator, fields in of.items() if not view[operator] for field in fields}
    return (f"{path}.{name}" for name in view if name not in idle)


def derived(preset: str) -> str | None:
    """The preset of a source that one of ours is made from."""
    if preset.startswith("bsim:"):
        return preset.removeprefix("bsim:").replace("-", ":", 1)
    return data()["derived"].get(preset)


def changed(preset: str, base: str) -> list[tuple[str, Any, Any]]:
    """Field, our value and the base's, where a derived preset differs."""
    inner = ("method.inner." if preset.startswith("bsim:") else "method.", "method.")
    fields = sorted(named(base) | (set() if preset.startswith("bsim:") else named(preset)))
    pairs = [(f, ours(preset, f.replace(inner[1], inner[0], 1)), _or_none(base, f)) for f in fields]
    return [(field, own, theirs) for field, own, theirs in pairs if not same(own, theirs)]


def _or_none(preset: str, field: str) -> Any:
    try:
        return ours(preset, field)
    except ValueError:  # another optimiser has other fields
        return None


def render() -> str:
    """docs/presets.md."""
    parts = ["# The presets and their sources", INTRODUCTION, _overview()]
    for preset, (_, found) in PRESETS.items():
        base = derived(preset)
        said = f"{found.source[0].upper()}{found.source[1:].rstrip('.')}."
        parts += [f"## {preset}", said, _changes(preset, base) if base else _table(preset)]
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """Field by field what a preset is, what its source has, and where that stands. Rendered from
`presets.toml` by `python tests/published.py > docs/presets.md`; a test keeps page, data and presets together. `peak_lr`
is the learning rate that `lr`, its scaling and the batch make. Of all presets holds:

- Views are rendered in floating point and clamped to 0..1 once or after each colour operator. Sources that work on
  Pillow images round to whole levels after each operator, and Pillow's greyscale weights differ in the fourth digit.
- A crop is resized antialiased, as Pillow does; what blurs reflects at the border, as torchvision does. Pillow repeats
  its border pixels and makes its Gaussian of box filters: off the border one of 13 taps is on average 0.9 levels of 255
  away, at most 5 (256 images, sigma of 0.5 to 2).
- Where the flip stands among the operators makes no difference, and is not copied.
- Weights are float32, whatever sources run in half precision."""


def _overview() -> str:
    lines = ["| preset | numbers compared | that are the source's | others |", "|---|---|---|---|"]
    for preset in PRESETS:
        found = list(rows(preset))
        others = ", ".join(row.field for row in found if row.differs) or "none"
        base = derived(preset)
        cells = (
            f"made from {base} | | "
            if base
            else f"{len(found)} | {sum(not row.differs for row in found)} | {others}"
        )
        lines.append(f"| [{preset}](#{preset.replace(':', '')}) | {cells} |")
    return "\n".join(lines)


def _table(preset: str) -> str:
    found = list(rows(preset))
    numbers = {key: i for i, key in enumerate(dict.fromkeys(row.source for row in found if row.source), 1)}
    lines = ["| field | ours | source | where | |", "|---|---|---|---|---|"]
    for row in found:
        where = f"[{numbers[row.source]}] {row.where}" if row.source else ""
        own = "" if row.is_fact else f"`{json.dumps(ours(preset, row.field))}`"
        theirs = "" if row.value == UNSAID else f"`{json.dumps(row.value)}`"
        lines.append(f"| {row.field} | {own} | {theirs} | {where} | {row.why or 'same'} |")
    sources = [f"[{number}] {data()['sources'][key]}" for key, number in numbers.items()]
    return "\n".join(lines) + "\n\n" + "  \n".join(sources)


def _changes(preset: str, base: str) -> str:
    lines = [f"`{base}`, and of its own:", "", f"| field | ours | {base} |", "|---|---|---|"]
    found = changed(preset, base)
    if not found:
        return f"`{base}`, with no field changed."
    return "\n".join(
        lines + [f"| {f} | `{json.dumps(own)}` | `{json.dumps(theirs)}` |" for f, own, theirs in found]
    )


if __name__ == "__main__":
    print(render(), end="")
