package identity

import (
	"math"
	"strconv"
	"strings"
)

// WrittenHLS are the entries of an HLS multivariant playlist, as generation V3 has them: every variant, then the video and the
// audio renditions with a playlist of their own whose group a variant uses.
// Source: p2p-media-loader-core 5.0 (protocol v3) on m3u8-parser 7.2.0.
func WrittenHLS(m Multivariant) []WrittenEntry {
	var out []WrittenEntry
	for _, v := range m.Variants {
		if v.IFrames || v.URI == "" {
			continue
		}
		out = append(out, WrittenEntry{Main, v.URI, v.written()})
	}
	taken := make(map[string]bool, len(out))
	for _, e := range out {
		taken[e.Key] = true
	}
	for _, kind := range []struct {
		attribute  string
		tracks     []MediaTrack
		streamType StreamType
	}{{"VIDEO", m.Video, Main}, {"AUDIO", m.Audio, Secondary}} {
		for _, group := range groupsInUse(m.Variants, kind.attribute) {
			for _, t := range tracksOf(kind.tracks, group) {
				if t.URI == "" || taken[t.URI] {
					continue // it is inside the variants, or it is one
				}
				taken[t.URI] = true
				e := WrittenEntry{Type: kind.streamType, Key: t.URI}
				users := usersOf(m.Variants, kind.attribute, group)
				if kind.streamType == Main {
					e.Properties = users[0].written()
				} else {
					e.Properties = Properties{Codecs: firstAudioCodecs(users), Channels: textIf(t.Attributes["CHANNELS"])}
				}
				e.Properties.Language, e.Properties.Name = t.Attributes["LANGUAGE"], t.Attributes["NAME"]
				out = append(out, e)
			}
		}
	}
	return out
}

// WrittenOnly are the renditions of m that only generation V3 shares, because they are not among those that hls.js lists, as
// HLSStreams returns them: video of EXT-X-MEDIA with a playlist of its own, and variants whose codecs hls.js does not know while it
// knows another one.
func WrittenOnly(m Multivariant, listed []Stream) []Stream {
	known := make(map[string]bool, len(listed))
	for _, s := range listed {
		known[s.URI] = true
	}
	var out []Stream
	for _, s := range WrittenStreams(WrittenHLS(m)) {
		if s.Shared && !known[s.Key] {
			out = append(out, Stream{Type: s.Type, URI: s.Key, Position: -1, Written: s.Name()})
		}
	}
	return out
}

// written are the properties of a variant as they are written.
func (v Variant) written() Properties {
	a := v.Attributes
	p := Properties{Codecs: WrittenVideoCodecs(a["CODECS"]), VideoRange: a["VIDEO-RANGE"]}
	if text, ok := a["BANDWIDTH"]; ok {
		p.Bitrate = Number(parseLeadingInt(text))
	}
	width, rest, _ := strings.Cut(a["RESOLUTION"], "x")
	height, _, _ := strings.Cut(rest, "x")
	p.Width, p.Height = leadingInt(width), leadingInt(height)
	if text, ok := a["FRAME-RATE"]; ok {
		p.FrameRate = Number(parseLeadingFloat(text))
	}
	return p
}

func leadingInt(text string) Value {
	if text == "" {
		return Value{}
	}
	return Number(parseLeadingInt(text))
}

func textIf(text string) Value {
	if text == "" {
		return Value{}
	}
	return Text(text)
}

// groupsInUse are the groups that variants name, in the order in which they first do.
func groupsInUse(variants []Variant, attribute string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, v := range variants {
		group, ok := v.Attributes[attribute]
		if !ok || v.IFrames || seen[group] {
			continue
		}
		seen[group] = true
		out = append(out, group)
	}
	return out
}

func usersOf(variants []Variant, attribute, group string) []Variant {
	var out []Variant
	for _, v := range variants {
		if used, ok := v.Attributes[attribute]; ok && used == group && !v.IFrames {
			out = append(out, v)
		}
	}
	return out
}

// tracksOf are those of a group. Of two with one name the later takes the place of the earlier.
func tracksOf(tracks []MediaTrack, group string) []MediaTrack {
	var out []MediaTrack
	places := make(map[string]int)
	for _, t := range tracks {
		if t.Attributes["GROUP-ID"] != group {
			continue
		}
		name := t.Attributes["NAME"]
		if at, again := places[name]; again {
			out[at] = t
			continue
		}
		places[name] = len(out)
		out = append(out, t)
	}
	return out
}

// firstAudioCodecs are those of the first variant that lists any.
func firstAudioCodecs(variants []Variant) string {
	for _, v := range variants {
		if codecs := writtenAudioCodecs(v.Attributes["CODECS"]); codecs != "" {
			return codecs
		}
	}
	return ""
}

// parseLeadingFloat is JavaScript's parseFloat: the longest beginning that is a decimal number; none gives NaN.
func parseLeadingFloat(text string) float64 {
	text = trimSpace(text)
	end := 0
	if end < len(text) && (text[end] == '+' || text[end] == '-') {
		end++
	}
	if strings.HasPrefix(text[end:], "Infinity") {
		return math.Inf(infinitySign(text))
	}
	before := skipDigits(text, end)
	digits := before - end
	if end = before; end < len(text) && text[end] == '.' {
		after := skipDigits(text, end+1)
		digits += after - end - 1
		end = after
	}
	if digits == 0 {
		return math.NaN()
	}
	if exponent := end + 1; end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		if exponent < len(text) && (text[exponent] == '+' || text[exponent] == '-') {
			exponent++
		}
		if after := skipDigits(text, exponent); after > exponent {
			end = after
		}
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}
