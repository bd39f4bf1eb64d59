package tickets

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A ticket is version, issue time in Unix milliseconds, lifetime in seconds, digest of the page's origin, random id, and a
// truncated HMAC-SHA256 over all of it and the stream; in base64url without padding (RFC 4648 §5). Half of the MAC is kept
// (RFC 2104 §5), because the text travels in every report.
const (
	version    = 2 // 1 was the session token of earlier releases
	idSize     = 12
	pageSize   = 8
	issuedAt   = 1
	lifetimeAt = issuedAt + 8
	pageAt     = lifetimeAt + 4
	idAt       = pageAt + pageSize
	bodySize   = idAt + idSize
	macSize    = sha256.Size / 2
	size       = bodySize + macSize

	// DefaultLifetime is how long a ticket is accepted unless configured otherwise: a page of an event that lasts a day
	// reconnects with the ticket that it got at the begin, or on the evening before.
	DefaultLifetime = 36 * time.Hour
	// MaxLifetime is the longest lifetime: a page of a channel that never ends has to be loaded again once a month.
	MaxLifetime = 30 * 24 * time.Hour
	// Skew is how far in the future an issue time may lie: trackers that share a key do not share a clock.
	Skew = time.Minute
)

// Length is the length of every ticket's text, in bytes.
const Length = (size*8 + 5) / 6

// Reasons for which a ticket is not accepted.
var (
	ErrMissing = errors.New("there is no ticket; take the announce URL from /v1/config")
	ErrForged  = errors.New("the ticket is not one of this stream's; take the announce URL from /v1/config")
	ErrExpired = errors.New("the ticket has expired; fetch /v1/config again")
	ErrPage    = errors.New("the ticket was given to a page of another origin; fetch /v1/config from this page")
)

// Page is a digest of the origin of the page that a ticket was given to. The zero value is a program without an origin, or
// a page whose origin does not tell it from others: "null", or a file.
type Page [pageSize]byte

// PageOf returns the digest of an Origin header (RFC 6454 §7); empty: the request had none.
func PageOf(origin string) Page {
	origin = strings.ToLower(origin)
	if origin == "" || origin == "null" || strings.HasPrefix(origin, "file:") {
		return Page{}
	}
	sum := sha256.Sum256([]byte(origin))
	return Page(sum[:pageSize])
}

// Ticket is the content of a verified ticket.
type Ticket struct {
	Session         string    // unique among all sessions, opaque, 20 bytes
	Issued, Expires time.Time // to the millisecond
	Page            Page
}

// Fits tells whether a page of that origin may use the ticket. A ticket that was given to a program fits every page: a
// web server may have fetched it for its page.
func (t Ticket) Fits(origin string) bool { return t.Page == Page{} || t.Page == PageOf(origin) }

// Issue returns a new ticket for a page of that origin, empty for a program; it fails only when random does.
func (r *Ring) Issue(stream, origin string, lifetime time.Duration, now time.Time, random io.Reader) (string, error) {
	var b [size]byte
	b[0] = version
	binary.BigEndian.PutUint64(b[issuedAt:], uint64(now.UnixMilli()))
	binary.BigEndian.PutUint32(b[lifetimeAt:], uint32(min(max(lifetime, time.Second), MaxLifetime)/time.Second))
	page := PageOf(origin)
	copy(b[pageAt:], page[:])
	if _, err := io.ReadFull(random, b[idAt:bodySize]); err != nil {
		return "", fmt.Errorf("reading randomness for ticket: %w", err)
	}
	copy(b[bodySize:], mac(r.signing(now), b[:bodySize], stream))
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Verify checks that the ticket was signed with one of the keys for this stream and has not expired. The error is
// ErrMissing, ErrForged or ErrExpired.
func (r *Ring) Verify(text, stream string, now time.Time) (Ticket, error) {
	var b [size]byte
	switch err := r.open(b[:], text, version, stream); {
	case text == "":
		return Ticket{}, ErrMissing
	case err != nil:
		return Ticket{}, err
	}
	issued := time.UnixMilli(int64(binary.BigEndian.Uint64(b[issuedAt:])))
	lifetime := time.Duration(binary.BigEndian.Uint32(b[lifetimeAt:])) * time.Second
	t := Ticket{Session: string(b[issuedAt:issuedAt+8]) + string(b[idAt:bodySize]), Issued: issued, Expires: issued.Add(lifetime),
		Page: Page(b[pageAt:idAt])}
	if !now.Before(t.Expires) || issued.Sub(now) > Skew {
		return Ticket{}, ErrExpired
	}
	return t, nil
}
