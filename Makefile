# Go, make and git are all that these targets need; other tools are built from Go modules into bin.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME ?= 1000000x
TESTFLAGS ?=

CONTROLLER_GEN ?= bin/tools/controller-gen
CRD_REF_DOCS ?= bin/tools/crd-ref-docs
GOLANGCI_LINT ?= bin/tools/golangci-lint
DOCKER ?= docker

# The version comes by ldflags, so that a build asks nothing of git. Without -trimpath, builds and tests share what they
# have compiled.
GO_BUILD := go build -buildvcs=false

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-15s %s\n", $$1, $$2}' Makefile

# Run

.PHONY: build
build: ## Build bin/scim-operator, which is also the plugin of kubectl.
	$(GO_BUILD) -ldflags "-X main.version=$(VERSION)" -o bin/scim-operator .
	ln -sf scim-operator bin/kubectl-scim
	ln -sf scim-operator bin/kubectl_complete-scim

.PHONY: run
run: build ## Run a control plane and the operator here, until interrupted.
	@$(GO_BUILD) -o bin/dev-runner ./hack/dev
	@exec bin/dev-runner

.PHONY: demo
demo: ## Provision people and groups as Okta does, into what `make run` serves.
	@hack/demo.sh

.PHONY: demo-openfga
demo-openfga: ## Show an OpenFGA store that follows what `make run` serves.
	@hack/demo-openfga.sh

.PHONY: clean
clean: ## Remove all that was built, and the state of `make run`.
	rm -rf bin

# Prove

# Not cached: the tests run programs from bin, whose changes `go test` does not see. What the operator asks of Kubernetes
# meanwhile is noted in bin/rights; unless TESTFLAGS leave tests out, it must be what its roles allow, and all of that.
.PHONY: test
test: build ## Run all tests, against a real etcd and kube-apiserver.
	@hack/browser.sh find >/dev/null || true
	rm -rf bin/rights
	assets="$$(go run ./hack/controlplane/assets)" && \
	KUBEBUILDER_ASSETS="$$assets" CONTROLPLANE_AUDIT_DIR="$(CURDIR)/bin/rights" \
		go test -count=1 -timeout=15m $(TESTFLAGS) ./...
	$(if $(filter-out -race,$(TESTFLAGS)),,go run ./hack/rights bin/rights)

.PHONY: test-race
test-race: ## Run all tests under the race detector.
	$(MAKE) test TESTFLAGS=-race

.PHONY: fuzz
fuzz: ## Run every fuzz target FUZZTIME (1000000x).
	hack/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters.
	$(GOLANGCI_LINT) run ./...
	$(GOLANGCI_LINT) run --enable-only=kubeapilinter ./api/v1alpha1

.PHONY: verify
verify: lint $(CONTROLLER_GEN) $(CRD_REF_DOCS) ## Lint, and prove that generated and module files are current; changes nothing.
	hack/verify.sh

# Measure

# -docs=docs also puts the results into docs/performance.md and docs/images.
BENCHFLAGS ?=

.PHONY: bench
bench: build ## Measure beside a bare client with 100,000 users, which takes long.
	go run ./hack/bench $(BENCHFLAGS)

.PHONY: bench-quick
bench-quick: build ## Measure beside a bare client with 3,000 users, in about two minutes.
	go run ./hack/bench -quick $(BENCHFLAGS)

CHAOS ?= 10m

.PHONY: chaos
chaos: build ## Kill and pause replicas, API server and etcd for CHAOS (10m), and prove that nothing is lost.
	go run ./hack/chaos -for $(CHAOS)

# Generate

.PHONY: generate
generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) ## Generate deepcopy, apply configurations, CRDs, RBAC roles, the chart and docs/api.md.
	rm -rf api/applyconfiguration config/crd/bases
	$(CONTROLLER_GEN) object crd:crdVersions=v1 applyconfiguration \
		paths=./api/v1alpha1 output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=scim-operator-controllers,fileName=controllers_role.yaml paths=./controllers/... \
		output:rbac:dir=config/rbac
	$(CONTROLLER_GEN) rbac:roleName=scim-operator-server,fileName=server_role.yaml paths=./scimserver/store/... \
		output:rbac:dir=config/rbac
	go run ./hack/install/chart
	$(CRD_REF_DOCS) --source-path=api/v1alpha1 --config=hack/docs/reference/config.yaml --templates-dir=hack/docs/reference \
		--renderer=markdown --output-path=docs/api.md --log-level=ERROR

.PHONY: flags
flags: build ## Write the operator's flags into docs/operations.md.
	bin/scim-operator --help 2>&1 | go run ./hack/docs/flags docs/operations.md

# Release

IMAGE ?= scim-operator:$(VERSION)
EXTERNAL_URL ?= https://scim.example.com
CHART_VERSION ?= 0.1.0

.PHONY: build-installer
build-installer: ## Write dist/install.yaml, for IMAGE and EXTERNAL_URL.
	go run ./hack/install/release -installer dist/install.yaml -image "$(IMAGE)" -external-url "$(EXTERNAL_URL)"

.PHONY: package-chart
package-chart: ## Package the chart as CHART_VERSION into dist.
	go run ./hack/install/release -chart dist -version "$(CHART_VERSION)"

# After the release is tagged: from then on, CRDs and objects of later versions are held to what it left.
.PHONY: baseline
baseline: ## Note what this release leaves in a cluster, for the tests of upgrades.
	rm -rf hack/upgrade/testdata/release/crds && cp -r config/crd/bases hack/upgrade/testdata/release/crds
	assets="$$(go run ./hack/controlplane/assets)" && \
	KUBEBUILDER_ASSETS="$$assets" go test -count=1 ./hack/upgrade -args -baseline

.PHONY: docker-build
docker-build: ## Build IMAGE with docker, or with another such program as DOCKER.
	$(DOCKER) build --build-arg VERSION="$(VERSION)" --tag "$(IMAGE)" .

.PHONY: sbom
sbom: bin/tools/cyclonedx-gomod ## Write dist/sbom.json: what the binary is made of, in CycloneDX.
	mkdir -p dist
	CGO_ENABLED=0 GOOS=linux bin/tools/cyclonedx-gomod app -json -licenses -std -main . -output dist/sbom.json

# Tools

bin/tools/controller-gen: hack/tools/go.sum
	go -C hack/tools build -buildvcs=false -o ../../$@ sigs.k8s.io/controller-tools/cmd/controller-gen

bin/tools/crd-ref-docs: hack/docs/source/go.sum
	go -C hack/docs/source build -buildvcs=false -o ../../../$@ github.com/elastic/crd-ref-docs

bin/tools/golangci-lint: hack/tools/go.sum
	go -C hack/tools build -buildvcs=false -o ../../$@ ./golangci-lint

bin/tools/cyclonedx-gomod: hack/install/source/go.sum
	CGO_ENABLED=0 go -C hack/install/source build -buildvcs=false -o ../../../$@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
