# make book: set up .venv and build the book at the laptop preset into _build/html
# make test: set up .venv and run format, lint, types and the default tests
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: env book test browser-test slow-test smoke clean

env: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book,dev]'
	touch $(READY)

book: $(READY)
	$(BIN)/stablib book build

smoke: $(READY)
	$(BIN)/stablib reproduce --preset smoke

test: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow and not browser"

slow-test: $(READY)
	$(BIN)/pytest -m slow

browser-test: $(READY)
	$(BIN)/pytest -m browser tests/browser

clean:
	rm -rf _build
