# Every target sets up what it needs: .venv is built from the lock file when that changes.
PYTHON ?= python3
PORT ?= 8000
MODEL ?= creditcard
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# one thread for BLAS: the networks are small, and workers must not fight for cores
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
TRAIN_OPTIONS = $(if $(DATA),--data "$(DATA)") $(OPTIONS)
# a MODEL named on the command line wins over a folder in the environment
ifeq ($(origin MODEL),command line)
FRAUDSCORE_MODEL_DIR := artifacts/$(MODEL)
endif
FRAUDSCORE_MODEL_DIR ?= artifacts/$(MODEL)

.PHONY: setup serve explore train retrain tune predict test test-soak test-kernels test-image lint types check audit bench lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@

serve: $(STAMP)
	PORT=$(PORT) FRAUDSCORE_MODEL_DIR="$(FRAUDSCORE_MODEL_DIR)" $(BIN)/gunicorn -c gunicorn.conf.py

explore: $(STAMP)
	$(BIN)/python -m training explore $(TRAIN_OPTIONS)

train: $(STAMP)
	$(BIN)/python -m training train $(TRAIN_OPTIONS)

retrain: $(STAMP)
	$(BIN)/python -m training retrain $(TRAIN_OPTIONS)

tune: $(STAMP)
	$(BIN)/python -m training tune $(TRAIN_OPTIONS)

predict: $(STAMP)
	$(BIN)/python -m training predict --model artifacts/$(MODEL) $(if $(TRANSACTION),--transaction "$(TRANSACTION)",--json $(or $(JSON),docs/transaction.json))

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-soak: $(STAMP)
	$(BIN)/python -m pytest -m soak

test-kernels: $(STAMP)
	$(BIN)/python -m pytest -m kernels tests/test_kernels.py

test-image: $(STAMP)
	$(BIN)/python -m pytest -m image tests/test_image.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive app model training gunicorn.conf.py

types: $(STAMP)
	$(BIN)/mypy

check: lint types test

# PyPI itself is asked: a service that only lists vulnerabilities cannot tell a package that has none
# from one that it has never heard of. --strict makes the latter a failure.
audit: $(STAMP)
	@$(BIN)/pip-audit --vulnerability-service pypi --strict --disable-pip --require-hashes $(addprefix -r ,$(wildcard requirements/*.lock)) \
		|| { echo "audit: not passed; a package is vulnerable or could not be looked up, see above" >&2; exit 1; }

bench: $(STAMP)
	$(BIN)/pip install --quiet --require-hashes -r requirements/bench.lock
	$(BIN)/python -m benchmarks.training_speed
	$(BIN)/python -m benchmarks.scoring_speed
	$(BIN)/python -m benchmarks.quality_creditcard
	$(BIN)/python -m benchmarks.quality_handbook
	$(BIN)/python -m benchmarks.quality_sparkov
	$(BIN)/python -m benchmarks.quality_adbench
	$(BIN)/python -m benchmarks.out_of_core
	$(BIN)/python -m benchmarks.explore
	$(BIN)/python -m benchmarks.serving

lock: $(STAMP)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml -o requirements/serve.lock
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra dev -c requirements/serve.lock pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra bench -c requirements/dev.lock pyproject.toml -o requirements/bench.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
