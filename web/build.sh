#!/usr/bin/env bash
# Regenerates everything under web/dist and web/third_party from pinned npm packages. (A folder named vendor would be
# left out of the module's zip, and `go install …@version` would fail.) Needs npm, tar and sha256sum, and is
# only needed to change a version: the results are committed. After a change of a script, `npm run build` is enough.
set -euo pipefail
cd "$(dirname "$0")"

HLSJS=1.7.4
LOADER=2.3.1
SHAKA=4.16.9 # newer versions of Shaka Player bypass the loader
UPLOT=1.6.32 # as in package.json: the dashboard is built with it
SHAKALOADER=2.2.2 # which needs exactly this version of the core

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch name version [folder]: unpacks an npm package into $work/name, or into another folder of $work.
fetch() {
  local folder=$work/${3:-$1} archive
  mkdir -p "$folder"
  archive=$(cd "$work" && npm pack --silent "$1@$2")
  tar -xzf "$work/$archive" -C "$folder" --strip-components=1
}

fetch hls.js "$HLSJS"
fetch p2p-media-loader-core "$LOADER"
fetch p2p-media-loader-hlsjs "$LOADER"
fetch shaka-player "$SHAKA"
fetch p2p-media-loader-shaka "$SHAKALOADER"
fetch uplot "$UPLOT"
fetch p2p-media-loader-core "$SHAKALOADER" "core-$SHAKALOADER"

rm -rf third_party
mkdir -p third_party
# Use the full build: the light build of hls.js does not support alternate audio, which is a swarm of its own here.
cp "$work/hls.js/dist/hls.min.mjs" third_party/hls.min.mjs
cp "$work/hls.js/LICENSE" third_party/hls.LICENSE
for part in core hlsjs; do
  cp "$work/p2p-media-loader-$part/dist/p2p-media-loader-$part.es.min.js" third_party/
  cp "$work/p2p-media-loader-$part/LICENSE" "third_party/p2p-media-loader-$part.LICENSE"
done
# Use the build with both formats: the loader's plug-in refers to the parser of HLS.
cp "$work/shaka-player/dist/shaka-player.compiled.js" third_party/
cp "$work/shaka-player/LICENSE" third_party/shaka-player.LICENSE
cp "$work/p2p-media-loader-shaka/dist/p2p-media-loader-shaka.es.min.js" third_party/
cp "$work/p2p-media-loader-shaka/LICENSE" third_party/p2p-media-loader-shaka.LICENSE
cp "$work/core-$SHAKALOADER/dist/p2p-media-loader-core.es.min.js" "third_party/p2p-media-loader-core-$SHAKALOADER.es.min.js"
cp "$work/uplot/dist/uPlot.min.css" third_party/
cp "$work/uplot/LICENSE" third_party/uplot.LICENSE
entry() { # name version file license
  printf '  {"name": "%s", "version": "%s", "file": "%s", "license": "%s", "sha256": "%s"}' \
    "$1" "$2" "$3" "$4" "$(sha256sum "third_party/$3" | cut -d' ' -f1)"
}
{
  echo '['
  entry hls.js "$HLSJS" hls.min.mjs hls.LICENSE; echo ','
  entry p2p-media-loader-core "$LOADER" p2p-media-loader-core.es.min.js p2p-media-loader-core.LICENSE; echo ','
  entry p2p-media-loader-hlsjs "$LOADER" p2p-media-loader-hlsjs.es.min.js p2p-media-loader-hlsjs.LICENSE; echo ','
  entry shaka-player "$SHAKA" shaka-player.compiled.js shaka-player.LICENSE; echo ','
  entry p2p-media-loader-shaka "$SHAKALOADER" p2p-media-loader-shaka.es.min.js p2p-media-loader-shaka.LICENSE; echo ','
  entry p2p-media-loader-core "$SHAKALOADER" "p2p-media-loader-core-$SHAKALOADER.es.min.js" p2p-media-loader-core.LICENSE; echo ','
  entry uplot "$UPLOT" uPlot.min.css uplot.LICENSE; echo
  echo ']'
} >third_party/versions.json

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm run build
