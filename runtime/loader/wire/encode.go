package wire

import "fmt"

// minMessageSize is the smallest chunk with body bytes in it.
const minMessageSize = frameLength + 1

// Encode writes a command as the messages to send, in order, none longer than maxMessageSize bytes
// (DefaultMaxMessageSize when 0). The form is safe for every decoder of p2p-media-loader 2.x to 5.x: numbers within
// ±MaxInteger in their shortest form, fields in the reference's order, full blocks of 256 ids split, at most 255 groups a
// list, no empty chunk. Ids that do not fit are left out, oldest (lowest) first; see Thinned. Duplicates are sent once.
// Errors wrap ErrNotEncodable.
func Encode(c Command, maxMessageSize int) ([][]byte, error) {
	if maxMessageSize == 0 {
		maxMessageSize = DefaultMaxMessageSize
	}
	if maxMessageSize < minMessageSize {
		return nil, fmt.Errorf("%w: maximum message size %d is below %d", ErrNotEncodable, maxMessageSize, minMessageSize)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	body, err := appendBody(make([]byte, 0, bodyEstimate(c)), c, appendSafeList)
	if err != nil {
		return nil, err
	}
	n, p := safeSplit(len(body), maxMessageSize)
	return frame(body, n, p), nil
}

// EncodeReference writes a command exactly as p2p-media-loader 2.3.1 does, its defects included (full blocks, more than
// 255 groups, tiny maxima). It is for comparison with recorded bytes only, never for sending. Errors wrap
// ErrNotEncodable: unknown code or maxMessageSize below 1.
func EncodeReference(c Command, maxMessageSize int) ([][]byte, error) {
	if maxMessageSize < 1 {
		return nil, fmt.Errorf("%w: maximum message size %d is below 1", ErrNotEncodable, maxMessageSize)
	}
	body, err := appendBody(make([]byte, 0, bodyEstimate(c)), c, appendReferenceList)
	if err != nil {
		return nil, err
	}
	n, p := referenceSplit(len(body), maxMessageSize)
	return frame(body, n, p), nil
}

func bodyEstimate(c Command) int {
	return 48 + 2*(len(c.Loaded)+len(c.Loading))
}

// check refuses numbers that a peer would misread or that make no sense.
func (c Command) check() error {
	if c.Code == SegmentsAnnouncement {
		for _, list := range [][]int64{c.Loaded, c.Loading} {
			for _, id := range list {
				if magnitude(id) > MaxInteger {
					return fmt.Errorf("%w: announced id %d is beyond ±(2^53-1)", ErrNotEncodable, id)
				}
			}
		}
		return nil
	}
	if magnitude(c.SegmentID) > MaxInteger {
		return fmt.Errorf("%w: segment id %d is beyond ±(2^53-1)", ErrNotEncodable, c.SegmentID)
	}
	if magnitude(c.RequestID) > MaxInteger {
		return fmt.Errorf("%w: request id %d is beyond ±(2^53-1)", ErrNotEncodable, c.RequestID)
	}
	if c.Code == SegmentRequest && (c.From < 0 || c.From > MaxInteger) {
		return fmt.Errorf("%w: first byte %d is outside 0…2^53-1", ErrNotEncodable, c.From)
	}
	if c.Code == SegmentData && (c.Size < 0 || c.Size > MaxInteger) {
		return fmt.Errorf("%w: size %d is outside 0…2^53-1", ErrNotEncodable, c.Size)
	}
	return nil
}

func appendBody(dst []byte, c Command, list func([]byte, []int64) []byte) ([]byte, error) {
	dst = append(dst, byte(c.Code))
	switch c.Code {
	case SegmentsAnnouncement:
		if len(c.Loaded) > 0 {
			dst = list(append(dst, 'l'), c.Loaded)
		}
		if len(c.Loading) > 0 {
			dst = list(append(dst, 'p'), c.Loading)
		}
	case SegmentRequest:
		dst = appendInteger(append(dst, 'i'), c.SegmentID)
		dst = appendInteger(append(dst, 'r'), c.RequestID)
		if c.From != 0 {
			dst = appendInteger(append(dst, 'b'), c.From)
		}
	case SegmentData:
		// The size stands before the request id, other than in the reference's type declaration.
		dst = appendInteger(append(dst, 'i'), c.SegmentID)
		dst = appendInteger(append(dst, 's'), c.Size)
		dst = appendInteger(append(dst, 'r'), c.RequestID)
	case SegmentDataSendingCompleted, SegmentAbsent, CancelSegmentRequest:
		dst = appendInteger(append(dst, 'i'), c.SegmentID)
		dst = appendInteger(append(dst, 'r'), c.RequestID)
	default:
		return nil, fmt.Errorf("%w: unknown code %d", ErrNotEncodable, c.Code)
	}
	return dst, nil
}
