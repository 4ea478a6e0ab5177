import dataclasses

import pytest
from pydantic import TypeAdapter

from contrastive.config import Config, from_dict, replace, to_dict
from contrastive.evaluate.protocols import KNN, PROTOCOLS, Collapse, FineTune, LinearProbe, Protocol

ADAPTER = TypeAdapter(Protocol)
PRESETS = [(kind, name) for kind in PROTOCOLS for name in kind.presets]
SHAPES = {"name": "shapes"}


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_protocol_survives_json(kind: type) -> None:
    protocol = kind(data=SHAPES)
    assert ADAPTER.validate_json(ADAPTER.dump_json(protocol)) == protocol
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.name = "other"


@pytest.mark.parametrize(("kind", "name"), PRESETS)
def test_a_preset_is_legal_and_says_where_it_is_from(kind: type, name: str) -> None:
    preset = kind.presets[name]
    protocol = kind(**preset.values)
    assert preset.source
    assert all(
        getattr(protocol, field) == value or isinstance(value, list) for field, value in preset.values.items()
    )


def test_the_published_rates_are_those_of_the_sources() -> None:
    probes = {name: LinearProbe(**preset.values) for name, preset in LinearProbe.presets.items()}
    assert {name: (p.lr, p.batch, p.epochs, p.schedule) for name, p in probes.items()} == {
        "moco": (30.0, 256, 100, "steps"),
        "sce_cifar10": (30.0, 256, 100, "steps"),
        "sce_imagenet": (0.4, 1024, 90, "cosine"),
        "wcl": (3.2, 4096, 80, "cosine"),
        "lightly": (0.1, 256, 90, "cosine"),
    }
    assert {p.weight_decay for p in probes.values()} == {0.0}
    assert probes["moco"].milestones == (60, 80)
    tuned = FineTune(**FineTune.presets["10pct"].values)
    assert (tuned.epochs, tuned.batch, tuned.lr, tuned.head_lr) == (20, 256, 0.01, 0.2)
    assert (tuned.milestones, tuned.factor, tuned.momentum, tuned.weight_decay) == ((12, 16), 0.2, 0.9, 0.0)


def test_metrics_are_named_by_protocol_layer_and_data() -> None:
    named = [
        LinearProbe(), LinearProbe(layer="projector"), LinearProbe(data=SHAPES), FineTune(fraction=0.01),
        FineTune(fraction=0.005, data=SHAPES), KNN(neighbours=(1, 200)), Collapse(layer="projector", data=SHAPES),
    ]  # fmt: skip
    assert [name for protocol in named for name in protocol.reported] == [
        "linear", "projector_linear", "transfer_shapes_linear", "finetune_1pct",
        "transfer_shapes_finetune_0.5pct", "knn1", "knn200", "transfer_shapes_projector_collapse",
    ]  # fmt: skip


def test_a_configuration_carries_its_protocols() -> None:
    config = replace(
        Config(), {"evaluation.after": [{"name": "linear"}, {"name": "finetune", "fraction": 0.01}]}
    )
    assert config.evaluation.after == (LinearProbe(), FineTune(fraction=0.01))
    assert from_dict(to_dict(config)) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "liner"}, "'linear', 'finetune', 'knn', 'collapse'"),
        ({"name": "linear", "rate": 1.0}, "there is no such field"),
        ({"name": "linear", "epochs": 60}, r"milestones = \(60, 80\) are not all within the 60 epochs"),
        ({"name": "linear", "momentum": 0.0, "nesterov": True}, "momentum is 0; raise it"),
        ({"name": "linear", "crop_scale": [0.5, 0.2]}, "the lower end comes first"),
        ({"name": "linear", "lr": 0.0}, "greater than 0"),
        ({"name": "finetune", "fraction": 0.0}, "greater than 0"),
        ({"name": "finetune", "fraction": 1.5}, "less than or equal to 1"),
        ({"name": "finetune", "draws": 0}, "greater than or equal to 1"),
        ({"name": "finetune", "batch": 1}, "greater than or equal to 2"),
        ({"name": "finetune", "epochs": 16}, "milestones"),
        ({"name": "finetune", "crop_scale": [0.5, 0.2]}, "the lower end comes first"),
        ({"name": "knn", "neighbours": []}, "at least 1"),
        ({"name": "knn", "temperature": 0.001}, "greater than or equal to 0.0015"),
    ],
)
def test_what_has_no_meaning_is_refused(values, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Config(), {"evaluation.after": [values]})


def test_a_probe_without_milestones_may_be_short() -> None:
    assert LinearProbe(epochs=1, milestones=()).epochs == LinearProbe(epochs=1, schedule="cosine").epochs


def test_two_results_of_one_name_are_refused() -> None:
    two = [{"name": "knn", "neighbours": [1, 5]}, {"name": "knn", "neighbours": [5], "temperature": 0.07}]
    with pytest.raises(ValueError, match="two protocols report knn5; leave one of them out"):
        replace(Config(), {"evaluation.after": two})


def test_the_coldest_temperature_of_the_monitor_is_kept_to() -> None:
    with pytest.raises(ValueError, match=r"evaluation.temperature = 0.001: .* 0.0015"):
        replace(Config(), {"evaluation.temperature": 0.001})
