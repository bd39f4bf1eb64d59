// Package browser runs published players in real browsers, Chromium and Debian's Firefox: it starts one for one test or for a
// whole suite, opens tabs that play a stream with hls.js, Shaka Player or the bare tracker client, and reads from each what it
// received, from which source, and whether playback ever stalled.
package browser
