package wire

import (
	"errors"
	"fmt"
)

// strictPeer receives as the least tolerant peer imaginable would: it joins and decodes, and any deviation is an error.
// It refuses more than 3.x to 5.x do (those accept other field orders, unknown fields and longer integers).
type strictPeer struct {
	max     int
	pending []byte
	joining bool
}

func (s *strictPeer) push(msg []byte) (c Command, done bool, err error) {
	if len(msg) > s.max {
		return c, false, fmt.Errorf("message of %d bytes", len(msg))
	}
	if !LooksLikeCommand(msg) {
		return c, false, errors.New("not a command chunk")
	}
	body := msg[4 : len(msg)-4]
	first, last := string(msg[:4]) == "cstr", string(msg[len(msg)-4:]) == "cend"
	if first == s.joining {
		return c, false, errors.New("chunks out of order")
	}
	if len(body) == 0 {
		return c, false, errors.New("empty chunk")
	}
	s.pending = append(s.pending, body...)
	s.joining = !last
	if !last {
		return c, false, nil
	}
	body, s.pending = s.pending, nil
	c, err = strictDecode(body)
	return c, true, err
}

var strictOrder = map[Code][]string{
	SegmentsAnnouncement:        {"", "l", "p", "lp"},
	SegmentRequest:              {"ir", "irb"},
	SegmentData:                 {"isr"},
	SegmentDataSendingCompleted: {"ir"},
	SegmentAbsent:               {"ir"},
	CancelSegmentRequest:        {"ir"},
}

func strictDecode(body []byte) (c Command, err error) {
	if len(body) == 0 {
		return c, errors.New("empty body")
	}
	c.Code = Code(body[0])
	orders, ok := strictOrder[c.Code]
	if !ok {
		return c, errors.New("unknown code")
	}
	names := ""
	for b := body[1:]; len(b) > 0; {
		names += string(b[:1])
		field := fieldNamed(b[0])
		if field == 0 {
			return c, errors.New("unknown field")
		}
		var v int64
		switch b = b[1:]; field {
		case FieldLoaded:
			c.Loaded, b, err = strictList(b)
		case FieldLoading:
			c.Loading, b, err = strictList(b)
		default:
			v, b, err = strictInteger(b)
		}
		if err != nil {
			return c, err
		}
		c.Fields |= field
		switch field {
		case FieldSegmentID:
			c.SegmentID = v
		case FieldRequestID:
			c.RequestID = v
		case FieldFrom:
			c.From = v
		case FieldSize:
			c.Size = v
		}
	}
	for _, o := range orders {
		if names == o {
			return c, nil
		}
	}
	return c, fmt.Errorf("fields %q", names)
}

func strictInteger(b []byte) (int64, []byte, error) {
	if len(b) == 0 || b[0] == 0 || b[0] > 7 {
		return 0, nil, errors.New("integer of no or too many bytes")
	}
	n := int(b[0])
	if len(b) < 1+n {
		return 0, nil, errors.New("integer cut off")
	}
	digits, rest := b[1:1+n], b[1+n:]
	mag := int64(digits[0] & 0x7f)
	if n > 1 && mag == 0 && digits[1]&0x80 == 0 {
		return 0, nil, errors.New("integer longer than needed")
	}
	for _, d := range digits[1:] {
		mag = mag<<8 | int64(d)
	}
	if digits[0]&0x80 == 0 {
		return mag, rest, nil
	}
	if mag == 0 {
		return 0, nil, errors.New("minus zero")
	}
	return -mag, rest, nil
}

func strictList(b []byte) ([]int64, []byte, error) {
	if len(b) < 2 || b[0] != 0x10 || b[1] == 0 {
		return nil, nil, errors.New("list without groups or cut off")
	}
	groups := int(b[1])
	b = b[2:]
	var ids []int64
	for range groups {
		header, rest, err := strictInteger(b)
		if err != nil {
			return nil, nil, err
		}
		n := int(header & 0xff)
		if n == 0 {
			return nil, nil, errors.New("group count 0 is read differently by 2.x and 3.x")
		}
		if len(rest) < n {
			return nil, nil, errors.New("list cut off")
		}
		for _, low := range rest[:n] {
			id := header&^0xff | int64(low)
			if id > MaxInteger || id < -MaxInteger {
				return nil, nil, errors.New("id out of range")
			}
			ids = append(ids, id)
		}
		b = rest[n:]
	}
	return ids, b, nil
}
