package manifest

import (
	"fmt"
	"time"
)

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

// minRoomSegments is the least room, in target durations, that settings can
// make use of: one for the high-demand window and one in which peers fetch. Four
// browsers with 8 s of room on 4 s segments were measured to take every byte
// from peers; with less there is nothing between playhead and live edge.
const minRoomSegments = 2

// Peerability tells whether viewers of p can share it, with a reason for a
// condition and a message for people. playlists are keyed by Rendition.Name;
// renditions without one are not judged.
func Peerability(p *Presentation, playlists map[string]*Playlist) (ok bool, reason, message string) {
	if p == nil || len(p.Renditions) == 0 {
		return false, NoRenditions, "The manifest names no rendition that can be fetched."
	}
	if p.UnknownCodecs {
		return false, UnknownCodecs, "A variant lists a codec that hls.js does not know: viewers with different browsers would not find each other. " +
			"Correct CODECS in the multivariant playlist."
	}
	for _, r := range p.Renditions {
		list := playlists[r.Name]
		if list == nil {
			continue
		}
		if reason, message := r.obstacle(list); reason != "" {
			return false, reason, message
		}
	}
	return true, Peerable, ""
}

func (r Rendition) obstacle(p *Playlist) (reason, message string) {
	switch {
	case p.LowLatencyParts:
		return LowLatencyPartsOnly, fmt.Sprintf("Rendition %s is a low-latency playlist: players load its parts, which peers cannot share. "+
			"Publish whole segments, or switch the players' low-latency mode off and the parts with it.", r.Name)
	case p.Redirected:
		return MediaPlaylistRedirected, fmt.Sprintf("The playlist of rendition %s is answered from %s, not from the URL in the manifest: "+
			"browsers then share nothing. Serve it without redirect.", r.Name, withoutSecrets(p.ResponseURL))
	case !p.Ended && p.Room() < minRoomSegments*p.TargetDuration:
		return LiveWindowTooShort, fmt.Sprintf("Rendition %s lists %d segments of %v: a viewer has only %v between playhead and live edge. "+
			"List at least %d segments; 60 s or more is good.", r.Name, p.Entries, p.TargetDuration, p.Room().Round(time.Second), minRoomSegments+1)
	}
	return "", ""
}
