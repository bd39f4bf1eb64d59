package wire

import "fmt"

// Decode reads a command body (the joined bytes between the frame marks) as leniently as p2p-media-loader 2.3.1: fields
// in any order, the last of several with one name wins, unknown names are skipped, integers may be longer than needed or
// cut off. Errors wrap ErrUndecodable. A known field of the wrong type or with a number beyond ±MaxInteger counts as not
// there (b as -1); in an announcement, which would then wrongly say "holds nothing", it is an error. So are an empty body
// and an unknown code. A full block of 256 ids, whose count the reference writes as 0, is read as such. Memory used is at most eight times len(body) for each list.
func Decode(body []byte) (Command, error) {
	c, unusable, err := decode(body, ours)
	switch {
	case err != nil:
		return Command{}, err
	case len(body) == 0:
		return Command{}, fmt.Errorf("%w: no command code", ErrUndecodable)
	case c.Code > CancelSegmentRequest:
		return Command{}, fmt.Errorf("%w: unknown code %d", ErrUndecodable, c.Code)
	case c.Code == SegmentsAnnouncement && unusable&(FieldLoaded|FieldLoading) != 0:
		return Command{}, fmt.Errorf("%w: a list of the announcement is not readable", ErrUndecodable)
	case c.Code == SegmentRequest && unusable&FieldFrom != 0:
		// Serving from 0 would be wrong; a negative first byte gets the request answered absent.
		c.From = -1
		c.Fields |= FieldFrom
	}
	return c, nil
}

// mode tells whose reading of odd bodies is wanted.
type mode bool

const (
	ours   mode = false
	theirs mode = true // p2p-media-loader 2.3.1, to the letter
)

// decode reads whatever the reference can read. unusable are the known fields that were there with a wrong type or an
// out-of-range number. In mode theirs numbers become what a float64 makes of them.
func decode(body []byte, m mode) (c Command, unusable Field, err error) {
	if len(body) == 0 {
		return Command{}, 0, nil
	}
	c.Code = Code(body[0])
	for at := 1; at < len(body); {
		name := body[at]
		at++
		kind := byte(typeInteger) // a name at the very end has the value 0
		if at < len(body) {
			kind = body[at] >> 4
		}
		rest := body[min(at, len(body)):]
		field := fieldNamed(name)
		var usable bool
		switch kind {
		case typeInteger:
			v, claimed, _ := readInteger(rest)
			at += claimed
			if field&(FieldLoaded|FieldLoading) == 0 {
				usable = c.setInteger(field, v, m)
			}
		case typeArray:
			a, ok := readArray(rest, m == ours)
			if !ok {
				return Command{}, 0, fmt.Errorf("%w: array cut off or with a wrong header", ErrUndecodable)
			}
			at += a.claimed
			usable = c.setList(field, rest, a, m)
		case typeString:
			// No command has a string; it only has to be skipped.
			if len(rest) > 1 {
				at += int(rest[0]&0x0f)<<8 | int(rest[1])
			}
			at += 2
		default:
			return Command{}, 0, fmt.Errorf("%w: value type %d", ErrUndecodable, kind)
		}
		if usable {
			c.Fields |= field
			unusable &^= field
		} else {
			c.Fields &^= field
			unusable |= field
		}
	}
	c.clearMissing()
	return c, unusable, nil
}

// clearMissing empties what an earlier field of the same name left behind.
func (c *Command) clearMissing() {
	if !c.Has(FieldSegmentID) {
		c.SegmentID = 0
	}
	if !c.Has(FieldRequestID) {
		c.RequestID = 0
	}
	if !c.Has(FieldFrom) {
		c.From = 0
	}
	if !c.Has(FieldSize) {
		c.Size = 0
	}
	if !c.Has(FieldLoaded) {
		c.Loaded = nil
	}
	if !c.Has(FieldLoading) {
		c.Loading = nil
	}
}

func fieldNamed(name byte) Field {
	switch name {
	case 'i':
		return FieldSegmentID
	case 'r':
		return FieldRequestID
	case 'b':
		return FieldFrom
	case 's':
		return FieldSize
	case 'l':
		return FieldLoaded
	case 'p':
		return FieldLoading
	}
	return 0
}

func (c *Command) setInteger(f Field, v integer, m mode) bool {
	n, ok := v.exact()
	if !ok && m == theirs {
		n, ok = v.rounded()
	}
	if !ok {
		return false
	}
	switch f {
	case FieldSegmentID:
		c.SegmentID = n
	case FieldRequestID:
		c.RequestID = n
	case FieldFrom:
		c.From = n
	case FieldSize:
		c.Size = n
	}
	return true
}

func (c *Command) setList(f Field, b []byte, a array, m mode) (ok bool) {
	switch f {
	case FieldLoaded:
		c.Loaded, ok = appendIDs(c.Loaded[:0], b, a, m)
	case FieldLoading:
		c.Loading, ok = appendIDs(c.Loading[:0], b, a, m)
	}
	return ok
}
