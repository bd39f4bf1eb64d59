package mux

import (
	"fmt"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
)

// Container says how a program is packed.
type Container uint8

// The containers.
const (
	FMP4 Container = iota // fragmented MP4 with the brands of CMAF (ISO/IEC 23000-19)
	TS                    // MPEG-2 transport stream (ISO/IEC 13818-1)
)

// Program is a set of tracks packed together: a rendition with or without its
// audio, or the audio alone. It is immutable.
type Program struct {
	Container Container
	Video     *media.Track // nil: audio alone
	Audio     *media.Track // nil: video alone

	init []byte
	// sizes holds the bytes of the chunk of each second of the loop: every field
	// that the timeline changes has a fixed width.
	sizes [media.LoopSeconds]int
	// before holds, per elementary stream, the transport packets in the loop
	// before each of its seconds; the last entry is the whole loop.
	before [2][media.LoopSeconds + 1]int
}

// NewProgram packs at least one track.
func NewProgram(c Container, video, audio *media.Track) (*Program, error) {
	if video == nil && audio == nil {
		return nil, fmt.Errorf("making a program: no track")
	}
	p := &Program{Container: c, Video: video, Audio: audio}
	if c == FMP4 {
		p.init = p.appendInit(nil)
	}
	var buf []byte
	for s := range p.sizes {
		if c == TS {
			w := tsWriter{}
			p.writeTS(&w, int64(s))
			for e := range p.before {
				p.before[e][s+1] = p.before[e][s] + w.written[e]
			}
			p.sizes[s] = len(w.out)
			continue
		}
		buf = p.appendFragment(buf[:0], int64(s))
		p.sizes[s] = len(buf)
	}
	return p, nil
}

// Init is the initialization section; empty for a transport stream.
func (p *Program) Init() []byte { return p.init }

// AppendSegment appends the segment of the seconds from (inclusive) to to
// (exclusive) of the timeline; from must not be negative.
func (p *Program) AppendSegment(dst []byte, from, to int64) []byte {
	if p.Container == TS {
		w := tsWriter{out: dst}
		for e := range p.before {
			w.counter[e] = p.counter(e, from)
		}
		for s := from; s < to; s++ {
			p.writeTS(&w, s)
		}
		return w.out
	}
	dst = appendSegmentType(dst)
	for s := from; s < to; s++ {
		dst = p.appendFragment(dst, s)
	}
	return dst
}

// SegmentSize is the number of bytes that AppendSegment appends.
func (p *Program) SegmentSize(from, to int64) int64 {
	var loop int64
	for _, n := range p.sizes {
		loop += int64(n)
	}
	size := (to - from) / media.LoopSeconds * loop
	for s := from; s < from+(to-from)%media.LoopSeconds; s++ {
		size += int64(p.sizes[s%media.LoopSeconds])
	}
	if p.Container == FMP4 {
		size += int64(len(segmentType))
	}
	return size
}

// AudioSpan is the exact span of the audio frames of the seconds from to to, in
// ticks of the audio track: frames straddle whole seconds.
func AudioSpan(t *media.Track, from, to int64) (start, end int64) {
	first, last := frames(t, from, to)
	return first * t.SampleTicks, last * t.SampleTicks
}

// frames are the samples of t in the seconds from to to, as indices into the
// endless sequence of samples, the end exclusive. A frame of audio that straddles
// the begin of a second belongs to it, so that there is sound from the first
// picture on wherever a player starts.
func frames(t *media.Track, from, to int64) (first, last int64) {
	return from * t.Timescale / t.SampleTicks, to * t.Timescale / t.SampleTicks
}

// sample is sample i of the endless sequence.
func sample(t *media.Track, i int64) media.Sample {
	return t.Samples[i%int64(len(t.Samples))]
}

// counter is the number of transport packets of elementary stream e before
// second s, modulo 16: the continuity counter goes on without a break from any
// segment to the next, whatever their length.
func (p *Program) counter(e int, s int64) uint8 {
	loops, phase := s/media.LoopSeconds, s%media.LoopSeconds
	total := loops%16*int64(p.before[e][media.LoopSeconds]) + int64(p.before[e][phase])
	return uint8(total % 16)
}
