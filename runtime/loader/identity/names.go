package identity

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// StreamType is the kind of a rendition in p2p-media-loader's words.
type StreamType string

const (
	// Main is every variant of a multivariant playlist (audio-only ones too).
	Main StreamType = "main"
	// Secondary is every separate audio track.
	Secondary StreamType = "secondary"
)

// DefaultSwarmID is what an unconfigured browser uses as swarm id: the response
// URL of the manifest (after redirects) up to its first question mark. Only the
// query goes; a fragment, a port or a trailing slash stays.
// Source: p2p-media-loader-core 2.3.1.
func DefaultSwarmID(manifestResponseURL string) string {
	before, _, _ := strings.Cut(manifestResponseURL, "?")
	return before
}

// AskedSwarmID is the default swarm id of generation V3: the URL that was asked for, where that is known, else the one that
// answered. Source: p2p-media-loader-core 5.0 (protocol v3).
func AskedSwarmID(askedURL, responseURL string) string {
	if askedURL != "" {
		return DefaultSwarmID(askedURL)
	}
	return DefaultSwarmID(responseURL)
}

// PeerID names one peer in one swarm: 20 ASCII characters.
type PeerID string

// Peer id prefixes of this project. They help operators and telemetry. A tracker with a
// seeder token accepts SeederPrefix only from those who present the token; other
// trackers accept both from any peer.
const (
	SeederPrefix = "-PS0001-"
	ViewerPrefix = "-PV0001-"
)

const (
	peerIDLength   = 20
	peerIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

var errPrefix = errors.New("prefix must be printable ASCII, at most 20 characters")

// NewPeerID returns prefix padded to 20 characters with A–Z a–z 0–9 taken from
// random. It fails if the prefix is longer than 20 characters or not printable
// ASCII, or if random cannot be read.
func NewPeerID(prefix string, random io.Reader) (PeerID, error) {
	if len(prefix) > peerIDLength {
		return "", fmt.Errorf("making peer id from %q: %w", prefix, errPrefix)
	}
	for i := 0; i < len(prefix); i++ {
		if prefix[i] <= ' ' || prefix[i] > '~' {
			return "", fmt.Errorf("making peer id from %q: %w", prefix, errPrefix)
		}
	}
	id := append(make([]byte, 0, peerIDLength), prefix...)
	// Bytes at or above the largest multiple of the alphabet are thrown away,
	// otherwise the first letters would come up more often.
	const fair = 256 - 256%len(peerIDAlphabet)
	var one [1]byte
	for len(id) < peerIDLength {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return "", fmt.Errorf("reading randomness for peer id: %w", err)
		}
		if int(one[0]) < fair {
			id = append(id, peerIDAlphabet[int(one[0])%len(peerIDAlphabet)])
		}
	}
	return PeerID(id), nil
}

// maxSafeInteger is JavaScript's largest exact integer: ids beyond it cannot
// be told apart by a browser.
const maxSafeInteger = 1<<53 - 1

// ShakaDASHSegmentID is the external id of a DASH segment in Shaka viewers: its
// start on the presentation timeline in half seconds, cut toward zero, computed
// in float64 as the browser does. Starts that are not finite give 0, and ids are
// held within ±(2^53 − 1).
// Source: p2p-media-loader-shaka 2.2.2.
func ShakaDASHSegmentID(startSeconds float64) int64 { return wholeID(math.Trunc(startSeconds / 0.5)) }

func wholeID(id float64) int64 {
	switch {
	case math.IsNaN(id) || math.IsInf(id, 0):
		return 0
	case id > maxSafeInteger:
		return maxSafeInteger
	case id < -maxSafeInteger:
		return -maxSafeInteger
	}
	return int64(id)
}

// WrittenDASHSegmentID is the external id of a DASH segment in generation V3: its start on the presentation timeline in tenths
// of a second, rounded as JavaScript does, where a tie goes up, and computed in float64. Starts that are not finite give 0,
// and ids are held within ±(2^53 − 1). Source: p2p-media-loader-core 5.0 (protocol v3).
func WrittenDASHSegmentID(startSeconds float64) int64 {
	return wholeID(math.Floor(startSeconds*10 + 0.5))
}

func formatInt(n int) string { return strconv.Itoa(n) }
