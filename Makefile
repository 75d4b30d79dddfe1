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
demo: ## show it: private database, simulated sites, http://localhost:8080 (ARGS=--full, ARGS="--sites 20")
	@scripts/install postgresql $(if $(findstring --full,$(ARGS)),rabbitmq redis)
	@$(MAKE) --no-print-directory build
	@exec bin/dozor demo $(ARGS)

.PHONY: test
test: ## run every test: Go with the race detector, the web client's, the browser's
	@scripts/install postgresql rabbitmq redis chromium gcc node
	@$(MAKE) --no-print-directory build $(NODE_MODULES)
	go test -race -timeout 20m -p 1 ./... # each has servers of its own: one after the other
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

.PHONY: pictures
pictures: $(NODE_MODULES) ## make the pictures of docs/screenshots, with a browser at a busy station
	@scripts/install postgresql rabbitmq redis chromium node
	@$(MAKE) --no-print-directory build
	cd web && DOZOR_BIN='$(CURDIR)/bin/dozor' npm run --silent pictures

.PHONY: openapi
openapi: ## write api/ from the code, and the web client's types from that
	@scripts/install node
	go test ./internal/httpapi -run '^TestOpenAPI' -count=1 -update
	cd web && npm run --silent schema

.PHONY: client
client: ## generate a client from api/openapi.yaml and work with it against a demo
	@scripts/install postgresql
	@$(MAKE) --no-print-directory build
	@mkdir -p tools/apiclient/station
	cd tools/apiclient && go tool oapi-codegen --config station.yaml ../../api/openapi.yaml
	cd tools/apiclient && go vet ./... && DOZOR_BIN='$(CURDIR)/bin/dozor' go test -count=1 ./...

.PHONY: soak
soak: ## long runs: fuzzing, properties, schedules, buses, outages (FUZZTIME, CHECKS, SCHEDULES, BUS, SEED)
	@scripts/install postgresql rabbitmq redis gcc
	scripts/soak

.PHONY: bench
bench: ## measure: panel to screen, and ingest (ALARM_ARGS, INGEST_ARGS)
	@scripts/install postgresql $(if $(findstring --adapters,$(ALARM_ARGS) $(INGEST_ARGS)),rabbitmq redis)
	@$(MAKE) --no-print-directory build
	bin/dozor bench alarm $(ALARM_ARGS)
	bin/dozor bench ingest $(INGEST_ARGS)

.PHONY: bench-push
bench-push: ## measure: sending to many clients, beside another server (PUSH_ARGS)
	@scripts/install postgresql
	@$(MAKE) --no-print-directory build
	cd tools/pushpeer && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o '$(CURDIR)/bin/pushpeer' .
	bin/dozor bench push --peer bin/pushpeer $(PUSH_ARGS)

.PHONY: clean
clean: ## remove what was built; the demonstration's data stay in .demo
	rm -rf bin web/node_modules web/test-results
