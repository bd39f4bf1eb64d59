// Package browser runs published players in a real Chromium: it starts a browser for one test or for a whole suite,
// opens tabs that play a stream with hls.js, Shaka Player or the bare tracker client, and reads from each what it
// received, from which source, and whether playback ever stalled.
package browser
