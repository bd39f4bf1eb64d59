#!/usr/bin/env bash
# Fuzzes every target of the module for the given time each, one after the other, and names the
# target and its corpus entry when one fails. usage: scripts/fuzz.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5m}
failed=0 targets=0
while IFS=: read -r file name; do
  targets=$((targets + 1))
  echo "== $name (./$(dirname "$file")) for $time"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "./$(dirname "$file")" || failed=$((failed + 1))
done < <(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' api cmd controllers internal runtime test web 2>/dev/null | sed 's/:func /:/')
if ((targets == 0)); then
  echo "fuzz: no targets found; functions named FuzzXxx are expected below runtime/" >&2
  exit 1
fi
echo "fuzz: $targets targets, $failed failed"
((failed == 0))
