"""A new method is its own file and one line elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOY = '''
"""TOY: both views of an image lie together, all images apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive import losses
from contrastive.encoder import Head
from contrastive.methods.protocol import Assembly, Embeddings, Gather, MixedStep, Queries
from contrastive.recipes import Preset
from contrastive.types import Positive, configuration

if TYPE_CHECKING:
    from torch import Tensor


@configuration
class Toy:
    """A method of a test's own."""

    name: Literal["toy"] = "toy"
    exponent: Positive = 2.0
    projector: Head = Head(hidden=(8,), output=4)

    laptop: ClassVar[dict[str, dict[str, Any]]] = {"toy": {"exponent": 1.5}}
    presets: ClassVar[dict[str, Preset]] = {"own": Preset(source="ours", values={"method.exponent": 1.0})}

    @property
    def assembly(self) -> Assembly:
        """One network."""
        return Assembly(views=("strong", "strong"), online=(0, 1), projector=self.projector)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Alignment and uniformity."""
        first, second = (gather(embeddings.online[view]) for view in (0, 1))
        return losses.align_uniform(first, second, alignment_exponent=self.exponent)

    def queries(self) -> Queries:
        """The first view."""
        return Queries(views=(0,), whole=(1,))

    def mixed_loss(self, step: MixedStep, mixture: int, source: int) -> Tensor:
        """NT-Xent, for the test's sake."""
        return losses.mixed_nt_xent(step.online[mixture], step.online[1], *step.mixed, temperature=0.2)
'''
USED = """
import json, math, sys
from pathlib import Path
from contrastive import config as configs, kinds
from contrastive.config import replace, from_dict, to_dict
from contrastive.data import Shapes, load
from contrastive.methods import METHODS, BSIM, Toy
from contrastive.train import train
from search_spaces import SPACES
from search_spaces.domains import LogUniform
from search_spaces.laptop import laptop
from search_spaces.space import Alternative, Space

base = replace(laptop("toy"), {
    "data": configs.to_json(Shapes(train=64, validation=40, test=20)), "batch": 32, "epochs": 3, "encoder.width": 2,
})
assert base.method == Toy(exponent=1.5), base
assert from_dict(json.loads(json.dumps(to_dict(base)))) == base

told = []
images = load(base.data, cache=Path(sys.argv[1]))
for trained in (base, replace(base, {"method": configs.to_json(BSIM(inner=Toy(), weight=0.5))})):
    train(trained, lambda epoch, metrics: told.append(metrics["loss"]), dataset=images)
assert len(told) == 6 and all(map(math.isfinite, told)), told

varied = Space(name="t", question="?", base=base, domains={"method.exponent": LogUniform(0.5, 4.0, source="ours")})
assert varied.config({"method.exponent": 3.0}).method.exponent == 3.0
ablated = Space(name="a", question="?", base=base,
                alternatives=(Alternative("plain", {"method.exponent": 2.0}, source="ours"),))
assert list(ablated.arms()) == ["plain"]
assert "toy" in {a.name for a in SPACES["methods"].alternatives}
print(json.dumps([kind.name for kind in METHODS]))
"""


def test_a_method_is_its_own_file_and_one_line_of_the_list(tmp_path: Path) -> None:
    for package in ("contrastive", "search_spaces", "sweeps", "analysis"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "contrastive" / "methods" / "toy.py").write_text(TOY)
    listing = tmp_path / "contrastive" / "methods" / "__init__.py"
    listing.write_text(
        listing.read_text().replace(
            "# isort: on", "from contrastive.methods.toy import Toy as Toy\n# isort: on"
        )
    )
    (tmp_path / "used.py").write_text(USED)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert '"bsim", "toy"]' in run("used.py", str(tmp_path / "cache"))
    assert "toy" in run("sweeps/run.py", "--list")
    assert "exponent" in run("sweeps/run.py", "--show", "toy")
    assert "toy:own" in run("sweeps/run.py", "--list")
