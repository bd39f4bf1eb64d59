package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
)

// Fetcher reads segments from an origin. It may be used by many goroutines.
type Fetcher struct {
	Source          *manifest.Source
	Transit         *transit.Share
	Counters        *traffic.Recorder
	Played          *traffic.Rendition // of the rendition; nil: it is not counted by itself
	MaxSegmentBytes int64
}

// maxClaimed is the most memory, in bytes, that is allocated because an origin claims a size: most segments need no
// more. Beyond it the buffer grows with the bytes that arrive.
const maxClaimed = 2 << 20

// Read reads a segment behind the bytes already held; known is its size, -1 if unknown. After each read it calls
// progress with all bytes and the size of the whole. The bytes returned are in transit (transit.Share). On an error
// these are what it has, or nil if they cannot be continued; the total is -1 if the origin did not say it.
//
// A body whose end is in doubt (manifest.ReasonNoLength) is read again from its beginning, and taken if both are equal.
func (f *Fetcher) Read(ctx context.Context, m manifest.Segment, held []byte, known int64, progress func(data []byte, total int64)) ([]byte, int64, error) {
	data, total, err := f.read(ctx, m, held, known, progress)
	if manifest.ReasonOf(err) != manifest.ReasonNoLength {
		return data, total, err
	}
	again, total, err := f.read(ctx, m, nil, known, func([]byte, int64) {})
	if err == nil && !bytes.Equal(data, again) {
		err = errTwoBodies
	}
	if errors.Is(err, errTwoBodies) || manifest.ReasonOf(err) == manifest.ReasonNoLength {
		f.discard(again)
		again, total = nil, -1
	}
	f.discard(data)
	return again, total, err
}

// errTwoBodies says that two reads of a body whose end is in doubt gave different bytes.
var errTwoBodies = errors.New("the origin gave two different bodies, neither of which has a length")

func (f *Fetcher) read(ctx context.Context, m manifest.Segment, held []byte, known int64, progress func(data []byte, total int64)) ([]byte, int64, error) {
	body, total, err := f.Source.ResumeSegment(ctx, m, int64(len(held)), known)
	if err != nil {
		if keepsBytes(err) {
			return held, -1, err
		}
		f.discard(held)
		return nil, -1, err
	}
	defer func() { _ = body.Close() }() // read to its end or given up: nothing to learn from closing
	data := held
	if missing := total - int64(len(held)); missing > 0 {
		data = slices.Grow(held, int(min(missing, maxClaimed))+1) // one more, so that the end is seen without growing
	}
	progress(data, total)
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, f.growth(int64(len(data)), total))
		}
		n, err := body.Read(data[len(data):cap(data)])
		f.Counters.Received[traffic.FromHTTP].Add(int64(n))
		f.Played.Count(traffic.FromHTTP, traffic.Outside, int64(n))
		if !f.Transit.Reserve(n) {
			f.Counters.Discarded.Add(int64(n))
			f.discard(data)
			return nil, -1, transit.ErrFull
		}
		data = data[:len(data)+n]
		if n > 0 {
			progress(data, total)
		}
		if errors.Is(err, io.EOF) {
			return data, total, nil
		}
		if err != nil {
			return data, total, err
		}
	}
}

// growth is by how many bytes the buffer of a segment grows: it doubles, so that little is copied, but grows no further
// than to the end of the segment.
func (f *Fetcher) growth(have, total int64) int {
	if total < 0 {
		total = f.MaxSegmentBytes
	}
	return int(max(64<<10, min(have, total-have)) + 1)
}

func (f *Fetcher) discard(data []byte) {
	f.Counters.Discarded.Add(int64(len(data)))
	f.Transit.Release(len(data))
}
