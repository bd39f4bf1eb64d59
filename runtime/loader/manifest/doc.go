// Package manifest owns what comes from the origin: it reads HLS multivariant
// and media playlists into one model (Presentation → Rendition → Segment),
// follows live playlists, fetches segments with exact length checks, and says
// why a presentation cannot be shared. Every byte it reads is hostile until
// checked; every failure carries a stated reason.
package manifest
