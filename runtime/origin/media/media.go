package media

import (
	_ "embed" // the media files
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

//go:embed 240p.mp4
var file240p []byte

//go:embed 360p.mp4
var file360p []byte

//go:embed 480p.mp4
var file480p []byte

//go:embed audio.mp4
var fileAudio []byte

const (
	// LoopSeconds is the length of the loop in seconds.
	LoopSeconds = 16
	// VideoTimescale is the number of ticks per second of video tracks, the clock
	// of MPEG-2 systems.
	VideoTimescale = 90000
	// aacFrame is the number of audio samples in an AAC frame.
	aacFrame = 1024
)

// Track is one loop of one rendition or of the audio.
type Track struct {
	// Name is "240p", "360p", "480p" or "audio".
	Name string
	// Video tells a video track from an audio track.
	Video bool
	// Codec is the RFC 6381 name of the codec.
	Codec string
	// Width and Height are in pixels; video only.
	Width, Height int
	// Channels and SampleRate (hertz) describe audio.
	Channels, SampleRate int
	// Entry is the sample entry as it stands in the stsd box (ISO/IEC 14496-12).
	Entry []byte
	// SPS and PPS are the parameter sets (NAL units without length or start
	// code); video only.
	SPS, PPS []byte
	// ADTS holds the header fields of the audio configuration as the packed
	// values of ADTS: object type minus one, rate index, channel configuration.
	ADTS [3]byte
	// Timescale is the number of ticks per second, SampleTicks the duration of
	// every sample in ticks.
	Timescale, SampleTicks int64
	// Samples are the samples of the loop in decoding order, which is the order
	// of presentation too. Video samples hold NAL units behind four bytes of
	// length.
	Samples []Sample
}

// Sample is one access unit or audio frame.
type Sample struct {
	Data []byte
	// Key marks a sample that can be decoded without earlier ones.
	Key bool
}

// Library is all the media there is.
type Library struct {
	// Renditions are in rising order of bitrate.
	Renditions []*Track
	// Audio goes with each of them.
	Audio *Track
}

// Track returns the track of that name, or nil.
func (l *Library) Track(name string) *Track {
	if name == l.Audio.Name {
		return l.Audio
	}
	for _, t := range l.Renditions {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Load returns the embedded media. An error means that the files were not made
// by make.sh.
func Load() (*Library, error) { return load() }

var load = sync.OnceValues(func() (*Library, error) {
	lib := &Library{}
	for _, f := range []struct {
		name string
		data []byte
	}{{"240p", file240p}, {"360p", file360p}, {"480p", file480p}} {
		t, err := parseTrack(f.name, f.data)
		if err == nil {
			err = checkVideo(t)
		}
		if err != nil {
			return nil, fmt.Errorf("reading media %s: %w", f.name, err)
		}
		lib.Renditions = append(lib.Renditions, t)
	}
	audio, err := parseTrack("audio", fileAudio)
	if err == nil {
		err = checkAudio(audio)
	}
	if err != nil {
		return nil, fmt.Errorf("reading media audio: %w", err)
	}
	lib.Audio = audio
	return lib, nil
})

// checkVideo makes sure of what mux relies on: whole seconds that begin with a
// key sample.
func checkVideo(t *Track) error {
	if !t.Video || t.SPS == nil || t.PPS == nil {
		return errors.New("not an H.264 track")
	}
	n := len(t.Samples)
	if n == 0 || n%LoopSeconds != 0 || VideoTimescale*LoopSeconds%n != 0 {
		return fmt.Errorf("%d pictures do not fill %d s", n, LoopSeconds)
	}
	t.Timescale, t.SampleTicks = VideoTimescale, int64(VideoTimescale*LoopSeconds/n)
	for i := 0; i < n; i += n / LoopSeconds {
		if !t.Samples[i].Key {
			return fmt.Errorf("picture %d begins a second and is not a key picture", i)
		}
	}
	return nil
}

// checkAudio makes sure that the loop is a whole number of frames.
func checkAudio(t *Track) error {
	if t.Video || t.SampleRate == 0 {
		return errors.New("not an AAC track")
	}
	if len(t.Samples)*aacFrame != LoopSeconds*t.SampleRate {
		return fmt.Errorf("%d frames do not fill %d s", len(t.Samples), LoopSeconds)
	}
	t.Timescale, t.SampleTicks = int64(t.SampleRate), aacFrame
	if aacFrame*VideoTimescale%t.SampleRate != 0 {
		return fmt.Errorf("a frame at %d Hz is no whole number of ticks at 90 kHz", t.SampleRate)
	}
	return nil
}

// videoEntry reads an avc1 sample entry (ISO/IEC 14496-15 §5.4).
func (t *Track) videoEntry(entry []byte) error {
	const fields = 8 + 78 // box header and VisualSampleEntry
	if len(entry) < fields {
		return errShort
	}
	t.Video = true
	t.Width = int(binary.BigEndian.Uint16(entry[32:]))
	t.Height = int(binary.BigEndian.Uint16(entry[34:]))
	avcC, err := find(entry[fields:], "avcC")
	if err != nil {
		return err
	}
	// Version, profile, compatibility, level, length size, count of SPS.
	if len(avcC) < 8 || avcC[4]&3 != 3 || avcC[5]&31 != 1 {
		return errors.New("avcC is not one SPS and one PPS with lengths of four bytes")
	}
	t.Codec = fmt.Sprintf("avc1.%02x%02x%02x", avcC[1], avcC[2], avcC[3])
	rest := avcC[6:]
	if t.SPS, rest, err = lengthPrefixed(rest); err != nil {
		return err
	}
	if len(rest) == 0 || rest[0] != 1 {
		return errors.New("avcC has not one PPS")
	}
	t.PPS, _, err = lengthPrefixed(rest[1:])
	return err
}

// lengthPrefixed cuts bytes with two bytes of length before them off b.
func lengthPrefixed(b []byte) (v, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errShort
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+n || n == 0 {
		return nil, nil, errShort
	}
	return b[2 : 2+n], b[2+n:], nil
}

// audioEntry reads an mp4a sample entry (ISO/IEC 14496-14 §5.6).
func (t *Track) audioEntry(entry []byte) error {
	const fields = 8 + 28 // box header and AudioSampleEntry
	if len(entry) < fields {
		return errShort
	}
	esds, err := find(entry[fields:], "esds")
	if err != nil {
		return err
	}
	asc, err := audioConfig(esds)
	if err != nil {
		return err
	}
	object, rate, channels := asc[0]>>3, (asc[0]&7)<<1|asc[1]>>7, asc[1]>>3&15
	if object != 2 || rate != 3 || channels == 0 || channels > 2 {
		return fmt.Errorf("AAC object type %d, rate index %d, %d channels: want LC at 48 kHz, mono or stereo", object, rate, channels)
	}
	t.Codec = fmt.Sprintf("mp4a.40.%d", object)
	t.SampleRate, t.Channels = 48000, int(channels)
	t.ADTS = [3]byte{object - 1, rate, channels}
	return nil
}
