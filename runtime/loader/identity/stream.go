package identity

import "slices"

// Stream is the identity of one rendition in every generation.
type Stream struct {
	// Type is main or secondary.
	Type StreamType
	// URI is the absolute URI as the multivariant playlist names it: the
	// browser's runtime id. It is empty for an audio track without URI.
	URI string
	// ShortID is the index of generation V23: 28 characters of base64. Empty if that does not know the rendition.
	ShortID string
	// Position is the index of generation V22: the place in the manifest,
	// counted from 0 for each type. Negative if that does not know the rendition.
	Position int
	// Written is the name in generation V3, the zero value if that does not share the rendition.
	Written WrittenName
}

// WrittenName is what generation V3 calls a rendition: its type, which may be another one there, and its index.
type WrittenName struct {
	Type StreamType
	ID   string
}

// StreamSwarmID is the text whose digest names this rendition's swarm: the
// generation's protocol, the swarm id, the type and the generation's index. It
// is empty for an unknown generation and for one that does not share the rendition.
// Source: p2p-media-loader-core 2.2.2, 2.3.1 and 5.0.
func (s Stream) StreamSwarmID(g Generation, swarmID string) string {
	key := s.Key(g)
	if key == "" {
		return ""
	}
	return schemeOf(g).protocol + "-" + swarmID + "-" + key
}

// Key is the end of StreamSwarmID, which does not depend on the swarm id: the type and the index, such as main-0. It is empty
// where StreamSwarmID is.
func (s Stream) Key(g Generation) string {
	row := schemeOf(g)
	if row == nil {
		return ""
	}
	t, index := row.name(s)
	if index == "" {
		return ""
	}
	return string(t) + "-" + index
}

// InfoHash is the info hash of this rendition's swarm, or empty where
// StreamSwarmID is.
func (s Stream) InfoHash(g Generation, swarmID string) InfoHash {
	id := s.StreamSwarmID(g, swarmID)
	if id == "" {
		return ""
	}
	return InfoHashOf(g, id)
}

// SharedBy tells whether peers of one of these generations share the rendition.
func (s Stream) SharedBy(generations []Generation) bool {
	return slices.ContainsFunc(generations, func(g Generation) bool { return s.Key(g) != "" })
}

// MediaPlaylistStream is the identity of a media playlist that is opened
// directly, without a multivariant playlist. Its properties are unknown, so
// every such presentation has the same V23 index; responseURL is its runtime id.
// Source: p2p-media-loader-hlsjs 2.3.1 on hls.js 1.7.4.
func MediaPlaylistStream(responseURL string) Stream {
	return Stream{
		Type: Main, URI: responseURL, ShortID: Properties{Bitrate: Number(0)}.ShortID(),
		Written: WrittenName{Main, Properties{}.WrittenID()},
	}
}
