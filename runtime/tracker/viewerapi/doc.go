// Package viewerapi owns what a tracker offers to viewers over plain HTTP beside the WebSocket: the viewer
// configuration at /v1/config, the reports at /v1/telemetry, the statistics at /v1/stats, and the pages and scripts a
// browser needs. It reads the stream in the background, and never waits for the origin while it answers a request.
package viewerapi
