package tracker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// aiming is a session description with the given candidate addresses.
func aiming(addresses ...string) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n")
	for i, a := range addresses {
		fmt.Fprintf(&b, "a=candidate:%d 1 udp 2122265343 %s %d typ host\r\n", i+1, a, 1024+i)
	}
	return b.String()
}

// announceSDP announces with one offer of the given description, spelled as JSON by spell.
func (m member) announceSDP(sdp string, spell func(string) string) {
	text := signaling.Raw(spell(sdp))
	m.raw(frame(fin|opText, signaling.AppendAnnounce(nil, signaling.Announce{InfoHash: m.hash, PeerID: m.id, NumWant: 1,
		Offers: []signaling.Offer{{SDP: text, ID: signaling.AppendID(nil, peer.NewID())}}})))
}

func plain(s string) string { return string(signaling.AppendText(nil, s)) }

// escaped spells every character as an escape.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return `"` + b.String() + `"`
}

// relayed announces sdp as a new peer and returns what the other member gets of it; false if nothing.
func relayed(t testing.TB, s *scene, victim member, sdp string, spell func(string) string) (string, bool) {
	t.Helper()
	m := member{dial(t, s.Listen, newOrigin()), victim.hash, peer.NewID()}
	m.announceSDP(sdp, spell)
	m.alive(t)
	defer func() { _ = m.Close() }()
	o, ok := victim.message(500*time.Millisecond, func(r signaling.TrackerMessage) bool { return r.Kind == signaling.KindOffer })
	if !ok {
		return "", false
	}
	text, err := o.SDP.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text, true
}

// descriptions are attacks with session descriptions, which make their recipients send packets.
var descriptions = []attack{
	{name: "an offer with a thousand candidates", run: func(t *testing.T, s *scene) {
		victim := join(t, s, peer.NewID(), 0)
		many := make([]string, 1000)
		for i := range many {
			many[i] = fmt.Sprintf("192.0.2.%d", i%250+1)
		}
		for n, reason := range map[int]string{1000: "bytes", 100: "candidates"} {
			short := strings.ReplaceAll(aiming(many[:n]...), " typ host", "")
			s.counted(t, 1, func() {
				if got, ok := relayed(t, s, victim, short, plain); ok {
					t.Errorf("relayed with %d candidates", strings.Count(got, "a=candidate:"))
				}
			}, "p2pstream_tracker_descriptions_refused_total", fmt.Sprintf("reason=%q", reason))
		}
		if _, ok := relayed(t, s, victim, aiming(many[:10]...), plain); !ok {
			t.Error("an offer with ten candidates was not relayed")
		}
	}},
	{name: "a description that is too long", run: func(t *testing.T, s *scene) {
		victim := join(t, s, peer.NewID(), 0)
		s.counted(t, 2, func() {
			for _, sdp := range []string{aiming("192.0.2.1") + strings.Repeat("a=x\r\n", 8000),
				strings.Repeat("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 100)} {
				if got, ok := relayed(t, s, victim, sdp, plain); ok {
					t.Errorf("relayed with %d bytes", len(got))
				}
			}
		}, "p2pstream_tracker_descriptions_refused_total")
	}},
	{name: "offers that aim", slow: true, run: func(t *testing.T, _ *scene) {
		s := otherTracker(t, func(c *config.Config) {
			c.Listen = strings.Replace(c.Listen, "127.0.0.1", "0.0.0.0", 1) // loopback alone would allow loopback
		})
		s.Listen = strings.Replace(s.Listen, "0.0.0.0", "127.0.0.1", 1)
		victim := join(t, s, peer.NewID(), 0)
		bad := []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1", "224.0.0.1",
			"ff02::1", "255.255.255.255", "0.0.0.0", "::", "victim.example.com", "localhost", "10.0.0.1.local.example.com", "fe80::1%eth0"}
		good := []string{"192.0.2.10", "2001:db8::10", "10.1.2.3", "0e9c3a1c-8f5d-4a47-9a3e-111111111111.local"}
		for name, spell := range map[string]func(string) string{"plain": plain, "escaped": escaped} {
			s.counted(t, float64(len(bad)), func() {
				got, ok := relayed(t, s, victim, aiming(append(bad, good...)...), spell)
				if !ok {
					t.Errorf("%s: the offer was not relayed", name)
				}
				for _, a := range bad {
					if strings.Contains(got, " "+a+" ") {
						t.Errorf("%s: a candidate at %s was relayed", name, a)
					}
				}
				for _, a := range good {
					if !strings.Contains(got, " "+a+" ") {
						t.Errorf("%s: a candidate at %s was not relayed", name, a)
					}
				}
			}, "p2pstream_tracker_candidates_dropped_total")
		}
	}},
}
