package descriptions

import (
	"bytes"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Description is what may be relayed of a session description.
type Description struct {
	SDP     signaling.Raw // a JSON string
	Dropped int           // candidates that were left out
	Hosts   Hosts         // of the candidates that were not
}

// Clean returns the description, a JSON string, without the candidates that the rules do not allow. Without such
// candidates it is the description itself, and otherwise a copy. The error, always an Error, says why nothing of it may be
// relayed; Dropped is set then, too.
func Clean(sdp signaling.Raw, rules Rules) (Description, error) {
	if len(sdp) < 2 || sdp[0] != '"' {
		return Description{}, ErrText
	}
	if len(sdp) > MaxBytes {
		return Description{}, ErrBytes
	}
	c := cleaner{rules: &rules, body: sdp[1 : len(sdp)-1]}
	if !c.plain() {
		// Spelled in one way, texts can be compared as they are.
		text, err := sdp.Text()
		if err != nil {
			return Description{}, ErrText
		}
		if sdp = signaling.AppendText(nil, text); len(sdp) > MaxBytes {
			return Description{}, ErrBytes
		}
		c.body = sdp[1 : len(sdp)-1]
	}
	if err := c.run(); err != nil {
		return Description{Dropped: c.dropped}, err
	}
	d := Description{SDP: sdp, Dropped: c.dropped, Hosts: c.hosts.hosts()}
	if c.dropped > 0 {
		d.SDP = append(append(c.out, c.body[c.copied:]...), '"')
	}
	return d, nil
}

// cleaner goes through a description line by line.
type cleaner struct {
	rules *Rules
	body  []byte // the contents of the JSON string

	lines, sections, candidates, dropped int
	hosts                                seenHosts
	// out is what was kept of body[:copied], after an opening quote; nil as long as that is all of it.
	out    []byte
	copied int
}

// plain reports whether the ends of lines are the only escapes.
func (c *cleaner) plain() bool {
	for rest := c.body; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			return true
		}
		if i+1 >= len(rest) || rest[i+1] != 'r' && rest[i+1] != 'n' {
			return false
		}
		rest = rest[i+2:]
	}
}

func (c *cleaner) run() error {
	for at := 0; at < len(c.body); {
		end, next := c.lineEnd(at)
		if end > at {
			if c.lines++; c.lines > MaxLines {
				return ErrLines
			}
			if err := c.line(at, end, next); err != nil {
				return err
			}
		}
		at = next
	}
	return nil
}

// lineEnd returns where the line ends, and where the next one begins. Parsers take either character for the end of one, and
// both of them.
func (c *cleaner) lineEnd(at int) (end, next int) {
	for i := at; ; i += 2 {
		j := bytes.IndexByte(c.body[i:], '\\')
		if j < 0 || i+j+1 >= len(c.body) {
			return len(c.body), len(c.body)
		}
		if i += j; c.body[i+1] == 'r' || c.body[i+1] == 'n' {
			next = i + 2
			if c.body[i+1] == 'r' && bytes.HasPrefix(c.body[next:], []byte(`\n`)) {
				next += 2
			}
			return i, next
		}
	}
}

// line checks one line, which is body[at:end]. Names are compared without case and leading spaces, as lenient parsers do.
func (c *cleaner) line(at, end, next int) error {
	text := bytes.TrimLeft(c.body[at:end], " ")
	if len(text) < 2 || text[1] != '=' {
		return nil
	}
	value := bytes.TrimLeft(text[2:], " ")
	switch text[0] | 0x20 {
	case 'm':
		if c.sections++; c.sections > MaxSections {
			return ErrSections
		}
	case 'c':
		if !c.rules.allowsConnection(value) {
			c.replace(at, end, "c=IN IP4 0.0.0.0")
		}
	case 'a':
		name, rest, _ := bytes.Cut(value, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("candidate")):
			if c.candidates++; c.candidates > MaxCandidates {
				return ErrCandidates
			}
			if address, kind, ok := candidate(rest); ok && c.rules.allowsText(address) {
				c.hosts.add(address, kind)
			} else {
				c.replace(at, next, "")
			}
		case bytes.EqualFold(name, []byte("remote-candidates")):
			// RFC 8839 §5.2: addresses that the other side has sent. There was no other side before.
			c.replace(at, next, "")
		}
	}
	return nil
}

// replace keeps everything before body[from:to], and by instead of that.
func (c *cleaner) replace(from, to int, by string) {
	if c.out == nil {
		c.out = append(make([]byte, 0, len(c.body)+2), '"')
	}
	c.out = append(append(c.out, c.body[c.copied:from]...), by...)
	c.copied = to
	c.dropped++
}

// candidate returns the connection address and the type of a candidate attribute's value: foundation, component, transport,
// priority, address, port, "typ", type, and extensions (RFC 8839 §5.1). ok is false if there are fewer fields.
func candidate(value []byte) (address, kind []byte, ok bool) {
	const fields, fifth, eighth = 8, 4, 7
	for n := range fields {
		value = bytes.TrimLeft(value, " ")
		if len(value) == 0 {
			return nil, nil, false
		}
		end := bytes.IndexByte(value, ' ')
		if end < 0 {
			end = len(value)
		}
		switch n {
		case fifth:
			address = value[:end]
		case eighth:
			kind = value[:end]
		}
		value = value[end:]
	}
	return address, kind, true
}

// allowsConnection checks the value of a connection line, such as "IN IP4 192.0.2.1" (RFC 8866 §5.7). The unspecified
// address means none.
func (r *Rules) allowsConnection(value []byte) bool {
	i := bytes.LastIndexByte(value, ' ')
	where := value[i+1:]
	return string(where) == "0.0.0.0" || string(where) == "::" || r.allowsText(where)
}
