package wire

import "slices"

// maxGroups is the largest number of groups, and of ids in a group, that fits its single byte.
const maxGroups = 255

// array is the outline of an encoded list of ids (similar-integer array of p2p-media-loader 2.3.1).
type array struct {
	claimed int // bytes used; can exceed what is there when the last headers are missing
	groups  int
	ids     int
}

// readArray walks over the list at the start of b without keeping ids. A missing group header reads as 0 (no ids), as in
// the reference; ok is false when a header is no integer or ids are missing.
func readArray(b []byte) (a array, ok bool) {
	a.claimed = 2
	if len(b) < 2 {
		return a, true
	}
	a.groups = int(b[1])
	for range a.groups {
		header, claimed, ok := readInteger(b[min(a.claimed, len(b)):])
		if !ok {
			return array{}, false
		}
		n := int(header.lowByte())
		if n > 0 && a.claimed+claimed+n > len(b) {
			return array{}, false
		}
		a.claimed += claimed + n
		a.ids += n
	}
	return a, true
}

// appendIDs appends the ids of the list outlined by a. ok is false when one of them is out of range.
func appendIDs(dst []int64, b []byte, a array, rounding bool) ([]int64, bool) {
	dst = slices.Grow(dst, a.ids)
	at := 2
	for range a.groups {
		header, claimed, _ := readInteger(b[min(at, len(b)):])
		at += claimed
		low := b[min(at, len(b)):min(at+int(header.lowByte()), len(b))]
		at += len(low)
		if len(low) == 0 {
			continue
		}
		prefix, ok := header.prefix()
		if !ok {
			return dst, false
		}
		for _, l := range low {
			id := prefix | int64(l)
			if magnitude(id) > MaxInteger {
				if !rounding {
					return dst, false
				}
				id = int64(float64(id))
			}
			dst = append(dst, id)
		}
	}
	return dst, true
}

// prefix returns a group header without its count. ok is false far outside ±MaxInteger.
func (v integer) prefix() (int64, bool) {
	if v.hi != 0 || v.lo >= 1<<62 {
		return 0, false
	}
	n := int64(v.lo)
	if v.negative {
		n = -n
	}
	return n &^ 0xff, true
}

// rounded returns the number as a float64 carries it, when that fits an int64.
func (v integer) rounded() (int64, bool) {
	f := float64(v.lo)
	if v.hi != 0 || f >= 1<<63 {
		return 0, false
	}
	if v.negative {
		f = -f
	}
	return int64(f), true
}
