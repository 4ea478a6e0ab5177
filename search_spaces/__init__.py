"""The named spaces. To add one: one assignment in a method's file and its name in that file's SPACES."""

from search_spaces import baselines, bsim, cacr, comparison, mmcl, sce, wcl
from search_spaces.space import Space

SPACES: dict[str, Space] = {
    space.name: space for file in (sce, mmcl, wcl, cacr, bsim, baselines, comparison) for space in file.SPACES
}
