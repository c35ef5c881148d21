# Every target sets up what it needs in .venv and can be the first thing run on a fresh clone.
# Needed beforehand: make, and a Python of 3.11 or later (PYTHON=… names one).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin

# An interpreter is tried, not looked up: a version manager may put names on the path that only print an error.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --require-hashes --no-deps
EDITABLE := $(PIP) install --quiet --no-deps --no-build-isolation --editable .

# Stamps carry the digest of the lock file and of the project's own metadata: set up once, and again when either changes.
# dev.txt holds everything in demo.txt: a complete development set-up counts as a demo set-up too.
DIGEST = $(shell { cat requirements/$(1).txt; sed '/^\[tool\./,$$d' pyproject.toml; } | cksum | tr ' ' '-')
DEV := $(VENV)/stamps/dev-$(call DIGEST,dev)
DEMO := $(or $(wildcard $(DEV)),$(VENV)/stamps/demo-$(call DIGEST,demo))

# Material's maintainers announce a successor at every start; which one to use is decided when it is there.
BUILD_SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# What the benchmark compares with never gets beside Scopekey's own packages.
PEERS_VENV := .venv-peers
PEERS := $(PEERS_VENV)/stamps/peers-$(call DIGEST,peers)

##@ Run
.PHONY: demo
demo: $(DEMO) ## play the demo platform (ONCE=1: play the scenario and exit, GATEWAY=nginx: behind a real proxy)
	$(BIN)/scopekey demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(GATEWAY),--gateway $(GATEWAY))

.PHONY: serve
serve: $(DEMO) ## run the control plane and the data plane in one process (ARGS=… is passed on)
	@[ -n "$$SCOPEKEY_DATABASE_URL" ] || [ -e "$${SCOPEKEY_HOME:-.scopekey}/scopekey.db" ] || $(BIN)/scopekey init --key-file operator.key
	$(BIN)/scopekey serve $(ARGS)

# The TypeScript client needs Node.js and npm; a machine without them does everything else.
SDK := clients/typescript
NODE := $(shell node -e 'const [a, b] = process.versions.node.split("."); process.exit(+(a < 20 || a == 20 && b < 3))' 2>/dev/null && npm --version >/dev/null 2>&1 && echo yes)
WITHOUT_NODE = echo "$@: left out, for it needs Node.js of 20.3 or later and npm"; [ -z "$$CI" ]
SDK_MODULES := $(SDK)/node_modules/.stamp-$(shell cksum < $(SDK)/package-lock.json | tr ' ' '-')
TOOL_MODULES := tools/node_modules/.stamp-$(shell cksum < tools/package-lock.json | tr ' ' '-')

##@ Prove
.PHONY: test test-typescript test-python
test: $(if $(ARGS),,test-typescript) test-python ## all tests that end within minutes (ARGS=… are for pytest: it alone then runs)

test-typescript: $(DEV)
ifdef NODE
	@$(MAKE) --no-print-directory $(SDK_MODULES)
	@echo "test: the TypeScript client" && cd $(SDK) && npm test --silent
else
	@$(WITHOUT_NODE)
endif

# A file's tests share what is costly to begin, so they stay together; many wait for processes of their own.
test-python: $(DEV)
	@$(BIN)/pytest --numprocesses $(or $(WORKERS),auto) --dist loadfile $(ARGS)

.PHONY: check
check: check-format check-lint check-types check-imports check-docs check-links check-site check-client check-typescript ## format, lint, types, import contracts, generated docs, links, the site
	@echo "check: all passed"

.PHONY: check-format check-lint check-types check-imports check-docs check-links check-site check-client check-typescript
check-format: $(DEV)
	@echo "check: format"
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff . ; exit 1; }

check-lint: $(DEV)
	@echo "check: lint"
	@$(BIN)/ruff check --quiet .

check-types: $(DEV)
	@echo "check: types"
	@$(BIN)/mypy

check-imports: $(DEV)
	@echo "check: import contracts"
	@$(BIN)/lint-imports --no-logo

check-docs: $(DEV)
	@echo "check: generated docs"
	@$(BIN)/python -m tools.docs --check

check-links: $(DEV)
	@echo "check: links"
	@$(BIN)/python -m tools.links

check-site: $(DEV)
	@echo "check: site"
	@$(BUILD_SITE)

# As a user's type checker sees the client: every public name has a type, and none has to be guessed.
check-client: $(DEV)
ifdef NODE
	@$(MAKE) --no-print-directory $(TOOL_MODULES)
	@echo "check: the Python client's types"
	@told=$$(PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR)/src" tools/node_modules/.bin/pyright --ignoreexternal --verifytypes scopekey.client) \
		|| { echo "$$told"; exit 1; }
else
	@$(WITHOUT_NODE)
endif

check-typescript:
ifdef NODE
	@$(MAKE) --no-print-directory $(SDK_MODULES)
	@echo "check: the TypeScript client" && cd $(SDK) && npm run check --silent
else
	@$(WITHOUT_NODE)
endif

.PHONY: fix
fix: $(DEV) ## format, and repair what the linter can repair by itself
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .

.PHONY: bench
bench: $(DEV) $(PEERS) ## print the benchmark tables and write bench/results.json (ARGS=… is passed on)
	$(BIN)/python -m bench $(ARGS)

.PHONY: soak
soak: $(DEV) ## let everything go wrong at random for a while (MINUTES=…, ARGS=seed), and report
	$(BIN)/python -m soak $(or $(MINUTES),1) $(ARGS)

##@ Make
.PHONY: docs
docs: $(DEV) ## write the generated docs anew, and build the site into site/
	$(BIN)/python -m tools.docs
ifdef NODE
	@$(MAKE) --no-print-directory $(SDK_MODULES)
	cd $(SDK) && npm run generate --silent
else
	@$(WITHOUT_NODE)
endif
	$(BUILD_SITE)

.PHONY: dist
dist: $(DEV) ## build the wheel, the source archive and the npm package into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
ifdef NODE
	@$(MAKE) --no-print-directory $(SDK_MODULES)
	cd $(SDK) && npm run build --silent && npm pack --silent --pack-destination ../../dist
else
	@$(WITHOUT_NODE)
endif

# Hashes and versions only: no address of an index gets into a lock file.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)
.PHONY: lock
lock: $(DEV) ## resolve all lock files anew (UPGRADE=1: take newer versions of Python packages)
	$(COMPILE) --extra demo pyproject.toml requirements/demo.in --output-file requirements/demo.txt
	$(COMPILE) --all-extras --constraint requirements/demo.txt pyproject.toml requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) --extra server --constraint requirements/dev.txt pyproject.toml requirements/peers.in --output-file requirements/peers.txt
ifdef NODE
	cd $(SDK) && npm run lock --silent
	cd tools && npm install --package-lock-only --silent
else
	@$(WITHOUT_NODE)
endif
	@! grep -nE '://|^-' requirements/demo.txt requirements/dev.txt requirements/peers.txt || { echo "lock: an address or an option got into a lock file"; exit 1; }
	@! grep -nE '://' $(SDK)/package-lock.json tools/package-lock.json || { echo "lock: an address got into a lock file"; exit 1; }

##@ Tidy
.PHONY: clean
clean: ## remove everything that was made here, .venv included
	rm -rf $(VENV) $(PEERS_VENV) $(SDK)/node_modules $(SDK)/dist $(SDK)/build tools/node_modules dist build site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(SDK_MODULES):
	@cd $(SDK) && npm ci --silent
	@touch $@

$(TOOL_MODULES):
	@cd tools && npm ci --silent
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python of 3.11 or later found (with venv). Name one: make … PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/stamps/dev-%: | $(BIN)/python
	$(INSTALL) -r requirements/dev.txt
	$(EDITABLE)
	@mkdir -p $(@D) && rm -f $(@D)/* && touch $@

$(VENV)/stamps/demo-%: | $(BIN)/python
	$(INSTALL) -r requirements/demo.txt
	$(EDITABLE)
	@mkdir -p $(@D) && rm -f $(@D)/* && touch $@

# The benchmark goes on without them, and says so: no stamp, so that the next run tries again.
$(PEERS): | $(BIN)/python
	@$(BIN)/python -m venv $(PEERS_VENV) \
		&& $(PEERS_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps -r requirements/peers.txt \
		&& mkdir -p $(@D) && rm -f $(@D)/* && touch $@ \
		|| echo "bench: the peers of requirements/peers.txt cannot be installed here" >&2
