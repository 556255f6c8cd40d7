#!/usr/bin/env bash
# Runs every fuzz target of the module so many times, one after the other: hack/fuzz.sh [times, 1000000x]
# It takes a duration, too, but Go before 1.27 sometimes takes the end of that for a failure ("context deadline exceeded",
# https://go.dev/issue/75804).
set -euo pipefail
cd "$(dirname "$0")/.."

times="${1:-1000000x}"

grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file declaration; do
  target="${declaration#func }"
  echo "fuzz: $target of $(dirname "$file") $times"
  go test "$(dirname "$file")" -run='^$' -fuzz="^$target\$" -fuzztime="$times" </dev/null
done
