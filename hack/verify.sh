#!/usr/bin/env bash
# Proves that what is generated, the module files and the formatting are current. It regenerates in a copy, so the work
# tree stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
status=0

complain() {
  echo "verify: $1" >&2
  status=1
}

# Generated files, with the tools of this tree.
tar --exclude=./bin --exclude=./.git -cf - . | tar -xf - -C "$copy"
KUBEBUILDER_ASSETS="$(go run ./hack/controlplane/assets)"
export KUBEBUILDER_ASSETS
make --no-print-directory -C "$copy" generate CONTROLLER_GEN="$PWD/bin/tools/controller-gen" CRD_REF_DOCS="$PWD/bin/tools/crd-ref-docs"
for generated in api config docs; do
  diff -ru "$generated" "$copy/$generated" || complain "$generated is not current: run \`make generate\`"
done

# Module files. The modules named source hold little or nothing beside the programs that are built from them.
for module in . hack/tools hack/controlplane/source hack/openfga/source hack/argocd/source hack/grafana/source hack/install/source hack/monitoring/source hack/docs/source hack/cluster/source; do
  go -C "$module" mod tidy -diff || complain "$module/go.mod is not tidy: run \`go -C $module mod tidy\`"
done

unformatted="$("$(go env GOROOT)/bin/gofmt" -l .)"
[[ -z "$unformatted" ]] || complain "run \`gofmt -w\` on: $unformatted"

exit "$status"
