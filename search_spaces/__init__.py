"""The named spaces. To add one: one assignment in a method's file and its name in that file's SPACES."""

from pathlib import Path

from search_spaces import baselines, bsim, cacr, comparison, mmcl, sce, wcl
from search_spaces.literals import check_keys
from search_spaces.space import Space

FILES = (sce, mmcl, wcl, cacr, bsim, baselines, comparison)
for file in FILES:
    check_keys(Path(str(file.__file__)))

SPACES: dict[str, Space] = {space.name: space for file in FILES for space in file.SPACES}
