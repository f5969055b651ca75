# `make help` says what is here. Each target can be called again at any time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Real programs only: a version manager's shims on PATH send Ansible to Pythons that do not run.
PYTHONS := $(shell scripts/pythons --folders)
export PATH := $(CURDIR)/.venv/bin:$(PYTHONS):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL := C.UTF-8
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

GATES := lint sanity units integration typecheck docs package shellcheck

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@printf '  make %-12s %s\n' GATE 'one quality gate alone: $(GATES)'

.PHONY: develop
develop: ## set up the virtual environments, the system packages and the lab's programs
	@scripts/develop

.PHONY: demo
demo: develop ## show the whole thing on a real Squid (KEEP_LAB=1 leaves the lab up)
	@scripts/in-lab .venv/bin/python scripts/demo.py

.PHONY: test
test: develop ## run every quality gate
	@.venv/bin/python scripts/test.py

.PHONY: $(GATES)
$(GATES): develop
	@.venv/bin/python scripts/test.py $@

.PHONY: torture
torture: develop ## break every driver in every way we know (TORTURE="-k kill", TORTURE_SCALE=0.1 for a part of it)
	@EGRESS_LAB=torture scripts/in-lab .venv/bin/python -m pytest -q -p no:cacheprovider tests/torture $(TORTURE)

.PHONY: bench
bench: develop ## measure it beside its peers (BENCH="growth --quick": some questions, a quick look)
	@EGRESS_LAB=bench scripts/in-lab .venv/bin/python tests/benchmarks/run.py $(BENCH)

.PHONY: lab-up
lab-up: develop ## start the lab: managed hosts, a proxy host and an internet of their own
	@scripts/lab up

.PHONY: lab-down
lab-down: ## stop the lab
	@scripts/lab down --all

.PHONY: clean
clean: lab-down ## stop the lab and remove all that the other targets made
	@rm -rf .venv .venv-2.19 .test .lab .hypothesis .ansible .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
