// Package mesh owns the WebRTC connections that one peer has in each of its swarms, and the tracker
// client that finds the other ends. It speaks the WebTorrent tracker protocol over WebSocket and
// opens one ordered, reliable data channel per connection, as p2p-media-loader 2.x to 4.x do; what
// travels over the channel is bytes to this package. It is the only package that knows pion.
package mesh
