#!/usr/bin/env bash
# Takes the time that a newcomer waits: from a clone of what is committed to a server that serves, and to a company that Okta
# has provisioned into it.
set -euo pipefail
cd "$(dirname "$0")/.."

here="$PWD" dir="$(mktemp -d)" server=
finish() {
  [[ -z "$server" ]] || { kill "$server" && wait "$server" || true; }
  rm -rf "$dir"
}
trap finish EXIT

lap() { printf '%5d s  %s\n' "$SECONDS" "$1"; }

git clone --quiet "$here" "$dir/scim-operator"
cd "$dir/scim-operator"
if [[ -d "$here/bin/k8s" ]]; then # it takes five minutes to build, once
  mkdir bin
  cp -R "$here/bin/k8s" bin/
fi
lap 'cloned'
ADDR="${ADDR:-127.0.0.1:18080}" make run >"$dir/run.log" 2>&1 &
server=$!
until [[ -f bin/dev/scim.env ]]; do
  kill -0 "$server" 2>/dev/null || { cat "$dir/run.log" >&2; exit 1; }
  sleep 0.2
done
lap '`make run` serves'
. bin/dev/scim.env
export SCIM_BASE_URL SCIM_TOKEN
make demo >"$dir/demo.log" 2>&1 || { cat "$dir/demo.log" >&2; exit 1; }
grep 'on the server' "$dir/demo.log"
lap '`make demo` is done'
