// Package tracker owns the tracker program: a WebTorrent tracker over WebSocket that introduces the viewers and seeders
// of a stream to each other. Its pure core, package swarm, routes offers; package sockets owns the connections; this
// package connects the two and owns shards, limits, TLS, admin endpoints and draining. Package viewerapi, mounted beside
// the WebSocket endpoint, serves viewer configuration and telemetry.
package tracker
