"""What the packages give to those who import them, and what that costs."""

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from pydantic import TypeAdapter

import contrastive
import search_spaces
from contrastive import methods
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, replace
from contrastive.data import DATA_SETS, Data, Dataset
from contrastive.encoder import ENCODERS, Encoder
from contrastive.evaluate.protocols import PROTOCOLS
from contrastive.methods import Method
from contrastive.optimiser import OPTIMISERS, Optimiser
from contrastive.pretrained import Normalisation

HEAVY = {"torch", "torchvision", "scipy", "sklearn", "PIL", "ray", "optuna"}


def loaded(code: str) -> set[str]:
    """Which of the heavy packages a program loads."""
    told = f"{code}\nimport sys\nprint(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import contrastive, search_spaces",
        "from contrastive import Config, SCE, ResNet, LARS, CIFAR10; Config(method=SCE(), encoder=ResNet())",
        "from contrastive.config import Config, replace; replace(Config(), {'method.name': 'mmcl'})",
        "from search_spaces import SPACES, Space; assert len(SPACES) > 20",
        "from contrastive.metrics import reported; from contrastive import Config; reported(Config())",
        "from contrastive import data; data.parse('cifar10:x')",
    ],
)
def test_configurations_and_spaces_load_nothing_heavy(code: str) -> None:
    assert loaded(code) == set()


def test_importing_a_package_loads_no_configuration_either() -> None:
    code = "import contrastive, search_spaces, sys; assert 'pydantic' not in sys.modules, 'pydantic'"
    assert loaded(code) == set()


@pytest.mark.parametrize("package", [contrastive, search_spaces], ids=["contrastive", "search_spaces"])
def test_every_public_name_can_be_imported(package: object) -> None:
    for name in vars(type(package))["__getattr__"](package, "__all__"):
        assert getattr(package, name) is not None
        assert name in dir(package)


def test_what_is_in_a_list_is_public() -> None:
    for kind in (*methods.METHODS, *DATA_SETS, *ENCODERS, *OPTIMISERS, *PROTOCOLS):
        assert getattr(contrastive, kind.__name__) is kind


@pytest.mark.parametrize(
    ("union", "kinds"),
    [(Method, methods.METHODS), (Data, DATA_SETS), (Encoder, ENCODERS), (Optimiser, OPTIMISERS)],
)
def test_a_field_takes_what_its_list_has_by_name(union: Any, kinds: tuple[type[Any], ...]) -> None:
    assert get_args(get_args(union)[0]) == kinds
    for kind in kinds:
        needed = {"timm": {"model": "resnet18"}}.get(kind.name, {})
        if "root" in kind.__pydantic_fields__ and kind.__pydantic_fields__["root"].is_required():
            needed = {"root": "x"}
        made = TypeAdapter(union).validate_python({"name": kind.name, **needed})
        assert type(made) is kind


def test_a_function_goes_before_the_file_of_its_name() -> None:
    code = "import contrastive.train, contrastive.losses.byol as _; from contrastive import train, losses\n"
    code += "assert callable(train) and callable(losses.byol) and contrastive.train is train"
    assert "torch" in loaded(code)


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="'contrastive' has no attribute 'SimCRL'"):
        getattr(contrastive, "SimCRL")  # noqa: B009


def test_a_configuration_shows_what_differs_from_its_defaults() -> None:
    assert repr(Config()) == f"{Config.__name__}()"
    assert repr(contrastive.SCE(temperature=0.2)) == "SCE(temperature=0.2)"
    assert repr(contrastive.Folder(root="x")) == "Folder(root='x')"
    deep = contrastive.BSIM(inner=contrastive.MoCo(queue=64), weight=0.5)
    assert repr(deep) == "BSIM(inner=MoCo(queue=64), weight=0.5)"
    assert eval(repr(deep), dict(vars(methods))) == deep


@pytest.fixture(scope="module")
def run(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose directory is given as text, whose images nobody gave, and that nobody listened to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("usual")))
        directory = tmp_path_factory.mktemp("run")
        contrastive.train(replace(config, {"epochs": 2}), directory=str(directory))
    return directory / "checkpoint.pt"


@pytest.mark.parametrize("kind", [str, Path])
def test_an_encoder_standardises_what_it_is_shown(run: Path, kind: type, dataset: Dataset) -> None:
    found = load_encoder(kind(run))
    images = next(dataset.test.fetch([torch.arange(8)]))
    assert found.normalisation == Normalisation(dataset.mean, dataset.std)
    features = found(images)
    assert features.shape == (8, found.config.encoder.dim)
    assert not features.requires_grad
    torch.testing.assert_close(found(images.float() / 255), features)
    mean, std = (torch.tensor(m).float()[:, None, None] for m in (dataset.mean, dataset.std))
    by_hand = found.module((images.float() / 255 - mean) / std)
    torch.testing.assert_close(features, by_hand, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (torch.zeros(3, 32, 32), r"images \(3, 32, 32\) given; needs \(images, 3, height, width\)"),
        (torch.full((1, 3, 32, 32), 255.0), "from 255 to 255 given; needs bytes"),
        (torch.full((1, 3, 32, 32), -1.0), "from -1 to -1 given"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.int64), "torch.int64"),
    ],
)
def test_images_that_cannot_be_meant_are_refused(run: Path, images: torch.Tensor, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        load_encoder(run)(images)


def test_an_encoder_is_evaluated_by_its_path(run: Path, cache: Path, dataset: Dataset) -> None:
    protocol = contrastive.KNN(neighbours=(3,))
    told = contrastive.evaluate_encoder(str(run), protocol, cache=str(cache), device="cpu")
    assert list(told) == list(map("knn3_{}".format, ("top1", "top5")))
    assert told == contrastive.evaluate_encoder(load_encoder(run), protocol, cache=cache)


def test_a_module_can_be_the_first_that_is_imported() -> None:
    assert loaded("from contrastive.encoder import Head") == set()
