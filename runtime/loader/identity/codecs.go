package identity

import "strings"

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
