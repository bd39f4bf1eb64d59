package identity

import (
	"math"
	"strings"
)

// Attributes is the attribute list of one playlist tag: raw texts without their
// quotes, variables substituted. Presence is told by the map.
type Attributes map[string]string

// Variant is one EXT-X-STREAM-INF or EXT-X-I-FRAME-STREAM-INF entry.
type Variant struct {
	// URI is absolute, resolved as hls.js resolves it (see ResolveURL).
	URI string
	// IFrames marks an EXT-X-I-FRAME-STREAM-INF entry.
	IFrames bool
	// Attributes are those of the tag.
	Attributes Attributes
}

// MediaTrack is one EXT-X-MEDIA entry of TYPE=AUDIO or TYPE=VIDEO.
type MediaTrack struct {
	// URI is absolute, or empty if the track is inside the variants.
	URI string
	// Attributes are those of the tag.
	Attributes Attributes
}

// Multivariant is what identity needs of an HLS multivariant playlist, in the
// order of the playlist.
type Multivariant struct {
	// URL is the response URL.
	URL string
	// Variants holds ordinary and I-frame variants in playlist order.
	Variants []Variant
	// Audio and Video hold the tracks in playlist order.
	Audio, Video []MediaTrack
}

// HLSStreams computes the identity of every rendition that a page on hls.js
// knows of: main ones first, then audio tracks, each URI once (the first entry
// of a URI decides). Entries without URI appear too, since they take a place in
// the order; nothing can be fetched for them. Video tracks are not among them,
// since hls.js does not play them: see WrittenOnly.
// Source: p2p-media-loader-hlsjs 2.3.1 on hls.js 1.7.4 for ShortID,
// p2p-media-loader-hlsjs 2.2.2 for Position, and WrittenHLS for Written.
func HLSStreams(m Multivariant) []Stream {
	levels := knownLevels(m.Variants)
	if len(levels) == 0 {
		return nil
	}
	streams := make([]Stream, 0, len(levels)+len(m.Audio)+1)
	positions := olderPositions(m.Variants)
	written := writtenNames(WrittenStreams(WrittenHLS(m)))
	seen := make(map[string]struct{}, len(levels)+len(m.Audio))
	for _, level := range levels {
		if _, again := seen[level.variant.URI]; again {
			continue
		}
		seen[level.variant.URI] = struct{}{}
		position, ok := positions[level.variant.URI]
		if !ok {
			// Only newer players list this one: it gets a place after all that
			// the older generation counts.
			position = len(m.Variants)
			positions[level.variant.URI] = position
		}
		streams = append(streams, Stream{
			Type: Main, URI: level.variant.URI, Position: position,
			ShortID: level.properties().ShortID(), Written: written[level.variant.URI],
		})
	}
	for position, track := range audioTracks(m.Audio, levels) {
		if _, again := seen[track.uri]; again {
			continue
		}
		seen[track.uri] = struct{}{}
		streams = append(streams, Stream{
			Type: Secondary, URI: track.uri, Position: position,
			ShortID: track.properties.ShortID(), Written: written[track.uri],
		})
	}
	return streams
}

// HasUnknownCodecs tells whether a rendition of m carries a codec that hls.js
// does not list. The browser then decides what the codec is, so the V23 index
// can differ between browsers and such a presentation should not be shared.
func HasUnknownCodecs(m Multivariant) bool {
	for _, level := range knownLevels(m.Variants) {
		if level.codecs.unknown {
			return true
		}
	}
	return false
}

type hlsLevel struct {
	variant Variant
	codecs  codecSet
}

// knownLevels is the level list of hls.js 1.7.4: variants with unlisted codecs
// go if any other is left. That release counts I-frame variants among those
// that are left, and then returns them as levels too.
func knownLevels(variants []Variant) []hlsLevel {
	var all, known []hlsLevel
	for _, v := range variants {
		level := hlsLevel{variant: v, codecs: splitCodecs(v.Attributes["CODECS"])}
		if !v.IFrames {
			all = append(all, level)
		}
		if !level.codecs.unknown {
			known = append(known, level)
		}
	}
	if len(known) > 0 && len(known) < len(all) {
		return known
	}
	return all
}

// olderPositions are the V22 indexes of main renditions: the place in the level
// list of hls.js up to 1.6, where I-frame variants never count. A URI that
// comes again keeps its first place but still takes one.
func olderPositions(variants []Variant) map[string]int {
	var all, known []string
	for _, v := range variants {
		if v.IFrames {
			continue
		}
		all = append(all, v.URI)
		if codecs := splitCodecs(v.Attributes["CODECS"]); !codecs.unknown {
			known = append(known, v.URI)
		}
	}
	if len(known) > 0 && len(known) < len(all) {
		all = known
	}
	positions := make(map[string]int, len(all))
	for i, uri := range all {
		if _, again := positions[uri]; !again {
			positions[uri] = i
		}
	}
	return positions
}

func (l hlsLevel) properties() Properties {
	attributes := l.variant.Attributes
	bitrate := decimalInteger(attributes, "BANDWIDTH")
	if bitrate == 0 || math.IsNaN(bitrate) {
		bitrate = decimalInteger(attributes, "AVERAGE-BANDWIDTH")
	}
	p := Properties{Bitrate: Number(bitrate)}
	if bitrate == 0 {
		// The reference takes 0 for "nothing is known" and drops all the rest.
		return p
	}
	p.Codecs = convertAVC(l.codecs.video)
	p.Width, p.Height = resolution(attributes["RESOLUTION"])
	p.FrameRate = Text(attributes["FRAME-RATE"])
	p.VideoRange = attributes["VIDEO-RANGE"]
	return p
}

type hlsAudio struct {
	uri        string
	properties Properties
}

func audioTracks(tracks []MediaTrack, levels []hlsLevel) []hlsAudio {
	if len(tracks) == 0 {
		return nil
	}
	out := make([]hlsAudio, 0, len(tracks)+1)
	embedded := false
	for _, track := range tracks {
		embedded = embedded || track.URI == ""
	}
	if first := levels[0]; !embedded && first.codecs.audio != "" && first.variant.Attributes["AUDIO"] == "" {
		// hls.js invents a track for the audio inside the variants.
		out = append(out, hlsAudio{properties: Properties{Bitrate: Number(0), Name: "main"}})
	}
	for _, track := range tracks {
		language := track.Attributes["LANGUAGE"]
		name := track.Attributes["NAME"]
		if name == "" {
			name = language
		}
		out = append(out, hlsAudio{uri: track.URI, properties: Properties{
			Bitrate:  Number(0),
			Codecs:   groupCodec(levels, track.Attributes["GROUP-ID"]),
			Language: language,
			Channels: Text(track.Attributes["CHANNELS"]),
			Name:     name,
		}})
	}
	return out
}

// groupCodec is the audio codec of the first variant that uses the group, or of
// the very first variant if none does.
func groupCodec(levels []hlsLevel, group string) string {
	for _, level := range levels {
		if used, ok := level.variant.Attributes["AUDIO"]; ok && used == group {
			return level.codecs.audio
		}
	}
	return levels[0].codecs.audio
}

func decimalInteger(attributes Attributes, name string) float64 {
	text, ok := attributes[name]
	if !ok {
		return math.NaN()
	}
	n := parseLeadingInt(text)
	if n > maxSafeInteger {
		return math.Inf(1)
	}
	return n
}

// resolution reads exactly <digits>x<digits>; anything else is absent.
func resolution(text string) (width, height Value) {
	w, h, ok := strings.Cut(text, "x")
	if !ok || w == "" || h == "" || skipDigits(w, 0) != len(w) || skipDigits(h, 0) != len(h) {
		return Value{}, Value{}
	}
	return Number(parseLeadingInt(w)), Number(parseLeadingInt(h))
}
