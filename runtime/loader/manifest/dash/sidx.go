package dash

import (
	"encoding/binary"
	"errors"
)

// Reference is one subsegment of a segment index.
type Reference struct {
	// Start and End in seconds on the media's own timeline.
	Start, End float64
	// Seconds is its duration.
	Seconds float64
	// Nested is set if it is an index of its own: Shaka Player refuses such a file, and generation V3 steps over it.
	Nested bool
	// Range is the part of the resource that the index describes.
	Range ByteRange
}

var errShort = errors.New("the index ends too early")

// ParseIndex reads the first segment index (sidx) in data, which stands at offset in its resource. Boxes before it are
// passed over. Each subsegment has at least one byte, none ends beyond 2^53 bytes, and none begins before the end of the
// index. Errors are *Error. Source: ISO/IEC 14496-12 §8.16.3; shaka-player 4.16.9, Mp4SegmentIndexParser.
func ParseIndex(data []byte, offset int64) ([]Reference, error) {
	if len(data) > maxIndexBytes {
		return nil, fail(ReasonTooLarge, "an index of more than %d bytes", maxIndexBytes)
	}
	if offset < 0 || offset > maxInteger-maxIndexBytes {
		return nil, fail(ReasonIndex, "the index stands beyond what a browser can count")
	}
	for at := 0; at+8 <= len(data); {
		size, header := int64(binary.BigEndian.Uint32(data[at:])), 8
		switch {
		case size == 0:
			size = int64(len(data) - at) // up to the end
		case size == 1 && at+16 <= len(data):
			long := binary.BigEndian.Uint64(data[at+8:])
			if long > maxInteger {
				return nil, fail(ReasonIndex, "a box larger than a browser can count")
			}
			size, header = int64(long), 16
		}
		if size < int64(header) {
			return nil, fail(ReasonIndex, "a box of %d bytes", size)
		}
		if string(data[at+4:at+8]) == "sidx" {
			if size > int64(len(data)-at) {
				return nil, fail(ReasonIndex, "%w", errShort)
			}
			return readIndex(data[at+header:at+int(size)], offset+size)
		}
		if size > int64(len(data)-at) {
			break
		}
		at += int(size)
	}
	return nil, fail(ReasonIndex, "there is no sidx box")
}

// fields reads big-endian numbers one after the other.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) take(bytes int) uint64 {
	if len(f.rest) < bytes {
		f.short, f.rest = true, nil
		return 0
	}
	var n uint64
	for _, b := range f.rest[:bytes] {
		n = n<<8 | uint64(b)
	}
	f.rest = f.rest[bytes:]
	return n
}

// readIndex reads what is in a sidx box. Offsets in it count from end. The player adds to the size of the box only the
// place of what it fetched, not that of boxes in front, and so does this.
func readIndex(box []byte, end int64) ([]Reference, error) {
	f := fields{rest: box}
	wide := 4
	if version := f.take(4) >> 24; version != 0 {
		wide = 8
	}
	f.take(4) // reference id
	timescale := float64(f.take(4))
	start := f.take(wide)
	first := f.take(wide)
	f.take(2)
	count := f.take(2)
	switch {
	case f.short || len(f.rest) < 12*int(count):
		return nil, fail(ReasonIndex, "%w", errShort)
	case timescale == 0:
		return nil, fail(ReasonIndex, "an index without a timescale")
	case start > maxInteger || first > maxInteger-uint64(end):
		return nil, fail(ReasonIndex, "the index names times or places beyond what a browser can count")
	}
	at, time := end+int64(first), float64(start)
	out := make([]Reference, 0, count)
	for range count {
		kindAndSize, duration := f.take(4), float64(f.take(4))
		f.take(4) // stream access points
		size := int64(kindAndSize & 0x7FFFFFFF)
		switch {
		case size == 0:
			return nil, fail(ReasonIndex, "a segment without bytes")
		case at > maxInteger-size:
			return nil, fail(ReasonIndex, "the index names times or places beyond what a browser can count")
		}
		out = append(out, Reference{
			Start: time / timescale, End: (time + duration) / timescale, Seconds: duration / timescale,
			Nested: kindAndSize>>31 != 0, Range: ByteRange{Offset: at, Length: size},
		})
		time += duration
		at += size
	}
	return out, nil
}
