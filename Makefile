# Each target says what it does in 'make help'. Windows, or no make: the README has the plain commands.
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# DVC asks for a name; in a container with --user 1234 there is none
export LOGNAME ?= $(shell id -un 2>/dev/null || id -u)
INSTALLED := .venv/.installed
DEVELOP := .venv/.installed-dev
# uv, where it is there, installs the same hashed lock in a quarter of the time
INSTALL := $(if $(shell command -v uv),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --disable-pip-version-check) --require-hashes

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1	\2/' | expand -t 16

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Assay needs Python 3.11 to 3.13 (tensorflow has no wheel for others); found " + sys.version.split()[0] + ": make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@echo "Installing $$(grep -c == requirements.txt) packages, some minutes the first time"
	$(INSTALL) -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .  # the command assay
	@rm -f .venv/lib/python*/site-packages/assay_whole_lock.*  # a patch of DVC that older versions installed
	@[ -e .git ] || $(BIN)/dvc config --local core.no_scm true
	@touch $@

$(DEVELOP): requirements-dev.txt $(INSTALLED)
	$(INSTALL) -r requirements-dev.txt
	@touch $@

demo: $(INSTALLED) ## run the graph on the two embedded tasks and print the leaderboards
	@start=$$(date +%s); \
	python -m pipeline.recover && \
	if dvc status --quiet; then echo "Nothing to do: params, code and data are those of the last run."; \
	else dvc --wait-for-lock repro && echo "Done in $$(($$(date +%s) - start)) s."; fi && \
	echo && python -m pipeline.leaderboard && \
	echo "All runs side by side in MLflow: make ui.  Predict in the browser: make app."

test: $(DEVELOP) ## run the whole test suite, end-to-end tests included
	python -m pytest -q -n 3

# Rooms whose tests start servers, draw pages, fit models or keep an MLflow store: most of the time
SLOW := app e2e estimators evaluation prediction reporting retraining tracking training
test-unit: $(DEVELOP) ## run the quick half of the tests: no server, page, fit or MLflow store
	python -m pytest -q -n 2 $(SLOW:%=--ignore=tests/%)

lint: $(DEVELOP) ## check style, layers, spelling, docstrings and types
	ruff check .
	ruff format --check .
	PYTHONPATH=. lint-imports
	codespell pipeline app tests *.md docs/*.md pyproject.toml params.yaml dvc.yaml Makefile
	numpydoc lint $$(find pipeline app -name "*.py")
	mypy

docs: $(DEVELOP) ## build the documentation into .cache/site, offline
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true python -m mkdocs build --quiet
	@echo "Open .cache/site/index.html"

app: $(INSTALLED) ## predict in the browser
	streamlit run app/main.py

api: $(INSTALLED) ## answer over HTTP
	python -m app.api

ui: $(INSTALLED) ## compare all runs in MLflow
	python -m pipeline.track --ui $(PORT)

track: $(INSTALLED) ## write all results to MLflow again, for instance after its store was deleted
	python -m pipeline.track

bench: $(DEVELOP) ## measure speed and write benchmarks/README.md
	python -m benchmarks

soak: $(DEVELOP) ## the tests that take long: kill -9 at random moments, load, copies at scale
	python -m pytest -q -n 0 soak

LOCK := uv pip compile --universal --generate-hashes --python-version 3.11 --quiet --no-header
lock: ## resolve requirements.in, -serve.in and -dev.in, for every system, with hashes
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) -c requirements.txt requirements-serve.in -o requirements-serve.txt
	$(LOCK) -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## delete the environment and everything that can be made again
	rm -rf .venv .cache .import_linter_cache .mypy_cache .pytest_cache .ruff_cache mlflow logs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help demo test test-unit lint docs app api ui track bench soak lock clean
