package identity

import (
	"math"
	"strings"
)

// codecKind sorts a codec text by its first four characters, as hls.js 1.7.4
// does for playlists.
type codecKind uint8

const (
	codecUnknown codecKind = iota
	codecVideo
	codecAudio
	codecText
	codecImage
)

func kindOfCodec(codec string) codecKind {
	// The reference compares four UTF-16 units; every listed code is ASCII, so
	// a longer character can never complete one.
	if len(codec) > 4 {
		codec = codec[:4]
	}
	switch codec {
	case "avc1", "avc2", "avc3", "avc4", "avcp", "av01", "dav1", "drac", "dva1", "dvav", "dvh1", "dvhe",
		"encv", "hev1", "hvc1", "mjp2", "mp4v", "mvc1", "mvc2", "mvc3", "mvc4", "resv", "rv60", "s263",
		"svc1", "svc2", "vc-1", "vp08", "vp09":
		return codecVideo
	case "a3ds", "ac-3", "ac-4", "alac", "alaw", "dra1", "dts+", "dts-", "dtsc", "dtse", "dtsh", "ec-3",
		"enca", "fLaC", "flac", "FLAC", "g719", "g726", "m4ae", "mha1", "mha2", "mhm1", "mhm2", "mlpa",
		"mp4a", "raw ", "Opus", "opus", "samr", "sawb", "sawp", "sevc", "sqcp", "ssmv", "twos", "ulaw":
		return codecAudio
	case "stpp", "wvtt":
		return codecText
	case "mjpg":
		return codecImage
	}
	return codecUnknown
}

// codecSet is a CODECS attribute split by kind; lists are joined with commas,
// each codec cut at its first slash.
type codecSet struct {
	video, audio string
	unknown      bool
}

func splitCodecs(attribute string) codecSet {
	var set codecSet
	var video, audio []string
	for _, codec := range strings.FieldsFunc(attribute, func(r rune) bool { return r == ' ' || r == ',' }) {
		name, _, _ := strings.Cut(codec, "/")
		switch kindOfCodec(codec) {
		case codecVideo:
			video = append(video, name)
		case codecAudio:
			audio = append(audio, name)
		case codecUnknown:
			set.unknown = true
		}
	}
	set.video, set.audio = strings.Join(video, ","), strings.Join(audio, ",")
	return set
}

// convertAVC rewrites decimal AVC codecs as hls.js's level controller does
// before the engine sees them. Its rule is laxer than the engine's own: leading
// zeros, further parts and even texts that are no numbers are rewritten.
func convertAVC(codecs string) string {
	if !strings.Contains(codecs, "avc1.") {
		return codecs
	}
	parts := strings.Split(codecs, ",")
	for i, part := range parts {
		fields := strings.SplitN(part, ".", 4)
		if len(fields) > 2 && fields[0] == "avc1" {
			level := "000" + looseHex(fields[2])
			parts[i] = "avc1." + looseHex(fields[1]) + level[len(level)-4:]
		}
	}
	return strings.Join(parts, ",")
}

// looseHex is JavaScript's parseInt(text).toString(16).
func looseHex(text string) string {
	text = trimSpace(text)
	var n float64
	if digits, ok := cutHexPrefix(text); ok {
		end := 0
		for end < len(digits) && digitValue(digits[end]) < 16 {
			end++
		}
		if n, ok = parseRadix(digits[:end], 16); !ok {
			n = math.NaN()
		}
	} else {
		n = parseLeadingInt(text)
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return formatNumber(n)
	}
	return hexOfInteger(n)
}

func cutHexPrefix(text string) (string, bool) {
	if len(text) > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		return text[2:], true
	}
	return text, false
}
