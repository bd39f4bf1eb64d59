#!/usr/bin/env bash
# Regenerates everything under web/dist and web/third_party from pinned npm packages. (A folder named vendor would be
# left out of the module's zip, and `go install …@version` would fail.) Needs npm, tar and sha256sum, and is
# only needed to change a version: the results are committed. After a change of a script, `npm run build` is enough.
set -euo pipefail
cd "$(dirname "$0")"

HLSJS=1.7.4
LOADER=2.3.1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch name version: unpacks an npm package into $work/name.
fetch() {
  mkdir -p "$work/$1"
  local archive
  archive=$(cd "$work" && npm pack --silent "$1@$2")
  tar -xzf "$work/$archive" -C "$work/$1" --strip-components=1
}

fetch hls.js "$HLSJS"
fetch p2p-media-loader-core "$LOADER"
fetch p2p-media-loader-hlsjs "$LOADER"

rm -rf third_party
mkdir -p third_party
# Use the full build: the light build of hls.js does not support alternate audio, which is a swarm of its own here.
cp "$work/hls.js/dist/hls.min.mjs" third_party/hls.min.mjs
cp "$work/hls.js/LICENSE" third_party/hls.LICENSE
for part in core hlsjs; do
  cp "$work/p2p-media-loader-$part/dist/p2p-media-loader-$part.es.min.js" third_party/
  cp "$work/p2p-media-loader-$part/LICENSE" "third_party/p2p-media-loader-$part.LICENSE"
done
entry() { # name version file license
  printf '  {"name": "%s", "version": "%s", "file": "%s", "license": "%s", "sha256": "%s"}' \
    "$1" "$2" "$3" "$4" "$(sha256sum "third_party/$3" | cut -d' ' -f1)"
}
{
  echo '['
  entry hls.js "$HLSJS" hls.min.mjs hls.LICENSE; echo ','
  entry p2p-media-loader-core "$LOADER" p2p-media-loader-core.es.min.js p2p-media-loader-core.LICENSE; echo ','
  entry p2p-media-loader-hlsjs "$LOADER" p2p-media-loader-hlsjs.es.min.js p2p-media-loader-hlsjs.LICENSE; echo
  echo ']'
} >third_party/versions.json

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm run build
