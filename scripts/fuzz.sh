#!/usr/bin/env bash
# Fuzzes every target of the module for TIME each, JOBS of them at a time, and names the targets that
# failed. The input that failed is in testdata/fuzz of the target's package.
# usage: [JOBS=2] scripts/fuzz.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5m}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# fuzz_target FILE:FUNCTION TIME LOGS WORKERS
fuzz_target() {
  local package name=${1##*:} log
  package=./$(dirname "${1%%:*}")
  log=$3/$name
  if go test -run '^$' -fuzz "^$name\$" -fuzztime "$2" -parallel "$4" "$package" >"$log" 2>&1; then
    echo "ok   $name ($package): $(grep -oE 'execs: [0-9]+' "$log" | tail -n 1)"
  else
    echo "FAIL $name ($package)"
    tail -n 40 "$log"
    touch "$log.failed"
  fi
}
export -f fuzz_target

jobs=${JOBS:-1}
workers=$(((($(nproc) + jobs - 1)) / jobs))
targets=$(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' api cmd controllers internal runtime test web | sed 's/:func /:/' || true)
if [[ -z $targets ]]; then
  echo "fuzz: no targets found; functions named FuzzXxx are expected below runtime/" >&2
  exit 1
fi
count=$(wc -l <<<"$targets")
echo "fuzz: $count targets, $time each, $jobs at a time"
xargs -P "$jobs" -I{} bash -c 'fuzz_target "$@"' _ {} "$time" "$logs" "$workers" <<<"$targets"
failed=$(find "$logs" -name '*.failed' | wc -l)
echo "fuzz: $count targets, $failed failed"
((failed == 0))
