"""The methods. To add one: write its file, name it in this union."""

from typing import Annotated, Any

from pydantic import Field

from contrastive.methods.bsim import BSIM
from contrastive.methods.byol import BYOL
from contrastive.methods.cacr import CACR
from contrastive.methods.mmcl import MMCL
from contrastive.methods.moco import MoCo
from contrastive.methods.ressl import ReSSL
from contrastive.methods.sce import SCE
from contrastive.methods.simclr import SimCLR
from contrastive.methods.wcl import WCL

Method = Annotated[SCE | MMCL | WCL | CACR | BSIM | SimCLR | MoCo | BYOL | ReSSL, Field(discriminator="name")]
METHODS: tuple[type[Any], ...] = (SCE, MMCL, WCL, CACR, BSIM, SimCLR, MoCo, BYOL, ReSSL)

__all__ = [
    "BSIM",
    "BYOL",
    "CACR",
    "METHODS",
    "MMCL",
    "SCE",
    "WCL",
    "Method",
    "MoCo",
    "ReSSL",
    "SimCLR",
]
