package wire

import (
	"bytes"
	"errors"
	"math/big"
	"unicode/utf8"
)

// modelDecode is the reference's decoder written down a second time, slowly and with unbounded numbers, as an oracle.
// It keeps every field. With full, a zero count before 256 different bytes is a full block.
func modelDecode(body []byte, full bool) (map[string]any, error) {
	got := map[string]any{}
	if len(body) == 0 {
		return got, nil
	}
	got["c"] = float64(body[0])
	for at := 1; at < len(body); {
		name := string(rune(body[at]))
		at++
		rest := []byte(nil)
		if at < len(body) {
			rest = body[at:]
		}
		kind := byte(0)
		if len(rest) > 0 {
			kind = rest[0] >> 4
		}
		switch kind {
		case 0:
			v, used, err := modelInteger(rest)
			if err != nil {
				return nil, err
			}
			got[name] = toFloat(v)
			at += used
		case 1:
			list, used, err := modelList(rest, full)
			if err != nil {
				return nil, err
			}
			got[name] = list
			at += used
		case 2:
			text, used := modelString(rest)
			got[name] = text
			at += used
		default:
			return nil, errors.New("no such type")
		}
	}
	return got, nil
}

func toFloat(v *big.Int) float64 {
	f, _ := new(big.Float).SetPrec(200).SetInt(v).Float64()
	return f
}

func modelInteger(b []byte) (*big.Int, int, error) {
	if len(b) == 0 {
		return new(big.Int), 1, nil
	}
	if b[0]>>4 != 0 {
		return nil, 0, errors.New("not an integer")
	}
	used := 1 + int(b[0]&15)
	digits := bytes.Clone(b[1:min(used, len(b))])
	negative := false
	if len(digits) > 0 {
		negative = digits[0]&0x80 != 0
		digits[0] &= 0x7f
	}
	v := new(big.Int).SetBytes(digits)
	if negative {
		v.Neg(v)
	}
	return v, used, nil
}

func modelList(b []byte, full bool) ([]float64, int, error) {
	ids := []float64{}
	if len(b) < 2 {
		return ids, 2, nil
	}
	low8 := big.NewInt(255)
	at := 2
	for range int(b[1]) {
		header, used, err := modelInteger(b[min(at, len(b)):])
		if err != nil {
			return nil, 0, err
		}
		at += used
		n := int(new(big.Int).And(header, low8).Int64())
		prefix := new(big.Int).AndNot(header, low8)
		if n == 0 && full && at+256 <= len(b) && permutation(b[at:at+256]) {
			n = 256
		}
		for range n {
			if at >= len(b) {
				return nil, 0, errors.New("id missing")
			}
			ids = append(ids, toFloat(new(big.Int).Or(prefix, big.NewInt(int64(b[at])))))
			at++
		}
	}
	return ids, at, nil
}

func permutation(b []byte) bool {
	var seen [256]bool
	for _, c := range b {
		if seen[c] {
			return false
		}
		seen[c] = true
	}
	return true
}

func modelString(b []byte) (string, int) {
	length := int(b[0]&15) << 8
	if len(b) > 1 {
		length |= int(b[1])
	}
	return browserText(b[min(2, len(b)):min(2+length, len(b))]), 2 + length
}

// browserText decodes UTF-8 as a browser does: a leading byte order mark goes, and each maximal part of a broken
// sequence becomes one U+FFFD (WHATWG Encoding Standard, UTF-8 decoder).
func browserText(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var out []rune
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			out = append(out, r)
			b = b[n:]
			continue
		}
		out = append(out, utf8.RuneError)
		b = b[brokenPart(b):]
	}
	return string(out)
}

// brokenPart is the length of the longest start of a valid sequence at the start of b, at least 1.
func brokenPart(b []byte) int {
	need, low, high := 0, byte(0x80), byte(0xbf)
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			low = 0xa0
		}
		if c == 0xed {
			high = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			low = 0x90
		}
		if c == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(b) && b[n] >= low && b[n] <= high {
		n++
		low, high = 0x80, 0xbf
	}
	return n
}
