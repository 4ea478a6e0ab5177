"""SwAV's loss and Sinkhorn's codes against loops and a peer's, and against what must hold of them."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import sinkhorn, swav
from tests import oracles

Sample = tuple[Tensor, Tensor, Tensor]


def some(v: int = 3, n: int = 5, d: int = 4, k: int = 3, q: int = 4, *, seed: int = 0) -> Sample:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((v, n, d), (k, d), (q, d))
    z, prototypes, queue = (torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    return z, prototypes, queue


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    sizes = (st.integers(2, 4), st.integers(1, 5), st.integers(2, 4), st.integers(1, 4), st.integers(1, 5))
    return some(*(draw(size) for size in sizes), seed=draw(st.integers(0, 2**32)))


def codes(scores: list[list[float]], epsilon: float, iterations: int) -> list[list[float]]:
    q = [[math.exp(score / epsilon) for score in row] for row in scores]
    for _ in range(iterations):
        columns = [sum(row[c] for row in q) for c in range(len(q[0]))]
        q = [[x / columns[c] for c, x in enumerate(row)] for row in q]
        q = [[x / sum(row) for x in row] for row in q]
    return q


def loop(sample: Sample, *, temperature: float, epsilon: float, iterations: int, assigned: int) -> float:
    z, prototypes, queue = (rows.tolist() for rows in sample)
    terms = []
    for a in range(assigned):
        scores = [[oracles.cosine(row, c) for c in prototypes] for row in (*queue, *z[a])]
        code = codes(scores, epsilon, iterations)[len(queue) :]
        for v in range(len(z)):
            for j, row in enumerate(z[v]):
                p = oracles.shares([oracles.cosine(row, c) / temperature for c in prototypes])
                if v != a:
                    terms.append(-sum(x * math.log(y) for x, y in zip(code[j], p, strict=True)))
    return sum(terms) / len(terms)


@given(samples(), st.sampled_from([0.05, 0.5]), st.sampled_from([1, 3, 10]))
def test_codes_are_the_loop_over_columns_and_rows(sample: Sample, epsilon: float, iterations: int):
    z, prototypes, _ = sample
    scores = torch.nn.functional.normalize(z[0], dim=1) @ torch.nn.functional.normalize(prototypes, dim=1).T
    expected = torch.tensor(codes(scores.tolist(), epsilon, iterations), dtype=torch.float64)
    torch.testing.assert_close(
        sinkhorn(scores, epsilon=epsilon, iterations=iterations), expected, rtol=1e-9, atol=1e-12
    )


def test_codes_are_shares_of_samples_that_load_every_prototype_alike():
    scores = torch.rand(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = sinkhorn(scores, epsilon=0.1, iterations=200)
    torch.testing.assert_close(found.sum(1), torch.ones(12).double())
    torch.testing.assert_close(found.sum(0), torch.full((4,), 3.0).double(), rtol=1e-6, atol=0)


def test_by_default_there_are_three_iterations():
    scores = torch.rand(6, 4)
    assert torch.equal(sinkhorn(scores, epsilon=0.1), sinkhorn(scores, epsilon=0.1, iterations=3))


def test_a_small_epsilon_picks_and_a_large_one_is_even():
    scores = torch.rand(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + torch.eye(4)
    torch.testing.assert_close(
        sinkhorn(scores, epsilon=1e-3, iterations=50), torch.eye(4).double(), rtol=0, atol=1e-6
    )
    torch.testing.assert_close(
        sinkhorn(scores, epsilon=1e6), torch.full((4, 4), 0.25).double(), rtol=1e-5, atol=0
    )


@given(samples(), st.sampled_from([0.1, 1.0]), st.sampled_from([0.05, 0.5]), st.sampled_from([1, 2]))
def test_the_loss_is_the_loop_over_pairs_of_views(
    sample: Sample, temperature: float, epsilon: float, assigned: int
):
    options = {"temperature": temperature, "epsilon": epsilon, "iterations": 2, "assigned": assigned}
    assert swav(*sample, **options).item() == pytest.approx(loop(sample, **options), rel=1e-8, abs=1e-12)


def test_its_options_are_by_default_the_authors():
    options = {"temperature": 0.1, "epsilon": 0.05, "iterations": 3, "assigned": 2}
    assert swav(*some()) == swav(*some(), **options)


def test_without_a_queue_the_batch_shares_the_prototypes():
    z, prototypes, queue = some()
    options = {"temperature": 0.1, "epsilon": 0.05, "iterations": 3, "assigned": 2}
    assert swav(z, prototypes).item() == pytest.approx(loop((z, prototypes, queue[:0]), **options), rel=1e-8)


@given(samples(), st.randoms(use_true_random=False))
def test_order_rotation_and_length_change_nothing(sample: Sample, random):
    z, prototypes, queue = sample
    v, n, d = z.shape
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    views = [1, 0, *random.sample(range(2, v), v - 2)]
    moved = (
        3 * z[views][:, random.sample(range(n), n)] @ rotation,
        5 * prototypes[random.sample(range(len(prototypes)), len(prototypes))] @ rotation,
        7 * queue[random.sample(range(len(queue)), len(queue))] @ rotation,
    )
    torch.testing.assert_close(swav(*moved), swav(*sample), rtol=1e-8, atol=1e-10)


def test_its_gradient_reaches_views_and_prototypes_and_none_passes_through_codes():
    z, prototypes, queue = (rows.requires_grad_() for rows in some())
    swav(z, prototypes, queue).backward()
    assert queue.grad is None
    centres, units = (torch.nn.functional.normalize(rows, dim=-1) for rows in (prototypes, z))
    terms = []
    for a in (0, 1):
        scores = torch.cat([torch.nn.functional.normalize(queue, dim=1), units[a]]) @ centres.T
        code = sinkhorn(scores.detach(), epsilon=0.05)[-5:]
        terms += [
            -(code * (units[v] @ centres.T / 0.1).log_softmax(1)).sum(1).mean() for v in range(3) if v != a
        ]
    expected = torch.autograd.grad(torch.stack(terms).mean(), (z, prototypes))
    torch.testing.assert_close((z.grad, prototypes.grad), expected, rtol=1e-9, atol=1e-12)


def test_its_gradient_is_the_slope_of_its_value_where_codes_are_fixed():
    z, prototypes, _ = some(2, 4, 3, 2)
    even = {"epsilon": 1e6}  # codes that no longer depend on the embeddings
    assert torch.autograd.gradcheck(
        lambda a, b: swav(a, b, **even), (z.requires_grad_(), prototypes.requires_grad_()), atol=1e-4
    )


@pytest.mark.parametrize("temperature", [1e-3, 0.1, 1e3])
@pytest.mark.parametrize("epsilon", [1e-4, 0.05, 1e4])
def test_extremes_float32_and_autocast_are_exact_and_finite(temperature: float, epsilon: float):
    z, prototypes, queue = (rows.float() for rows in some(2, 16, 8, 6, 10))
    options = {"temperature": temperature, "epsilon": epsilon}
    z.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = swav(z, prototypes, queue, **options)
    loss.backward()
    exact = swav(z.double(), prototypes.double(), queue.double(), **options).item()
    assert loss.item() == pytest.approx(exact, rel=1e-3)
    assert torch.isfinite(z.grad).all()


def test_it_is_lightlys():
    peer = pytest.importorskip("lightly.loss.swav_loss", reason="compared with lightly 1.6.0")
    z, prototypes, queue = some(4, 8, 6, 5, 7)
    z, prototypes, queue = (torch.nn.functional.normalize(rows, dim=-1) for rows in (z, prototypes, queue))
    theirs = peer.SwaVLoss(temperature=0.2, sinkhorn_iterations=4, sinkhorn_epsilon=0.1)
    scores = [view @ prototypes.T for view in z]
    expected = theirs(scores[:2], scores[2:], [queue @ prototypes.T] * 2).item()
    found = swav(z, prototypes, queue, temperature=0.2, epsilon=0.1, iterations=4)
    assert found.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        (((1, 4, 3), (5, 3)), {"assigned": 1}, "1 views given, 1 of them assigned; needs 2"),
        (((2, 4, 3), (5, 3)), {"assigned": 0}, "2 views given, 0 of them assigned"),
        (((2, 4, 3), (5, 3)), {"assigned": 3}, "2 views given, 3 of them assigned"),
        (((2, 0, 3), (5, 3)), {}, r"z \(0, 3\) given"),
        (((2, 4, 3), (5, 2)), {}, r"prototypes \(5, 2\) given"),
        (((2, 4, 3), (5, 3), (6, 2)), {}, r"queue \(6, 2\) given"),
        (((2, 4, 3), (5, 3)), {"temperature": 0.0}, "temperature=0.0"),
    ],
)
def test_what_has_no_meaning_is_refused(shapes, options, message: str):
    with pytest.raises(ValueError, match=f"swav: {message}"):
        inspect.unwrap(swav)(*(torch.ones(shape) for shape in shapes), **options)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 3), {"epsilon": 0.0}, "epsilon=0.0"),
        ((4, 3), {"epsilon": math.nan}, "epsilon=nan"),
        ((4, 3), {"iterations": 0}, "iterations=0 given; needs 1"),
        ((0, 3), {}, r"scores \(0, 3\) given"),
        ((4, 0), {}, r"scores \(4, 0\) given"),
    ],
)
def test_codes_that_have_no_meaning_are_refused(shape, options, message: str):
    with pytest.raises(ValueError, match=f"sinkhorn: {message}"):
        inspect.unwrap(sinkhorn)(torch.ones(shape), **{"epsilon": 0.1, **options})
