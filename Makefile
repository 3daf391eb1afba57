# make train   install what is needed and train the Flax network on CIFAR-10, ten epochs
# make test    install what is needed and run the tests
# make check   lint and type check
# make report  compare both frameworks in every way, scaled for a laptop, on one page: runs/report
# make bench   time both frameworks side by side (docs/performance.md)
#
# make train ARGS="--epochs 1 --out runs/first"   options of python -m jax_impl.train
# make train EXTRA=cuda13                         with JAX for a CUDA 13 GPU (or cuda12)
# make test  ARGS="-k resume"                     options of pytest

PYTHON ?= python3
VENV ?= .venv
EXTRA ?=
ARGS ?=
REPORT ?= runs/report

bin := $(VENV)/bin
comma := ,
extra := $(if $(EXTRA),-$(EXTRA))
core := $(VENV)/.installed$(extra)
dev := $(VENV)/.installed-dev$(extra)
pip := $(bin)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: train test check bench report
.DELETE_ON_ERROR:

train: $(core)
	$(bin)/python -m jax_impl.train $(ARGS)

test: $(dev)
	$(bin)/python -m pytest $(ARGS)

bench: $(core)
	$(bin)/python -m benchmarks $(ARGS)

# Exit code 1 is a finding, not a failure: a departure, or too few runs to decide. The page says it.
report: $(core)
	$(bin)/python -m parity verify cifar10_cnn --no-report --out $(REPORT)/verdict.json || test $$? -eq 1
	$(bin)/python -m parity curves --seeds 3 --epochs 3 --train-limit 12800 --test-limit 2000 --jobs 2 \
	    --no-report --out $(REPORT)/curves $(ARGS) || test $$? -eq 1
	$(bin)/python -m parity bugs fast --out $(REPORT)/porting-bugs.json || test $$? -eq 1
	$(bin)/python -m benchmarks --batches 32 --replicas 1,4 --repeats 5 --budget-minutes 2 \
	    --out $(REPORT)/benchmarks.json
	$(bin)/python -m parity report $(REPORT) $(REPORT)/curves --out $(REPORT)

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
