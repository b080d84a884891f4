# Ferrite's front door. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SERVER := .build/release/ferrite-server
PORT ?= 6379
ARGS ?=
SEED ?=
FOR ?= 600

.PHONY: help setup build run test test-unit test-integration kill-test pmem-test check bench bench-durability differential crash-search upstream format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing (Debian packages, a Python venv in .build-tools)
	@Tools/setup

build: setup ## Build the release server and tool at .build/release/ferrite-server and ferrite
	swift build -c release --product ferrite-server
	swift build -c release --product ferrite

run: build ## Build and start the server with its data in ./data (PORT=6379, ARGS='--name value')
	@mkdir -p data
	exec $(SERVER) --port $(PORT) --dir ./data $(ARGS)

test: ## Everything: check, unit tests, integration tests, a short benchmark
	@Tools/test

test-unit: setup ## Unit tests alone (ARGS='--filter Name')
	swift test $(ARGS)

test-integration: build ## Integration tests alone (ARGS='--only pattern', --list)
	Tests/Integration/run $(ARGS)

kill-test: build ## Kill the server at random moments and look what it kept (ARGS='--rounds 500')
	Tests/Kill/run $(ARGS)

pmem-test: build ## The same on emulated persistent memory, cutting the power (ARGS='--rounds 20')
	Tools/pmem-vm/pmem-vm-setup.sh .build-tools/pmem-vm
	Tests/Kill/run --guest .build-tools/pmem-vm --rounds 5 $(ARGS)

check: build ## Format, imports, unsafe, hot path, lengths, links; and the check's own tests
	@Tools/check --self-test
	@Tools/check --binary $(SERVER)

bench: build ## Measure beside redis-server into docs/BENCHMARKS.md (ARGS='--quick --only get')
	Tools/bench $(ARGS)

bench-durability: build ## What durability costs, beside redis-server (ARGS='--only write')
	Tools/bench-durability $(ARGS)

differential: build ## Random commands to Ferrite and redis-server, compared (ARGS='--minutes 30')
	Tests/Integration/differential $(ARGS)

crash-search: setup ## Cut the power of image and log at every point, new seeds for FOR=600 seconds
	FERRITE_CRASH_SECONDS=$(FOR) FERRITE_CRASH_SEED=$(SEED) swift test --filter crashCampaign

upstream: build ## Run Redis' own test suite against the server (ARGS='unit/scan ...')
	@Tools/setup --upstream
	Tools/upstream $(ARGS)

format: ## Rewrite Swift sources in the project's format
	swift format --in-place --recursive Sources Tests Package.swift

clean: ## Remove everything that was built or fetched
	rm -rf .build .build-tools .upstream data
