package identity

import "strings"

// ShakaTrack is one video or audio stream as Shaka Player exposes it.
type ShakaTrack struct {
	// ID is Shaka's own stream id: tracks with the same ID are one stream.
	ID int64
	// Codecs is the track's codec text.
	Codecs string
	// Width, Height in pixels and FrameRate; absent if the manifest is silent.
	Width, Height, FrameRate Value
	// HDR is the video range, such as PQ.
	HDR string
	// Language, Channels, Label and OriginalID describe an audio track.
	Language   string
	Channels   Value
	Label      string
	OriginalID string
}

// ShakaVariant is one video and audio pair of Shaka's variant list.
type ShakaVariant struct {
	// Bandwidth in bits per second, of video and audio together.
	Bandwidth float64
	// Video or Audio is nil if the variant has none.
	Video, Audio *ShakaTrack
}

// ShakaStream is the identity of one Shaka track.
type ShakaStream struct {
	// ID is the ID of the ShakaTrack.
	ID int64
	Stream
}

// ShakaStreams computes the identity of every track in Shaka's variant list, in
// the order in which the first variant with that track stands. Stream.URI is
// empty: Shaka does not name its streams by URI.
// Source: p2p-media-loader-shaka 2.2.2 for Position, the 2.3.0 source for
// ShortID (never published to npm).
func ShakaStreams(variants []ShakaVariant) []ShakaStream {
	var out []ShakaStream
	seen := make(map[int64]struct{})
	videos, audios := 0, 0
	for _, v := range variants {
		if v.Video != nil {
			if _, again := seen[v.Video.ID]; !again {
				seen[v.Video.ID] = struct{}{}
				out = append(out, ShakaStream{ID: v.Video.ID, Stream: Stream{
					Type: Main, Position: videos, ShortID: v.videoProperties().ShortID(),
				}})
				videos++
			}
		}
		if v.Audio == nil {
			continue
		}
		if _, again := seen[v.Audio.ID]; again {
			continue
		}
		seen[v.Audio.ID] = struct{}{}
		stream := Stream{Type: Secondary, Position: audios, ShortID: v.audioProperties().ShortID()}
		if v.Video == nil {
			stream.Type = Main
		}
		out = append(out, ShakaStream{ID: v.Audio.ID, Stream: stream})
		audios++
	}
	return out
}

func (v ShakaVariant) videoProperties() Properties {
	p := Properties{Bitrate: Number(v.Bandwidth)}
	if v.Bandwidth == 0 {
		return p
	}
	p.Codecs = withoutAudioCodecs(v.Video.Codecs)
	p.Width, p.Height = v.Video.Width, v.Video.Height
	p.FrameRate = v.Video.FrameRate
	p.VideoRange = v.Video.HDR
	return p
}

func (v ShakaVariant) audioProperties() Properties {
	if v.Video == nil {
		// Audio alone is a main stream, known by its bandwidth only.
		return Properties{Bitrate: Number(v.Bandwidth)}
	}
	name := v.Audio.Label
	if name == "" {
		name = v.Audio.OriginalID
	}
	return Properties{
		Bitrate: Number(0), Codecs: v.Audio.Codecs, Language: v.Audio.Language,
		Channels: v.Audio.Channels, Name: name,
	}
}

func withoutAudioCodecs(codecs string) string {
	if codecs == "" {
		return ""
	}
	var kept []string
	for _, part := range strings.Split(codecs, ",") {
		if !hasAudioPrefix(lowerCase(trimSpace(part))) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ",")
}

func hasAudioPrefix(codec string) bool {
	for _, prefix := range [...]string{"mp4a", "ac-3", "ec-3", "ec+3", "opus", "vorb", "flac"} {
		if strings.HasPrefix(codec, prefix) {
			return true
		}
	}
	return false
}
