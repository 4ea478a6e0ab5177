"""What a command or a package must not load to start: each takes longer than all that is asked of it."""

import ast
import subprocess
import sys

import pytest

from contrastive.kinds import meanings
from contrastive.optimiser import SGD

STATISTICS = ("scipy", "sklearn", "matplotlib", "pandas")
TRAINING = ("torch", "ray", "optuna")
RUN = "from sweeps.run import main\ntry: main({})\nexcept SystemExit: pass"
CLAIMS = {
    "sweeps --help": (RUN.format(["--help"]), ("pydantic", "numpy", "pyarrow", *TRAINING, *STATISTICS)),
    "sweeps --list": (RUN.format(["--list"]), (*TRAINING, *STATISTICS)),
    "sweeps --show METHOD": (RUN.format(["--show", "sce"]), (*TRAINING, *STATISTICS)),
    "sweeps --show SPACE": (RUN.format(["--show", "cacr_ablation"]), (*TRAINING, *STATISTICS)),
    "the store": ("import sweeps.store", ("pydantic", *TRAINING, *STATISTICS)),
    "the analysis": ("import analysis", ("numpy", *TRAINING, *STATISTICS)),
    "the spaces": ("import search_spaces", ("pyarrow", "duckdb", *TRAINING, *STATISTICS)),
    "what carries a sweep out": (
        "import sweeps.sessions.session",
        ("scipy", "sklearn", "matplotlib", "ray.train.torch", "duckdb"),
    ),
    "a process that times steps": (
        "import sweeps.backend.probe",
        ("ray", "optuna", "pyarrow", "search_spaces", *STATISTICS),
    ),
    "a process that trains": (
        "import sweeps.backend.trainable",
        (
            "optuna",
            "scipy",
            "sklearn",
            "matplotlib",
            "search_spaces",
            "sweeps.planning",
            "torch._dynamo",
            "ray.train.torch",
            "duckdb",
        ),
    ),
}


def loaded(program: str, names: tuple[str, ...]) -> list[str]:
    """Which of these modules a program has loaded in a fresh process."""
    ask = f"{program}\nimport sys; sys.stderr.write(repr(sorted({set(names)} & sys.modules.keys())))"
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, timeout=120, check=True
    )
    return ast.literal_eval(done.stderr.splitlines()[-1])


@pytest.mark.parametrize("what", CLAIMS)
def test_it_loads_nothing_that_it_has_no_use_for(what: str) -> None:
    program, unused = CLAIMS[what]
    assert loaded(program, unused) == []


@pytest.mark.parametrize("module", ["sessions.session", "backend.trainable", "backend.probe"])
def test_a_process_that_ends_looks_for_no_garbage_in_what_it_has_imported(module: str) -> None:
    last = "import atexit, gc, sys; atexit.register(lambda: sys.stderr.write(str(gc.get_freeze_count() > 50_000)))"
    program = f"{last}\nimport sweeps.{module}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stderr == "True"


def test_what_is_said_of_fields_is_read_from_the_source_on_demand() -> None:
    read = "[path for path in linecache.cache if 'contrastive' in path]"
    program = f"import linecache, sys, contrastive.config; sys.stderr.write(repr({read}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stderr == "[]"
    assert meanings(SGD)["lr_scaling"].startswith(
        "The peak for a global batch"
    )  # which it has from another class
