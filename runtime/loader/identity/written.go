package identity

import (
	"crypto/sha1" // #nosec G505 -- the wire format of p2p-media-loader 5.x, not a security measure
	"encoding/base64"
	"strings"
)

// WrittenString is the text that generation V3 digests: the nine fields of HashedString, each as it is. Absent and empty are
// alike, and an absent bitrate is 0. Source: p2p-media-loader-core 5.0 (protocol v3).
func (p Properties) WrittenString() string {
	bitrate := "0"
	if p.Bitrate.Present() {
		bitrate = p.Bitrate.string()
	}
	return strings.Join([]string{
		bitrate, p.Codecs, p.Width.string(), p.Height.string(), p.Language, p.Channels.string(), p.Name, p.FrameRate.string(), p.VideoRange,
	}, "-")
}

// WrittenID is the V3 index of a rendition with these properties: 28 characters, the standard base64 text of a SHA-1 digest.
func (p Properties) WrittenID() string {
	sum := sha1.Sum([]byte(p.WrittenString())) // #nosec G401 -- wire format
	return base64.StdEncoding.EncodeToString(sum[:])
}

// withoutBitrate is p as it is hashed where nothing else of the manifest looks like it.
func (p Properties) withoutBitrate() Properties {
	p.Bitrate = Value{}
	return p
}

// WrittenEntry is what a manifest states of one rendition, in one place. Several entries may be one rendition.
type WrittenEntry struct {
	// Type is main or secondary.
	Type StreamType
	// Key tells renditions apart inside the manifest: the absolute URI, or the id of a representation.
	Key string
	// Properties are as the manifest states them.
	Properties Properties
}

// WrittenStream is one rendition of generation V3.
type WrittenStream struct {
	WrittenEntry
	// Bitrated is set if the bitrate is part of the identity.
	Bitrated bool
	// ID is the index.
	ID string
	// Shared is false if peers could not tell which rendition is meant: it plays without them.
	Shared bool
}

// WrittenStreams decides which renditions the entries of one manifest are. An entry is hashed without its bitrate unless
// another one of its type is the same without it; the first entry with a key registers the rendition. One of which nothing
// is known is shared only if it is alone of its type. Two with one identity would be taken for each other, and neither is
// shared: the reference does not notice, and its peers exchange wrong media.
// Source: p2p-media-loader-core 5.0 (protocol v3).
func WrittenStreams(entries []WrittenEntry) []WrittenStream {
	type name struct {
		kind StreamType
		id   string
	}
	alike := make(map[name]int, len(entries))
	for _, e := range entries {
		alike[name{e.Type, e.Properties.withoutBitrate().WrittenID()}]++
	}
	var out []WrittenStream
	seen := make(map[string]bool, len(entries))
	named, kinds := make(map[name]int), make(map[StreamType]int)
	for _, e := range entries {
		if seen[e.Key] {
			continue
		}
		seen[e.Key] = true
		s := WrittenStream{WrittenEntry: e, Bitrated: alike[name{e.Type, e.Properties.withoutBitrate().WrittenID()}] > 1}
		s.ID = e.Properties.withoutBitrate().WrittenID()
		if s.Bitrated {
			s.ID = e.Properties.WrittenID()
		}
		named[name{s.Type, s.ID}]++
		kinds[s.Type]++
		out = append(out, s)
	}
	nothing := Properties{}.WrittenID()
	for i := range out {
		s := &out[i]
		s.Shared = named[name{s.Type, s.ID}] == 1 && (s.ID != nothing || kinds[s.Type] == 1)
	}
	return out
}

// Name is what the rendition is called, the zero value if it is not shared.
func (s WrittenStream) Name() WrittenName {
	if !s.Shared {
		return WrittenName{}
	}
	return WrittenName{s.Type, s.ID}
}

// writtenNames are the names by key.
func writtenNames(streams []WrittenStream) map[string]WrittenName {
	out := make(map[string]WrittenName, len(streams))
	for _, s := range streams {
		out[s.Key] = s.Name()
	}
	return out
}

// videoCodecs and audioCodecs are how codecs begin that V3 knows; letter case does not count.
// Source: @videojs/vhs-utils 4.1.2, codecs.js.
var (
	videoCodecs = [...]string{
		"av1", "av01", "avc1", "avc2", "avc3", "avc4", "avc01", "avc02", "avc03", "avc04", "vp8", "vp9", "vp08", "vp09", "hvc1", "hev1", "theora", "mp4v",
	}
	audioCodecs = [...]string{"mp4a", "flac", "vorbis", "opus", "ac-3", "ac-4", "ec-3", "alac", "mp3", "speex", "aac"}
)

// WrittenVideoCodecs are the video codecs of a list, in their order and as they are written.
func WrittenVideoCodecs(list string) string { return codecsOf(list, videoCodecs[:]) }

func writtenAudioCodecs(list string) string { return codecsOf(list, audioCodecs[:]) }

func codecsOf(list string, begins []string) string {
	var kept []string
	for _, codec := range strings.Split(list, ",") {
		codec = trimSpace(codec)
		for _, begin := range begins {
			if len(codec) >= len(begin) && strings.EqualFold(codec[:len(begin)], begin) {
				kept = append(kept, codec)
				break
			}
		}
	}
	return strings.Join(kept, ",")
}
