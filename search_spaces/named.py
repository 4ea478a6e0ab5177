"""The spaces that have a name. To add one: an assignment in a method's file and its name in that file's SPACES."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from contrastive.config import closest
from contrastive.methods import METHODS
from search_spaces.literals import check_keys
from search_spaces.space import Space

_NAMES = (*(method().name for method in METHODS), "baselines", "comparison")
FILES: Final = tuple(
    import_module(path) for path in (f"search_spaces.{name}" for name in _NAMES) if find_spec(path)
)
"""Where they are; the order is that of every listing. A file with a method's name is found; another is named here."""
for file in FILES:
    check_keys(Path(str(file.__file__)))

SPACES: Final[dict[str, Space]] = {space.name: space for file in FILES for space in file.SPACES}


def by_name(name: str, spaces: dict[str, Space]) -> Space:
    """Return the space of that name.

    Raises:
        ValueError: there is none; the closest names are given.
    """
    if name not in spaces:
        raise ValueError(f"there is no space '{name}'. {closest(name, list(spaces))}")
    return spaces[name]
