// Package probe looks at a stream as two viewers would who do not know each other: in two sessions with cookies of their
// own it reads the manifest and the playlists of all renditions, and it fetches a segment of each. What it returns is
// evidence for manifest.Judge: segments that differ under one number, renditions with one identity, oddities in how
// bytes travel. Peers never tell each other what a segment is; the same number must mean the same bytes for all of them.
package probe
