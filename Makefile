# Every target sets up what it needs first: a Python >= 3.12, .venv, and the locked packages.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := bayes_attrib tests benchmarks data scripts

.DEFAULT_GOAL := help
.PHONY: help setup demo test check-pages lint bench bench-speed data translations lock clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(VENV)/.dev  ## Create .venv from the lock, with everything that developers need

demo: $(VENV)/.runtime  ## Attribute coupon redemptions to 27 real campaigns and open the numbers
	@$(BIN)/bayes-attrib demo --out runs/demo

test: $(VENV)/.dev  ## Run all tests, with coverage
	@$(BIN)/python -m pytest --cov --cov-report=term

check-pages: $(VENV)/.dev  ## Open workbook and page in LibreOffice and a browser (needs both)
	@command -v soffice > /dev/null || command -v libreoffice > /dev/null || \
		{ echo "LibreOffice is missing: install it, such as by apt install libreoffice-calc"; exit 1; }
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || \
		command -v google-chrome > /dev/null || \
		{ echo "Chromium is missing: install it, such as by apt install chromium"; exit 1; }
	@command -v npm > /dev/null || \
		{ echo "Node.js is missing: install it, such as by apt install nodejs npm"; exit 1; }
	@test -d tests/external/node_modules || npm ci --prefix tests/external --no-audit --no-fund
	@$(BIN)/python -m pytest tests/external

lint: $(VENV)/.dev  ## Format, lint, types, docstrings, import layers
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/numpydoc lint $$(find bayes_attrib -name '*.py')
	@$(BIN)/lint-imports

bench: $(VENV)/.dev  ## Measure what README and docs quote
	@for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

bench-speed: $(VENV)/.dev  ## Measure speed beside others, and write docs/speed.md
	@$(BIN)/python benchmarks/speed.py

data: $(VENV)/.dev  ## Make the shipped data again from their sources
	@$(BIN)/python data/make_simulations.py
	@$(BIN)/python data/make_checksums.py

translations: $(VENV)/.runtime  ## Bring the catalogues of translations up to date with the code
	@$(BIN)/python scripts/translations.py

lock: $(VENV)/.dev  ## Resolve the locked versions again (needs uv)
	@uv pip compile pyproject.toml --extra dev -q --universal --python-version 3.12 \
		--generate-hashes --no-header --no-annotate -o requirements/dev.txt
	@uv pip compile pyproject.toml --extra build -q --universal --python-version 3.12 \
		--constraint requirements/dev.txt \
		--generate-hashes --no-header --no-annotate -o requirements/runtime.txt

clean:  ## Remove .venv and everything that tools leave behind
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(BIN)/python:
	@python=$$(sh scripts/find-python.sh) && echo "creating $(VENV) with $$python" && \
		"$$python" -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "installing the locked packages (once, about two minutes)"
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
