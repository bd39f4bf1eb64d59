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

// maxAnnounced is the largest number of ids in one list.
const maxAnnounced = maxGroups * maxGroups

// readArray walks over the list at the start of b without keeping ids. A missing group header reads as 0 (no ids), as in
// the reference; ok is false when a header is no integer or ids are missing. With full, a count of 0 before 256
// different low bytes is read for what its sender meant: a full block.
func readArray(b []byte, full bool) (a array, ok bool) {
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
		a.claimed += claimed
		n := countIDs(header, b[min(a.claimed, len(b)):], full)
		if n > 0 && a.claimed+n > len(b) {
			return array{}, false
		}
		a.claimed += n
		a.ids += n
	}
	return a, true
}

// countIDs returns how many ids a group has whose low bytes are at the start of low.
func countIDs(header integer, low []byte, full bool) int {
	n := int(header.lowByte())
	if n > 0 || !full || len(low) < blockSize {
		return n
	}
	var b block
	for _, l := range low[:blockSize] {
		if !b.add(l) {
			return 0
		}
	}
	return blockSize
}

// appendIDs appends the ids of the list outlined by a. ok is false when one of them is out of range or they are too many.
func appendIDs(dst []int64, b []byte, a array, m mode) ([]int64, bool) {
	if a.ids > maxAnnounced {
		return dst, false
	}
	dst = slices.Grow(dst, a.ids)
	at := 2
	for range a.groups {
		header, claimed, _ := readInteger(b[min(at, len(b)):])
		at += claimed
		low := b[min(at, len(b)):]
		low = low[:countIDs(header, low, m == ours)]
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
				if m == ours {
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
