package signaling

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// Raw is one JSON value exactly as its sender spelled it; for texts the quotes are included. Values handed out
// by the parsers alias the parsed message.
type Raw []byte

// ErrNotText is the error for a raw value that is not one JSON string.
var ErrNotText = errors.New("value is not a JSON string")

// Text decodes a JSON string. Unpaired surrogates become U+FFFD, as in encoding/json.
func (r Raw) Text() (string, error) {
	s := scanner{b: r}
	body, plain, ok := s.text()
	if !ok || s.i != len(r) {
		return "", ErrNotText
	}
	if plain {
		return string(body), nil
	}
	return string(unescape(make([]byte, 0, len(body)), body)), nil
}

// is reports whether the value is the text want, without allocating for the usual spelling.
func (r Raw) is(want string) bool {
	if len(r) == len(want)+2 && r[0] == '"' && string(r[1:len(r)-1]) == want {
		return true
	}
	if bytes.IndexByte(r, '\\') < 0 {
		return false
	}
	text, err := r.Text()
	return err == nil && text == want
}

// Key returns a number that is equal for two spellings of the same text ("\u0019" and the bare character), so
// that an offer id can be recognised in an answer whose sender spells JSON in another way. It is a hash (FNV-1a,
// 64 bit) over UTF-16 code units: different texts may collide, and an attacker can search for such texts, so it must
// never be the only check.
func (r Raw) Key() uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	if len(r) < 2 {
		return h
	}
	mix := func(u rune) {
		h = (h ^ uint64(u&0xff)) * prime
		h = (h ^ uint64(u>>8)) * prime
	}
	for body := r[1 : len(r)-1]; len(body) > 0; {
		u, size := nextUnit(body)
		if size == 0 {
			break
		}
		body = body[size:]
		if u > 0xffff {
			hi, lo := utf16.EncodeRune(u)
			mix(hi)
			mix(lo)
			continue
		}
		mix(u)
	}
	return h
}

// nextUnit decodes the first character or escape of the contents of a JSON string: a whole code point where it
// is written out, one UTF-16 code unit where it is written as \u. The size is 0 when the escape is malformed.
func nextUnit(b []byte) (rune, int) {
	c := b[0]
	if c < utf8.RuneSelf && c != '\\' {
		return rune(c), 1
	}
	if c != '\\' {
		return utf8.DecodeRune(b)
	}
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		var r rune
		for _, d := range b[2:6] {
			v := hexValue(d)
			if v < 0 {
				return 0, 0
			}
			r = r<<4 | rune(v)
		}
		return r, 6
	}
	return 0, 0
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// unescape appends the decoded contents of an already checked JSON string to dst.
func unescape(dst, body []byte) []byte {
	for i := 0; i < len(body); {
		r, size := nextUnit(body[i:])
		if size == 0 {
			return dst
		}
		i += size
		if utf16.IsSurrogate(r) {
			low, more := rune(0), 0
			if i < len(body) {
				low, more = nextUnit(body[i:])
			}
			if pair := utf16.DecodeRune(r, low); more == 6 && pair != utf8.RuneError {
				r, i = pair, i+more
			} else {
				r = utf8.RuneError
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// AppendText appends s to dst as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD: use it
// for session descriptions and reasons, and AppendID for identifiers.
func AppendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = appendChar(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return append(dst, '"')
}

// appendChar appends the character U+00c as it is spelled inside a JSON string by JavaScript.
func appendChar(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch {
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c >= utf8.RuneSelf:
		return append(dst, 0xc0|c>>6, 0x80|c&0x3f)
	case c >= ' ':
		return append(dst, c)
	case c == '\b':
		return append(dst, '\\', 'b')
	case c == '\f':
		return append(dst, '\\', 'f')
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
