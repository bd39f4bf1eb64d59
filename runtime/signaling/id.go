package signaling

import "fmt"

// IDLength is the number of bytes of an info hash or a peer id (BEP 3; WebTorrent tracker protocol).
const IDLength = 20

// ID is an info hash or a peer id: 20 bytes. In tracker JSON it is a text of 20 characters, U+0000–U+00FF, one
// per byte. For the ASCII ids of p2p-media-loader bytes and characters are the same.
type ID [IDLength]byte

// MakeID turns 20 raw bytes, held in a Go string, into an ID.
func MakeID(raw string) (ID, error) {
	var id ID
	if len(raw) != IDLength {
		return id, fmt.Errorf("making id: %d bytes, want %d", len(raw), IDLength)
	}
	copy(id[:], raw)
	return id, nil
}

// String returns the 20 raw bytes as a Go string (not necessarily valid UTF-8: do not put it into JSON, use
// AppendID).
func (id ID) String() string { return string(id[:]) }

// parseID decodes the contents of a JSON string into an ID. It reports false unless the text has exactly 20
// characters, all of them below U+0100. Text that other trackers cut to its low byte is refused here: the reply
// would name an info hash that the sender never sent, and clients ignore such replies.
func parseID(body []byte) (ID, bool) {
	var id ID
	n, i := 0, 0
	for i < len(body) {
		r, size := nextUnit(body[i:])
		if size == 0 || r > 0xff || n == IDLength {
			return ID{}, false
		}
		id[n] = byte(r)
		n++
		i += size
	}
	return id, n == IDLength
}

// AppendID appends id to dst as a JSON string, quotes included, one character per byte.
func AppendID(dst []byte, id ID) []byte {
	dst = append(dst, '"')
	for _, c := range id {
		dst = appendChar(dst, c)
	}
	return append(dst, '"')
}
