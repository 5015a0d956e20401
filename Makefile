# make help   lists the targets
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The builds share locks and two cores; side by side they would only wait for each other.
.NOTPARALLEL:

# Where rustup puts cargo, for a shell that was open before `make setup` installed it.
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: run
run: setup plugins hub ## Set up, build and start the demo: prints the address, the logins and what to try
	cargo build -p anteroom
	target/debug/anteroom demo $(ARGS)

.PHONY: test
test: setup-tests plugins hub fmt-check lint hub-check test-plugins deny test-rust browser-test-as-built ## Set up and check everything

.PHONY: setup
setup: ## Install what is missing on this machine
	@scripts/setup

.PHONY: setup-tests
setup-tests: ## The same, with what the tests need besides: PostgreSQL, an SSH server
	@scripts/setup tests

.PHONY: plugins
plugins: ## Build the default policies and the test guests to WebAssembly components
	@scripts/build-guests

.PHONY: examples
examples: plugins hub ## Build the example policies in four languages, and run their cases
	cargo build -p anteroom
	@scripts/build-examples

.PHONY: hub
hub: ## Build the web UI, which is embedded in the binary
	@scripts/build-hub

.PHONY: hub-check
hub-check: ## Types, the client made of docs/openapi.json, and unit tests of the web UI
	@scripts/build-hub check

.PHONY: test-rust
test-rust: plugins hub ## Tests of the host side
	cargo test --workspace --no-fail-fast

.PHONY: test-plugins
test-plugins: ## Tests of the SDK and the default policies, natively
	cd plugins && cargo test --workspace --quiet

.PHONY: browser-test
browser-test: setup plugins hub ## Tests of the Hub in a browser
	cargo build -p anteroom
	@scripts/browser-test

# With the binary that the tests before it have built: for the sake of other features Cargo would build Wasmtime again.
.PHONY: browser-test-as-built
browser-test-as-built:
	@scripts/browser-test

.PHONY: screenshots
screenshots: setup plugins hub ## Pictures of every page of the Hub into tests/browser/screenshots, which is not committed
	cargo build -p anteroom
	@scripts/browser-test screenshots.js

.PHONY: carrier-vectors
carrier-vectors: ## Do the carriers' own packages still sign and send as the stored vectors say? (ARGS= to make them anew)
	@scripts/carrier-vectors $(if $(filter undefined,$(origin ARGS)),--check,$(ARGS))

.PHONY: bench
bench: plugins hub ## Load, policy-call and store benchmarks
	cargo run --release -p anteroom-bench $(if $(ARGS),-- $(ARGS))

.PHONY: torture
torture: plugins hub ## The long forms of the tests that kill and flood
	ANTEROOM_KILLS=200 cargo test -p anteroom --test process -- --nocapture kill
	ANTEROOM_ROSTER_ROWS=100000 cargo test -p anteroom --test process -- --nocapture roster
	ANTEROOM_KILLS=200 ANTEROOM_FAULT_SECONDS=60 cargo test -p anteroom --test faults -- --nocapture --test-threads 1

.PHONY: lint
lint: plugins hub ## Clippy, warnings are errors
	cargo clippy --workspace --all-targets -- -D warnings
	cd plugins && cargo clippy --workspace --all-targets -- -D warnings
	cd tests/guests && cargo clippy --all-targets -- -D warnings

.PHONY: fmt
fmt: ## Format all Rust
	cargo fmt --all
	cd plugins && cargo fmt --all
	cd plugins/examples/refill-triage && cargo fmt
	cd tests/guests && cargo fmt --all

.PHONY: fmt-check
fmt-check: ## Is all Rust formatted?
	cargo fmt --all --check
	cd plugins && cargo fmt --all --check
	cd plugins/examples/refill-triage && cargo fmt --check
	cd tests/guests && cargo fmt --all --check

.PHONY: deny
deny: ## Licences, sources and bans of all dependencies
	@scripts/deny bans licenses sources

.PHONY: advisories
advisories: ## Known vulnerabilities of all dependencies (fetches the RustSec database)
	@scripts/deny advisories
