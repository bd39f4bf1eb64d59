package identity

import (
	"crypto/md5"  // #nosec G501 -- the wire format of p2p-media-loader 2.2.x, not a security measure
	"crypto/sha1" // #nosec G505 -- the wire format of p2p-media-loader 2.3.x, not a security measure
	"encoding/base64"
)

// Generation is a family of browser-library releases that share one identity
// scheme. Peers of different generations are never in one swarm.
type Generation string

const (
	// V22 names renditions by their integer position and digests with MD5:
	// p2p-media-loader 2.2.x and every page with p2p-media-loader-shaka 2.2.2.
	V22 Generation = "v2.2"
	// V23 names renditions by a digest of their properties and digests with
	// SHA-1: p2p-media-loader 2.3.x, and 3.x and 4.x in their default settings.
	V23 Generation = "v2.3"
)

// scheme is one row of the table below: all that tells a generation apart.
type scheme struct {
	generation Generation
	// index is how this generation names a rendition inside its presentation.
	index func(Stream) string
	// digest returns the 15 bytes whose base64 text is the info hash.
	digest func(text []byte) []byte
}

// schemes returns the table of generations; a further one is one more row.
// The slice is made anew so that no caller shares state with another.
func schemes() []scheme {
	return []scheme{
		{
			generation: V22,
			index:      func(s Stream) string { return formatInt(s.Position) },
			digest: func(text []byte) []byte {
				sum := md5.Sum(text) // #nosec G401 -- wire format
				// The reference drops the first byte, not the last.
				return sum[1:16]
			},
		},
		{
			generation: V23,
			index:      func(s Stream) string { return s.ShortID },
			digest: func(text []byte) []byte {
				sum := sha1.Sum(text) // #nosec G401 -- wire format
				return sum[:15]
			},
		},
	}
}

func schemeOf(g Generation) (scheme, bool) {
	for _, s := range schemes() {
		if s.generation == g {
			return s, true
		}
	}
	return scheme{}, false
}

// Generations lists every generation this package knows, oldest first.
func Generations() []Generation {
	all := schemes()
	out := make([]Generation, len(all))
	for i, s := range all {
		out[i] = s.generation
	}
	return out
}

// InfoHash is the name of a swarm as it stands in tracker JSON: exactly 20
// ASCII characters out of A–Z a–z 0–9 + /. It is not a binary digest.
type InfoHash string

// InfoHashOf returns the info hash of a stream swarm id: the standard base64
// text of 15 digest bytes. An unknown generation gives an empty info hash.
// Source: p2p-media-loader-core 2.2.2 and 2.3.1.
func InfoHashOf(g Generation, streamSwarmID string) InfoHash {
	s, ok := schemeOf(g)
	if !ok {
		return ""
	}
	return InfoHash(base64.StdEncoding.EncodeToString(s.digest([]byte(streamSwarmID))))
}
