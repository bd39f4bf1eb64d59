#!/usr/bin/env bash
# Installs the pinned npm packages of a folder, when its lock file changed.
set -euo pipefail
cd "$(dirname "$0")/../$1"
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "npm-ci: $tool is missing; run: make deps" >&2; exit 1; }
done
if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
  echo "npm-ci: installing the npm packages of $1"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
