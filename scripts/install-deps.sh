#!/usr/bin/env bash
# Installs the Debian packages that `make test` needs and this machine lacks, except those of the test
# cluster, which `bin/cluster deps` installs; `make deps` runs both. No package is removed or upgraded. With arguments it installs
# only the packages of these commands.
set -euo pipefail

# command:Debian package that has it
want=(
  chromium:chromium
  firefox-esr:firefox-esr
  ffmpeg:ffmpeg
  node:nodejs
  npm:npm
  ip:iproute2
  nft:nftables
  gcc:gcc
  prometheus:prometheus
  gst-launch-1.0:gstreamer1.0-tools
  haproxy:haproxy
  curl:curl
  jq:jq
  openssl:openssl
)

export PATH="$PATH:/usr/sbin:/sbin"
packages=()
for pair in "${want[@]}"; do
  (($# == 0)) || [[ " $* " == *" ${pair%%:*} "* ]] || continue
  command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
done
# The race detector links with the C library's headers.
(($#)) || [[ -e /usr/include/stdio.h ]] || packages+=(libc6-dev)
# GStreamer without its plug-ins plays nothing.
[[ " ${packages[*]} " != *" gstreamer1.0-tools "* ]] ||
  packages+=(gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav)
((${#packages[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
  echo "install-deps: missing: ${packages[*]}; this machine has no apt-get: install them by hand" >&2
  exit 1
fi
run=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: missing: ${packages[*]}; run as root or install sudo, or: apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
  fi
  run=(sudo)
fi

echo "install-deps: installing ${packages[*]}"
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove --no-upgrade --no-install-recommends "${packages[@]}"
# Suites start a Prometheus and a HAProxy of their own; those that Debian's packages run are not wanted.
for service in prometheus haproxy; do
  if [[ " ${packages[*]} " == *" $service "* ]] && command -v systemctl >/dev/null; then
    "${run[@]}" systemctl disable --now --quiet "$service" ||
      echo "install-deps: $service runs as a service; stop it with: systemctl disable --now $service" >&2
  fi
done
