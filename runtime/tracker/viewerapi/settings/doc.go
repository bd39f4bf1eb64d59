// Package settings owns the numbers that a viewer's player is configured with: from the facts of a playlist and from
// whether seeders hold the stream now, it computes the options of p2p-media-loader, hls.js and Shaka Player. It is
// pure. Every number is documented with its reason, because the settings determine the offload.
package settings
