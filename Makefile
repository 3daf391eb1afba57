# make train   install what is needed and train the Flax network on CIFAR-10, ten epochs
# make test    install what is needed and run the tests
# make check   lint and type check
# make bench   time both frameworks side by side (docs/performance.md)
#
# make train ARGS="--epochs 1 --out runs/first"   options of python -m jax_impl.train
# make train EXTRA=cuda13                         with JAX for a CUDA 13 GPU (or cuda12)
# make test  ARGS="-k resume"                     options of pytest

PYTHON ?= python3
VENV ?= .venv
EXTRA ?=
ARGS ?=

bin := $(VENV)/bin
comma := ,
extra := $(if $(EXTRA),-$(EXTRA))
core := $(VENV)/.installed$(extra)
dev := $(VENV)/.installed-dev$(extra)
pip := $(bin)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: train test check bench
.DELETE_ON_ERROR:

train: $(core)
	$(bin)/python -m jax_impl.train $(ARGS)

test: $(dev)
	$(bin)/python -m pytest $(ARGS)

bench: $(core)
	$(bin)/python -m benchmarks $(ARGS)

check: $(dev)
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy

$(bin)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		f"needs Python 3.11 or newer, found {sys.version.split()[0]}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(core): $(bin)/python pyproject.toml constraints.txt
	@echo "installing JAX, Flax, PyTorch and the rest into $(VENV): 6 GB, a few minutes, only once"
	$(pip) -e .$(if $(EXTRA),[$(EXTRA)])
	@touch $@

$(dev): $(bin)/python pyproject.toml constraints.txt
	@echo "installing the packages and what the tests need into $(VENV): 7 GB, only once"
	$(pip) -e .[dev$(if $(EXTRA),$(comma)$(EXTRA))]
	@touch $(core) $@
