# `make sweep` and `make test` are all one needs; each sets up .venv when it is missing.
# Tests run two at a time, and then the sweeps of the end-to-end tests, each of which takes all cores, one by one.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: sweep test gpu install clean

sweep: install
	$(BIN)/python sweeps/run.py --space sce_temperatures

test: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not end_to_end"
	$(BIN)/python -m pytest -m end_to_end

# What a GPU computes, and how fast; says so and fails nothing where there is none.
gpu: install
	$(BIN)/python -m pytest -q tests/gpu
	$(BIN)/python tests/benchmarks/gpu.py

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch .venv/installed

clean:
	rm -rf .venv
