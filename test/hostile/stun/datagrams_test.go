package stun

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/stun"
)

const (
	bindingRequest, bindingIndication, bindingSuccess, bindingError = 0x0001, 0x0011, 0x0101, 0x0111

	cookie = 0x2112A442
)

// message builds one with a length that fits; transaction is what answers are told apart by.
func message(kind uint16, transaction uint32, attributes ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(attributes)))
	b = binary.BigEndian.AppendUint32(b, cookie)
	b = binary.BigEndian.AppendUint32(b, transaction)
	return append(append(b, make([]byte, 8)...), attributes...)
}

// attribute builds one, padded; declared is the length that it states.
func attribute(kind uint16, declared int, value ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(declared))
	b = append(b, value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// length replaces the length field of a message.
func length(b []byte, n int) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

// answers sends datagrams, then a good request, and returns what comes back before the answer to that one.
func answers(t testing.TB, c *net.UDPConn, all ...[]byte) (got [][]byte) {
	t.Helper()
	const last = 0xffffffff
	for i, b := range all {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			got = append(got, until(t, c, last)...)
		}
	}
	return append(got, until(t, c, last)...)
}

// until repeats a request, since datagrams may be lost, until the answer comes.
func until(t testing.TB, c *net.UDPConn, transaction uint32) (got [][]byte) {
	t.Helper()
	b := make([]byte, 1<<16)
	for range 20 {
		if _, err := c.Write(message(bindingRequest, transaction)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		for {
			n, err := c.Read(b)
			if err != nil {
				break
			}
			if n >= 20 && binary.BigEndian.Uint32(b[8:]) == transaction {
				return got
			}
			got = append(got, append([]byte(nil), b[:n]...))
		}
	}
	t.Error("the server does not answer")
	return got
}

// datagrams are attacks over UDP.
var datagrams = []attack{
	{name: "malformed messages", run: func(t *testing.T, s *scene) {
		good := message(bindingRequest, 1)
		all := [][]byte{{}, {0}, good[:19], append(good, 0), length(message(bindingRequest, 1), 4), length(message(bindingRequest, 1), 0xfffc),
			length(message(bindingRequest, 1), 3), message(0xffff, 1), make([]byte, 20), make([]byte, 65_000), append(good, make([]byte, 1300)...),
			[]byte("GET / HTTP/1.1\r\nHost: stun\r\n\r\n"), []byte("null")}
		for i := range 8 {
			cut := message(bindingRequest, 1)
			cut[i] ^= 0x80
			if i != 2 && i != 3 { // a length of its own above
				all = append(all, cut)
			}
		}
		for range 200 {
			b := make([]byte, rand.IntN(1400))
			for i := range b {
				b[i] = byte(rand.Uint32())
			}
			all = append(all, b)
		}
		s.counted(t, 150, func() {
			if got := answers(t, s.udp(t), all...); len(got) != 0 {
				t.Errorf("%d answers, such as %x", len(got), got[0])
			}
		}, "messages_total", `outcome="malformed"`)
	}},
	{name: "malformed attributes", run: func(t *testing.T, s *scene) {
		all := [][]byte{
			message(bindingRequest, 1, attribute(0x8022, 100)...),                               // longer than the message
			message(bindingRequest, 1, attribute(0x8022, 0xffff, 1, 2, 3, 4)...),                // the longest
			message(bindingRequest, 1, attribute(0x8022, 5, 1, 2, 3, 4)...),                     // its padding is missing
			message(bindingRequest, 1, 0x80, 0x22),                                              // half a header
			message(bindingRequest, 1, append(attribute(0x8022, 4, 1, 2, 3, 4), 0x80, 0x22)...), // a whole one and half a header
		}
		if got := answers(t, s.udp(t), all...); len(got) != 0 {
			t.Errorf("%d answers, such as %x", len(got), got[0])
		}
		var many []byte
		for len(many) < 1200 {
			many = append(many, attribute(0x8022, 0)...)
		}
		if got := answers(t, s.udp(t), message(bindingRequest, 1, many...)); len(got) != 1 || len(got[0]) > stun.MaxResponse {
			t.Errorf("answers to %d empty attributes: %x", len(many)/4, got)
		}
	}},
	{name: "wrong fingerprints", run: func(t *testing.T, s *scene) {
		right := func() []byte {
			b := message(bindingRequest, 1, attribute(0x8028, 4, 0, 0, 0, 0)...)
			binary.BigEndian.PutUint32(b[24:], crc32.ChecksumIEEE(b[:20])^0x5354554e)
			return b
		}
		if got := answers(t, s.udp(t), right()); len(got) != 1 {
			t.Errorf("%d answers to a right one", len(got))
		}
		wrong, misplaced := right(), append(right(), attribute(0x8022, 0)...)
		wrong[27] ^= 1
		s.counted(t, 2, func() {
			if got := answers(t, s.udp(t), wrong, length(misplaced, len(misplaced)-20)); len(got) != 0 {
				t.Errorf("answers: %x", got)
			}
		}, "messages_total", `outcome="bad_fingerprint"`)
	}},
	{name: "attributes that are not understood", run: func(t *testing.T, s *scene) {
		var all []byte
		for kind := range 300 {
			all = append(all, attribute(uint16(0x2000+kind), 0)...)
		}
		for n := 4; n <= len(all); n += 4 {
			if n > 64 && n%400 != 0 && n != len(all) {
				continue
			}
			request := message(bindingRequest, 1, all[:n]...)
			got := answers(t, s.udp(t), request)
			if len(got) != 1 || binary.BigEndian.Uint16(got[0]) != bindingError || len(got[0]) > len(request)+stun.MaxGrowth {
				t.Errorf("%d of them in %d bytes: %x", n/4, len(request), got)
			}
		}
	}},
	{name: "answers to what is no request", run: func(t *testing.T, s *scene) {
		// Two servers that answer each other's answers would never end.
		var all [][]byte
		for _, kind := range []uint16{bindingSuccess, bindingError, bindingIndication, 0x0003, 0x0103, 0x3fff} {
			all = append(all, message(kind, 1), message(kind, 1, attribute(0x0020, 8, 0, 1, 0, 0, 0, 0, 0, 0)...))
		}
		s.counted(t, 8, func() {
			if got := answers(t, s.udp(t), all...); len(got) != 0 {
				t.Errorf("%d answers, such as %x", len(got), got[0])
			}
		}, "messages_total", `outcome="ignored"`)
	}},
	{name: "amplification", run: func(t *testing.T, s *scene) {
		for n := 0; n <= 1200; n += 100 {
			request := message(bindingRequest, 1, attribute(0x8022, n, make([]byte, n)...)...)
			got := answers(t, s.udp(t), request)
			if len(got) != 1 || len(got[0]) > len(request)+stun.MaxGrowth || len(got[0]) > stun.MaxResponse {
				t.Errorf("a request of %d bytes: %d answers", len(request), len(got))
			}
		}
		// The worst that a request can do, and it is less than the factor that is stated.
		bare := message(bindingRequest, 1)
		if got := answers(t, s.udp(t), bare); len(got) != 1 || float64(len(got[0])) > 2.2*float64(len(bare)) {
			t.Errorf("a bare request: %x", got)
		}
	}},
	{name: "a flood in the name of one victim", run: func(t *testing.T, s *scene) {
		// What a forged source would be sent is what this one gets.
		c := s.udp(t)
		_ = c.SetReadBuffer(8 << 20) // as much as the system gives
		const requests = 20_000
		began := time.Now()
		s.counted(t, requests/4, func() {
			for i := range requests {
				if _, err := c.Write(message(bindingRequest, uint32(i))); err != nil {
					t.Fatal(err)
				}
			}
		}, "rate_limited_total", `transport="udp"`)
		most := burstPerSource + ratePerSource*time.Since(began).Seconds()
		got, b := 0, make([]byte, 2000)
		for _ = c.SetReadDeadline(time.Now().Add(time.Second)); ; got++ {
			if _, err := c.Read(b); err != nil {
				break
			}
		}
		t.Logf("%d of %d requests answered", got, requests)
		if most += ratePerSource; float64(got) > most { // what came while reading
			t.Errorf("%d answers to one source, %.0f are the most", got, most)
		}
	}},
	{name: "a flood from many sources", run: func(t *testing.T, s *scene) {
		all := make([]*net.UDPConn, 200)
		for i := range all {
			all[i] = s.udp(t)
		}
		s.counted(t, 5_000, func() {
			for i := range 20_000 {
				_, _ = all[i%len(all)].Write(message(bindingRequest, uint32(i))) // a full buffer is the attacker's
			}
		}, "messages_total", `transport="udp"`)
	}},
}
