// Package browser runs published players in a real Chromium: it starts one browser for a test, opens
// tabs that play a stream by hls.js, Shaka Player or the bare tracker client, and reads from each what
// it received, from whom, and whether it ever stopped.
package browser
