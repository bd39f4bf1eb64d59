package dash

import (
	"strings"
	"unicode/utf8"
)

// reserved are the characters that separate the parts of a URL: decodeURI keeps their escapes, and encodeURI does not
// escape them. Source: ECMA-262, URI handling functions.
const reserved = ";/?:@&=+$,#"

// decodeURI takes escapes off, except those of the characters in keep. It fails where JavaScript throws: on an escape
// that is cut short or that is no UTF-8.
func decodeURI(text, keep string) (string, bool) {
	if !strings.Contains(text, "%") {
		return text, true
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '%' {
			b.WriteByte(text[i])
			i++
			continue
		}
		first, ok := escaped(text, i)
		if !ok {
			return "", false
		}
		if first < utf8.RuneSelf {
			if strings.IndexByte(keep, first) >= 0 {
				b.WriteString(text[i : i+3])
			} else {
				b.WriteByte(first)
			}
			i += 3
			continue
		}
		var character [utf8.UTFMax]byte
		length := 0
		for length < utf8.UTFMax && !utf8.FullRune(character[:length]) {
			c, ok := escaped(text, i+3*length)
			if !ok {
				return "", false
			}
			character[length] = c
			length++
		}
		if r, size := utf8.DecodeRune(character[:length]); r == utf8.RuneError || size != length {
			return "", false
		}
		b.Write(character[:length])
		i += 3 * length
	}
	return b.String(), true
}

// escaped is the byte that an escape at i stands for.
func escaped(text string, i int) (byte, bool) {
	if i+2 >= len(text) || text[i] != '%' {
		return 0, false
	}
	high, low := hexDigit(text[i+1]), hexDigit(text[i+2])
	return byte(high<<4 | low), high < 16 && low < 16
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return 1 << 8
}

// escapeURI escapes what a URL cannot have, and the characters in also, the latter with small letters.
func escapeURI(text, also string) string {
	const unreserved = "-_.!~*'()"
	const capital, small = "0123456789ABCDEF", "0123456789abcdef"
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case strings.IndexByte(also, c) >= 0:
			b.Write([]byte{'%', small[c>>4], small[c&15]})
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte(unreserved, c) >= 0, strings.IndexByte(reserved, c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', capital[c>>4], capital[c&15]})
		}
	}
	return b.String()
}

// encodeURI is escapeURI for text that may have escapes: these stay.
func encodeURI(text, also string) string {
	out := escapeURI(text, also)
	if !strings.Contains(out, "%25") {
		return out
	}
	var b strings.Builder
	for i := 0; i < len(out); {
		if strings.HasPrefix(out[i:], "%25") && i+4 < len(out) && hexDigit(out[i+3]) < 16 && hexDigit(out[i+4]) < 16 {
			b.WriteByte('%')
			i += 3
			continue
		}
		b.WriteByte(out[i])
		i++
	}
	return b.String()
}
