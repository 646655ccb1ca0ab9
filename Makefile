# `make help` lists the targets. Each first sets up what it needs, once: after that, it starts at once
# and needs no network.

.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON3 ?= python3
ORDERS ?= 500
STAGE ?= dev

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready node_modules/.ready

# The environment's own Node and uv come before the machine's.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Many images set it. Then each process compiles all that it imports: 4 seconds for each synth.
unexport PYTHONDONTWRITEBYTECODE
# uv does not read pip's settings, so a mirror that is set for pip is set for uv too.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif

##@ Run it on this machine
.PHONY: demo local test isolation coupling

demo: $(READY) ## Place real purchases in the shop, on a local cloud [ORDERS=500]
	@$(PYTHON) -m demo --orders $(ORDERS)

local: $(READY) ## Run the shop on a local cloud, with its console, until Ctrl-C
	@$(VENV)/bin/patchbay local

test: $(READY) ## Check the style and the types, and run every test
	ruff check
	ruff format --check
	mypy .
	pytest --numprocesses auto --dist worksteal

isolation: $(READY) ## Break each consumer in every way, and check that the others are not affected
	@patchbay isolation

coupling: $(READY) ## Break one service at a time: this shop, and one coupled by requests
	@$(PYTHON) -m demo.coupling

##@ Build on it
.PHONY: new consumer event service schedule schemas asyncapi screenshots format lock

new: $(READY) ## Start a project of your own: NAME=clinic DIR=../clinic
	@patchbay new $(if $(DIR),--directory "$(DIR)") -- "$(NAME)"

consumer: $(READY) ## Write a new consumer: NAME=loyalty ON=OrderPlaced [WHERE="amount>=50"] [ORDERED_BY=customer_id]
	@patchbay add consumer --on "$(ON)" $(if $(WHERE),--where "$(WHERE)") \
		$(if $(ORDERED_BY),--ordered-by "$(ORDERED_BY)") \
		$(if $(PUBLISHES),--publishes "$(PUBLISHES)") -- "$(NAME)"

event: $(READY) ## Write a new event: NAME=GiftWrapped [SERVICE=wrapping] [FIELDS="gift_id weight:int"]
	@patchbay add event $(if $(SERVICE),--service "$(SERVICE)") \
		$(foreach field,$(FIELDS),--field "$(field)") -- "$(NAME)"

service: $(READY) ## Write a new service with an HTTP API: NAME=gifts PUBLISHES=GiftWrapped
	@patchbay add service --publishes "$(PUBLISHES)" -- "$(NAME)"

schedule: $(READY) ## Write a service that runs on a schedule: NAME=nightly EVERY="cron(0 3 * * ? *)"
	@patchbay add schedule --every "$(EVERY)" $(if $(PUBLISHES),--publishes "$(PUBLISHES)") \
		-- "$(NAME)"

schemas: $(VENV)/.ready ## Write the events' JSON Schemas, and name changes that break consumers
	@patchbay schemas --write

asyncapi: $(READY) ## Write the catalogue of events to docs/asyncapi.json, for AsyncAPI's tools
	@patchbay asyncapi --write

screenshots: $(READY) ## Take the docs' screenshots of the console, on a local cloud
	@$(PYTHON) -m tests.browser.screenshots

format: $(VENV)/.ready ## Format the code, and fix what can be fixed
	ruff check --fix
	ruff format

COMPILE := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --custom-compile-command "make lock"
# Packages that Lambda's runtime has.
RUNTIME := botocore python-dateutil six urllib3

lock: $(VENV)/.ready ## Pin the packages in the *.in files, with hashes
	grep '^uv==' requirements.in | $(COMPILE) - -o requirements-uv.txt
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(COMPILE) functions/requirements.in -c requirements.txt -o functions/requirements.txt \
		$(RUNTIME:%=--no-emit-package %)
	$(COMPILE) patchbay/local/requirements.in -o patchbay/local/requirements.txt
	$(PYTHON) .ci/lock_templates.py

##@ Deploy it to AWS
.PHONY: synth diff deploy destroy

synth: $(READY) ## Write the templates of a stage to cdk.out [STAGE=dev]
diff: $(READY) ## Compare a stage's templates with the deployed ones [STAGE=dev]
deploy: $(READY) ## Deploy a stage to the account that the environment names [STAGE=dev]
destroy: $(READY) ## Delete a stage from that account [STAGE=dev]
synth diff deploy destroy:
	@patchbay $@ --stage "$(STAGE)"

##@ Other
.PHONY: clean help

clean: ## Remove everything that was built, including the environments
	rm -rf build cdk.out node_modules $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache

help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp is written last, so that an interrupted step is repeated. A working environment is only
# deleted when the new one is complete.
OFFLINE := "This needs the package registry, once: connect to the network, or set PIP_INDEX_URL to a mirror, and run make again."

$(VENV)/.uv: requirements-uv.txt
	@$(PYTHON3) -c 'import sys; sys.exit("Patchbay needs Python 3.11 or newer; $(PYTHON3) is " \
		+ sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Setting up: a Python environment in $(VENV)"
	@if $(PYTHON) -c pass 2>/dev/null && $(VENV)/bin/uv --version >/dev/null 2>&1; then \
		uv pip install --quiet --python $(PYTHON) --require-hashes --requirement $<; \
	else \
		$(PYTHON3) -m venv --clear $(VENV) && \
		$(PYTHON) -m pip install --quiet --require-hashes --requirement $<; \
	fi || { echo $(OFFLINE); exit 1; }
	@touch $@

$(VENV)/.ready: $(VENV)/.uv requirements-dev.txt pyproject.toml
	@echo "Setting up: the Python packages, checked against their hashes"
	@uv pip sync --quiet --python $(PYTHON) --require-hashes requirements-dev.txt && \
		uv pip install --quiet --python $(PYTHON) --no-deps --editable . || \
		{ echo $(OFFLINE); exit 1; }
	@touch $@

node_modules/.ready: package.json package-lock.json | $(VENV)/.ready
	@echo "Setting up: the CDK CLI in node_modules"
	@rm -rf build/npm && mkdir -p build/npm && cp package.json package-lock.json build/npm
	@npm ci --prefix build/npm --silent --no-audit --no-fund || { echo $(OFFLINE); exit 1; }
	@rm -rf node_modules && mv build/npm/node_modules . && rm -r build/npm
	@touch $@
