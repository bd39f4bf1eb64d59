package stun

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"

	"github.com/pion/stun/v3"
)

const (
	// MaxMessage is the size in bytes of the longest message that is read; a
	// longer datagram or TCP frame is dropped. A Binding request of a browser has
	// 20 to 100 bytes.
	MaxMessage = 1280
	// MaxResponse is the size in bytes of the longest answer.
	MaxResponse = 64
	// MaxGrowth is how many bytes longer than its request an answer may be.
	// The worst case is the bare 20-byte request from an IPv6 address: its answer
	// has 44 bytes, which is the reflection factor 2.2 (IPv4: 1.6).
	MaxGrowth = 24

	headerSize      = 20
	magicCookie     = 0x2112A442
	fingerprintXOR  = 0x5354554e
	maxUnknownAttrs = 8
	// unknownReason is shorter than the phrase that RFC 8489 recommends, because
	// MaxGrowth must hold for error answers too; clients act on the number.
	unknownReason = "Unknown"
)

// Outcome is the result of handling one message.
type Outcome uint8

// The outcomes of Handle. Only Answered and UnknownAttribute send an answer.
const (
	Answered         Outcome = iota // success response
	UnknownAttribute                // error response 420
	Malformed                       // not a STUN message
	Unsupported                     // a request with another method than Binding
	Ignored                         // an indication or a response
	BadFingerprint                  // FINGERPRINT present and wrong or misplaced
	outcomes
)

// String returns the label of the outcome in metrics.
func (o Outcome) String() string {
	switch o {
	case Answered:
		return "answered"
	case UnknownAttribute:
		return "unknown_attribute"
	case Malformed:
		return "malformed"
	case Unsupported:
		return "unsupported"
	case Ignored:
		return "ignored"
	case BadFingerprint:
		return "bad_fingerprint"
	}
	return "unknown"
}

// Handler answers messages one at a time. Its memory is reused from message to
// message, so each goroutine needs its own. The zero value is ready.
type Handler struct {
	msg     stun.Message
	unknown [maxUnknownAttrs]stun.AttrType
}

// Handle answers the message req that came from the address from. The answer is
// appended to dst (room for MaxResponse bytes avoids an allocation); nothing is
// appended when there is no answer. req must be one whole message: trailing
// bytes make it malformed.
func (h *Handler) Handle(dst, req []byte, from netip.AddrPort) ([]byte, Outcome) {
	// Cheap tests before the parser, which formats an error text for each fault:
	// garbage must cost the sender more than the server.
	if len(req) < headerSize || len(req) > MaxMessage || req[0]&0xC0 != 0 ||
		binary.BigEndian.Uint32(req[4:]) != magicCookie ||
		int(binary.BigEndian.Uint16(req[2:]))+headerSize != len(req) || len(req)%4 != 0 {
		return dst, Malformed
	}
	h.msg.Type.ReadValue(binary.BigEndian.Uint16(req))
	if h.msg.Type.Class != stun.ClassRequest {
		return dst, Ignored
	}
	if h.msg.Type.Method != stun.MethodBinding {
		return dst, Unsupported
	}
	// Decode only reads Raw, so it may alias the caller's buffer.
	h.msg.Raw = req
	err := h.msg.Decode()
	h.msg.Raw = nil
	if err != nil {
		return dst, Malformed
	}
	fingerprint, unknown, ok := h.inspect(req)
	if !ok {
		return dst, BadFingerprint
	}
	start := len(dst)
	outcome := Answered
	if len(unknown) > 0 {
		dst = appendUnknown(dst, h.msg.TransactionID, unknown)
		outcome = UnknownAttribute
	} else {
		dst = appendSuccess(dst, h.msg.TransactionID, from)
	}
	if fingerprint {
		dst = appendFingerprint(dst, start)
	}
	return dst, outcome
}

// inspect checks the attributes: whether there is a FINGERPRINT and it is
// correct, and which comprehension-required attributes are not understood (at
// most maxUnknownAttrs of them, without duplicates).
func (h *Handler) inspect(req []byte) (fingerprint bool, unknown []stun.AttrType, ok bool) {
	unknown = h.unknown[:0]
	for i, a := range h.msg.Attributes {
		if a.Type == stun.AttrFingerprint {
			// RFC 8489 §14.7: it is the last attribute.
			last := i == len(h.msg.Attributes)-1
			if !last || len(a.Value) != 4 ||
				binary.BigEndian.Uint32(a.Value) != crc32.ChecksumIEEE(req[:len(req)-8])^fingerprintXOR {
				return false, nil, false
			}
			fingerprint = true
			continue
		}
		if a.Type.Required() && !understood(a.Type) && len(unknown) < maxUnknownAttrs && !contains(unknown, a.Type) {
			unknown = append(unknown, a.Type)
		}
	}
	return fingerprint, unknown, true
}

// understood lists the comprehension-required attributes of RFC 8489 §18.3.
// Credentials are understood and not asked for, so they are ignored; those of
// NAT discovery (CHANGE-REQUEST, RFC 5780) and of ICE connectivity checks are
// not understood here.
func understood(t stun.AttrType) bool {
	switch t {
	case 0x0001, // MAPPED-ADDRESS
		0x0006, // USERNAME
		0x0008, // MESSAGE-INTEGRITY
		0x0009, // ERROR-CODE
		0x000A, // UNKNOWN-ATTRIBUTES
		0x0014, // REALM
		0x0015, // NONCE
		0x001C, // MESSAGE-INTEGRITY-SHA256
		0x001D, // PASSWORD-ALGORITHM
		0x001E, // USERHASH
		0x0020: // XOR-MAPPED-ADDRESS
		return true
	}
	return false
}

func contains(list []stun.AttrType, t stun.AttrType) bool {
	for _, x := range list {
		if x == t {
			return true
		}
	}
	return false
}

// appendHeader appends a message header for a body of size bytes.
func appendHeader(dst []byte, messageType uint16, size int, id [stun.TransactionIDSize]byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, messageType)
	dst = binary.BigEndian.AppendUint16(dst, uint16(size)) // size is at most MaxResponse
	dst = binary.BigEndian.AppendUint32(dst, magicCookie)
	return append(dst, id[:]...)
}

// appendSuccess appends a success response with XOR-MAPPED-ADDRESS (§14.2).
func appendSuccess(dst []byte, id [stun.TransactionIDSize]byte, from netip.AddrPort) []byte {
	addr := from.Addr().Unmap()
	family, size := byte(1), 4
	if addr.Is6() {
		family, size = 2, 16
	}
	dst = appendHeader(dst, 0x0101, 4+4+size, id)
	dst = binary.BigEndian.AppendUint16(dst, 0x0020)
	dst = binary.BigEndian.AppendUint16(dst, uint16(4+size)) // 8 or 20
	dst = append(dst, 0, family)
	dst = binary.BigEndian.AppendUint16(dst, from.Port()^(magicCookie>>16))
	if family == 1 {
		a := addr.As4()
		return binary.BigEndian.AppendUint32(dst, binary.BigEndian.Uint32(a[:])^magicCookie)
	}
	a := addr.As16()
	dst = binary.BigEndian.AppendUint32(dst, binary.BigEndian.Uint32(a[:4])^magicCookie)
	for i, b := range a[4:] {
		dst = append(dst, b^id[i])
	}
	return dst
}

// appendUnknown appends an error response 420 (§6.3.1, §14.8, §14.9).
func appendUnknown(dst []byte, id [stun.TransactionIDSize]byte, unknown []stun.AttrType) []byte {
	reason := (len(unknownReason) + 3) &^ 3
	list := (2*len(unknown) + 3) &^ 3
	dst = appendHeader(dst, 0x0111, 4+4+reason+4+list, id)
	dst = binary.BigEndian.AppendUint16(dst, 0x0009)
	dst = binary.BigEndian.AppendUint16(dst, uint16(4+len(unknownReason)))
	dst = append(dst, 0, 0, 4, 20)
	dst = append(dst, unknownReason...)
	dst = append(dst, make([]byte, reason-len(unknownReason))...)
	dst = binary.BigEndian.AppendUint16(dst, 0x000A)
	dst = binary.BigEndian.AppendUint16(dst, uint16(2*len(unknown))) // at most 2*maxUnknownAttrs
	for _, t := range unknown {
		dst = binary.BigEndian.AppendUint16(dst, t.Value())
	}
	return append(dst, make([]byte, list-2*len(unknown))...)
}

// appendFingerprint ends the message that begins at start with a FINGERPRINT
// (§14.7); the length in the header counts it before the sum is taken.
func appendFingerprint(dst []byte, start int) []byte {
	msg := dst[start:]
	binary.BigEndian.PutUint16(msg[2:], uint16(len(msg)-headerSize+8)) // at most MaxResponse
	sum := crc32.ChecksumIEEE(msg) ^ fingerprintXOR
	dst = binary.BigEndian.AppendUint16(dst, 0x8028)
	dst = binary.BigEndian.AppendUint16(dst, 4)
	return binary.BigEndian.AppendUint32(dst, sum)
}
