// Package interop proves that our programs get along with the software of others as it is published:
// p2p-media-loader with hls.js and with Shaka Player, and bittorrent-tracker, client and server, all
// in a real Chromium. It holds tests only; test/lab/browser, test/lab/netns and published are its tools.
package interop
