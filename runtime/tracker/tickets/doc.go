// Package tickets issues and verifies tickets: a page gets one from the tracker's config endpoint and presents it when it
// opens a WebSocket and when it reports. A ticket names a session. All trackers of a stream share the keys, so each of them
// accepts the tickets of the others, also after a restart.
package tickets
