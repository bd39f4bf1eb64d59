// Package tracker owns the tracker program: a WebTorrent tracker over WebSocket that lets the viewers and seeders
// of a stream find each other. Its pure core (package swarm) decides who meets whom; package sockets
// owns the sockets; this package joins the two: configuration, shards, limits, TLS, admin endpoints and draining.
// Viewer configuration and telemetry are served by package viewerapi, mounted beside the WebSocket endpoint.
package tracker
