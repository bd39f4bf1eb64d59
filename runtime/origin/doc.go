// Package origin owns the test source: an HTTP server of live and VOD HLS that
// is a pure function of URL and clock. Every option, faults included, is a part
// of the path, so that a test can request any stream, and every replica returns
// the same bytes for the same URL, at any time and after a restart.
//
// Package timeline (pure) interprets URLs, package mux (pure) writes containers,
// and package media holds the media.
package origin
