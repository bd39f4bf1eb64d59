// Package interop proves that our programs work with published third-party software: p2p-media-loader
// with hls.js and with Shaka Player, and bittorrent-tracker, client and server, all in a real Chromium, and the players in
// Firefox, too. It holds tests only; test/lab/browser, test/lab/netns and published are its tools.
package interop
