#!/usr/bin/env bash
# Installs the pinned npm packages of test/interop and web, and bundles the pages of the tests and the SDK's examples, when
# something changed.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/npm-ci.sh test/interop
scripts/npm-ci.sh web
cd test/interop
node build.mjs
