#!/usr/bin/env bash
# Fuzzes every target of the module for the given time each, JOBS of them at a time, and names the
# targets that failed; their findings are in testdata/fuzz of their package.
# usage: [JOBS=2] scripts/fuzz.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5m}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

one() {
  local file=${1%%:*} name=${1##*:}
  if go test -run '^$' -fuzz "^$name\$" -fuzztime "$2" -parallel "$4" "./$(dirname "$file")" >"$3/$name" 2>&1; then
    echo "ok   $name (./$(dirname "$file")): $(grep -oE 'execs: [0-9]+' "$3/$name" | tail -n 1)"
  else
    echo "FAIL $name (./$(dirname "$file"))"
    tail -n 40 "$3/$name"
    touch "$3/$name.failed"
  fi
}
export -f one

jobs=${JOBS:-1}
workers=$(((($(nproc) + jobs - 1)) / jobs))
targets=$(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' api cmd controllers internal runtime test web 2>/dev/null | sed 's/:func /:/' || true) # a folder that is not there yet is no error
if [[ -z $targets ]]; then
  echo "fuzz: no targets found; functions named FuzzXxx are expected below runtime/" >&2
  exit 1
fi
count=$(wc -l <<<"$targets")
echo "fuzz: $count targets, $time each, $jobs at a time"
xargs -P "$jobs" -I{} bash -c 'one "$@"' _ {} "$time" "$logs" "$workers" <<<"$targets"
failed=$(find "$logs" -name '*.failed' | wc -l)
echo "fuzz: $count targets, $failed failed"
((failed == 0))
