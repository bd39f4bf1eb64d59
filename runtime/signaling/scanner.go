package signaling

import (
	"math"
	"strconv"
)

// maxDepth bounds nesting inside skipped values: a client must not be able to cause deep recursion.
const maxDepth = 32

// scanner walks over JSON (RFC 8259) in place. Its methods return false at the first malformed byte; the position is
// then undefined. Text is assumed to be valid UTF-8: callers check the whole message once.
type scanner struct {
	b []byte
	i int
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

// end reports whether nothing but white space is left.
func (s *scanner) end() bool { return s.peek() == 0 && s.i == len(s.b) }

// special marks the bytes at which copying through a string stops: quote, backslash, control characters.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// text consumes a string and returns its contents without quotes, and whether they are free of escapes.
func (s *scanner) text() (body []byte, plain, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	b, start, i := s.b, s.i, s.i
	plain = true
	for i < len(b) {
		c := b[i]
		if !special[c] {
			i++
			continue
		}
		if c == '"' {
			s.i = i + 1
			return b[start:i], plain, true
		}
		if c != '\\' {
			return nil, false, false
		}
		plain = false
		// Fast path for the two escapes that end every line of a session description.
		if i+1 < len(b) && (b[i+1] == 'n' || b[i+1] == 'r') {
			i += 2
			continue
		}
		_, size := nextUnit(b[i:])
		if size == 0 {
			return nil, false, false
		}
		i += size
	}
	return nil, false, false
}

// key consumes an object key and the colon. Escaped keys are rare and cost an allocation.
func (s *scanner) key() ([]byte, bool) {
	body, plain, ok := s.text()
	if !ok || !s.take(':') {
		return nil, false
	}
	if !plain {
		body = unescape(nil, body)
	}
	return body, true
}

// object calls field for each key of an object, with the scanner standing before the value; field consumes it.
func (s *scanner) object(field func(key []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		key, ok := s.key()
		if !ok || !field(key) {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take('}')
	}
}

// array calls item for each element of an array, with the scanner standing before it; item consumes it.
func (s *scanner) array(item func() bool) bool {
	if !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take(']')
	}
}

// raw consumes one value of any kind and returns it as spelled.
func (s *scanner) raw() (Raw, bool) {
	s.peek()
	start := s.i
	if !s.skip(0) {
		return nil, false
	}
	return Raw(s.b[start:s.i]), true
}

// skip consumes one value of any kind.
func (s *scanner) skip(depth int) bool {
	switch c := s.peek(); c {
	case '"':
		_, _, ok := s.text()
		return ok
	case '{', '[':
		if depth == maxDepth {
			return false
		}
		if c == '[' {
			return s.array(func() bool { return s.skip(depth + 1) })
		}
		return s.object(func([]byte) bool { return s.skip(depth + 1) })
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.skipNumber()
	}
}

// literal consumes one of JSON's literal names: true, false or null.
func (s *scanner) literal(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

func (s *scanner) skipNumber() bool {
	if s.at('-') {
		s.i++
	}
	if s.at('0') {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.i++
		if s.at('+') || s.at('-') {
			s.i++
		}
		return s.digits()
	}
	return true
}

// integer consumes one value; usable is false unless it is a whole number between −2³¹ and 2³¹.
func (s *scanner) integer() (n int64, usable, ok bool) {
	raw, ok := s.raw()
	if !ok || len(raw) == 0 || (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9')) {
		return 0, false, ok
	}
	if len(raw) <= 9 && raw[0] != '-' {
		for _, c := range raw {
			if c < '0' || c > '9' {
				n = -1
				break
			}
			n = n*10 + int64(c-'0')
		}
		if n >= 0 {
			return n, true, true
		}
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<31 {
		return 0, false, true
	}
	return int64(f), true, true
}
