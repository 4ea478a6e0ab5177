"""No early stopping."""

from typing import Literal

from contrastive.types import strict
from sweeps.stoppers.settings import Settings


@strict(kw_only=True)
class Never(Settings):
    """No early stopping: every run is trained to its end."""

    name: Literal["none"] = "none"

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """Return no meetings; see `Settings`."""
        return ()
