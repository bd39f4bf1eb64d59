#!/usr/bin/env bash
# Shows p2pstream on a Kubernetes cluster that it starts on this machine, or on an existing one; --help lists the
# options. Everything is in the Go program test/demo, which this script builds and runs.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if ! command -v go >/dev/null; then
  echo "demo: go is not on the PATH; install Go from https://go.dev/dl/, then run the demo again" >&2
  exit 1
fi
[[ -x $root/bin/demo ]] || echo "demo: compiling bin/demo, one or two minutes the first time"
go build -C "$root" -trimpath -o bin/demo ./test/demo
exec "$root/bin/demo" "$@"
