package swarm

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/webrtc/v4"

	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// closedFor is the name of what counts connections that ended, and why.
const closedFor = "p2pstream_mesh_peers_closed_total"

// connections are attacks on connecting, and on what lies below commands.
func (s *scene) connections(t *testing.T) {
	for _, v := range s.victims() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			for _, a := range []struct {
				name string
				run  func(*testing.T, victim)
			}{
				{"descriptions that are bombs", s.bombs},
				{"handshakes that never end", s.halfOpen}, // the next attacks show that peers are still let in
				{"channels by the thousand", s.manyChannels},
				{"channels on what the victim offered", s.channelsOnAnOffer},
				{"giant messages", s.giantMessages},
				{"other labels and protocols", s.otherChannels},
				{"candidates at a third party", s.reflection},
				{"checks from everywhere", s.checksFromEverywhere},
			} {
				t.Run(a.name, func(t *testing.T) {
					watch := bystander.Measure(t, v.process)
					a.run(t, v)
					watch.Check(t, bystander.Bounds{Memory: 64 << 20, Log: 4 << 10, Rest: restOfPlaying})
				})
			}
		})
	}
}

// openMany opens channel after channel until the connection is closed.
func (s *stranger) openMany() {
	for range 5000 {
		if s.closed() {
			return
		}
		if _, err := s.pc.CreateDataChannel("more", nil); err != nil {
			return
		}
		s.send(encode(wire.Command{Code: wire.SegmentsAnnouncement}))
	}
}

func (s *scene) manyChannels(t *testing.T, v victim) {
	attacker := meet(t, s.crossroads.member(t, v.prefix), manner{})
	if n := v.process.Counts(t, func() {
		attacker.openMany()
		attacker.cutOff(20 * time.Second)
	}, closedFor, `reason="misuse"`); n != 1 {
		t.Errorf("%v connections were closed for misuse, want the attacker's", n)
	}
}

func (s *scene) channelsOnAnOffer(t *testing.T, v victim) {
	if v.process == s.Seeder {
		return // it offers nothing
	}
	attacker := visit(t, s.crossroads.member(t, v.prefix), manner{})
	if n := v.process.Counts(t, func() {
		attacker.openMany()
		attacker.cutOff(20 * time.Second)
	}, closedFor, `reason="misuse"`); n != 1 {
		t.Errorf("%v connections were closed for misuse, want the attacker's", n)
	}
}

func (s *scene) giantMessages(t *testing.T, v victim) {
	attacker := meet(t, s.crossroads.member(t, v.prefix), manner{change: func(answer string) string {
		return strings.Replace(answer, "a=max-message-size:65536", "a=max-message-size:1000000", 1)
	}})
	if n := v.process.Counts(t, func() {
		attacker.send(make([]byte, 200_000))
		attacker.cutOff(20 * time.Second)
	}, closedFor, `reason="misuse"`); n != 1 {
		t.Errorf("%v connections were closed for misuse, want the attacker's", n)
	}
}

// otherChannels is no attack: label and protocol are of no importance, and an unreliable channel works, too.
func (s *scene) otherChannels(t *testing.T, v victim) {
	no, none, text := false, uint16(0), strings.Repeat("p", 1000)
	for name, how := range map[string]manner{
		"long texts": {label: strings.Repeat("l", 1000), channel: &webrtc.DataChannelInit{Protocol: &text}},
		"unordered":  {channel: &webrtc.DataChannelInit{Ordered: &no, MaxRetransmits: &none}},
	} {
		attacker := meet(t, s.crossroads.member(t, v.prefix), how)
		lab.Eventually(t, 10*time.Second, "an announcement over a channel with "+name, func() bool { return attacker.read.Load() > 0 })
		attacker.connected()
		attacker.leave()
	}
}

// goodOffer is an offer that would be answered.
func goodOffer(t *testing.T) string {
	attacker, _ := newStranger(t, manner{})
	return describe(t, attacker.pc, func() (webrtc.SessionDescription, error) { return attacker.pc.CreateOffer(nil) })
}

func (s *scene) bombs(t *testing.T, v victim) {
	m, good := s.crossroads.member(t, v.prefix), goodOffer(t)
	candidates := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			_, _ = fmt.Fprintf(&b, "a=candidate:%d 1 udp 1 "+format+" %d typ host\r\n", i, i%250, 1000+i)
		}
		return b.String()
	}
	attempts := func() float64 {
		return v.process.Metrics(t).Sum("p2pstream_mesh_attempts_failed_total", `reason="sdp"`)
	}
	before := attempts()
	bad := []string{
		good + strings.Repeat("a=x:"+strings.Repeat("y", 1000)+"\r\n", 50),
		good + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n", 200),
		"v=0\r\n", "\x00\x01", strings.Repeat("v=0\r\n", 3000), "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
		good + "a=mid:" + strings.Repeat("x", 2000) + "\r\n",
		strings.Replace(good, "a=fingerprint:", "a=finger:", 1),
		strings.Replace(good, "a=ice-pwd:", "a=pwd:", 1),
	}
	for _, sdp := range bad {
		m.offer(peer.NewID(), sdp, peer.NewID().String())
	}
	lab.Eventually(t, 20*time.Second, "all bombs to be refused", func() bool { return attempts()-before >= float64(len(bad)) })
	// These can be answered, but lead nowhere.
	for _, sdp := range []string{
		good + candidates(200, "127.9.0.%d"), good + candidates(100, "00000000-0000-0000-0000-%012d.local"),
		good + strings.ReplaceAll(candidates(200, "127.9.0.%d"), "\r\n", "\r"),
	} {
		if m.ask(peer.NewID(), sdp, 20*time.Second) == "" {
			t.Errorf("an offer of %d bytes was not answered", len(sdp))
		}
	}
}

// checksOfOne is how many bytes of checks one address in a description may send to a machine that never answers.
const checksOfOne = 4 << 10

// thirdParty is an address that no program of the tests uses.
const thirdParty = "127.33.0.1"

// reflection has the victim send checks to a machine that has nothing to do with it, at as many ports as it likes.
func (s *scene) reflection(t *testing.T, v victim) {
	const ports, offers, taken = 15, 4, 4
	sdp := goodOffer(t)
	received := make(chan int, ports)
	var third []net.PacketConn
	for i := range ports {
		// The address is the third party's own: at 127.0.0.1 checks that other programs still send to a port which was
		// another socket's before would count, too.
		conn := lab.Must[net.PacketConn](t)(net.ListenPacket("udp", thirdParty+":0"))
		third = append(third, conn)
		go func() { received <- readAll(conn) }()
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		sdp += fmt.Sprintf("a=candidate:%d 1 udp 1 %s %s typ host\r\n", i, thirdParty, port)
	}
	sdp = withoutOwn(sdp, ports)
	for range offers {
		if s.crossroads.member(t, v.prefix).ask(peer.NewID(), sdp, 20*time.Second) == "" {
			t.Error("the offer was not answered")
		}
	}
	timer := time.NewTimer(3 * time.Second) // checks go on for less
	defer timer.Stop()
	<-timer.C
	got, reached := 0, 0
	for _, conn := range third {
		_ = conn.Close() // ends its reader
	}
	for range third {
		if n := <-received; n > 0 {
			got += n
			reached++
		}
	}
	t.Logf("%d offers, of %d bytes together, made the victim send %d bytes to %d ports of a third party", offers, offers*len(sdp), got, reached)
	if reached == 0 {
		t.Error("no check reached the third party: the bound was not tested")
	}
	if reached > taken || got > offers*taken*checksOfOne {
		t.Errorf("%d bytes to %d ports; %d to %d are the most", got, reached, offers*taken*checksOfOne, taken)
	}
}

// withoutOwn leaves the last n candidates.
func withoutOwn(sdp string, n int) string {
	lines := strings.SplitAfter(sdp, "\n")
	own := strings.Count(sdp, "a=candidate:") - n
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		if own--; strings.HasPrefix(line, "a=candidate:") && own >= 0 {
			return true
		} else if !strings.HasPrefix(line, "a=candidate:") {
			own++
		}
		return false
	}), "")
}

func readAll(conn net.PacketConn) (bytes int) {
	buf := make([]byte, 2000)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return bytes
		}
		bytes += n
	}
}

// checksFromEverywhere sends checks with the right password from one address after the other.
func (s *scene) checksFromEverywhere(t *testing.T, v victim) {
	attacker, _ := newStranger(t, manner{})
	offer := describe(t, attacker.pc, func() (webrtc.SessionDescription, error) { return attacker.pc.CreateOffer(nil) })
	own, _, _ := credentials(offer)
	ufrag, password, address := credentials(s.crossroads.member(t, v.prefix).ask(attacker.id, offer, 20*time.Second))
	if address == "" {
		t.Fatal("no candidate on loopback")
	}
	refused := v.process.Counts(t, func() {
		for range 500 {
			conn := lab.Must[net.Conn](t)(net.Dial("udp", address))
			check := lab.Must[*stun.Message](t)(stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufrag+":"+own),
				stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}},
				stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
				stun.NewShortTermIntegrity(password), stun.Fingerprint))
			_, _ = conn.Write(check.Raw) // may be lost
			_ = conn.Close()             // nothing is waited for
		}
		lab.Eventually(t, 10*time.Second, "addresses to be refused", func() bool {
			return v.process.Metrics(t).Sum("p2pstream_mesh_candidates_refused_total") > 0
		})
	}, "p2pstream_mesh_candidates_refused_total")
	t.Logf("%v of 500 addresses were refused", refused)
}

// halfOpen offers by the thousand, and never connects.
func (s *scene) halfOpen(t *testing.T, v victim) {
	m, sdp := s.crossroads.member(t, v.prefix), goodOffer(t)
	most := 0.0
	look := func() {
		metrics := v.process.Metrics(t)
		most = max(most, metrics.Sum("p2pstream_mesh_handshakes"))
		if limit := metrics.Sum("p2pstream_mesh_handshakes_limit"); most > limit {
			t.Fatalf("%v handshakes at once, %v are the most", most, limit)
		}
	}
	for i := range 2000 {
		if !m.offer(peer.NewID(), sdp, peer.NewID().String()) {
			t.Fatal("the victim has left")
		}
		if i%400 == 0 {
			look()
		}
	}
	look()
	t.Logf("%v handshakes at once", most)
	if most == 0 {
		t.Error("no handshake was seen")
	}
}
