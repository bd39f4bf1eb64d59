#!/usr/bin/env bash
# Shows p2pstream on a real cluster, on this machine or on one that is there; --help says how.
# All of it is the Go program in test/demo, which this builds and becomes.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if ! command -v go >/dev/null; then
  echo "demo: go is not in the PATH; install Go from https://go.dev/dl/, then run it again" >&2
  exit 1
fi
[[ -x $root/bin/demo ]] || echo "demo: building bin/demo (the first time takes a minute)"
go build -C "$root" -o bin/demo ./test/demo
exec "$root/bin/demo" "$@"
