#!/usr/bin/env bash
# Runs every fuzz target of the module for a while, one after the other: hack/fuzz.sh [duration, 5m]
set -euo pipefail
cd "$(dirname "$0")/.."

duration="${1:-5m}"

grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file declaration; do
  target="${declaration#func }"
  echo "fuzz: $target of $(dirname "$file") for $duration"
  go test "$(dirname "$file")" -run='^$' -fuzz="^$target\$" -fuzztime="$duration" </dev/null
done
