package doors

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
)

// Hash is the SHA-256 of a seeder token: it tells who holds the token, and does not give it away.
type Hash [sha256.Size]byte

// hashPrefix begins the text of every hash.
const hashPrefix = "sha256:"

// HashOf returns the hash of a token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// ParseHash reads "sha256:" and 64 hexadecimal digits.
func ParseHash(text string) (h Hash, err error) {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != len(h) {
		return h, errors.New(`is not "sha256:" with 64 hexadecimal digits`)
	}
	return Hash(b), nil
}

// String returns the text that ParseHash reads.
func (h Hash) String() string { return hashPrefix + hex.EncodeToString(h[:]) }

// Seeders says which tokens make a client a seeder.
type Seeders struct {
	Tokens []string // the tokens themselves, the current one first
	Hashes []Hash   // of further ones
}

// None tells whether no client is a seeder.
func (s Seeders) None() bool { return len(s.Tokens) == 0 && len(s.Hashes) == 0 }

// Has tells whether a client with this token is a seeder.
func (s Seeders) Has(token string) bool {
	if token == "" {
		return false
	}
	for _, want := range s.Tokens {
		if subtle.ConstantTimeCompare([]byte(token), []byte(want)) == 1 {
			return true
		}
	}
	if len(s.Hashes) == 0 {
		return false
	}
	own := HashOf(token)
	for i := range s.Hashes {
		if subtle.ConstantTimeCompare(own[:], s.Hashes[i][:]) == 1 {
			return true
		}
	}
	return false
}
