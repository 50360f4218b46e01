# make help lists what there is.

SHELL   := bash
.SHELLFLAGS := -eu -o pipefail -c
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/berthdev/berth.Release=$(VERSION)
SLIM    := CGO_ENABLED=0 GOOS=linux
GOBUILD := go build -trimpath -ldflags '$(LDFLAGS)'
BUNDLE  := internal/bundle/files
PACKED  := $(BUNDLE)/berth-agent-linux-amd64.gz $(BUNDLE)/berth-agent-linux-arm64.gz $(BUNDLE)/berth-plugin.gz
ARGS    ?=

# say prints a step's title, in bold on a terminal.
say = @if [ -t 1 ]; then printf '\033[1m==>\033[0m %s\n' '$(1)'; else echo '==> $(1)'; fi

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

.PHONY: build
build: bin/berth ## build everything into bin/

.PHONY: run
run: build ## start a server, make a workspace and run a command in it (ARGS=--exit ends after that)
	@scripts/run.sh $(ARGS)

# Go decides itself what has to be built again, so the binaries are always
# "remade"; what is packed from them changes only when they do.
.PHONY: FORCE
FORCE:

bin/berth: $(PACKED) dashboard/dist/.built FORCE
	$(call say,berth)
	@$(GOBUILD) -o $@ ./cmd/berth

bin/berth-plugin: FORCE
	$(call say,berth-plugin: what Terraform starts)
	@CGO_ENABLED=0 $(GOBUILD) -o $@ ./cmd/berth-plugin

bin/berth-agent-linux-amd64: FORCE
	$(call say,berth-agent for linux/amd64)
	@$(SLIM) GOARCH=amd64 $(GOBUILD) -o $@ ./cmd/berth-agent

bin/berth-agent-linux-arm64: FORCE
	$(call say,berth-agent for linux/arm64)
	@$(SLIM) GOARCH=arm64 $(GOBUILD) -o $@ ./cmd/berth-agent

$(BUNDLE)/%.gz: bin/%
	@if [ ! -e $@ ] || ! gzip -dc $@ | cmp -s - $<; then gzip -9nc $< > $@.new && mv $@.new $@; fi

DASHBOARD := $(shell find dashboard/src dashboard/*.json dashboard/*.ts dashboard/*.js dashboard/*.html -type f 2>/dev/null)
dashboard/dist/.built: $(DASHBOARD)
	$(call say,dashboard)
	@if command -v npm >/dev/null; then \
		cd dashboard && npm ci --no-audit --no-fund --loglevel=error && npm run build --silent; \
	else echo '    npm is not on this machine: the page stays a placeholder'; fi
	@mkdir -p dashboard/dist && touch $@

.PHONY: generate
generate: ## rewrite what is generated: openapi.json, goldens, docs/config.md
	go test ./internal/store ./internal/httpapi ./internal/server ./internal/authz ./internal/cli -run 'Golden|Drift|Generated|Grid' -update

.PHONY: test
test: build ## every test that this machine can run; says what it skipped and why (under 15 minutes on 2 cores)
	@scripts/test.sh $(ARGS)

.PHONY: test-kubernetes
test-kubernetes: build ## the starter for Kubernetes on a real cluster; scripts/kubernetes.sh says which
	@scripts/kubernetes.sh

.PHONY: soak
soak: build ## the storms in full, with a printed seed
	$(call say,200 kills of server and keepers under real builds)
	@BERTH_SOAK=1 go test -count 1 -v -run StormOfKills -timeout 60m ./test/e2e
	$(call say,60 kills of servers and keepers and warm plugins under builds of containers)
	@BERTH_SOAK=1 go test -count 1 -v -run StormOnWarmPlugins -timeout 60m ./test/e2e
	$(call say,100 kills of keepers and runners)
	@go test -count 1 -v -run Kill -timeout 30m ./internal/runner -storm 100
	$(call say,100 lives in which terraform and its plugins and the journal are killed at every change)
	@go test -count 1 -v -run 'Killed|NothingChanges' -timeout 60m ./internal/terraform -storm 25
	$(call say,a year of 1000 workspaces that live by their rules)
	@BERTH_SOAK=1 go test -count 1 -v -run Year -timeout 60m ./test/simulations
	$(call say,the queue against its model)
	@go test -count 1 -v -run Model -timeout 30m ./internal/builds -rapid.checks=1000
	$(call say,500 forms against what terraform computes)
	@go test -count 1 -v -run Forms -timeout 60m ./internal/terraform -rapid.checks=500

.PHONY: bench
bench: build ## measure, side by side with a reference; never fails a build
	@mkdir -p test/results; rm -f test/results/bench.txt; \
	BERTH_BENCH_FILE=$(CURDIR)/test/results/bench.txt go test -tags bench -count 1 -timeout 60m -v $(or $(ARGS),-run .) ./test/bench | grep -Ev '^(=== |--- PASS|PASS|ok )' || true

.PHONY: tools
tools: ## build the Terraform plugins for docker and kubernetes, and OpenTofu where there is no terraform, into .tools/
	@tools/build.sh $(or $(ARGS),docker kubernetes $(if $(shell command -v terraform),,tofu))

.PHONY: clean
clean: ## remove what was built (not .tools, not .berth)
	rm -rf bin $(BUNDLE)/*.gz dashboard/dist/assets dashboard/dist/index.html dashboard/dist/.built dashboard/node_modules
