# make run          train the default β-VAE (echo window) in a fresh environment
# make test         the test suite, in the same environment
# make check        lint, types, the site's text and tests: what continuous integration runs
# make test-slow    the checks that take minutes, properties on ten times as many examples; says how long
# make test-slurm   jobs of a real Slurm, set up from Debian's packages in a temporary folder, some of them killed
# make test-browser  pages in Chromium and Firefox, from files and without a network; installs both if they are missing
# make test-notebooks  the notebooks of the gallery in Jupyter, which it installs
# make run CUDA=1   the same on an NVIDIA GPU
# make data         simulate the reference set: 15,000 curves, and 1,500 with independent ν
# make data-repeats  simulate 3,750 materials × 2 curves after first pulses of 90°, 60° and 120° (half an hour); CURVES=15000 for more
# make data-posterior  simulate 30,000 curves after first pulses of 30° to 150° (half a day; it resumes, and `latent-nmr status` says how far it is); ANGLES=3000 for fewer
# make accuracy     measure the simulator's integration error (about ten minutes)
# make benchmark    time the simulator beside the algorithm of its source, and training beside PyTorch's
# make likelihood   compare likelihoods of the β-VAE on the compact set (a few minutes)
# make reproduce    make every table, figure and model of the reference run from nothing (hours; says how long)
# make docs         build the site into docs/_build/html and run its gallery
# make docs-text    the same without the gallery, which is quicker
# make dist         build wheel and source archive, check them, and try the wheel in an empty folder;
#                   PYTHONS="python3.11 python3.13" for other interpreters
# make lock         resolve the pinned requirements anew (needs uv)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CUDA ?=
LOCK := $(if $(CUDA),requirements-cuda.lock,requirements.lock)
STAMP := $(VENV)/.installed-$(LOCK)
SITE := $(VENV)/.installed-docs
WORKERS ?= auto
PYTHONS ?= $(PYTHON)
CURVES ?= 7500
ANGLES ?= 30000

.PHONY: run test test-slow test-slurm test-browser test-notebooks check lint data data-repeats data-posterior accuracy benchmark likelihood reproduce docs docs-text dist lock clean

run: $(STAMP)
	$(BIN)/python scripts/train_vae.py --window echo

test: $(STAMP)
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-slow: $(STAMP)
	JAX_DISABLE_MOST_OPTIMIZATIONS=0 HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -m "(slow or hypothesis) and not slurm and not browser" --durations 10

test-slurm: $(STAMP)
	$(BIN)/python -m pytest -m slurm -n 0 -s -v tests/cluster

test-browser: $(STAMP)
	@command -v chromium >/dev/null && command -v firefox-esr >/dev/null || \
	  { apt-get -qq update && apt-get -qq install -y chromium firefox-esr; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check websocket-client
	$(BIN)/python -m pytest -m browser -n 0 tests/report

test-notebooks: $(SITE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check nbclient ipykernel
	$(BIN)/python -m pytest -m slow -k notebook -n $(WORKERS) tests/test_gallery.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

check: lint docs-text test

data: $(STAMP)
	$(BIN)/latent-nmr simulate --n-curves 15000 --line-draw stratified --seed 0
	$(BIN)/latent-nmr simulate --n-curves 1500 --line-draw independent --seed 1
	$(BIN)/python scripts/describe_data.py

data-repeats: $(STAMP)
	$(BIN)/latent-nmr simulate --protocols 90 60 120 --n-curves $(CURVES) --repeats 2 --seed 0 \
	  --out artifacts/data/paper-repeats-seed0.zarr

data-posterior: $(STAMP)
	$(BIN)/latent-nmr simulate --preset challenge2021-spin --n-curves $(ANGLES) --seed 0 \
	  --out artifacts/data/paper-angles-seed0.zarr

accuracy: $(STAMP)
	$(BIN)/python scripts/study_accuracy.py

benchmark: $(STAMP)
	$(BIN)/python scripts/benchmark_simulator.py
	$(BIN)/python scripts/benchmark_training.py

likelihood: $(STAMP)
	$(BIN)/python scripts/study_likelihood.py

reproduce: $(STAMP)
	$(BIN)/python scripts/reproduce.py

docs: $(SITE)
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

docs-text: $(SITE)
	$(BIN)/python -m sphinx -W --keep-going -b html -D plot_gallery=0 docs docs/_build/html

$(SITE): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[docs]'
	@touch $@

DIST := $(VENV)/.installed-dist
dist: $(DIST)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python tests/try_dist.py dist/*.whl $(PYTHONS)

$(DIST): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[dist]'
	@touch $@

$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "latent_nmr needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Use: make PYTHON=python3.12 run" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments: its ensurepip is missing. Install it with: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

LOCK_FLAGS := --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
  --no-annotate --no-header --extra dev
lock:
	uv pip compile $(LOCK_FLAGS) pyproject.toml -o requirements.lock
	uv pip compile $(LOCK_FLAGS) --extra cuda -c requirements.lock pyproject.toml -o requirements-cuda.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
