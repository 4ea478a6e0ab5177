"""The methods. To add one: write its file, and add a line to the list below."""

from typing import TYPE_CHECKING, Any, Final, cast

from pydantic.dataclasses import rebuild_dataclass

from contrastive import types

# The order is that of every listing.
# isort: off
from contrastive.methods.sce import SCE as SCE
from contrastive.methods.mmcl import MMCL as MMCL
from contrastive.methods.wcl import WCL as WCL
from contrastive.methods.cacr import CACR as CACR
from contrastive.methods.simclr import SimCLR as SimCLR
from contrastive.methods.moco import MoCo as MoCo
from contrastive.methods.byol import BYOL as BYOL
from contrastive.methods.ressl import ReSSL as ReSSL
from contrastive.methods.debiased import Debiased as Debiased
from contrastive.methods.hcl import HCL as HCL
from contrastive.methods.align_uniform import AlignUniform as AlignUniform
from contrastive.methods.decoupled import Decoupled as Decoupled
from contrastive.methods.nnclr import NNCLR as NNCLR
from contrastive.methods.simsiam import SimSiam as SimSiam
from contrastive.methods.barlow_twins import BarlowTwins as BarlowTwins
from contrastive.methods.vicreg import VICReg as VICReg
from contrastive.methods.lejepa import LeJEPA as LeJEPA
from contrastive.methods.swav import SwAV as SwAV
from contrastive.methods.bsim import BSIM as BSIM
# isort: on

METHODS: Final = types.registered(globals())
INNER: Final = types.union(kind for kind in METHODS if hasattr(kind, "mixed_loss"))
"""Those that BSIM can hold."""
rebuild_dataclass(cast(Any, BSIM), _types_namespace={"Inner": INNER})
types.refusing_in_words(BSIM)

if TYPE_CHECKING:
    from contrastive.methods.protocol import Method as Method
else:
    Method = types.union(METHODS)
