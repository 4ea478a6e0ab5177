import dataclasses
import json
import re
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive import config as configs
from contrastive.config import Config, arm, from_dict, identity, replace, to_dict, value_at
from contrastive.encoder import ResNet, Timm
from contrastive.methods import BSIM, BYOL, CACR, METHODS, SCE, MoCo, SimCLR
from contrastive.optimiser import LARS, SGD


def test_a_configuration_survives_json() -> None:
    for method in METHODS:
        config = Config(method=method())
        assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_a_configuration_written_before_there_was_a_choice_is_read_as_it_was() -> None:
    def before(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: before(v) for name, v in value.items() if name not in configs.LATER}

    for method in METHODS:
        config = Config(method=method())
        assert from_dict(before(to_dict(config))) == config


@given(st.floats(1e-3, 10), st.integers(0, 2**31))
def test_a_changed_configuration_survives_json_to_the_bit(temperature: float, seed: int) -> None:
    config = replace(Config(), {"method.temperature": temperature, "seed": seed})
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().seed = 1  # pyright: ignore


def test_an_unknown_field_is_refused_with_the_closest_name() -> None:
    with pytest.raises(
        ValueError, match=r"method \(sce\) has no field 'coeficient'. Did you mean coefficient"
    ):
        replace(Config(), {"method.coeficient": 0.5})


def test_a_path_through_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="and has no fields"):
        replace(Config(), {"method.temperature.x": 1})


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("method.temperature", 0, "greater than 0"),
        ("method.coefficient", 1.5, "less than or equal to 1"),
        ("method.name", "scee", "sce"),
        ("epochs", 0, "greater than or equal to 1"),
        ("epochs", "many", "integer"),
        ("batch", 1, "at least 2 images"),
        ("method.queue", 100, "not a multiple of the 256 keys"),
        ("optimiser.warmup_epochs", 200, "leaves nothing of the 200 epochs"),
    ],
)
def test_an_illegal_value_is_refused_in_one_sentence(path: str, value: object, expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as refusal:
        replace(Config(), {path: value})
    assert "\n" not in str(refusal.value)


def test_fields_that_depend_on_each_other_move_together() -> None:
    config = replace(Config(), {"batch": 96, "method.queue": 960})
    assert (config.batch, value_at(config, "method.queue")) == (96, 960)


def test_the_method_is_exchanged_whole() -> None:
    assert replace(Config(), {"method": SimCLR()}).method == SimCLR()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"encoder.name": "timm", "encoder.model": "resnet18"}, {"encoder": Timm(model="resnet18")}),
        ({"encoder.name": "resnet", "encoder.depth": 34}, {"encoder": ResNet(depth=34)}),
        ({"optimiser.name": "lars"}, {"optimiser": LARS()}),
        ({"optimiser.name": "lars", "optimiser.lr": 0.1}, {"optimiser": LARS(lr=0.1)}),
        ({"optimiser.name": "sgd", "optimiser.lr": 0.1}, {"optimiser": SGD(nesterov=True, lr=0.1)}),
        ({"method.name": "byol"}, {"method": BYOL()}),
        (
            {"method.name": "bsim", "method.inner.name": "moco", "method.inner.queue": 512},
            {"method": BSIM(inner=MoCo(queue=512))},
        ),
        ({"method": {"name": "moco"}, "method.queue": 512}, {"method": MoCo(queue=512)}),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_new_name_starts_from_the_defaults_of_its_kind_in_any_order(
    changes: dict[str, Any], expected: dict[str, Any], backwards: bool
) -> None:
    config = Config(optimiser=SGD(nesterov=True))
    given = dict(reversed(changes.items())) if backwards else changes
    assert replace(config, given) == dataclasses.replace(config, **expected)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("encoder.name", "resnt", "encoder.name = 'resnt': there is no such encoder. Did you mean resnet?"),
        ("encoder.name", "timm", "encoder.model: has to be given"),
        ("encoder.depth", 18, "(strided) has no field 'depth', which resnet has: set encoder.name, too"),
        ("method.coefficient", 2, "method.coefficient = 2: wants a number less than or equal to 1"),
        ("method.momentum.schedule", "cos", "wants one of 'constant' or 'cosine'"),
        ("optimiser", {"name": "sgd", "nestrov": True}, "optimiser.nestrov = True: there is no such field."),
        ("evaluation.after", [{"name": "linar"}], "wants a name that exists: one of 'linear',"),
        (
            "evaluation.after",
            [{"name": "linear", "epochs": "x"}],
            "after.0.linear.epochs = 'x': wants a whole number",
        ),
        ("method.projector", 3, "method.projector = 3: wants fields, as in {...}"),
        ("method.views", 3, "method.views = 3: wants a list"),
    ],
)
def test_a_refusal_names_what_was_typed_in_words_of_ours(path: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        replace(Config(), {path: value})
    assert "put should" not in str(refusal.value)


def test_identity_depends_on_every_field_and_on_the_images_but_not_on_where_they_lie() -> None:
    config = Config()
    changed = [
        replace(config, {"method.temperature": 0.2}),
        replace(config, {"seed": 1}),
        replace(config, {"views.strong.flip": 0.4}),
    ]
    assert len({identity(t, "images") for t in [config, *changed]}) == 4
    assert identity(config, "images") != identity(config, "others")
    moved = [replace(config, {"data": {"name": "folder", "root": root}}) for root in ("/a", "/b")]
    assert identity(moved[0], "images") == identity(moved[1], "images")


def test_a_field_that_came_later_leaves_recorded_runs_what_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Identities as they were written before there was a choice of interpolation, channels or second view."""
    monkeypatch.setattr("contrastive.config.NUMERICS", 2)
    for method, run, its_arm in (
        (SCE(), "9fb0ad8f142a1c0a", "5da5cad4991b26a0"),
        (BSIM(inner=CACR()), "ac2601be98a10706", "fb0266b639113a94"),
    ):
        config = Config(method=method)
        assert (identity(config, "images"), arm(config, "images")) == (run, its_arm)
    sharper = replace(Config(), {"views.weak.interpolation": "bicubic"})
    assert identity(sharper, "images") != identity(Config(), "images")


def test_runs_of_an_arm_differ_by_their_seed_only() -> None:
    config = Config()
    assert arm(config, "images") == arm(replace(config, {"seed": 7}), "images")
    assert arm(config, "images") != arm(replace(config, {"epochs": 7}), "images")


def test_the_peak_learning_rate_is_linear_in_the_batch() -> None:
    config = Config(batch=512)
    assert config.peak_lr == 2 * config.optimiser.lr
