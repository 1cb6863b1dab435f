.DEFAULT_GOAL := help
.PHONY: help lab demo pages env install-root test lint unit labtests notebooks browser bench soak mutate constraints clean
SHELL := /bin/bash

help: ## what can be made here
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

lab: ## install what is missing and open JupyterLab on the notebooks
	@tools/setup/lab.sh

demo: ## the same on the demo host, a recorded server; needs no libvirt
	@KVMNB_HOST=demo tools/setup/lab.sh

# Who reaches a page can press its buttons, so a live host is none of the choices.
pages: env ## the notebooks as pages without code, on the demo host (RECORDED=FOLDER: on a recorded one)
	@.venv/bin/python -m pip install -q -c constraints.txt -e '.[pages]'
	@KVMNB_HOST="$(if $(RECORDED),$(abspath $(RECORDED)),demo)" .venv/bin/voila notebooks

env: ## only the Python environment .venv, ready for `make lab`
	@tools/setup/lab.sh --prepare

install-root: ## kvmnb-root, which writes host settings for ordinary users (as root; PREFIX=FOLDER)
	@tools/setup/install_root.sh $(if $(PREFIX),--prefix $(PREFIX))

test: ## install what the tests need and run all of the following
	@tools/setup/test.sh

lint: ## ruff and mypy
	@tools/setup/test.sh lint

unit: ## tests that need neither a daemon nor a browser
	@tools/setup/test.sh unit

labtests: ## tests on a libvirtd and guests of their own (root; KVMNB_LAB=1 also on host settings)
	@tools/setup/test.sh labtests

notebooks: ## every notebook: strictly on the demo host, laxly on a live libvirt
	@tools/setup/test.sh notebooks

browser: ## JupyterLab in a headless Chromium
	@tools/setup/test.sh browser

bench: env ## how long probing and an audit take, what sampling and live charts cost, beside a yardstick of the same run
	@.venv/bin/python -m tools.bench.probing
	@.venv/bin/python -m tools.bench.auditing
	@.venv/bin/python -m tools.bench.sampling --guests 10 100 --write
	@.venv/bin/python -m tools.bench.charts --write
	@.venv/bin/python -m tools.bench.neighbours --write

soak: ## the long tests, with their figures (as root with KVMNB_LAB=1 also those on the lab); hours; KVMNB_SOAK_SECONDS: of the charts
	@tools/setup/test.sh soak

mutate: env ## change every rule in every way and see whether its tests notice; writes docs/mutation.md
	@.venv/bin/python -m pip install -q -c constraints.txt -e '.[dev,mutation]'
	@.venv/bin/python -m tools.mutate

constraints: ## freeze the newest versions that fit into constraints.txt
	@tools/setup/constraints.sh

clean: ## remove .venv, caches and built packages
	@rm -rf .venv build dist test-output .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name .git -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
