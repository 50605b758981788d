# make book: set up .venv and build the book at the laptop preset into _build/html
# make test: set up .venv and run format, lint, layers, types and the default tests
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CORE := .venv-core/bin
CORE_READY := .venv-core/.ready
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt
LINTER := node_modules/.package-lock.json

.PHONY: env core-env book test lint pages browser-test slow-test retrain-test core-test smoke clean

env: $(READY)

core-env: $(CORE_READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP) torch
	$(BIN)/python $(PIP) -e '.[train,book,cluster,explain,dev]'
	touch $(READY)

# What is installed without any extra, as a wheel: no torch, no numba, no Jupyter Book.
$(CORE_READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-core
	$(CORE)/python $(PIP) pytest pytest-timeout scikit-learn
	touch $(CORE_READY)

# The linter of the widgets' JavaScript, where npm is there.
$(LINTER): package.json package-lock.json
	npm ci --silent

book: $(READY)
	$(BIN)/stablib book build

smoke: $(READY)
	$(BIN)/stablib reproduce --preset smoke

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(LINTER) && npm run --silent lint; \
	else echo "npm is not installed: the widgets' JavaScript is not checked"; fi

test: lint
	$(BIN)/pytest -n auto --dist worksteal \
		-m "not slow and not browser and not core and not retrain"

slow-test: $(READY)
	$(BIN)/pytest -n auto --dist load -m slow

# A published fine-tuned run again: minutes of one thread, too long for every change.
retrain-test: $(READY)
	$(BIN)/pytest -m retrain

# A test often waits for its page, so there are more than cores. Those of JupyterLab are a group: they share a server.
browser-test: $(READY)
	$(BIN)/pytest -n 3 --dist loadgroup -m browser tests/browser tests/test_printed.py

# From another folder, so that the installed package is tested and not this one.
core-test: $(CORE_READY)
	rm -rf build
	$(CORE)/python $(PIP) --force-reinstall --no-deps .
	$(CORE)/python $(PIP) .
	mkdir -p _build/core && cd _build/core && ../../$(CORE)/python -m pytest \
		--import-mode=importlib -c ../../pyproject.toml --rootdir=../.. -p no:cacheprovider \
		-m "not slow" ../../tests/test_*metrics.py ../../tests/test_widgets.py ../../tests/test_core.py

# Parameter cells and made tables, after a setting, a command or a data set has changed.
pages: $(READY)
	$(BIN)/python -m stablib.reproduce.parameters
	$(BIN)/python -m stablib.reproduce.pages

clean:
	rm -rf _build
