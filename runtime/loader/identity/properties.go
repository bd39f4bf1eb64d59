package identity

import (
	"crypto/sha1" // #nosec G505 -- the wire format of p2p-media-loader 2.3.x, not a security measure
	"encoding/base64"
	"math"
	"slices"
	"strings"
)

// Properties are the raw values that generation V23 digests into a rendition's
// index. Zero values mean "absent"; for Codecs, Language, Name and VideoRange
// absent and empty are the same to the reference.
// Source: p2p-media-loader-core 2.3.1.
type Properties struct {
	// Bitrate in bits per second; absent counts as 0, NaN stays NaN.
	Bitrate Value
	// Codecs is a comma-separated list.
	Codecs string
	// Width and Height in pixels.
	Width, Height Value
	// Language is a language tag; "und" counts as absent.
	Language string
	// Channels is a number, or a text such as "16/JOC".
	Channels Value
	// Name is a track's label.
	Name string
	// FrameRate is a number, or the raw text of the playlist.
	FrameRate Value
	// VideoRange is such as SDR, PQ, HLG.
	VideoRange string
}

// HashedString is the text that is digested: nine normalised fields with eight
// hyphens between them. Source: p2p-media-loader-core 2.3.1.
func (p Properties) HashedString() string {
	bitrate := "0"
	if p.Bitrate.Present() {
		bitrate = p.Bitrate.string()
	}
	return strings.Join([]string{
		bitrate,
		normalizeCodecs(p.Codecs),
		p.Width.string(),
		p.Height.string(),
		normalizeLanguage(p.Language),
		normalizeChannels(p.Channels),
		trimSpace(lowerCase(p.Name)),
		normalizeFrameRate(p.FrameRate),
		trimSpace(upperCase(p.VideoRange)),
	}, "-")
}

// ShortID is the V23 index of a rendition with these properties: 28 characters,
// the standard base64 text of a SHA-1 digest.
// Source: p2p-media-loader-core 2.3.1.
func (p Properties) ShortID() string {
	sum := sha1.Sum([]byte(p.HashedString())) // #nosec G401 -- wire format
	return base64.StdEncoding.EncodeToString(sum[:])
}

// string prints v as a JavaScript template does; absent is empty.
func (v Value) string() string {
	switch v.kind {
	case kindNumber:
		return formatNumber(v.number)
	case kindText:
		return v.text
	}
	return ""
}

// truthy is JavaScript's truth of v.
func (v Value) truthy() bool {
	switch v.kind {
	case kindNumber:
		return v.number != 0 && !math.IsNaN(v.number)
	case kindText:
		return v.text != ""
	}
	return false
}

func normalizeCodecs(codecs string) string {
	if codecs == "" {
		return ""
	}
	parts := strings.Split(codecs, ",")
	for i, part := range parts {
		parts[i] = normalizeCodec(lowerCase(trimSpace(part)))
	}
	slices.SortFunc(parts, compareUnits)
	return strings.Join(parts, ",")
}

// normalizeCodec rewrites the decimal form of an AVC codec (RFC 4281) into the
// hexadecimal one; every other text stays.
func normalizeCodec(codec string) string {
	// Only a codec of three parts is looked at; the fourth, if any, stops it.
	parts := strings.SplitN(codec, ".", 4)
	if len(parts) != 3 || (parts[0] != "avc1" && parts[0] != "avc") {
		return codec
	}
	profile, ok := plainInteger(parts[1])
	if !ok {
		return codec
	}
	level, ok := plainInteger(parts[2])
	if !ok {
		return codec
	}
	return parts[0] + "." + padHex(profile) + "00" + padHex(level)
}

// plainInteger accepts text that JavaScript would print again in the same way
// after parseInt: no leading zeros, no loss of digits.
func plainInteger(text string) (float64, bool) {
	if text == "" || len(text) > 22 {
		return 0, false
	}
	n := parseLeadingInt(text)
	if math.IsNaN(n) || formatNumber(n) != text {
		return 0, false
	}
	return n, true
}

func padHex(n float64) string {
	text := hexOfInteger(n)
	if len(text) < 2 {
		return "0" + text
	}
	return text
}

func normalizeLanguage(language string) string {
	if language == "" || language == "und" {
		return ""
	}
	return lowerCase(firstUnits(language, 2))
}

func normalizeChannels(channels Value) string {
	if !channels.truthy() {
		return ""
	}
	before, _, _ := strings.Cut(channels.string(), "/")
	return before
}

func normalizeFrameRate(rate Value) string {
	if !rate.truthy() {
		return ""
	}
	if rate.kind == kindNumber {
		return formatNumber(rate.number)
	}
	n, ok := parseNumber(rate.text)
	if !ok {
		return ""
	}
	return formatNumber(n)
}
