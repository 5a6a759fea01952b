# make run: everything from installation to figures. make test: every test. Both are quick again.
PYTHON ?= python3
OPTIONS ?=
JOBS ?= 2

BIN := .venv/bin
STAMP := .venv/installed
RUNS := data/runs
FIGURES := data/figures
EXPERIMENTS := rosenbrock linear_regression phase_diagram
PICTURES := $(addprefix $(FIGURES)/,rosenbrock_contour.png rosenbrock_surface.png \
	rosenbrock_report.png \
	linear_regression_contour.png linear_regression_surface.png linear_regression_report.png \
	phase_diagram.png)

.PHONY: run experiments figures gallery test lowest wheel arm parity frameworks docs lint types format clean
.DELETE_ON_ERROR:

run: experiments
	@$(MAKE) --no-print-directory figures
	@echo
	@echo "results: $(addsuffix .h5,$(addprefix $(RUNS)/,$(EXPERIMENTS)))"
	@echo "figures: $(PICTURES)"

# OPTIONS=--overwrite replaces results whose experiment file has changed.
experiments: $(STAMP)
	@mkdir -p $(RUNS)
	@set -e; for name in $(EXPERIMENTS); do \
		$(BIN)/fastmomentum run experiments/$$name.toml -o $(RUNS)/$$name.h5 $(OPTIONS); \
	done

figures: $(PICTURES)
	@:

$(FIGURES):
	@mkdir -p $@

DRAWING := $(wildcard fastmomentum/plots/*.py fastmomentum/plots/pages/*.py fastmomentum/cli/picture*.py) | $(STAMP) $(FIGURES)
FOUNDING := --lr 1.5e-5 --momentum 0.9 --lr 1.5e-4 --momentum 0.9 --lr 1.5e-5 --momentum 0 --start 0
REGRESSION := --lr 0.01 --momentum 0 --lr 0.01 --momentum 0.5 --lr 0.01 --momentum 0.9 --start 0

$(FIGURES)/rosenbrock_contour.png: $(RUNS)/rosenbrock.h5 experiments/plot_contour.py $(DRAWING)
	@$(BIN)/python experiments/plot_contour.py $< -o $@ $(FOUNDING)

$(FIGURES)/rosenbrock_surface.png: $(RUNS)/rosenbrock.h5 experiments/plot_surface.py $(DRAWING)
	@$(BIN)/python experiments/plot_surface.py $< -o $@ $(FOUNDING)

$(FIGURES)/linear_regression_contour.png: $(RUNS)/linear_regression.h5 experiments/plot_contour.py $(DRAWING)
	@$(BIN)/python experiments/plot_contour.py $< -o $@ $(REGRESSION)

$(FIGURES)/linear_regression_surface.png: $(RUNS)/linear_regression.h5 experiments/plot_surface.py $(DRAWING)
	@$(BIN)/python experiments/plot_surface.py $< -o $@ $(REGRESSION)

$(FIGURES)/rosenbrock_report.png: $(RUNS)/rosenbrock.h5 experiments/plot_report.py $(DRAWING)
	@$(BIN)/python experiments/plot_report.py $< -o $@ --lr 1.5e-5 --momentum 0.9 --start 0

$(FIGURES)/linear_regression_report.png: $(RUNS)/linear_regression.h5 experiments/plot_report.py $(DRAWING)
	@$(BIN)/python experiments/plot_report.py $< -o $@ --lr 0.01 --momentum 0.9 --start 0

$(FIGURES)/phase_diagram.png: $(RUNS)/phase_diagram.h5 experiments/plot_phase.py $(DRAWING)
	@$(BIN)/python experiments/plot_phase.py $< -o $@

# Runs and draws what the README shows, in about two minutes; results go to data/runs/gallery.
gallery: $(STAMP)
	@sh experiments/gallery/draw.sh $(BIN) $(RUNS)/gallery data/gallery

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing fastmomentum and what it needs into .venv; this takes a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

test: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses $(JOBS)

# The lowest versions that pyproject.toml allows, and the suite with them. The oldest of them have wheels
# for Python 3.11 only: elsewhere, make lowest LOWEST_PYTHON=python3.11.
LOWEST := .venv-lowest
LOWEST_PYTHON ?= $(PYTHON)
# What old releases still call, newer ones of what they need call deprecated. Of modules that were built
# with a newer NumPy, NumPy itself ignores that arrays have grown.
LOWEST_WARNINGS := -W default::DeprecationWarning -W default::PendingDeprecationWarning \
	-W "ignore:numpy.ndarray size changed:RuntimeWarning"
LOWEST_PIP = $(LOWEST)/bin/python -m pip --quiet --disable-pip-version-check install

lowest: $(LOWEST)/installed
	@$(LOWEST)/bin/python -m pytest --numprocesses $(JOBS) $(LOWEST_WARNINGS)

$(LOWEST)/installed: pyproject.toml .ci/lowest.py | $(STAMP)
	@$(LOWEST_PYTHON) -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" \
		|| { echo "make lowest needs Python 3.11; name one: make lowest LOWEST_PYTHON=python3.11"; exit 1; }
	@test -x $(LOWEST)/bin/python || $(LOWEST_PYTHON) -m venv $(LOWEST)
	@echo "installing the lowest versions of what fastmomentum needs into $(LOWEST); this takes a minute"
	@$(BIN)/python .ci/lowest.py > $(LOWEST)/constraints.txt
	@$(LOWEST_PIP) --constraint $(LOWEST)/constraints.txt --editable ".[dask,dev]"
	@touch $@

# What `pip install` gives to someone without a clone: the wheel and what it needs, in an environment of
# its own, draws every kind of picture.
WHEEL := .venv-wheel

wheel: $(STAMP)
	@rm -rf build $(WHEEL) && $(PYTHON) -m venv $(WHEEL)
	@echo "building the wheel and installing it, with what it needs, into $(WHEEL); this takes a minute"
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL)/built .
	@$(WHEEL)/bin/python -m pip install --quiet --disable-pip-version-check $(WHEEL)/built/*.whl
	@$(WHEEL)/bin/python -I tests/wheel/draw_all.py $(WHEEL)/drawn

# Digests of an ARM machine, emulated, against this one's. Its user-land, 600 MB, is built into .arm
# once; where Debian's debootstrap and qemu-user-static are not, or no packages, that is told.
arm: $(STAMP)
	@if ! command -v debootstrap > /dev/null || ! command -v qemu-aarch64-static > /dev/null; then \
		echo "make arm: skipped; it needs debootstrap and qemu-user-static, both packages of Debian"; \
	else \
		$(BIN)/python tests/arm/compare.py .arm; \
	fi

# In an environment of their own: they take 3 GB. torch from PyPI would bring several GB of CUDA along
# on Linux, so its CPU build comes first, from where pip finds one or else from PyTorch's own index.
PARITY := .venv-parity
TORCH ?= 2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PARITY_PIP = $(PARITY)/bin/python -m pip --quiet --disable-pip-version-check install

parity: $(PARITY)/installed
	@EVERY_FRAMEWORK=1 $(PARITY)/bin/python -m pytest tests/parity

frameworks: $(PARITY)/installed
	@mkdir -p $(FIGURES)
	@$(PARITY)/bin/python experiments/compare_frameworks.py -o $(FIGURES)/frameworks.png
	@$(PARITY)/bin/python experiments/compare_rules.py

$(PARITY)/installed: pyproject.toml
	@test -x $(PARITY)/bin/python || $(PYTHON) -m venv $(PARITY)
	@echo "installing TensorFlow, PyTorch, JAX, optax and qhoptim into $(PARITY); this takes minutes and 3 GB"
	@$(PARITY)/bin/python -c "import torch" 2>/dev/null \
		|| $(PARITY_PIP) --no-deps "torch==$(TORCH)+cpu" 2>/dev/null \
		|| $(PARITY_PIP) --no-deps --index-url $(TORCH_INDEX) "torch==$(TORCH)"
	@$(PARITY_PIP) --editable ".[frameworks]" hypothesis pytest
	@touch $@

# The README's tables of rules and objectives, from the registries.
docs: $(STAMP)
	@$(BIN)/python experiments/docs.py

lint: $(STAMP)
	@$(BIN)/python experiments/docs.py --check
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(STAMP)
	@$(BIN)/mypy

format: $(STAMP)
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

clean:
	@rm -rf $(RUNS) $(FIGURES)
