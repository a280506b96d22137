# Every target brings what it needs: on a fresh machine `make test` or `make demo` is all there is to type.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin
TOOL := $(BIN)/leaflet-tool
DEMO := demo
SAMPLE_LEAFLETS := 240
SAMPLE_SEED := 1

.PHONY: help setup tesseract browser test slow check format lock docs demo clean

help:
	@echo "make demo    prepare, train, evaluate and compare on a built-in sample"
	@echo "make test    run the tests"
	@echo "make slow    run the long tests too"
	@echo "make check   ruff and mypy"
	@echo "make docs    write the commands' help into README.md"
	@echo "make lock    resolve requirements.lock anew"

setup: .venv/.installed tesseract

$(UV):
	@python3 -m venv .uv || { echo "python3 -m venv failed: install your system's python3-venv package"; exit 4; }
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# A build requirement is in the lock too, so that nothing unpinned is fetched.
.venv/.installed: requirements.lock setup.cfg pyproject.toml .python-version | $(UV)
	$(UV) venv --quiet --allow-existing --python "$$(cat .python-version)" .venv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

tesseract:
	@has() { command -v tesseract >/dev/null && test "$$(tesseract --list-langs 2>/dev/null | grep -cx -e eng -e osd)" = 2; }; \
	if has; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    tesseract-ocr tesseract-ocr-eng tesseract-ocr-osd >/dev/null; } || true; \
	elif [ "$$(id -u)" = 0 ] && command -v dnf >/dev/null; then \
	  dnf install -y -q tesseract tesseract-langpack-eng tesseract-osd || true; \
	fi; \
	has || { echo "Tesseract with the languages eng and osd is missing: install tesseract-ocr tesseract-ocr-eng tesseract-ocr-osd (Debian, Ubuntu), tesseract tesseract-langpack-eng tesseract-osd (Fedora) or tesseract (Homebrew)"; exit 4; }

# The tests of the pages that people look at work in a real browser.
browser:
	@has() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }; \
	if has; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || true; \
	elif [ "$$(id -u)" = 0 ] && command -v dnf >/dev/null; then \
	  dnf install -y -q chromium || true; \
	fi; \
	has || { echo "the tests need a browser: install chromium"; exit 4; }

# One process a core, each with one thread: they would wait for each other's.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile

test: setup browser
	$(PYTEST)

slow: setup browser
	$(PYTEST) -m "slow or not slow"

check: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: | $(UV)
	$(UV) pip compile setup.cfg --all-extras --generate-hashes --no-emit-index-url --quiet -o requirements.lock

docs: .venv/.installed
	$(BIN)/python -m tests.readme

demo: setup
	test -f $(DEMO)/archive/leaflets.csv || $(TOOL) sample $(DEMO)/archive --leaflets $(SAMPLE_LEAFLETS) --seed $(SAMPLE_SEED)
	$(TOOL) prepare $(DEMO)/archive --dataset sample --out $(DEMO)/prepared
	test -f $(DEMO)/runs/image/metrics.json || $(TOOL) train --config image_small --data $(DEMO)/prepared --name image --runs $(DEMO)/runs --force
	test -f $(DEMO)/runs/text/metrics.json || $(TOOL) train --config text_tfidf --data $(DEMO)/prepared --name text --runs $(DEMO)/runs --force
	test -f $(DEMO)/runs/mm/metrics.json || $(TOOL) train --config multimodal_small --data $(DEMO)/prepared --name mm --runs $(DEMO)/runs --force
	$(TOOL) compare image text mm --runs $(DEMO)/runs --out $(DEMO)/comparison.html

clean:
	rm -rf .venv .uv $(DEMO) build dist *.egg-info
