#!/usr/bin/env bash
# Installs the pinned npm packages of test/interop and bundles its pages, when something changed.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/npm-ci.sh test/interop
cd test/interop
node build.mjs
