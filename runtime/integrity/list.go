package integrity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of an answer to viewers.
const (
	MaxLists       = 4        // swarms in a request: main and secondary, and those just left
	MaxHashes      = 64       // hashes in a list
	MaxAnswerBytes = 48 << 10 // of JSON; names of swarms, which may be escaped, included
	MaxSwarmName   = 1024     // bytes of a stream swarm id
)

// List are the hashes of consecutive segments of one swarm.
type List struct {
	// Swarm is what was asked for: a stream swarm id such as "v2-event-main-UYnLxGhQilEV4D0HbCx+kRv0ZF0=", or an info hash.
	Swarm string `json:"swarm"`
	After int64  `json:"after"` // the first hash is that of segment After + 1
	// Hashes are at most MaxHashes texts of a Hash. One that is not known, or disputed, is empty.
	Hashes []string `json:"hashes"`
	// From and To are the span that seeders vouch for: a segment in it has a hash, or is about to have one.
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Covers tells whether a seeder vouches for a segment.
func (l List) Covers(id int64) bool { return Span{l.From, l.To}.Contains(id) }

// Full tells whether the list cannot grow.
func (l List) Full() bool {
	for _, h := range l.Hashes {
		if h == "" {
			return false
		}
	}
	return len(l.Hashes) == MaxHashes
}

// Answer is what a viewer gets.
type Answer struct {
	Version int    `json:"v"`
	Lists   []List `json:"lists"`
	MAC     string `json:"mac"` // base64 (RFC 4648 §4) of the HMAC-SHA256 of Text
}

// Text is what is signed of lists: for each list its swarm, after, from, to and its hashes joined with commas, each
// followed by a line feed. A swarm's name has no line feed.
func Text(lists []List) string {
	var b strings.Builder
	for _, l := range lists {
		b.WriteString(l.Swarm)
		for _, n := range []int64{l.After, l.From, l.To} {
			b.WriteByte('\n')
			b.WriteString(strconv.FormatInt(n, 10))
		}
		b.WriteByte('\n')
		b.WriteString(strings.Join(l.Hashes, ","))
		b.WriteByte('\n')
	}
	return b.String()
}

// Key derives the key that signs the hash lists of one stream from the tracker's session key. It is handed to viewers
// with a valid session, so it must not be the session key itself, which signs sessions.
func Key(sessionKey []byte, stream string) []byte {
	mac := hmac.New(sha256.New, sessionKey)
	mac.Write([]byte("hash lists\n" + stream))
	return mac.Sum(nil)
}

// Sign returns the answer with its MAC.
func Sign(key []byte, lists []List) Answer {
	return Answer{Version: Version, Lists: lists, MAC: base64.StdEncoding.EncodeToString(sum(key, lists))}
}

func sum(key []byte, lists []List) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(Text(lists)))
	return mac.Sum(nil)
}

// ErrSignature says that an answer was not signed with the key: the tracker has another key by now, or something between
// it and the viewer has changed the answer.
var ErrSignature = errors.New("the signature of the hash lists does not match")

// DecodeAnswer reads an answer and checks its bounds and its signature.
func DecodeAnswer(key, b []byte) (Answer, error) {
	var a Answer
	if len(b) > MaxAnswerBytes {
		return Answer{}, fmt.Errorf("decoding hash lists: more than %d bytes", MaxAnswerBytes)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return Answer{}, fmt.Errorf("decoding hash lists: %w", err)
	}
	if a.Version != Version || len(a.Lists) > MaxLists {
		return Answer{}, fmt.Errorf("decoding hash lists: version %d with %d lists", a.Version, len(a.Lists))
	}
	got, err := base64.StdEncoding.DecodeString(a.MAC)
	if err != nil || !hmac.Equal(got, sum(key, a.Lists)) {
		return Answer{}, fmt.Errorf("decoding hash lists: %w", ErrSignature)
	}
	for _, l := range a.Lists {
		if err := l.check(); err != nil {
			return Answer{}, fmt.Errorf("decoding hash lists: %w", err)
		}
	}
	return a, nil
}

func (l List) check() error {
	if err := CheckName(l.Swarm); err != nil {
		return err
	}
	if l.After < -1 || l.After > MaxID || len(l.Hashes) > MaxHashes {
		return errors.New("a list is out of bounds")
	}
	for _, h := range l.Hashes {
		if _, err := ParseHash(h); err != nil {
			return err
		}
	}
	return nil
}

var errName = errors.New("a swarm's name is empty, too long or has control characters")

// CheckName refuses what cannot be a stream swarm id. It may have any characters but those that control.
func CheckName(swarm string) error {
	if swarm == "" || len(swarm) > MaxSwarmName || strings.ContainsFunc(swarm, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return errName
	}
	return nil
}
