#!/usr/bin/env bash
# Plays Okta against what `make run` serves in another shell, then shows what has come of it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -f bin/dev/scim.env ]]; then
  echo 'demo: nothing is served here (bin/dev/scim.env is missing): start `make run` in another shell first' >&2
  exit 1
fi
set -a
. bin/dev/scim.env
set +a

go build -buildvcs=false -o bin/replay ./hack/replay
bin/replay okta --app=both

kubectl="$(go run ./hack/controlplane/assets)/kubectl"
[[ -x "$kubectl" ]] || kubectl=kubectl
"$kubectl" get scimdirectories,scimusers,scimgroups,approles,appmemberships -n demo
