# Thin targets; what they do lies in the program, in scripts/ and in the tests.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GO_BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'
LINT := go tool -modfile=tools/go.mod golangci-lint
NODE_MODULES := web/node_modules/.package-lock.json

.PHONY: help
help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the program: bin/dozor
	@mkdir -p bin
	$(GO_BUILD) -o bin/dozor ./cmd/dozor

.PHONY: demo
demo: ## show it: private database, simulated sites, http://localhost:8080 (ARGS="--sites 20")
	@scripts/install postgresql
	@$(MAKE) --no-print-directory build
	@exec bin/dozor demo $(ARGS)

.PHONY: test
test: ## run every test: Go with the race detector, the web client's, the browser's
	@scripts/install postgresql chromium gcc node
	@$(MAKE) --no-print-directory build $(NODE_MODULES)
	go test -race -timeout 20m ./...
	cd web && npm run --silent typecheck
	cd web && npm run --silent test
	cd web && DOZOR_BIN='$(CURDIR)/bin/dozor' npm run --silent e2e

.PHONY: lint
lint: $(NODE_MODULES) ## check form, layering and types
	$(LINT) config verify
	$(LINT) run ./...
	go vet -tags failpoints ./...
	cd web && npm run --silent typecheck

.PHONY: fmt
fmt: ## bring the Go sources into their form
	$(LINT) fmt

.PHONY: web
web: ## build the web client into internal/webui/dist, which is committed
	@scripts/install node
	cd web && npm ci --no-audit --no-fund && npm run build

$(NODE_MODULES): web/package-lock.json
	@scripts/install node
	cd web && npm ci --no-audit --no-fund
	@touch $@

.PHONY: openapi
openapi: ## write api/openapi.yaml from the code
	go test ./internal/httpapi -run '^TestOpenAPI' -count=1 -update

.PHONY: soak
soak: ## long runs: fuzzing, properties, schedules (FUZZTIME, CHECKS, SCHEDULES, SEED)
	@scripts/install postgresql gcc
	scripts/soak

.PHONY: bench
bench: ## measure: panel to screen, and ingest (ALARM_ARGS, INGEST_ARGS)
	@scripts/install postgresql
	@$(MAKE) --no-print-directory build
	bin/dozor bench alarm $(ALARM_ARGS)
	bin/dozor bench ingest $(INGEST_ARGS)

.PHONY: clean
clean: ## remove what was built; the demonstration's data stay in .demo
	rm -rf bin web/node_modules web/test-results
