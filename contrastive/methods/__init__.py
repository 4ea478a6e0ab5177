"""The methods. To add one: write its file, name it in this union."""

from typing import Annotated

from pydantic import Field

from contrastive.methods.sce import SCE
from contrastive.methods.simclr import SimCLR

Method = Annotated[SCE | SimCLR, Field(discriminator="name")]
METHODS: tuple[type[SCE | SimCLR], ...] = (SCE, SimCLR)

__all__ = ["METHODS", "SCE", "Method", "SimCLR"]
