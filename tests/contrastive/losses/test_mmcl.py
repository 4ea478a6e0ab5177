"""MMCL against loops and an exact solver, against the authors' own outputs, and against what must hold of it."""

import inspect
import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import mixed_mmcl, mmcl, mmcl_alphas, mmcl_diagnostics, mmcl_duals, mmcl_queue
from contrastive.losses.kernels import kernel_matrix
from contrastive.losses.rows import unit_rows
from contrastive.losses.support_vectors import DualBatch, ProjectedGradient, Queue
from tests import oracles_mmcl as oracles
from tests.oracles import on_the_sphere
from tests.oracles_mmcl import golden_mmcl

few = settings(max_examples=25)

USUAL = {"kernel": "rbf", "bandwidth": 2.0, "regularisation": 0.1}
POSITIVE = ["rbf", "linear", "polynomial", "min"]

penalties = st.one_of(st.none(), st.floats(0.02, 5))
svms = st.fixed_dictionaries({
    "kernel": st.sampled_from(POSITIVE),
    "bandwidth": st.floats(0.1, 50),
    "regularisation": st.floats(0.01, 1),
    "penalty": penalties,
})  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn, most: int = 12) -> tuple[Tensor, Tensor]:
    n, d = draw(st.integers(2, most)), draw(st.integers(1, 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    centre = torch.randn(1, d, generator=generator, dtype=torch.float64)
    spread = draw(st.sampled_from([0.05, 0.5, 5.0]))
    x, noise = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return centre + spread * x, centre + spread * (x + noise)


def some(n: int = 7, d: int = 5, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    x, noise = torch.randn(2, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x, x + 0.3 * noise


def close(found: Tensor, expected: Tensor, tolerance: float) -> None:
    """The largest difference, as a share of the largest expected entry."""
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


def residual(x: Tensor, alphas: Tensor, options: dict) -> float:
    """KKT residual by the oracle's matrices."""
    rows, worst = oracles.units(x), 0.0
    bound = math.inf if options["penalty"] is None else options["penalty"]
    shape = (options["kernel"], options["bandwidth"], options["regularisation"])
    for i, row in enumerate(alphas.tolist()):
        others = [j for j in range(len(rows)) if j != i]
        delta = oracles.delta(rows[i], [rows[j] for j in others], *shape)
        for a, product in zip([row[j] for j in others], delta @ [row[j] for j in others], strict=True):
            worst = max(worst, abs(a - min(max(a - (product - 2), 0), bound)))
    return worst


# Against loops and an exact solver


@given(pairs(), svms)
def test_exact_is_the_solution_of_an_exact_solver(given, options):
    x, _ = given
    alphas = mmcl_alphas(x, **options)
    expected = oracles.alphas(x, options, "exact")
    assert (alphas - expected).abs().max() <= 1e-7 * max(1, expected.max().item())
    assert residual(x, alphas, options) <= 1e-9 * max(1, expected.max().item())


@pytest.mark.parametrize(
    ("penalty", "angles"),
    [
        # Releasing all alphas that pull at a bound goes round in circles.
        (5.0, [1.48, 3.08, 0.24, 2.42, 0.46, 4.14, 0.17, 1.19, 3.19, 0.44, 1.8, 0.69]),
        (5.0, [0.77, 0.37, 1.28, 3.94, 1.2, 0.49, 6.02, 1.23, 5.99]),
        (5.0, [1.92, 2.88, 2.28, 3.58, 5.9, 4.62, 4.65, 2.92, 5.61]),
        # Releasing one in every round does.
        (None, [2.68, 2.5, 0.23, 0.23, 4.39, 2.42, 3.36, 6.26, 2.06, 1.37, 1.79]),
        (None, [0.31, 1.9, 2.61, 0.79, 5.44, 5.66, 6.01, 3.61]),
        (None, [2.12, 0.77, 2.87, 0.26, 5.15, 1.35, 5.48, 2.4, 3.36]),
    ],
)
def test_exact_is_exact_on_batches_that_are_hard_to_polish(penalty: float | None, angles: list[float]):
    x = torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles], dtype=torch.float64)
    options = {"kernel": "linear", "bandwidth": 1.0, "regularisation": 0.01, "penalty": penalty}
    close(mmcl_alphas(x, **options), oracles.alphas(x, options, "exact"), 1e-9)


@few
@given(pairs(8), svms, st.booleans())
def test_inverse_is_the_dense_solution_clipped(given, options, one):
    x, _ = given
    # The published 1 is true of these two alone; for others it may make the matrices singular.
    one &= options["kernel"] in ("rbf", "linear")
    expected = oracles.alphas(x, options, "inverse", one=one)
    close(mmcl_alphas(x, solver="inverse", unit_diagonal=one, **options), expected, 1e-10)


@pytest.mark.parametrize("kernel", [*POSITIVE, "tanh"])
def test_inverse_is_the_dense_solution_to_twelve_digits_also_with_the_published_one(kernel: str):
    x, _ = some(24, 16)
    options = {"kernel": kernel, "bandwidth": 0.5, "regularisation": 0.8, "penalty": None}
    for one in (False, True):
        expected = oracles.alphas(x, options, "inverse", one=one)
        close(mmcl_alphas(x, solver="inverse", unit_diagonal=one, **options), expected, 1e-12)


@few
@given(pairs(8), svms, st.sampled_from(["exact", "inverse"]))
def test_the_loss_is_the_loop_over_anchors_and_negatives(given, options, solver):
    x, y = given
    alphas = mmcl_alphas(x, solver=solver, **options)
    expected = oracles.mmcl(x, y, alphas, options)
    scale = 1 + alphas.sum().item() / len(x)
    assert mmcl(x, y, solver=solver, **options).item() == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale)


@few
@given(pairs(6), st.integers(1, 9), svms, st.sampled_from(["exact", "inverse"]), st.integers(0, 2**32))
def test_with_a_queue_it_is_the_loop_over_the_queue(given, size, options, solver, seed):
    key, query = given
    generator = torch.Generator().manual_seed(seed)
    queue = key.mean(0) + torch.randn(size, key.shape[1], generator=generator, dtype=torch.float64)
    expected = oracles.mmcl_queue(query, key, queue, options, solver)
    loss = mmcl_queue(query, key, queue, solver=solver, **options).item()
    assert loss == pytest.approx(expected, rel=1e-7, abs=1e-8)


@few
@given(pairs(8), svms, st.integers(0, 2**32))
def test_a_mixture_is_read_by_both_sources_machines_in_proportion(given, options, seed):
    x, m = given
    generator = torch.Generator().manual_seed(seed)
    partner = torch.randperm(len(x), generator=generator)
    share = torch.rand(len(x), generator=generator, dtype=torch.float64)
    alphas = mmcl_alphas(x, **options)
    expected = oracles.mixed_mmcl(m, x, partner, share, alphas, options=options)
    scale = 1 + alphas.sum().item() / len(x)
    assert mixed_mmcl(m, x, partner, share, **options).item() == pytest.approx(
        expected, rel=1e-9, abs=1e-12 * scale
    )


@few
@given(pairs(6), st.sampled_from([*POSITIVE, "tanh"]), st.sampled_from([0.1, 2.0, 10.0]))
def test_kernels_are_their_loops_less_one_for_rbf(given, kernel, bandwidth):
    x, y = oracles.units(given[0]), oracles.units(given[1])
    expected = [[oracles.kernel(a, b, kernel, bandwidth) - (kernel == "rbf") for b in y] for a in x]
    found = kernel_matrix(unit_rows(given[0]), unit_rows(given[1]), kernel, bandwidth)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-13)


# Against the authors' own code

CASES = [
    "cifar_inv_01",
    "cifar_inv_02_default_early",
    "cifar_inv_04_clustered_noC",
    "cifar_inv_05_small_reg_regime",
    "imagenet_inv_02_linear",
    "imagenet_inv_03_tanh",
    "imagenet_inv_04_poly",
    "imagenet_inv_05_min",
    "imagenet_inv_06_gamma_auto",
    "cifar_pgd_01_default",
    "cifar_pgd_03_usenorm",
    "cifar_pgd_04_vanilla",
    "cifar_pgd_05_converged_vanilla",
    "cifar_pgd_06_converged_nesterov",
    "imagenet_pgd_01_default",
    "imagenet_pgd_02_eta",
]


def solver_of(case: str, reference, steps: dict) -> dict:
    if "inv" in case:
        return {"solver": "inverse"}
    start, first = reference["in_alpha_init"], reference.number("in_nesterov_alpha0")
    options = ProjectedGradient(**steps, start=start, first_coefficient=first)
    return {"solver": "projected_gradient", "projected_gradient": options}


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_released_loss_gradient_and_alphas(case: str):
    reference, options, steps = golden_mmcl(case)
    x, y = reference["in_x"].requires_grad_(), reference["in_y"].requires_grad_()
    options |= {"unit_diagonal": True, **solver_of(case, reference, steps)}
    close(mmcl_alphas(x, **options), reference["out_alpha"], 1e-9)
    loss = mmcl(x, y, **options)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=1e-9)
    for rows, name in ((x, "grad_x"), (y, "grad_y")):
        expected = reference[name]
        # The CIFAR code takes unit rows as they are, the ImageNet code normalises them itself.
        close(rows.grad, on_the_sphere(expected, rows.detach()) if "cifar" in case else expected, 1e-9)


@pytest.mark.parametrize("case", CASES)
def test_the_closed_form_keeps_its_digits_in_float32(case: str):
    reference, options, _ = golden_mmcl(case)
    given = reference["in_x"], reference["in_y"]
    options |= {"unit_diagonal": True, "solver": "inverse"}
    expected = reference.number("out_loss") if "inv" in case else mmcl(*given, **options).item()
    loss = mmcl(*(rows.float() for rows in given), **options)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("case", [case for case in CASES if case[13:15] not in ("03", "04", "05")])
def test_exact_is_the_reference_solution(case: str):
    reference, options, _ = golden_mmcl(case)
    expected = reference["ref_alpha_exact"]
    close(mmcl_alphas(reference["in_x"], **options), expected, 1e-10)
    loss = mmcl(reference["in_x"], reference["in_y"], **options).item()
    assert loss == pytest.approx(reference.number("ref_loss_exact"), rel=1e-9)
    close(mmcl_alphas(reference["in_x"].float(), **options).double(), expected, 1e-5)


@pytest.mark.parametrize("case", [case for case in CASES if "pgd" in case])
def test_the_published_iteration_stops_where_it_stopped(case: str):
    reference, options, steps = golden_mmcl(case)
    taken = int(reference.number("out_iters_run"))
    for iterations, same in ((taken, True), (taken - 1, False)):
        limited = solver_of(case, reference, steps | {"iterations": iterations})
        alphas = mmcl_alphas(reference["in_x"], unit_diagonal=True, **options, **limited)
        assert (
            torch.equal(
                alphas, mmcl_alphas(reference["in_x"], **options, **solver_of(case, reference, steps))
            )
            == same
        )


# What must hold


@few
@given(pairs(8), svms, st.sampled_from(["exact", "inverse", "projected_gradient"]))
def test_alphas_lie_in_the_box_and_no_anchor_is_its_own_negative(given, options, solver):
    alphas = mmcl_alphas(given[0], solver=solver, **options)
    assert not alphas.requires_grad
    assert alphas.min() == 0 == alphas.diagonal().abs().max()
    assert alphas.max() <= (options["penalty"] or math.inf)


@few
@given(pairs(8), svms)
def test_the_duality_gap_is_nil(given, options):
    x, _ = given
    alphas, rows = mmcl_alphas(x, **options), oracles.units(x)
    bound = math.inf if options["penalty"] is None else options["penalty"]
    shape = (options["kernel"], options["bandwidth"])
    r = options["regularisation"]
    for i in range(len(rows)):
        others = [j for j in range(len(rows)) if j != i]
        a = alphas[i, others].numpy()
        kernel = oracles.delta(rows[i], [rows[j] for j in others], *shape, 0.0)
        short = (2 - kernel @ a).clip(0)
        # The cheaper of two prices: squared up to alpha = bound, straight beyond.
        squared = short.clip(max=r * bound) if math.isfinite(bound) else short
        primal = a @ kernel @ a / 2 + (squared**2 / (2 * r) + (short - squared) * min(bound, 1e30)).sum()
        dual = 2 * a.sum() - a @ kernel @ a / 2 - r * (a @ a) / 2
        assert primal == pytest.approx(dual, rel=1e-7, abs=1e-9)


@few
@given(pairs(8), svms)
def test_exact_never_has_a_larger_objective_than_inverse_and_is_it_where_nothing_is_clipped(given, options):
    x, _ = given
    solved, clipped = (mmcl_alphas(x, solver=solver, **options) for solver in ("exact", "inverse"))
    free = mmcl_alphas(x, solver="inverse", **options | {"penalty": None})
    if (free[~torch.eye(len(x), dtype=torch.bool)] > 0).all() and free.max() <= (
        options["penalty"] or math.inf
    ):
        close(solved, clipped, 1e-9)
    rows = oracles.units(x)
    for i in range(len(rows)):
        others = [j for j in range(len(rows)) if j != i]
        shape = (options["kernel"], options["bandwidth"], options["regularisation"])
        delta = oracles.delta(rows[i], [rows[j] for j in others], *shape)
        values = [
            a @ delta @ a / 2 - 2 * a.sum() for a in (solved[i, others].numpy(), clipped[i, others].numpy())
        ]
        assert values[0] <= values[1] + 1e-9 * max(1, abs(values[1]))


def test_a_penalty_of_a_hundred_is_none():
    x, y = some(12)
    # An alpha above 2 / regularisation = 20 would need a negative on the wrong side.
    assert mmcl(x, y, **USUAL, penalty=100.0).item() == pytest.approx(mmcl(x, y, **USUAL).item(), rel=1e-12)


@pytest.mark.parametrize("solver", ["exact", "inverse"])
@pytest.mark.parametrize("regularisation", [0.01, 0.1, 1.0])
def test_features_that_are_equally_alike_have_equal_alphas(solver: str, regularisation: float):
    corners = torch.eye(6, dtype=torch.float64)
    alphas = mmcl_alphas(corners, kernel="rbf", bandwidth=2.0, regularisation=regularisation, solver=solver)
    expected = 2 / ((1 - math.exp(-1)) * 6 + regularisation)
    torch.testing.assert_close(alphas, expected * (1 - corners), rtol=1e-10, atol=1e-12)


@few
@given(svms, st.floats(-1, 1))
def test_two_samples_have_the_closed_form(options, cosine):
    x = torch.tensor([[1, 0], [cosine, math.sqrt(1 - cosine**2)]], dtype=torch.float64)
    shape = (options["kernel"], options["bandwidth"])
    a, b = x.tolist()
    apart = oracles.kernel(a, a, *shape) + oracles.kernel(b, b, *shape) - 2 * oracles.kernel(a, b, *shape)
    expected = min(2 / (apart + options["regularisation"]), options["penalty"] or math.inf)
    for solver in ("exact", "inverse"):
        alphas = mmcl_alphas(x, solver=solver, **options)
        close(alphas, torch.tensor([[0, expected], [expected, 0]], dtype=torch.float64), 1e-8)


@few
@given(pairs(8), svms, st.randoms(use_true_random=False))
def test_order_and_length_change_nothing(given, options, random):
    x, y = given
    order = random.sample(range(len(x)), len(x))
    alphas = mmcl_alphas(x, **options)
    close(mmcl_alphas(2 * x[order], **options), alphas[order][:, order], 1e-8)
    difference = mmcl(3 * x[order], 0.2 * y[order], **options) - mmcl(x, y, **options)
    assert abs(difference) <= 1e-8 * (1 + alphas.sum(1).mean())


@few
@given(pairs(8), svms.filter(lambda options: options["kernel"] != "min"), st.integers(0, 2**32))
def test_rotations_change_nothing(given, options, seed):
    x, y = given
    d, generator = x.shape[1], torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    alphas = mmcl_alphas(x, **options)
    close(mmcl_alphas(x @ rotation, **options), alphas, 1e-8)
    difference = mmcl(x @ rotation, y @ rotation, **options) - mmcl(x, y, **options)
    assert abs(difference) <= 1e-8 * (1 + alphas.sum(1).mean())


@few
@given(pairs(8), svms)
def test_at_the_anchor_itself_no_decision_value_is_negative(given, options):
    x, _ = given
    assert mmcl(x, x, **options) <= 1e-9


@pytest.mark.parametrize("penalty", [None, 0.4])
def test_a_wide_rbf_kernel_is_the_linear_one_with_a_softer_margin(penalty: float | None):
    x, _ = some(8, 5)
    bandwidth, regularisation = 1e7, 1e-8
    wide = mmcl_alphas(
        x,
        kernel="rbf",
        bandwidth=bandwidth,
        regularisation=regularisation,
        penalty=penalty and penalty * bandwidth / 2,
    )
    linear = mmcl_alphas(
        x, kernel="linear", bandwidth=1.0, regularisation=regularisation * bandwidth / 2, penalty=penalty
    )
    close(wide * 2 / bandwidth, linear, 1e-6)


@few
@given(pairs(8), svms)
def test_symmetric_is_the_mean_of_both_directions(given, options):
    x, y = given
    expected = (mmcl(x, y, **options) + mmcl(y, x, **options)) / 2
    torch.testing.assert_close(mmcl(x, y, symmetric=True, **options), expected, rtol=1e-12, atol=1e-12)


def test_published_it_is_not_symmetric():
    x, y = some()
    assert mmcl(x, y, **USUAL) == mmcl(x, y, **USUAL, symmetric=False, solver="exact", unit_diagonal=False)
    assert abs(mmcl(x, y, **USUAL) - mmcl(y, x, **USUAL)) > 1e-3


def test_a_share_of_one_is_the_plain_loss_and_of_nothing_the_partners():
    x, m = some()
    partner = torch.tensor([3, 0, 1, 2, 6, 4, 5])
    whole = torch.ones(7, dtype=torch.float64)
    torch.testing.assert_close(
        mixed_mmcl(m, x, partner, whole, **USUAL), mmcl(x, m, **USUAL), rtol=1e-12, atol=0
    )
    swapped = mixed_mmcl(m, x, torch.arange(7), 0.3 * whole, **USUAL)
    torch.testing.assert_close(swapped, mmcl(x, m, **USUAL), rtol=1e-12, atol=0)


def test_a_queue_in_place_of_the_other_rows_is_the_batch_form():
    x, y = some()
    others = torch.cat([x[:3], x[4:]])
    loss = mmcl_queue(y[3:4], x[3:4], others, **USUAL, penalty=0.4)
    alphas = mmcl_alphas(x, **USUAL, penalty=0.4)
    expected = 7 * oracles.mmcl(x, y, alphas * (torch.arange(7) == 3)[:, None], USUAL)
    assert loss.item() == pytest.approx(expected, rel=1e-10)


# Gradients


@pytest.mark.parametrize("kernel", [*POSITIVE, "tanh"])
def test_the_gradient_is_that_of_the_loss_with_alphas_held_fixed(kernel: str):
    x, y = (rows.requires_grad_() for rows in some(5, 4))
    options = {"kernel": kernel, "bandwidth": 0.7, "regularisation": 0.8, "penalty": 0.6}
    alphas = mmcl_alphas(x, **options)

    def held(z1: Tensor, z2: Tensor) -> Tensor:
        values = kernel_matrix(unit_rows(z2), unit_rows(z1), kernel, 0.7)
        return (alphas * (values - values.diagonal()[:, None])).sum() / 5

    assert torch.autograd.gradcheck(held, (x, y))
    expected = torch.autograd.grad(held(x, y), (x, y))
    found = torch.autograd.grad(mmcl(x, y, **options), (x, y))
    for gradient, one in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, one, rtol=1e-9, atol=1e-12)


def test_differences_of_the_whole_loss_are_another_gradient():
    x, y = some(5, 4)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(mmcl(x, y, **USUAL), x)
    step = torch.zeros_like(x)
    step[0, 0] = 1e-5
    with torch.no_grad():
        slope = (mmcl(x + step, y, **USUAL) - mmcl(x - step, y, **USUAL)) / 2e-5
    assert abs(slope - gradient[0, 0]) > 1e-3


def test_gradients_reach_query_and_mixture_but_neither_key_nor_queue():
    query, key, queue = (rows.requires_grad_() for rows in (*some(4), some(6, seed=1)[0]))
    mmcl_queue(query, key, queue, **USUAL).backward()
    assert query.grad.abs().max() > 0
    assert key.grad is None is queue.grad
    assert torch.autograd.gradcheck(lambda q: mmcl_queue(q, key, queue, **USUAL), query)
    m, x = (rows.requires_grad_() for rows in some(4))
    mixed_mmcl(
        m, x, torch.tensor([1, 0, 3, 2]), torch.full((4,), 0.7, dtype=torch.float64), **USUAL
    ).backward()
    assert m.grad.abs().max() > 0 < x.grad.abs().max()
    assert torch.autograd.gradcheck(
        lambda rows: mixed_mmcl(rows, x.detach(), torch.tensor([1, 0, 3, 2]), torch.full((4,), 0.7), **USUAL),
        m,
    )


# The duals


def duals(kernel: str, regularisation: float = 0.1) -> list[tuple[DualBatch | Queue, list]]:
    """One of each kind, and the oracle's matrices of its anchors, each with the columns they belong to."""
    x, keys = unit_rows(some(6)[0]), unit_rows(some(4, seed=1)[0])
    between, towards = kernel_matrix(x, x, kernel, 2.0), kernel_matrix(keys, x, kernel, 2.0)
    numbers = (regularisation, 1.0)
    own = kernel_matrix(keys, keys, kernel, 2.0).diagonal()
    batch = DualBatch.of(between, torch.zeros(6, dtype=torch.float64), *numbers)
    one = DualBatch.of(between, 1 - (between.diagonal() + (kernel == "rbf")), *numbers)
    queue = Queue.of(between, towards, own, *numbers)
    rows, shape = x.tolist(), (kernel, 2.0, regularisation)
    others = [[j for j in range(6) if j != i] for i in range(6)]
    without = [[rows[j] for j in columns] for columns in others]
    of_batch, of_one = (
        [(c, oracles.delta(a, w, *shape, one=flag)) for a, w, c in zip(rows, without, others, strict=True)]
        for flag in (False, True)
    )
    of_queue = [(list(range(6)), oracles.delta(key, rows, *shape)) for key in keys.tolist()]
    return [(batch, of_batch), (one, of_one), (queue, of_queue)]


@pytest.mark.parametrize("kernel", [*POSITIVE, "tanh"])
def test_products_and_solutions_are_those_of_each_anchors_own_matrix(kernel: str):
    for dual, matrices in duals(kernel, regularisation=1.0):
        given = dual.masked(
            torch.randn(dual.zeros().shape, generator=torch.Generator().manual_seed(2)).double()
        )
        products = dual.hessian(given.clone())
        for shift in (0.0, 0.7):
            solutions = dual.resolvent(shift).solve(given.clone())
            for i, (columns, matrix) in enumerate(matrices):
                vector = given[i, columns].numpy()
                shifted = torch.from_numpy(matrix) + shift * torch.eye(len(matrix), dtype=torch.float64)
                close(products[i, columns], torch.from_numpy(matrix @ vector), 1e-12)
                close(shifted @ solutions[i, columns], given[i, columns], 1e-10)


@pytest.mark.parametrize("kernel", POSITIVE)
def test_the_spread_is_the_mean_squared_distance_of_anchors_and_negatives(kernel: str):
    (batch, of_batch), _, (queue, of_queue) = duals(kernel, regularisation=0.0)
    for dual, matrices in ((batch, of_batch), (queue, of_queue)):
        expected = sum(matrix.diagonal().mean() for _, matrix in matrices) / len(matrices)
        assert dual.spread().item() == pytest.approx(expected, rel=1e-10)


def test_a_resolvent_knows_whether_every_matrix_is_positive_definite():
    nothing = torch.zeros(2, 2)
    for own, convex in (([3.0, 1.0], True), ([3.0, -1.0], False)):
        batch, queue = (
            DualBatch(nothing, 0.1, 1.0, torch.tensor(own)),
            Queue(nothing, 0.1, 1.0, nothing, torch.tensor(own)),
        )
        for found in (batch.resolvent(0.0), queue.resolvent(0.0)):
            assert found.factored
            assert found.convex == convex
    outside = torch.tensor([[-1.0, 1.0], [1.0, -1.0]])
    assert not DualBatch(outside, 0.1, 1.0, torch.zeros(2)).resolvent(0.0).factored
    assert DualBatch(outside, 0.1, 1.0, torch.zeros(2)).resolvent(5.0).factored


def test_duals_and_options_are_frozen():
    for frozen, _ in duals("rbf"):
        with pytest.raises(FrozenInstanceError):
            frozen.penalty = 2.0
    with pytest.raises(FrozenInstanceError):
        ProjectedGradient().step = 2.0


# Diagnostics


@few
@given(pairs(8), svms)
def test_diagnostics_are_what_they_say(given, options):
    x, _ = given
    found = mmcl_diagnostics(x, **options)
    alphas, rows = mmcl_alphas(x, **options), oracles.units(x)
    n, margins, zero, bound = len(x), [], 0, 0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        a = alphas[i, others].numpy()
        kernel = oracles.delta(
            rows[i], [rows[j] for j in others], options["kernel"], options["bandwidth"], 0.0
        )
        margins.append(2 / math.sqrt(max(a @ kernel @ a, 1e-30)))
        zero += int((a == 0).sum())
        bound += int((a == options["penalty"]).sum())
    if min(margins) > 0 and max(margins) < 1e6:
        assert found.margin.item() == pytest.approx(sum(margins) / n, rel=1e-6)
    assert found.share_zero.item() == pytest.approx(zero / (n * (n - 1)))
    assert found.share_at_penalty.item() == pytest.approx(bound / (n * (n - 1)))
    assert found.kkt_residual <= 1e-9


def test_the_residual_tells_the_solvers_apart():
    x, _ = some(12)
    residuals = {
        solver: mmcl_diagnostics(x, **USUAL, solver=solver).kkt_residual for solver in ("exact", "inverse")
    }
    assert residuals["exact"] < 1e-12
    assert residuals["inverse"] > 1e-2
    assert residuals["inverse"].item() == pytest.approx(
        residual(x, mmcl_alphas(x, **USUAL, solver="inverse"), USUAL | {"penalty": None}), rel=1e-9
    )


def test_a_smaller_penalty_and_more_regularisation_widen_the_margin():
    x, _ = some(32, 16)
    by_penalty = [mmcl_diagnostics(x, **USUAL, penalty=p).margin for p in (None, 0.3, 0.1, 0.03)]
    by_regularisation = [
        mmcl_diagnostics(x, **USUAL | {"regularisation": r}).margin for r in (0.01, 0.1, 1.0)
    ]
    assert by_penalty == sorted(by_penalty)
    assert by_regularisation == sorted(by_regularisation)
    assert by_penalty[0] < by_penalty[-1] / 1.5


# The published iteration


def test_without_a_start_it_is_drawn_from_the_seed():
    x, y = some()
    few = ProjectedGradient(iterations=2)
    losses = [
        mmcl(x, y, **USUAL, solver="projected_gradient", projected_gradient=options)
        for options in (few, ProjectedGradient(iterations=2, seed=0), ProjectedGradient(iterations=2, seed=1))
    ]
    assert losses[0] == losses[1] != losses[2]


def test_the_first_alphas_are_the_positive_parts_of_normal_draws_within_the_box():
    x, _ = some(64, 5)
    untouched = ProjectedGradient(iterations=0)
    alphas = mmcl_alphas(x, **USUAL, penalty=1.0, solver="projected_gradient", projected_gradient=untouched)
    drawn = alphas[~torch.eye(64, dtype=torch.bool)]
    for share, expected in (((drawn == 0), 0.5), ((drawn == 1), 0.1587), ((drawn < 0.5), 0.6915)):
        assert share.double().mean().item() == pytest.approx(expected, abs=0.02)


def test_first_coefficients_are_drawn_from_all_of_the_unit_interval():
    # One step with momentum v = a + t(1 - t) / (t² + t') (a - a_0) tells t apart; it must differ from seed to seed.
    x, _ = some()
    start = torch.ones(7, 7, dtype=torch.float64)
    found = {
        mmcl_alphas(
            x,
            **USUAL,
            solver="projected_gradient",
            projected_gradient=ProjectedGradient(iterations=2, start=start, seed=seed, stop=0.0),
        )[0, 1].item()
        for seed in range(5)
    }
    assert len(found) == 5


@pytest.mark.parametrize("accelerated", [True, False])
def test_run_for_long_it_is_the_exact_solution(accelerated: bool):
    x, _ = some()
    long = ProjectedGradient(iterations=20000, normalised_step=True, stop=1e-13, accelerated=accelerated)
    alphas = mmcl_alphas(x, **USUAL, penalty=0.5, solver="projected_gradient", projected_gradient=long)
    close(alphas, mmcl_alphas(x, **USUAL, penalty=0.5), 1e-9)


def test_the_given_start_is_left_as_it_is():
    x, _ = some()
    start = torch.full((7, 7), 3.0, dtype=torch.float64)
    options = ProjectedGradient(iterations=3, start=start, first_coefficient=0.5)
    mmcl_alphas(x, **USUAL, penalty=1.0, solver="projected_gradient", projected_gradient=options)
    assert (start == 3).all()


# Numbers


@pytest.mark.parametrize("kernel", POSITIVE)
@pytest.mark.parametrize("bandwidth", [0.5, 50.0])
def test_float32_keeps_up_with_float64(kernel: str, bandwidth: float):
    x, y = some(48, 32)
    options = {"kernel": kernel, "bandwidth": bandwidth, "regularisation": 0.1, "penalty": 0.8}
    alphas = mmcl_alphas(x, **options)
    close(mmcl_alphas(x.float(), **options).double(), alphas, 1e-4)
    assert mmcl(x.float(), y.float(), **options).item() == pytest.approx(
        mmcl(x, y, **options).item(), rel=2e-5
    )


@pytest.mark.parametrize("kernel", POSITIVE)
@pytest.mark.parametrize("solver", ["exact", "inverse", "projected_gradient"])
def test_autocast_does_not_coarsen_it(kernel: str, solver: str):
    x, y = (rows.float() for rows in some())
    options = USUAL | {"kernel": kernel, "solver": solver}
    expected = mmcl(x, y, **options), *mmcl_diagnostics(x, **options)
    queued = mmcl_queue(x, y, x, **USUAL | {"kernel": kernel})
    with torch.autocast("cpu", torch.bfloat16):
        found = mmcl(x, y, **options), *mmcl_diagnostics(x, **options)
        assert mmcl_queue(x, y, x, **USUAL | {"kernel": kernel}) == queued
    assert found == expected
    assert mmcl(x.bfloat16(), y.bfloat16(), **options).dtype == torch.float32


def test_a_batch_of_common_size_is_solved_to_the_last_digits():
    for kernel, bandwidth, penalty in (("rbf", 10.0, None), ("rbf", 0.5, 0.05), ("linear", 1.0, 0.3)):
        options = {"kernel": kernel, "bandwidth": bandwidth, "regularisation": 0.1, "penalty": penalty}
        assert mmcl_diagnostics(some(128, 32)[0], **options).kkt_residual < 1e-9
        assert mmcl_diagnostics(some(128, 32)[0].float(), **options).kkt_residual < 1e-4


def test_the_number_of_products_is_fixed(monkeypatch: pytest.MonkeyPatch):
    counts = {"hessian": 0, "solve": 0}
    hessian, resolvent = DualBatch.hessian, DualBatch.resolvent

    def counted(name, function):
        def call(*arguments):
            counts[name] += 1
            return function(*arguments)

        return call

    def counting_resolvent(dual, shift):
        found = resolvent(dual, shift)
        return found._replace(solve=counted("solve", found.solve))

    monkeypatch.setattr(DualBatch, "hessian", counted("hessian", hessian))
    monkeypatch.setattr(DualBatch, "resolvent", counting_resolvent)
    for solver, expected in (
        ("exact", {"hessian": 8 * 13, "solve": 40}),
        ("inverse", {"hessian": 2, "solve": 2}),
    ):
        for x, _ in (some(4), some(40)):
            counts.update(hessian=0, solve=0)
            mmcl_alphas(x, **USUAL, solver=solver)
            assert counts == expected


def test_when_all_embeddings_agree_it_is_nil():
    same = torch.ones(4, 3, dtype=torch.float64).requires_grad_()
    for solver in ("exact", "inverse", "projected_gradient"):
        loss = mmcl(same, same, **USUAL, solver=solver)
        loss.backward()
        assert loss.item() == pytest.approx(0, abs=1e-9)
        assert torch.isfinite(same.grad).all()
    assert mmcl_diagnostics(same, **USUAL).margin > 1e6


# What has no meaning


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        (((4, 3), (3, 3)), {}, r"z1 \(4, 3\) and z2 \(3, 3\)"),
        (((0, 3), (0, 3)), {}, "not empty"),
        (((1, 3), (1, 3)), {}, "1 sample given; needs 2 or more"),
        (((4, 3), (4, 3)), {"bandwidth": 0.0}, "bandwidth=0.0"),
        (((4, 3), (4, 3)), {"regularisation": -0.1}, "regularisation=-0.1"),
        (((4, 3), (4, 3)), {"penalty": 0.0}, "penalty=0.0"),
        (
            ((4, 3), (4, 3)),
            {"kernel": "gauss"},
            "kernel='gauss' given; needs one of rbf, linear, tanh, polynomial, min",
        ),
        (
            ((4, 3), (4, 3)),
            {"solver": "inv"},
            "solver='inv' given; needs one of exact, inverse, projected_gradient",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(shapes, options, message: str, monkeypatch: pytest.MonkeyPatch):
    given = [torch.ones(shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        unchecked(mmcl, monkeypatch)(*given, **{**USUAL, **options})


def unchecked(function, monkeypatch: pytest.MonkeyPatch):
    """Without the type checks of the test suite, which would refuse shapes and names first."""
    for module in (inspect.getmodule(inspect.unwrap(function)), mmcl_duals):
        for name in {"mmcl_alphas", "kernel_matrix", "_solved", "solve"} & vars(module).keys():
            monkeypatch.setattr(module, name, inspect.unwrap(getattr(module, name)))
    return inspect.unwrap(function)


@pytest.mark.parametrize(
    ("function", "shapes", "options", "message"),
    [
        (mmcl_queue, ((4, 3), (3, 3), (5, 3)), {}, r"mmcl_queue: query \(4, 3\) and key \(3, 3\)"),
        (mmcl_queue, ((4, 3), (4, 3), (5, 2)), {}, r"mmcl_queue: queue \(5, 2\)"),
        (mmcl_queue, ((4, 3), (4, 3), (0, 3)), {}, r"mmcl_queue: queue \(0, 3\)"),
        (mmcl_queue, ((4, 3), (4, 3), (5, 3)), {"bandwidth": math.nan}, "mmcl_queue: bandwidth=nan"),
        (mmcl_queue, ((4, 3), (4, 3), (5, 3)), {"penalty": -1.0}, "mmcl_queue: penalty=-1.0"),
        (
            mmcl_queue,
            ((4, 3), (4, 3), (5, 3)),
            {"solver": "projected_gradient"},
            "solver='projected_gradient'",
        ),
        (mixed_mmcl, ((4, 3), (3, 3)), {}, r"mixed_mmcl: mixture \(4, 3\) and z1 \(3, 3\)"),
    ],
)
def test_what_has_no_meaning_is_refused_by_the_other_forms(
    function, shapes, options, message: str, monkeypatch
):
    given = [torch.ones(shape) for shape in shapes]
    if function is mixed_mmcl:
        given += [torch.arange(4), torch.ones(4)]
    with pytest.raises(ValueError, match=message):
        unchecked(function, monkeypatch)(*given, **{**USUAL, **options})


def test_a_kernel_that_is_not_positive_is_refused_with_the_remedy():
    x = torch.tensor([[1, 0], [0.9, 0.1], [0.5, 0.5], [0, 1], [-0.3, 0.9], [-1, 0.1]], dtype=torch.float64)
    sharp = {"kernel": "tanh", "bandwidth": 20.0}
    for solver in ("exact", "inverse"):
        with pytest.raises(
            ValueError, match="kernel='tanh' is not positive definite on this batch; needs a larger"
        ):
            mmcl_alphas(x, **sharp, regularisation=1e-3, solver=solver)
        with pytest.raises(ValueError, match="kernel='tanh' is not positive definite"):
            mmcl_queue(x, x, x, **sharp, regularisation=1e-3, solver=solver)
        assert mmcl_alphas(x, **sharp, regularisation=5.0, solver=solver).max() > 0
        assert torch.isfinite(mmcl_queue(x, x, x, **sharp, regularisation=5.0, solver=solver))


def test_duals_made_concave_by_the_published_one_are_refused_by_exact_alone():
    reference, options, _ = golden_mmcl("imagenet_inv_05_min")
    with pytest.raises(ValueError, match="kernel='min' is not positive definite .* unit_diagonal=False"):
        mmcl_alphas(reference["in_x"], unit_diagonal=True, **options)
    assert mmcl_alphas(reference["in_x"], unit_diagonal=True, solver="inverse", **options).max() > 0
    options["regularisation"] = 20.0
    alphas = mmcl_alphas(reference["in_x"], unit_diagonal=True, **options)
    close(alphas, oracles.alphas(reference["in_x"], options, "exact", one=True), 1e-9)
