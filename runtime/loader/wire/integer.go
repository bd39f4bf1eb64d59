package wire

import "math/bits"

// Value types of p2p-media-loader 2.3.1, in the high four bits of a value's first byte.
const (
	typeInteger = 0
	typeArray   = 1
	typeString  = 2
)

// integer is a decoded number: sign and up to 119 bits of magnitude, as many as the wire form can carry.
type integer struct {
	negative bool
	hi, lo   uint64
}

// appendInteger writes v in the shortest form whose top bit is left for the sign.
func appendInteger(dst []byte, v int64) []byte {
	mag := magnitude(v)
	n := (bits.Len64(mag) + 8) / 8
	dst = append(dst, byte(n))
	at := len(dst)
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(mag>>(8*i)))
	}
	if v < 0 {
		dst[at] |= 0x80
	}
	return dst
}

// readInteger reads an integer value at the start of b and returns it with the number of bytes it claims, which can
// exceed len(b): a value that is cut off consists of the bytes that are there, and no bytes at all are 0 (as the
// reference reads it). ok is false when the value is not an integer.
func readInteger(b []byte) (v integer, claimed int, ok bool) {
	if len(b) == 0 {
		return integer{}, 1, true
	}
	if b[0]>>4 != typeInteger {
		return integer{}, 0, false
	}
	claimed = 1 + int(b[0]&0x0f)
	digits := b[1:min(claimed, len(b))]
	for i, d := range digits {
		if i == 0 {
			v.negative = d&0x80 != 0
			d &= 0x7f
		}
		v.hi = v.hi<<8 | v.lo>>56
		v.lo = v.lo<<8 | uint64(d)
	}
	return v, claimed, true
}

// exact returns the number when it lies within ±MaxInteger.
func (v integer) exact() (int64, bool) {
	if v.hi != 0 || v.lo > MaxInteger {
		return 0, false
	}
	if v.negative {
		return -int64(v.lo), true
	}
	return int64(v.lo), true
}

// lowByte returns the low eight bits in two's complement.
func (v integer) lowByte() byte {
	if v.negative {
		return byte(-v.lo)
	}
	return byte(v.lo)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
