package timeline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

// Kind is what a path names.
type Kind uint8

// The kinds of resources.
const (
	Multivariant  Kind = iota // master.m3u8
	MediaPlaylist             // 360p.m3u8
	Init                      // 360p/init.mp4
	Segment                   // 360p/17.m4s or .ts
	File                      // 360p.mp4 or .ts: all segments in a row
	Manifest                  // manifest.mpd
)

// Request is a parsed path.
type Request struct {
	Knobs    Knobs
	Kind     Kind
	Track    string // name of the track; empty for Multivariant and Manifest
	Sequence int64  // Segment: its media sequence number, or the number in its name with loop_N and wrap_N
	Part     int64  // Segment: which second of it, from 1; 0: the whole
	Named    bool   // Segment: its name says which event it belongs to
	Event    int64  // if Named
	Ad       string // Segment: the session whose advertisement it is; empty for the stream's own media
}

// ErrNotFound is returned for paths without a resource.
var ErrNotFound = errors.New("no such resource")

// AudioName is the track name of separate audio.
const AudioName = "audio"

// renditionNames are the names of the renditions, the lowest first.
var renditionNames = []string{"240p", "360p", "480p"}

// maxPath bounds paths in bytes.
const maxPath = 512

// Parse reads a path. Errors: a *KnobError, or ErrNotFound.
func Parse(path string) (Request, error) {
	var r Request
	if len(path) > maxPath {
		return r, ErrNotFound
	}
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[0] != "" || (parts[1] != "live" && parts[1] != "vod") {
		return r, ErrNotFound
	}
	live, last := parts[1] == "live", parts[len(parts)-1]
	parts = parts[2 : len(parts)-1]
	name, ext, ok := strings.Cut(last, ".")
	if !ok {
		return r, fmt.Errorf("%w: %q has no extension", ErrNotFound, last)
	}
	inTrack := false // the path has the track before the resource
	switch {
	case last == "master.m3u8":
		r.Kind = Multivariant
	case last == "manifest.mpd":
		r.Kind = Manifest
	case ext == "m3u8":
		r.Kind, r.Track = MediaPlaylist, name
	case last == "init.mp4":
		r.Kind, inTrack = Init, true
	default:
		if r.segmentName(name) {
			r.Kind, inTrack = Segment, true
			break
		}
		r.Kind, r.Track = File, name
	}
	if inTrack {
		if len(parts) == 0 {
			return r, ErrNotFound
		}
		r.Track, parts = parts[len(parts)-1], parts[:len(parts)-1]
	}
	var err error
	if r.Knobs, err = parseKnobs(live, parts); err != nil {
		return r, err
	}
	return r, r.check(ext)
}

// check returns an error if the stream does not have the resource.
func (r Request) check(ext string) error {
	k := r.Knobs
	if !r.IsMaster() && !k.hasTrack(r.Track) {
		return fmt.Errorf("%w: there is no track %q", ErrNotFound, r.Track)
	}
	ok := true
	switch r.Kind {
	case Manifest:
		ok = k.Container == mux.FMP4
	case Init:
		ok = k.Container == mux.FMP4 && !k.ByteRange
	case Segment:
		ok = ext == k.SegmentExt() && !k.ByteRange && (k.Live || r.Sequence < k.Count(0)) && r.nameFits()
	case File:
		ok = ext == k.fileExt() && k.ByteRange
	}
	if !ok {
		return ErrNotFound
	}
	return nil
}

// IsMaster tells whether r names what a player opens first: a multivariant playlist or an MPD.
func (r Request) IsMaster() bool { return r.Kind == Multivariant || r.Kind == Manifest }

func (k Knobs) hasTrack(name string) bool {
	if name == AudioName {
		return k.SeparateAudio
	}
	if name == AudioName+twinSuffix {
		return k.Conduct.Twins
	}
	if name == renditionNames[0]+twinSuffix {
		return k.Conduct.Cameras || k.Conduct.Backup
	}
	for _, r := range renditionNames[:k.Renditions] {
		if r == name {
			return true
		}
	}
	return false
}

// SegmentExt is the file name extension of segments.
func (k Knobs) SegmentExt() string {
	if k.Container == mux.TS {
		return "ts"
	}
	return "m4s"
}

func (k Knobs) fileExt() string {
	if k.Container == mux.TS {
		return "ts"
	}
	return "mp4"
}

// Count is the number of segments that are complete at the Unix second now,
// from sequence 0; of VOD all of them are, always.
func (k Knobs) Count(now int64) int64 {
	if !k.Live {
		return (k.Duration + k.Segment - 1) / k.Segment
	}
	if k.Ended(now) {
		now = k.End
	}
	return max(0, (now-k.Start)/k.Segment)
}

// Ended reports whether no segments will follow those of Count.
func (k Knobs) Ended(now int64) bool {
	return !k.Live || (k.End != 0 && now >= k.End)
}

// Span is where segment seq lies on the timeline, in seconds, the end exclusive.
func (k Knobs) Span(seq int64) (from, to int64) {
	from, to = seq*k.Segment, (seq+1)*k.Segment
	if !k.Live {
		to = min(to, k.Duration)
	}
	return from, to
}

// Published is the Unix second at which live segment seq is complete; 0 for VOD.
func (k Knobs) Published(seq int64) int64 {
	if !k.Live {
		return 0
	}
	return k.Start + (seq+1)*k.Segment
}

// WithoutRedirect is path without the knob redirect.
func WithoutRedirect(path string) string {
	return strings.Replace(path, "/redirect/", "/", 1)
}
