package telemetry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Session tokens: version, issue time in Unix milliseconds, random id, and a truncated HMAC-SHA256 over all of it and
// the stream. Half of the digest is kept (RFC 2104 §5), because the token travels in every report.
const (
	sessionVersion = 1
	sessionIDSize  = 12
	sessionMACSize = sha256.Size / 2
	sessionBody    = 1 + 8 + sessionIDSize
	sessionSize    = sessionBody + sessionMACSize

	// SessionLifetime is how long a session token is accepted unless configured otherwise.
	SessionLifetime = 24 * time.Hour
	// sessionSkew is how far in the future an issue time may lie: trackers that share a key do not share a clock.
	sessionSkew = time.Minute
	minKey      = 16
)

// Session is the content of a verified token.
type Session struct {
	Key   string    // unique among all sessions, opaque
	Began time.Time // when it was issued, to the millisecond
}

// Signer makes and verifies session tokens. It holds no state but its key and may be used by several goroutines.
type Signer struct {
	key      []byte
	lifetime time.Duration
}

// NewSigner returns a signer with a key of at least 16 bytes; a lifetime of zero means SessionLifetime.
func NewSigner(key []byte, lifetime time.Duration) (*Signer, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("making session signer: key has %d bytes, needs at least %d", len(key), minKey)
	}
	if lifetime <= 0 {
		lifetime = SessionLifetime
	}
	return &Signer{key: append([]byte(nil), key...), lifetime: lifetime}, nil
}

// Issue returns a new token for a stream; it fails only when random does.
func (s *Signer) Issue(stream string, now time.Time, random io.Reader) (string, error) {
	var b [sessionSize]byte
	b[0] = sessionVersion
	binary.BigEndian.PutUint64(b[1:], uint64(now.UnixMilli()))
	if _, err := io.ReadFull(random, b[9:sessionBody]); err != nil {
		return "", fmt.Errorf("reading randomness for session: %w", err)
	}
	copy(b[sessionBody:], s.mac(b[:sessionBody], stream))
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Verify checks that the token was signed with this key for this stream and has not expired. The error is a *RefusalError
// (Unsigned or Expired).
func (s *Signer) Verify(token, stream string, now time.Time) (Session, error) {
	var b [sessionSize]byte
	if len(token) != base64.RawURLEncoding.EncodedLen(sessionSize) {
		return Session{}, refuse(Unsigned, "not a session from /v1/config")
	}
	// Strict decoding: a token has exactly one spelling, so unused bits cannot make two sessions out of one.
	if _, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(token)); err != nil || b[0] != sessionVersion {
		return Session{}, refuse(Unsigned, "not a session from /v1/config")
	}
	if !hmac.Equal(b[sessionBody:], s.mac(b[:sessionBody], stream)) {
		return Session{}, refuse(Unsigned, "signature does not match")
	}
	began := time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:])))
	if age := now.Sub(began); age > s.lifetime || age < -sessionSkew {
		return Session{}, refuse(Expired, "fetch /v1/config again")
	}
	return Session{Key: string(b[1:sessionBody]), Began: began}, nil
}

func (s *Signer) mac(body []byte, stream string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(body)
	h.Write([]byte(stream))
	return h.Sum(nil)[:sessionMACSize]
}
