// Package origin owns the test source: an HTTP server of live and VOD HLS that
// is a pure function of URL and clock. Every knob, faults included, is a part
// of the path, so that any test can ask for any stream and any replica, at any
// time and after any restart, gives the same bytes for the same URL.
//
// What a URL means is decided in timeline (pure), containers are written by mux
// (pure) and the media itself is in media.
package origin
