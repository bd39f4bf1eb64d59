package integrity

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// HashSize is how many bytes of a SHA-256 are kept. A peer that wants to pass on other bytes needs a second preimage: 144
// bits are far beyond reach, and are 24 characters of base64 without padding.
const HashSize = 18

// Hash is the beginning of a segment's SHA-256 (FIPS 180-4). The zero value is no hash.
type Hash [HashSize]byte

// HashLength is the length of a hash as text.
const HashLength = HashSize / 3 * 4

var errHash = errors.New("not a hash of 24 base64 characters")

// Of returns the hash of a segment's bytes.
func Of(data []byte) Hash {
	sum := sha256.Sum256(data)
	return Cut(sum)
}

// Cut returns the hash that belongs to a SHA-256.
func Cut(sum [sha256.Size]byte) Hash { return Hash(sum[:HashSize]) }

// String is the text of a hash in lists: base64 (RFC 4648 §4). It is empty for no hash.
func (h Hash) String() string {
	if h == (Hash{}) {
		return ""
	}
	return base64.StdEncoding.EncodeToString(h[:])
}

// ParseHash reads the text of a hash; the empty text is no hash.
func ParseHash(text string) (h Hash, err error) {
	if text == "" {
		return Hash{}, nil
	}
	// Strict: a hash has exactly one spelling. The decoder would skip line breaks, so the length is checked first.
	if n, err := base64.StdEncoding.Strict().Decode(make([]byte, base64.StdEncoding.DecodedLen(len(text))), []byte(text)); len(text) != HashLength || n != HashSize || err != nil {
		return Hash{}, errHash
	}
	b, _ := base64.StdEncoding.Strict().DecodeString(text) // it has just been decoded
	return Hash(b), nil
}

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	if len(text) > HashLength {
		return errHash
	}
	*h, err = ParseHash(string(text))
	return err
}
