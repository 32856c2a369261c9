# The two commands: `make demo` and `make test`. Each does all of its own set-up, and does it once.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3.11
FUNCTIONS := on-data-arrival on-schedule on-pipeline-status on-endpoint-status on-model-package sweep pipeline-resource studio-resource studio-access studio-sign-in
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
# Room for the build (2 GiB), the Python environments (1 GiB) and the demo's data.
NEEDED_MIB := 6000

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: demo
demo: setup build ## Watch data become a served model, a worse one refused, a broken one told
	@$(TARGET)/debug/tidegate demo

.PHONY: test
test: setup lint build ## Every test there is
	cd infra && npm test --silent
	.venv/ml/bin/python -m pytest -q pipelines local/containers
	cargo test --locked --workspace

.PHONY: chaos
chaos: setup build ## A bad day on the local cloud, 500 runs: nothing lost, nothing twice; some minutes
	TIDEGATE_CHAOS_RUNS=$${TIDEGATE_CHAOS_RUNS:-500} cargo test --locked --workspace --test chaos

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(notdir $(wildcard fuzz/seeds/*))
# These need nothing but the state machine or `access`; the others bring the AWS SDKs.
FUZZ_FEATURES := $(if $(filter-out pipeline_yaml stored_pipeline evaluation saml_form,$(FUZZ_TARGETS)),--features cloud)

.PHONY: fuzz
fuzz: ## Fuzz what comes in, FUZZ_SECONDS for each of FUZZ_TARGETS; needs a nightly compiler and cargo-fuzz
	@command -v cargo-fuzz >/dev/null || { echo 'error: cargo-fuzz is not there: cargo install cargo-fuzz' >&2; exit 1; }
	@cd fuzz && for target in $(FUZZ_TARGETS); do \
	  mkdir -p corpus/$$target; \
	  cargo +nightly fuzz run $(FUZZ_FEATURES) $$target corpus/$$target seeds/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 -verbosity=0 -print_final_stats=1; \
	done

.PHONY: lint
lint: setup ## Formatting, lints and types
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cd infra && npm run --silent lint

.PHONY: build
build: check-tools ## The command line, the functions, and what CDK packs of them
	cargo build --locked --workspace --bins
	@$(foreach f,$(FUNCTIONS),mkdir -p target/lambda/$(f) && { [ target/lambda/$(f)/bootstrap -nt $(TARGET)/debug/$(f) ] || strip -o target/lambda/$(f)/bootstrap $(TARGET)/debug/$(f); } &&) true

.PHONY: setup
setup: check-tools .venv/cloud/.done .venv/ml/.done .venv/lint/.done infra/node_modules/.done tests/browser/node_modules/.done ## The pinned Python and Node packages

.PHONY: check-tools
check-tools:
	@missing() { echo "error: $$1" >&2; exit 1; }; \
	command -v cargo >/dev/null || missing 'cargo is not there: install Rust 1.95 or newer'; \
	command -v cc >/dev/null || missing 'cc is not there: install a C compiler, such as gcc'; \
	command -v strip >/dev/null || missing 'strip is not there: install binutils'; \
	command -v npm >/dev/null || missing 'npm is not there: install Node 20 or newer'; \
	[ "$$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || missing "node is $$(node --version): version 20 or newer is needed"; \
	command -v $(PYTHON) >/dev/null || missing '$(PYTHON) is not there: install Python 3.11, or say PYTHON=path'; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || missing "$(PYTHON) is $$($(PYTHON) --version): Python 3.11 is needed"; \
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || missing '$(PYTHON) has no venv: install python3.11-venv'; \
	if [ ! -d .venv/ml ] || [ ! -d $(TARGET)/debug ]; then \
	  free=$$(df -Pm . | awk 'NR==2 {print $$4}'); \
	  [ "$$free" -ge $(NEEDED_MIB) ] || missing "$$free MiB are free on this disk: $(NEEDED_MIB) MiB are needed"; \
	fi

.venv/cloud/.done: local/requirements.txt
.venv/ml/.done: pipelines/requirements.txt
.venv/lint/.done: infra/requirements.txt
.venv/%/.done:
	$(PYTHON) -m venv --clear .venv/$*
	.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

infra/node_modules/.done tests/browser/node_modules/.done: %/node_modules/.done: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: clean
clean: ## Stop the local cloud and forget its state; keeps what was built
	-@[ ! -x $(TARGET)/debug/tidegate ] || $(TARGET)/debug/tidegate local down --purge
	rm -rf .tidegate infra/cdk.out
