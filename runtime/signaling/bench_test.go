package signaling

import (
	"strings"
	"testing"
)

// announce5 is an announce with five offers whose descriptions are as long as measured for browsers (733 bytes).
func announce5() []byte {
	line := "a=candidate:3077952869 1 udp 2122265343 192.0.2.10 39155 typ host generation 0 network-id 2\r\n"
	sdp := AppendText(nil, ("v=0\r\n" + strings.Repeat(line, 8))[:733])
	a := Announce{InfoHash: ID([]byte("tlCIAIrI13koYCQLatNp")), PeerID: ID([]byte("-PM0203-b3CDaKzslw3v")), NumWant: 5}
	for i := range 5 {
		a.Offers = append(a.Offers, Offer{SDP: sdp, ID: AppendID(nil, ID{0: byte(i), 5: 0xdb, 19: 0xff})})
	}
	return AppendAnnounce(nil, a)
}

// BenchmarkParseAnnounce is what the tracker does first with each announce of a browser.
func BenchmarkParseAnnounce(b *testing.B) {
	msg, lim := announce5(), Limits{}.WithDefaults()
	var m ClientMessage
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(msg, lim); err != nil || len(m.Offers) != 5 {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendRelayedOffer is what the tracker does last with each offer.
func BenchmarkAppendRelayedOffer(b *testing.B) {
	m, err := ParseClientMessage(announce5(), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendRelayedOffer(buf[:0], m.InfoHash, m.PeerID, m.Offers[0], nil)
	}
}
