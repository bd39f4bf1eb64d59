package stun

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/stun/v3"
)

// rfc5769Request is the sample request of RFC 5769 §2.1: it has SOFTWARE,
// PRIORITY, ICE-CONTROLLED, USERNAME, MESSAGE-INTEGRITY and FINGERPRINT.
const rfc5769Request = "000100582112a442b7e7a701bc34d686fa87dfae" +
	"802200105354554e207465737420636c69656e74" +
	"002400046e0001ff80290008932ff9b151263b36" +
	"00060009" + "6576746a3a683676592020200008" + "0014" +
	"9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a28028" + "0004" + "e57a3bcf"

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func build(t testing.TB, setters ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// attr is a setter for one attribute with a zeroed value.
func attr(kind uint16, size int) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrType(kind), Value: make([]byte, size)}
}

var (
	from4 = netip.MustParseAddrPort("192.0.2.1:32853")
	from6 = netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:32853")
)

func TestHandle(t *testing.T) {
	id := stun.NewTransactionIDSetter([12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	bare := build(t, id, stun.BindingRequest)
	mutate := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(bare)) }
	for _, c := range []struct {
		name string
		req  []byte
		from netip.AddrPort
		want Outcome
		size int // of the answer
	}{
		{"bare IPv4", bare, from4, Answered, 32},
		{"bare IPv6", bare, from6, Answered, 44},
		{"IPv4 in IPv6", bare, netip.AddrPortFrom(netip.AddrFrom16(from4.Addr().As16()), 1), Answered, 32},
		{"fingerprint IPv4", build(t, id, stun.BindingRequest, stun.Fingerprint), from4, Answered, 40},
		{"fingerprint IPv6", build(t, id, stun.BindingRequest, stun.Fingerprint), from6, Answered, 52},
		{"software", build(t, id, stun.BindingRequest, stun.NewSoftware("x")), from4, Answered, 32},
		{"credentials are ignored", build(t, id, stun.BindingRequest, stun.NewUsername("u"), stun.NewShortTermIntegrity("p")), from4, Answered, 32},
		{"ICE check of RFC 5769", unhex(t, rfc5769Request), from4, UnknownAttribute, 20 + 16 + 8 + 8},
		{"change request", build(t, id, stun.BindingRequest, attr(3, 4)), from4, UnknownAttribute, 20 + 12 + 8 + 4},
		{"one unknown twice", build(t, id, stun.BindingRequest, attr(0x7001, 0), attr(0x7001, 0)), from4, UnknownAttribute, 44},
		{"unknown but optional", build(t, id, stun.BindingRequest, attr(0xC001, 8)), from4, Answered, 32},
		{"indication", build(t, id, stun.NewType(stun.MethodBinding, stun.ClassIndication)), from4, Ignored, 0},
		{"success response", build(t, id, stun.BindingSuccess), from4, Ignored, 0},
		{"error response", build(t, id, stun.BindingError), from4, Ignored, 0},
		{"allocate", build(t, id, stun.NewType(stun.MethodAllocate, stun.ClassRequest)), from4, Unsupported, 0},
		{"send indication", build(t, id, stun.NewType(stun.MethodSend, stun.ClassIndication)), from4, Ignored, 0},
		{"empty", nil, from4, Malformed, 0},
		{"short", bare[:19], from4, Malformed, 0},
		{"trailing bytes", append(bytes.Clone(bare), 0, 0, 0, 0), from4, Malformed, 0},
		{"no cookie", mutate(func(b []byte) []byte { b[4] ^= 1; return b }), from4, Malformed, 0},
		{"RTP bits", mutate(func(b []byte) []byte { b[0] |= 0x80; return b }), from4, Malformed, 0},
		{"length too long", mutate(func(b []byte) []byte { b[3] = 4; return b }), from4, Malformed, 0},
		{"length not of words", mutate(func(b []byte) []byte { b[3] = 2; return append(b, 0, 0) }), from4, Malformed, 0},
		{"attribute too long", mutate(func(b []byte) []byte { b[3] = 4; return append(b, 0x80, 0x22, 0, 8) }), from4, Malformed, 0},
		{"too long", build(t, id, stun.BindingRequest, attr(0xC001, MaxMessage)), from4, Malformed, 0},
		{"wrong fingerprint", build(t, id, stun.BindingRequest, attr(0x8028, 4)), from4, BadFingerprint, 0},
		{"short fingerprint", build(t, id, stun.BindingRequest, attr(0x8028, 3)), from4, BadFingerprint, 0},
		{"fingerprint not last", build(t, id, stun.BindingRequest, stun.Fingerprint, attr(0xC001, 0)), from4, BadFingerprint, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h Handler
			res, outcome := h.Handle([]byte("prefix"), c.req, c.from)
			if outcome != c.want {
				t.Fatalf("outcome %v, want %v", outcome, c.want)
			}
			res, ok := bytes.CutPrefix(res, []byte("prefix"))
			if !ok || len(res) != c.size {
				t.Fatalf("answer of %d bytes, want %d", len(res), c.size)
			}
			if c.size > 0 {
				checkAnswer(t, c.req, res, c.from)
			}
		})
	}
}

// checkAnswer reads an answer with the library that clients use.
func checkAnswer(t *testing.T, req, res []byte, from netip.AddrPort) {
	t.Helper()
	var q, m stun.Message
	if err := stun.Decode(req, &q); err != nil {
		t.Fatal(err)
	}
	if err := stun.Decode(res, &m); err != nil {
		t.Fatalf("the answer cannot be read: %v", err)
	}
	if m.TransactionID != q.TransactionID {
		t.Fatal("another transaction id")
	}
	if q.Contains(stun.AttrFingerprint) != m.Contains(stun.AttrFingerprint) {
		t.Fatal("FINGERPRINT must be in the answer exactly if it is in the request")
	}
	if m.Contains(stun.AttrFingerprint) {
		if err := stun.Fingerprint.Check(&m); err != nil {
			t.Fatal(err)
		}
	}
	if m.Contains(stun.AttrSoftware) {
		t.Fatal("the answer must not contain SOFTWARE")
	}
	if m.Type == stun.BindingError {
		var code stun.ErrorCodeAttribute
		var list stun.UnknownAttributes
		if err := m.Parse(&code, &list); err != nil || code.Code != stun.CodeUnknownAttribute || len(list) == 0 {
			t.Fatalf("error %v %v: %v", code, list, err)
		}
		return
	}
	got, err := mappedAddress(&m)
	if err != nil {
		t.Fatal(err)
	}
	if want := netip.AddrPortFrom(from.Addr().Unmap(), from.Port()); got != want {
		t.Fatalf("mapped %v, want %v", got, want)
	}
}

// The answers of RFC 5769 §2.2 and §2.3 hold these XOR-MAPPED-ADDRESS values
// for this transaction id.
func TestMappedAddressOfRFC5769(t *testing.T) {
	var h Handler
	req := unhex(t, "000100002112a442b7e7a701bc34d686fa87dfae")
	for from, want := range map[netip.AddrPort]string{
		from4: "002000080001a147e112a643",
		from6: "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
	} {
		res, _ := h.Handle(nil, req, from)
		if got := hex.EncodeToString(res[20:]); got != want {
			t.Errorf("%v: %s, want %s", from, got, want)
		}
	}
}

func TestUnknownAttributesAreBounded(t *testing.T) {
	setters := []stun.Setter{stun.TransactionID, stun.BindingRequest}
	for i := range uint16(200) {
		setters = append(setters, attr(0x7000+i, 0))
	}
	req := build(t, append(setters, stun.Fingerprint)...)
	var h Handler
	res, outcome := h.Handle(nil, req, from6)
	if outcome != UnknownAttribute || len(res) != 20+12+4+4+2*maxUnknownAttrs+8 {
		t.Fatalf("%v with %d bytes, at most %d", outcome, len(res), MaxResponse)
	}
	checkAnswer(t, req, res, from6)
}

func TestOutcomeNames(t *testing.T) {
	seen := map[string]bool{}
	for o := range outcomes {
		name := o.String()
		if seen[name] || name == "unknown" || strings.ToLower(name) != name {
			t.Errorf("outcome %d is named %q", o, name)
		}
		seen[name] = true
	}
	if outcomes.String() != "unknown" {
		t.Error("an outcome that does not exist has a name")
	}
}

func FuzzHandle(f *testing.F) {
	f.Add(unhex(f, rfc5769Request), true)
	f.Add(build(f, stun.TransactionID, stun.BindingRequest), false)
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, stun.Fingerprint), true)
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, attr(3, 4), attr(0x24, 4)), false)
	f.Add(build(f, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)), false)
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, stun.Fingerprint, attr(0xC001, 0)), false)
	f.Add([]byte{0, 1, 0xFF, 0xFF, 0x21, 0x12, 0xA4, 0x42}, true)
	var h Handler
	f.Fuzz(func(t *testing.T, req []byte, v6 bool) {
		from := from4
		if v6 {
			from = from6
		}
		before := bytes.Clone(req)
		res, outcome := h.Handle(nil, req, from)
		if !bytes.Equal(before, req) {
			t.Fatal("the request was changed")
		}
		if answered := outcome == Answered || outcome == UnknownAttribute; answered != (len(res) > 0) {
			t.Fatalf("outcome %v with %d bytes", outcome, len(res))
		}
		if len(res) == 0 {
			return
		}
		if len(res) > MaxResponse || len(res) > len(req)+MaxGrowth {
			t.Fatalf("%d bytes answer %d", len(res), len(req))
		}
		if binary.BigEndian.Uint16(req)&0xC000 != 0 {
			t.Fatal("not STUN")
		}
		checkAnswer(t, req, res, from)
	})
}

func BenchmarkHandle(b *testing.B) {
	for name, req := range map[string][]byte{
		"bare":        build(b, stun.TransactionID, stun.BindingRequest),
		"fingerprint": build(b, stun.TransactionID, stun.BindingRequest, stun.NewSoftware("a client"), stun.Fingerprint),
		"unknown":     build(b, stun.TransactionID, stun.BindingRequest, attr(3, 4)),
	} {
		b.Run(name, func(b *testing.B) {
			var h Handler
			out := make([]byte, 0, MaxResponse)
			b.ReportAllocs()
			for b.Loop() {
				if res, _ := h.Handle(out, req, from6); len(res) == 0 {
					b.Fatal("no answer")
				}
			}
		})
	}
}
