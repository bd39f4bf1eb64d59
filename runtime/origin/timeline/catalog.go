package timeline

import (
	"fmt"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

// Catalog holds every program that a path can name, ready to be written.
type Catalog struct {
	library  *media.Library
	programs map[programKey]*mux.Program
}

type programKey struct {
	container mux.Container
	track     string
	muxed     bool // audio in the rendition
}

// NewCatalog prepares the programs of a library.
func NewCatalog(lib *media.Library) (*Catalog, error) {
	c := &Catalog{library: lib, programs: map[programKey]*mux.Program{}}
	add := func(key programKey, video, audio *media.Track) error {
		p, err := mux.NewProgram(key.container, video, audio)
		if err != nil {
			return fmt.Errorf("packing %s: %w", key.track, err)
		}
		c.programs[key] = p
		return nil
	}
	for _, container := range []mux.Container{mux.FMP4, mux.TS} {
		if err := add(programKey{container, AudioName, false}, nil, lib.Audio); err != nil {
			return nil, err
		}
		for _, name := range renditionNames {
			video := lib.Track(name)
			if video == nil {
				return nil, fmt.Errorf("media has no rendition %s", name)
			}
			if err := add(programKey{container, name, false}, video, nil); err != nil {
				return nil, err
			}
			if err := add(programKey{container, name, true}, video, lib.Audio); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// program returns the program of the track of that name under k.
func (c *Catalog) program(k Knobs, track string) *mux.Program {
	track = base(track)
	return c.programs[programKey{k.Container, track, !k.SeparateAudio && track != AudioName}]
}

// Init is the initialization section of the track of r.
func (c *Catalog) Init(r Request) []byte { return c.program(r.Knobs, r.Track).Init() }

// AppendSegment appends segment r.Sequence of the track of r.
func (c *Catalog) AppendSegment(dst []byte, r Request) []byte {
	return c.AppendSegmentAt(dst, r, Visit{})
}

// AppendSegmentAt appends segment r.Sequence of the track of r as a visit gets it. The segment must exist then.
func (c *Catalog) AppendSegmentAt(dst []byte, r Request, v Visit) []byte {
	k := r.Knobs
	m := k.Moment(v.Now.Unix())
	event := m.Event
	if r.Named {
		event = r.Event
	}
	from, to := k.Span(k.sequence(r.Sequence, m))
	from, to = from+k.offset(event), to+k.offset(event)
	if r.Part > 0 {
		from += r.Part - 1
		to = from + 1
	}
	begin := len(dst)
	dst = c.program(k, r.Track).AppendSegment(dst, from, to)
	dst = mark(dst, k.Container, r.different(v))
	return mux.AppendFilling(dst, k.Container, k.filled(r.Track, to-from)-(len(dst)-begin))
}

// filled is the least size, in bytes, of so many seconds of a track.
func (k Knobs) filled(track string, seconds int64) int {
	if base(track) == AudioName {
		return 0
	}
	return int(k.FillKbit * 1000 / 8 * seconds)
}

// rates returns the peak and the mean bit rate of the segments of a track under
// k, in bit/s: of every segment that the loop can give, since segments of some
// lengths begin all over it.
func (c *Catalog) rates(k Knobs, track string) (peak, mean int64) {
	p := c.program(k, track)
	var total int64
	for phase := range int64(media.LoopSeconds) {
		from := phase * k.Segment
		size := p.SegmentSize(from, from+k.Segment)
		bits := 8 * (size + int64(mux.FillingSize(k.Container, k.filled(track, k.Segment)-int(size))))
		peak = max(peak, (bits+k.Segment-1)/k.Segment)
		total += bits
	}
	return peak, total / (k.Segment * media.LoopSeconds)
}
