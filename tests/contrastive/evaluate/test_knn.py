"""Weighted nearest neighbours against a loop, the outputs of solo-learn and lightly, and identities."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.evaluate import knn_accuracy, knn_predict
from tests import oracles
from tests.oracles import golden

CLASSES = 4

Features = tuple[Tensor, Tensor, Tensor]


@st.composite
def features(draw: st.DrawFn) -> Features:
    n, m, d = draw(st.integers(1, 9)), draw(st.integers(1, 6)), draw(st.integers(2, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    bank, queries = (torch.randn(rows, d, generator=generator, dtype=torch.float64) for rows in (n, m))
    return bank, torch.randint(CLASSES, (n,), generator=generator), queries


@given(features(), st.sampled_from([0.01, 0.07, 0.5, 5.0]), st.data())
def test_scores_are_the_sums_over_the_nearest_neighbours(given: Features, temperature: float, data):
    k = data.draw(st.integers(1, len(given[0])))
    scores = knn_predict(*given, k=k, temperature=temperature, classes=CLASSES)
    bank, labels, queries = given
    expected = oracles.knn_scores(
        bank, labels.tolist(), queries, k=k, temperature=temperature, classes=CLASSES
    )
    torch.testing.assert_close(scores, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=0)


@pytest.mark.parametrize("case", ["knn_cosine_0", "knn_cosine_1", "knn_cosine_2"])
def test_predictions_are_lightlys_and_accuracies_solo_learns(case: str):
    reference = golden(case)
    bank, labels, queries = (reference[name] for name in ("train_features", "train_labels", "test_features"))
    options = {"k": int(reference.number("k")), "temperature": reference.number("T")}
    options["classes"] = int(reference.number("num_classes"))
    scores = knn_predict(bank, labels, queries, **options)
    assert torch.equal(scores.argmax(1), reference["lightly_pred_top1"])
    truth = reference["test_labels"]
    accuracy = knn_accuracy(bank, labels, queries, truth, **options)
    assert accuracy == pytest.approx(reference.number("top1"), rel=1e-12)
    best = scores.topk(5, dim=1)
    hits = ((best.indices == truth[:, None]) & (best.values > 0)).any(1)
    assert 100 * hits.double().mean().item() == pytest.approx(reference.number("top5_lo"), rel=1e-12)


@given(features(), st.sampled_from([0.01, 0.1, 10.0, 1e6]))
def test_one_neighbour_is_the_nearest_whatever_the_temperature(given: Features, temperature: float):
    bank, labels, queries = given
    nearest = torch.tensor(
        [[oracles.cosine(q, row) for row in bank.tolist()] for q in queries.tolist()]
    ).argmax(1)
    scores = knn_predict(*given, k=1, temperature=temperature, classes=CLASSES)
    assert torch.equal(scores.argmax(1), labels[nearest])
    assert ((scores > 0).sum(1) == 1).all()


@given(features())
def test_at_a_high_temperature_the_score_counts_the_neighbours(given: Features):
    bank, labels, _ = given
    scores = knn_predict(*given, k=len(bank), temperature=1e12, classes=CLASSES)
    votes = torch.bincount(labels, minlength=CLASSES).double()
    torch.testing.assert_close(scores, votes.expand_as(scores), rtol=1e-9, atol=1e-9)


@given(features(), st.integers(1, 7))
def test_the_block_changes_nothing(given: Features, block: int):
    options = {"k": 1 + len(given[0]) // 2, "temperature": 0.07, "classes": CLASSES}
    torch.testing.assert_close(
        knn_predict(*given, **options, block=block), knn_predict(*given, **options), rtol=1e-12, atol=0
    )


@given(features(), st.data())
def test_splitting_the_bank_and_keeping_the_nearest_changes_nothing(given: Features, data):
    bank, labels, queries = given
    k = data.draw(st.integers(1, len(bank)))
    whole = knn_predict(*given, k=k, temperature=0.1, classes=CLASSES)
    order = torch.tensor(data.draw(st.permutations(range(len(bank)))))
    shuffled = knn_predict(bank[order], labels[order], queries, k=k, temperature=0.1, classes=CLASSES)
    torch.testing.assert_close(shuffled, whole, rtol=1e-9, atol=0)


@given(features(), st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_length_of_a_row_changes_nothing(given: Features, scale: float, other: float):
    bank, labels, queries = given
    options = {"k": 1 + len(bank) // 2, "temperature": 0.1, "classes": CLASSES}
    lengths = torch.linspace(scale, other, len(bank), dtype=torch.float64)[:, None]
    moved = knn_predict(lengths * bank, labels, scale * queries, **options)
    torch.testing.assert_close(moved, knn_predict(*given, **options), rtol=1e-9, atol=0)


def test_at_temperature_one_hundredth_the_scores_of_float32_features_are_finite_and_right():
    rows = torch.eye(3)
    scores = knn_predict(rows, torch.tensor([0, 1, 1]), rows[:1], k=3, temperature=0.01, classes=3)
    torch.testing.assert_close(
        scores, torch.tensor([[math.exp(100), 2.0, 0.0]], dtype=torch.float64), rtol=1e-4, atol=0
    )


def test_no_gradient_is_kept():
    bank = torch.randn(5, 3, requires_grad=True)
    scores = knn_predict(bank, torch.zeros(5, dtype=torch.long), bank, k=2, temperature=0.1, classes=1)
    assert not scores.requires_grad


def test_accuracy_is_a_percentage():
    rows = torch.eye(4)
    labels = torch.tensor([0, 1, 2, 3])
    truth = torch.tensor([0, 1, 2, 0])
    assert knn_accuracy(rows, labels, rows, truth, k=2, temperature=0.1, classes=4) == 75.0


def test_a_class_missing_from_the_bank_is_never_predicted_and_counts_as_wrong():
    rows = torch.eye(2)
    accuracy = knn_accuracy(
        rows, torch.tensor([0, 1]), rows, torch.tensor([0, 2]), k=1, temperature=0.1, classes=3
    )
    assert accuracy == 50.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 6}, "k=6 given; needs 1 to 5"),
        ({"k": 0}, "k=0"),
        ({"temperature": 0.0}, "temperature=0.0"),
        ({"temperature": 0.001}, "at least 0.0015"),
        ({"temperature": math.nan}, "temperature=nan"),
        ({"temperature": math.inf}, "temperature=inf"),
        ({"block": 0}, "block=0"),
        ({"classes": 2}, "labels 0 to 2 given; with classes=2 they are 0 to 1"),
        ({"bank_labels": torch.tensor([0, -1, 0, 0, 0])}, "labels -1 to 0"),
        ({"bank_labels": torch.zeros(4, dtype=torch.long)}, "needs one each"),
        ({"queries": torch.ones(2, 4)}, r"queries \(2, 4\)"),
        ({"bank": torch.ones(0, 3), "bank_labels": torch.zeros(0, dtype=torch.long)}, "1 or more"),
    ],
)
def test_what_has_no_meaning_is_refused(options, message: str):
    given = {
        "bank": torch.ones(5, 3),
        "bank_labels": torch.tensor([0, 1, 2, 0, 1]),
        "queries": torch.ones(2, 3),
    }
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(knn_predict)(**{**given, "k": 5, "temperature": 0.1, "classes": 3, **options})


def test_the_lowest_temperature_and_the_largest_bank_of_equals_stay_finite():
    bank = torch.ones(100, 3)
    scores = knn_predict(
        bank, torch.zeros(100, dtype=torch.long), bank[:1], k=100, temperature=0.0015, classes=1
    )
    assert torch.isfinite(scores).all()


def test_accuracy_wants_one_label_a_query():
    rows = torch.eye(3)
    with pytest.raises(ValueError, match=r"\(2,\) query labels given for 3 queries"):
        inspect.unwrap(knn_accuracy)(
            rows, torch.arange(3), rows, torch.arange(2), k=1, temperature=0.1, classes=3
        )
