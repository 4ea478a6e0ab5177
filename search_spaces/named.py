"""The spaces that have a name. To add one: an assignment in a method's file and its name in that file's SPACES."""

from importlib import import_module
from pathlib import Path
from typing import Final

from search_spaces.literals import check_keys
from search_spaces.space import Space

FILES: Final = tuple(
    import_module(f"search_spaces.{name}")
    for name in ("sce", "mmcl", "wcl", "cacr", "bsim", "baselines", "comparison")
)
"""Where they are; the order is that of every listing. A new file is named here."""
for file in FILES:
    check_keys(Path(str(file.__file__)))

SPACES: Final[dict[str, Space]] = {space.name: space for file in FILES for space in file.SPACES}
