"""The named spaces. To add one: one assignment in a method's file and its name here."""

from search_spaces import sce
from search_spaces.space import Space

SPACES: dict[str, Space] = {space.name: space for space in (sce.TEMPERATURES,)}
