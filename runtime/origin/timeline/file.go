package timeline

import (
	"errors"
	"fmt"
	"io"

	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

// RangeFile is the one file of a rendition whose segments are byte ranges: the
// initialization section, if any, and all segments in a row. It reads like a
// file but holds one segment at a time. Not safe for concurrent use.
type RangeFile struct {
	program *mux.Program
	knobs   Knobs
	ends    []int64 // where each piece ends; piece 0 is the initialization section
	at      int64

	piece int // the one in buf; -1: none
	buf   []byte
}

// RangeFile returns the file of the track of r.
func (c *Catalog) RangeFile(r Request) *RangeFile {
	p := c.program(r.Knobs, r.Track)
	f := &RangeFile{program: p, knobs: r.Knobs, piece: -1}
	end := int64(len(p.Init()))
	f.ends = append(f.ends, end)
	for seq := range r.Knobs.Count(0) {
		from, to := r.Knobs.Span(seq)
		end += p.SegmentSize(from, to)
		f.ends = append(f.ends, end)
	}
	return f
}

// Size is the length of the file in bytes.
func (f *RangeFile) Size() int64 { return f.ends[len(f.ends)-1] }

// Read reads from the current offset; io.EOF at the end.
func (f *RangeFile) Read(b []byte) (int, error) {
	if f.at >= f.Size() {
		return 0, io.EOF
	}
	if f.piece < 0 || f.at >= f.ends[f.piece] || f.at < f.start(f.piece) {
		f.load()
	}
	n := copy(b, f.buf[f.at-f.start(f.piece):])
	f.at += int64(n)
	return n, nil
}

// load writes the piece at the current offset into buf.
func (f *RangeFile) load() {
	low, high := 0, len(f.ends)-1
	for low < high {
		if mid := (low + high) / 2; f.at < f.ends[mid] {
			high = mid
		} else {
			low = mid + 1
		}
	}
	f.piece = low
	if low == 0 {
		f.buf = append(f.buf[:0], f.program.Init()...)
		return
	}
	from, to := f.knobs.Span(int64(low - 1))
	f.buf = f.program.AppendSegment(f.buf[:0], from, to)
}

func (f *RangeFile) start(piece int) int64 {
	if piece == 0 {
		return 0
	}
	return f.ends[piece-1]
}

// Seek moves the offset as io.Seeker says.
func (f *RangeFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.Size()
	case io.SeekStart:
	default:
		return 0, fmt.Errorf("seeking: unknown whence %d", whence)
	}
	if offset < 0 {
		return 0, errors.New("seeking: before the start of the file")
	}
	f.at = offset
	return offset, nil
}
