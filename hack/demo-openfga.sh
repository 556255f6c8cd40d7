#!/usr/bin/env bash
# Shows, with what `make run` serves in another shell, how an OpenFGA store follows an identity provider.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -f bin/dev/scim.env ]]; then
  echo 'demo-openfga: nothing is served here (bin/dev/scim.env is missing): start `make run` in another shell first' >&2
  exit 1
fi
set -a
. bin/dev/scim.env
set +a

KUBECTL="$(go run ./hack/controlplane/assets)/kubectl"
[[ -x "$KUBECTL" ]] || KUBECTL=kubectl
export KUBECTL

if [[ -z "$("$KUBECTL" get appmemberships -n demo -o name)" ]]; then
  echo 'Nobody is there yet: Okta provisions some people.'
  go build -buildvcs=false -o bin/replay ./hack/replay
  bin/replay okta --app=both
fi

go build -buildvcs=false -o bin/demo-openfga ./hack/openfga/demo
exec bin/demo-openfga
