# p2pstream. `make` alone lists the targets.
# Tools beyond Go and make are built into bin/ from tools/ (a Go module of its own), or installed by
# `make deps` when they are missing.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
BIN      := $(CURDIR)/bin
RESULTS  := $(BIN)/results
FUZZTIME ?= 5m
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)

# Without paths in what is compiled, clones of the repository share one build cache.
USERFLAGS := $(or $(GOFLAGS),$(shell $(GO) env GOFLAGS))
export GOFLAGS := $(strip $(filter-out -trimpath,$(USERFLAGS)) -trimpath)

# Unit tests are everything but the suites that watch programs play, or need a browser or a cluster.
UNIT_PKGS   = $(shell $(GO) list ./... | grep -v -e '/test/interop' -e '/test/e2e' -e '/test/peers' -e '/test/players' -e '/test/hostile' -e '/test/foreign' -e '/test/origins' -e '/test/soak' -e '/test/prometheus' -e '/test/firststream' -e '/test/lab/netns')
# Only packages that hold vector tests or fuzz targets are linked where these run alone.
with_tests  = $(shell grep -rlE --include='*_test.go' '^func $(1)' api cmd controllers internal runtime test web 2>/dev/null | xargs -rn1 dirname | sort -u | sed 's|^|./|')
VECTOR_PKGS = $(call with_tests,TestVector)
FUZZ_PKGS   = $(call with_tests,Fuzz)
# A suite builds what it uses. `make test` has built it before, and says so with PREPARED=1: suites that
# run beside each other must not write the same file.
uses        = $(if $(PREPARED),,$(1))
# Tests of test/interop that have the processors for Firefox.
IN_FIREFOX  = ^(TestOneSeederCarriesFirefox|TestDASHFromOneCopyInFirefox)$$
# Suites that start programs start this one.
unit peers hostile eclipse shares foreign origins soak prometheus players interop firefox: export P2PSTREAM_BINARY := $(BIN)/p2pstream

GOTESTSUM = $(BIN)/gotestsum
TESTRUN   = $(BIN)/testrun
LAUNCHER  = $(BIN)/cluster
HELM      = $(BIN)/helm
# envtest runs the API server and etcd that the cluster runs.
ASSETS    = $(shell $(LAUNCHER) path)
IMAGE    ?= localhost/p2pstream:dev

##@ Use
.PHONY: help
help: ## print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-zA-Z0-9_-]*:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

.PHONY: build
build: ## build bin/p2pstream, the static program that images contain and suites run
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/p2pstream ./cmd/p2pstream

.PHONY: demo
demo: ## run two streams on one network with eight viewers in two offices, on a test cluster (CLUSTER=context for another cluster)
	@CLUSTER=$(CLUSTER) scripts/demo.sh $(ARGS)

.PHONY: first-stream
first-stream: image cluster-binaries $(HELM) entrance ## build, and install of Debian, what docs/first-stream.md uses
	@$(LAUNCHER) deps
	@scripts/install-deps.sh curl haproxy jq openssl

.PHONY: entrance
entrance:
	CGO_ENABLED=0 $(GO) build -ldflags '-s -w' -o $(BIN)/entrance ./test/lab/entrance/command

.PHONY: image
image: build $(BIN)/image ## build the OCI image bin/p2pstream.oci.tar without a container engine (IMAGE=name:tag)
	@install -D $(BIN)/p2pstream $(BIN)/static/p2pstream # where test/demo looks for it
	$(BIN)/image --version '$(VERSION)' --binary $(BIN)/p2pstream --tag $(IMAGE) --out $(BIN)/p2pstream.oci.tar

##@ Test
.PHONY: test
test: $(TESTRUN) ## run every suite; ends with a table and the sum (ONLY=unit,peers for some, CI_FULL=1 for what did not change, too)
	@$(TESTRUN) $(if $(ONLY),-only $(ONLY))

.PHONY: prepare
prepare: deps $(GOTESTSUM) $(HELM) $(BIN)/ginkgo build web sdk-packages image entrance $(BIN)/caddy cluster-binaries
	$(GO) list -test -deps -export -tags e2e ./test/... >/dev/null # compiles the suites: none compiles beside another

.PHONY: unit
unit: $(call uses,build $(GOTESTSUM) $(BIN)/caddy cluster-binaries) ## run unit tests, protocol vectors and fuzz seeds with the race detector; the operator on a real API server
	@mkdir -p $(RESULTS)
	KUBEBUILDER_ASSETS=$(ASSETS) $(GOTESTSUM) --format pkgname --format-hide-empty-pkg --jsonfile $(RESULTS)/unit.json -- \
	  -race -timeout 10m -p 4 $(filter-out %/runtime/seeder %/runtime/seeder/config,$(UNIT_PKGS)) # more packages than processors: some wait for clocks or an API server

.PHONY: vectors
vectors: $(GOTESTSUM) ## run the protocol vectors alone (P2PSTREAM_VECTORS=DIR for another set)
	@mkdir -p $(RESULTS)
	@test -n "$(VECTOR_PKGS)" || { echo "no vector tests found: tests named TestVector… are expected below runtime/"; exit 1; }
	$(GOTESTSUM) --format pkgname --jsonfile $(RESULTS)/vectors.json -- -race -timeout 5m -run '^TestVector' $(VECTOR_PKGS)

.PHONY: fuzz-seeds
fuzz-seeds: $(GOTESTSUM) ## run each fuzz target on its seeds alone
	@mkdir -p $(RESULTS)
	@test -n "$(FUZZ_PKGS)" || { echo "no fuzz targets found: functions named FuzzXxx are expected below runtime/"; exit 1; }
	$(GOTESTSUM) --format pkgname --jsonfile $(RESULTS)/fuzz-seeds.json -- -race -timeout 5m -run '^Fuzz' $(FUZZ_PKGS)

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME each (default 5m)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: tools
tools: $(call uses,$(GOTESTSUM)) ## test the build tools and, by the API server's own code, the CRD
	@mkdir -p $(RESULTS)
	@cd tools && $(GOTESTSUM) --format pkgname --jsonfile $(RESULTS)/tools.json -- -count=1 -timeout 10m ./... github.com/p2pstream/p2pstream/tools/oci

.PHONY: deploy
deploy: $(call uses,$(GOTESTSUM)) ## test manifests and chart without a cluster
	@mkdir -p $(RESULTS)
	@cd test/deploy && $(GOTESTSUM) --format pkgname --jsonfile $(RESULTS)/deploy.json -- -count=1 -timeout 10m ./...

.PHONY: sdk
sdk: $(call uses,sdk-packages) ## test the viewer SDK and its npm package
	@mkdir -p $(RESULTS)
	cd web && P2PSTREAM_RESULTS=$(RESULTS)/sdk.json node test/run.mjs

.PHONY: sdk-packages
sdk-packages:
	@scripts/npm-ci.sh web

.PHONY: peers
peers: $(call uses,build $(GOTESTSUM)) ## run the programs against each other with the race detector: failures and attacks
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/peers.json -- \
	  -race -count=1 -timeout 15m -p 1 $(if $(RUN),-run '$(RUN)') ./test/peers/...

.PHONY: seeders
seeders: $(call uses,build $(GOTESTSUM)) ## run the tests of seeders with the race detector, which wait for each other's answers
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/seeders.json -- -race -count=1 -timeout 5m $(if $(RUN),-run '$(RUN)') ./runtime/seeder/...

.PHONY: hostile
hostile: $(call uses,build $(GOTESTSUM)) ## attack the running programs
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/hostile.json -- \
	  -count=1 -timeout 15m -p $(if $(P2PSTREAM_SLOW_MACHINE),1,4) $(if $(RUN),-run '$(RUN)',-skip '^(TestEclipse|TestAFloodBesideAnAudience)$$') ./test/hostile/...

.PHONY: eclipse
eclipse: $(call uses,build $(GOTESTSUM)) ## the longest attack of hostile alone: viewers meet among peers that never connect
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/eclipse.json -- -count=1 -timeout 10m -run '^TestEclipse$$' ./test/hostile/tracker

.PHONY: shares
shares: $(call uses,build $(GOTESTSUM)) ## flood one stream of a tracker with 5,000 sockets, while viewers play another one
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/shares.json -- -count=1 -timeout 5m -run '^TestAFloodBesideAnAudience$$' ./test/hostile/shares

.PHONY: foreign
foreign: $(call uses,build web $(GOTESTSUM)) ## run twenty viewers on trackers that are not ours
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/foreign.json -- \
	  -count=1 -timeout 10m $(if $(RUN),-run '$(RUN)') ./test/foreign/...

.PHONY: origins
origins: $(call uses,build $(GOTESTSUM)) ## run the programs on origins that do what origins in the field do
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/origins.json -- \
	  -count=1 -timeout 5m $(if $(RUN),-run '$(RUN)') ./test/origins/...

.PHONY: soak
soak: $(call uses,build $(GOTESTSUM)) ## run a stream while viewers come and go, and measure what grows (FOR=2h for the long form)
	@mkdir -p $(RESULTS)
	$(if $(FOR),$(GO) run ./test/soak --for $(FOR) --out $(BIN)/soak,$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/soak.json -- \
	  -count=1 -timeout 10m $(if $(RUN),-run '$(RUN)') ./test/soak/...)

.PHONY: prometheus
prometheus: $(call uses,build $(GOTESTSUM) cluster-binaries) ## scrape the programs with a real Prometheus: every alert and panel has data, each fault fires its alert
	@mkdir -p $(RESULTS)
	KUBEBUILDER_ASSETS=$(ASSETS) $(GOTESTSUM) --format testname --jsonfile $(RESULTS)/prometheus.json -- \
	  -count=1 -timeout 5m $(if $(RUN),-run '$(RUN)') ./test/prometheus/...

.PHONY: players
players: $(call uses,build $(GOTESTSUM)) ## play streams with ffmpeg through the viewer's proxy
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format testname --jsonfile $(RESULTS)/players.json -- \
	  -count=1 -timeout 10m $(if $(RUN),-run '$(RUN)') ./test/players/...

.PHONY: interop
interop: $(call uses,build web $(GOTESTSUM)) ## run published players and trackers in real browsers against our programs
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/interop.json -- \
	  -count=1 -timeout 45m -p 1 $(if $(RUN),-run '$(RUN)',-skip '$(IN_FIREFOX)') ./test/interop/... ./test/lab/netns

.PHONY: firefox
firefox: $(call uses,build web $(GOTESTSUM)) ## play streams in Firefox alone
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/firefox.json -- \
	  -count=1 -timeout 20m -run '$(IN_FIREFOX)' ./test/interop

.PHONY: cluster
cluster: $(call uses,$(GOTESTSUM) cluster-binaries) ## test the local cluster itself (as root)
	@mkdir -p $(RESULTS)
	@cd test/cluster && $(GOTESTSUM) --format testname --jsonfile $(RESULTS)/cluster.json -- -count=1 -timeout 10m ./...

.PHONY: cluster-unit
cluster-unit: $(call uses,$(GOTESTSUM) cluster-binaries)
	@mkdir -p $(RESULTS)
	@cd test/cluster && $(GOTESTSUM) --format testname --jsonfile $(RESULTS)/cluster.json -- -count=1 -timeout 10m ./internal/...

.PHONY: e2e
e2e: $(call uses,web image $(GOTESTSUM) $(HELM) $(BIN)/ginkgo cluster-binaries) ## run the operator and a stream on a real cluster, with browsers in offices (as root)
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/e2e.json -- \
	  -count=1 -timeout 30m -tags e2e $(if $(RUN),./test/e2e -args -ginkgo.focus '$(RUN)',./test/e2e/...)

.PHONY: entrances
entrances: $(call uses,web image $(GOTESTSUM) $(HELM) $(BIN)/ginkgo $(BIN)/caddy cluster-binaries) ## play through an Ingress, Gateways, load balancers and ports of nodes, on a real cluster with real proxies (as root; RUN=regexp for some)
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/entrances.json -- \
	  -count=1 -timeout 30m -tags e2e ./test/e2e -run '^TestE2E$$' -args -ginkgo.label-filter entrances $(if $(RUN),-ginkgo.focus '$(RUN)')

.PHONY: docs-test
docs-test: $(call uses,first-stream $(GOTESTSUM)) ## run the commands of docs/first-stream.md on a cluster of its own (as root)
	@mkdir -p $(RESULTS)
	$(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/docs-test.json -- -count=1 -timeout 12m ./test/firststream

.PHONY: offices
offices: $(call uses,web image $(GOTESTSUM) $(HELM) $(BIN)/ginkgo cluster-binaries) ## measure what the lines of two offices carry, on a real cluster (as root; FOR=3m for each case, RUN=regexp for some)
	@mkdir -p $(RESULTS)
	P2PSTREAM_E2E_OFFICES=$(or $(FOR),3m) $(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/offices.json -- \
	  -count=1 -timeout 60m -tags e2e ./test/e2e -run '^TestE2E$$' -args -ginkgo.label-filter offices $(if $(RUN),-ginkgo.focus '$(RUN)')

.PHONY: scale
scale: $(call uses,web image $(GOTESTSUM) $(HELM) $(BIN)/ginkgo cluster-binaries) ## put 200 streams of 20 namespaces on one network, on a real cluster (as root; SMALL=1 for 20 of 4)
	@mkdir -p $(RESULTS)
	P2PSTREAM_E2E_SCALE=$(if $(SMALL),,1) $(GOTESTSUM) --format standard-verbose --jsonfile $(RESULTS)/scale.json -- \
	  -count=1 -timeout 45m -tags e2e ./test/e2e -run '^TestE2E$$' -args -ginkgo.label-filter many-streams

.PHONY: onecopy
onecopy: ## measure how many copies of a live stream fifty viewers and their seeders take from the origin (RUN=regexp for some cases)
	$(GO) test -run '^$$' -bench 'OneCopy/$(RUN)' -benchtime 1x -timeout 30m ./test/peers

.PHONY: bench
bench: ## run every benchmark once, five samples each (BENCH=regexp)
	$(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem -count $(or $(COUNT),5) -timeout 60m $(UNIT_PKGS)

.PHONY: lint
lint: $(BIN)/golangci-lint ## run golangci-lint on every module, and check the formatting
	@status=0; for module in . tools tools/oci test/deploy test/cluster test/caddy; do \
	  echo "lint: $$module"; \
	  (cd $$module && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || status=1; \
	done; exit $$status
	@gofmt -l -s api cmd controllers internal runtime test tools web | (! grep .) || { echo "run gofmt -s -w on these files"; exit 1; }

##@ Generate
.PHONY: generate
generate: $(BIN)/controller-gen ## regenerate deep copies and the CRD from api/v1
	$(BIN)/controller-gen object paths=./api/...
	$(BIN)/controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd
	@$(MAKE) --no-print-directory chart

.PHONY: chart
chart: ## copy the CRD and the roles from config/ into the Helm chart, and make its dashboards
	cd tools && $(GO) run ./chartsync && $(GO) run ./dashboards

.PHONY: golden
golden: cluster-binaries ## rewrite the golden files; read the diff before committing it
	P2PSTREAM_UPDATE_GOLDEN=1 KUBEBUILDER_ASSETS=$(ASSETS) $(GO) test -count=1 -run 'Golden' $(UNIT_PKGS)
	cd test/deploy && P2PSTREAM_UPDATE_GOLDEN=1 $(GO) test -count=1 -run 'Golden' ./...

.PHONY: web
web: sdk-packages ## install and bundle the browser pages that interop tests load
	@scripts/web.sh

##@ Machine
.PHONY: deps
deps: $(LAUNCHER) ## install the Debian packages that are missing (Chromium, Firefox, ffmpeg, Node.js, containerd and others)
	@scripts/install-deps.sh
	@$(LAUNCHER) deps

.PHONY: cluster-binaries
cluster-binaries: $(LAUNCHER)
	@$(LAUNCHER) build >/dev/null # its progress goes to standard error

.PHONY: clean
clean: ## remove everything built
	rm -rf $(BIN) test/interop/dist test/interop/node_modules web/build web/node_modules

$(BIN)/controller-gen: tools/go.mod
	cd tools && $(GO) build -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen
$(BIN)/golangci-lint: tools/go.mod
	cd tools && $(GO) build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(GOTESTSUM): tools/go.mod
	cd tools && $(GO) build -o $@ gotest.tools/gotestsum
$(TESTRUN): tools/go.mod $(shell find tools/testrun -name '*.go')
	cd tools && $(GO) build -o $@ ./testrun
$(BIN)/image: tools/go.mod $(wildcard tools/image/*.go tools/oci/*.go)
	cd tools && $(GO) build -o $@ ./image
$(HELM): test/deploy/go.mod
	cd test/deploy && $(GO) build -ldflags '-s -w' -o $@ helm.sh/helm/v4/cmd/helm
$(BIN)/caddy: test/caddy/go.mod $(wildcard test/caddy/*.go)
	cd test/caddy && CGO_ENABLED=0 $(GO) build -ldflags '-s -w' -o $@ .
$(BIN)/ginkgo: go.mod
	$(GO) build -o $@ github.com/onsi/ginkgo/v2/ginkgo
$(LAUNCHER): test/cluster/go.mod $(wildcard tools/oci/*.go) $(shell find test/cluster -name '*.go' -not -path '*/kube/*' -not -path '*/coredns/*')
	cd test/cluster && $(GO) build -o $@ .
