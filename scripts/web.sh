#!/usr/bin/env bash
# Installs the pinned npm packages of test/interop and bundles its pages, when something changed.
set -euo pipefail
cd "$(dirname "$0")/../test/interop"
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "web: $tool is missing; run: make deps" >&2; exit 1; }
done
if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
  echo "web: installing npm packages"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
node build.mjs
