package tickets

import (
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A voucher is the word of one tracker to the others that a session had a WebSocket: version, time in Unix milliseconds,
// session, MAC as in a ticket. A page whose socket is on one replica may report over HTTP to another one.
const (
	voucherVersion = 0x12
	voucherBody    = 1 + 8 + sessionSize
	voucherSize    = voucherBody + macSize
	sessionSize    = 8 + idSize
)

// VoucherLength is the length of every voucher's text, in bytes.
const VoucherLength = (voucherSize*8 + 5) / 6

// Vouch returns a voucher for a session that has a socket now.
func (r *Ring) Vouch(session, stream string, now time.Time) string {
	var b [voucherSize]byte
	b[0] = voucherVersion
	binary.BigEndian.PutUint64(b[1:], uint64(now.UnixMilli()))
	copy(b[9:voucherBody], session)
	copy(b[voucherBody:], mac(r.signing(now), b[:voucherBody], stream))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Vouched returns when a tracker vouched for the session; ok is false for a voucher that is not genuine, or that is older
// than age.
func (r *Ring) Vouched(text, session, stream string, age time.Duration, now time.Time) (at time.Time, ok bool) {
	var b [voucherSize]byte
	if r.open(b[:], text, voucherVersion, stream) != nil || string(b[9:voucherBody]) != session {
		return time.Time{}, false
	}
	at = time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:])))
	return at, now.Sub(at) <= age && at.Sub(now) <= Skew
}
