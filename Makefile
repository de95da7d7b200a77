# Every target installs what it needs into .venv, from the lock files, and again when they change:
# serving needs little, training more, the tests everything.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SERVE := $(VENV)/.serve
TRAIN := $(VENV)/.train
DEV := $(VENV)/.dev
BENCH := $(VENV)/.bench
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r

# What the environment happens to call DATA or MODEL is not meant for us; only PYTHON, PORT, and the
# settings of the service are taken from there.
given = $(if $(filter command line,$(origin $(1))),$($(1)))
NAME := $(or $(call given,MODEL),creditcard)
OPTIONS := $(call given,OPTIONS)
DATA_OPTION := $(if $(call given,DATA),--data "$(call given,DATA)")
# a MODEL named on the command line wins over a folder in the environment
ifneq ($(call given,MODEL),)
FRAUDSCORE_MODEL_DIR := artifacts/$(NAME)
endif
FRAUDSCORE_MODEL_DIR ?= artifacts/$(NAME)
serve: export PORT := $(PORT)
serve: export FRAUDSCORE_MODEL_DIR := $(FRAUDSCORE_MODEL_DIR)

# one thread for BLAS: the networks are small, and workers must not fight for cores
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
# .venv is to hold what the locks say, where we say, and Python is to find it and us
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONPLATLIBDIR VIRTUAL_ENV
unexport PIP_CONSTRAINT PIP_DRY_RUN PIP_IGNORE_INSTALLED PIP_NO_DEPS PIP_PREFIX PIP_PYTHON PIP_REQUIRE_VIRTUALENV
unexport PIP_REQUIREMENT PIP_ROOT PIP_TARGET PIP_USER

.PHONY: setup serve explore train retrain tune predict test test-soak test-kernels test-image
.PHONY: test-install lint types check audit bench lock wheel clean

setup: $(DEV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, not %d.%d: say which with PYTHON=python3.11" % sys.version_info[:2])'
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(SERVE): requirements/serve.lock | $(BIN)/python
	@echo "installing what serving needs into $(VENV): 145 MB, about half a minute, this once"
	@$(INSTALL) requirements/serve.lock
	@touch $@

$(TRAIN): requirements/train.lock $(SERVE)
	@echo "installing what training needs: 610 MB more, about a minute, this once"
	@$(INSTALL) requirements/train.lock
	@touch $@

$(DEV): requirements/dev.lock $(TRAIN)
	@echo "installing what the tests need: 340 MB more, about a minute, this once"
	@$(INSTALL) requirements/dev.lock
	@touch $@

$(BENCH): requirements/bench.lock $(DEV)
	@echo "installing the peers of the benchmarks: about a minute, this once"
	@$(INSTALL) requirements/bench.lock
	@touch $@

# The shell becomes Gunicorn, so that ending make ends the service; where make is not allowed to say
# goodbye (kill -9), the kernel tells Gunicorn, if there is a setpriv that can arrange it.
serve: $(SERVE)
	@exec $$(setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM) \
		$(BIN)/python $(BIN)/gunicorn -c gunicorn.conf.py

explore: $(TRAIN)
	$(BIN)/python -m training explore $(DATA_OPTION) $(OPTIONS)

train: $(TRAIN)
	$(BIN)/python -m training train $(DATA_OPTION) $(OPTIONS)

retrain: $(TRAIN)
	$(BIN)/python -m training retrain $(DATA_OPTION) $(OPTIONS)

tune: $(TRAIN)
	$(BIN)/python -m training tune $(DATA_OPTION) $(OPTIONS)

predict: $(TRAIN)
	$(BIN)/python -m training predict --model artifacts/$(NAME) $(if $(call given,TRANSACTION),--transaction "$(call given,TRANSACTION)",--json "$(or $(call given,JSON),docs/transaction.json)")

test: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile

wheel: $(SERVE)
	@rm -rf build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

test-soak: $(DEV)
	$(BIN)/python -m pytest -m soak

test-kernels: $(DEV)
	$(BIN)/python -m pytest -m kernels tests/test_kernels.py

test-install: $(DEV)
	$(BIN)/python -m pytest -m install

test-image: $(DEV)
	$(BIN)/python -m pytest -m image tests/test_image.py

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive app fraudscore model training gunicorn.conf.py

types: $(DEV)
	$(BIN)/mypy

check: lint types test

# PyPI itself is asked: a service that only lists vulnerabilities cannot tell a package that has none
# from one that it has never heard of. --strict makes the latter a failure.
audit: $(DEV)
	@$(BIN)/pip-audit --vulnerability-service pypi --strict --disable-pip --require-hashes $(addprefix -r ,$(wildcard requirements/*.lock)) \
		|| { echo "audit: not passed; a package is vulnerable or could not be looked up, see above" >&2; exit 1; }

bench: $(BENCH)
	$(BIN)/python -m benchmarks.training_speed
	$(BIN)/python -m benchmarks.scoring_speed
	$(BIN)/python -m benchmarks.quality_creditcard
	$(BIN)/python -m benchmarks.quality_handbook
	$(BIN)/python -m benchmarks.quality_sparkov
	$(BIN)/python -m benchmarks.quality_adbench
	$(BIN)/python -m benchmarks.out_of_core
	$(BIN)/python -m benchmarks.explore
	$(BIN)/python -m benchmarks.serving

# What is asked for with an extra is pinned under that name, or pip before 23.3 finds the newest
# release instead of the pinned one. Each lock holds the one before it.
COMPILE = $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras pyproject.toml

lock: $(DEV)
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) -o requirements/serve.lock
	$(COMPILE) --extra train -c requirements/serve.lock -o requirements/train.lock
	$(COMPILE) --extra dev -c requirements/train.lock -o requirements/dev.lock
	$(COMPILE) --extra bench -c requirements/dev.lock -o requirements/bench.lock
	$(BIN)/python requirements/pin_each_extra.py requirements/*.lock

clean:
	rm -rf $(VENV) build dist fraudscore.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
