package mesh

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

func TestGateBoundsAndQueues(t *testing.T) {
	g := newGate(2, testMetrics(t))
	var releases []func()
	var started []int
	dropped := map[string]int{}
	job := func(i int, life time.Duration) gateJob {
		return gateJob{
			deadline: time.Now().Add(life),
			run:      func(release func()) { started = append(started, i); releases = append(releases, release) },
			drop:     func(reason string) { dropped[reason]++ },
		}
	}
	const most = 2 + 2*queueFactor
	for i := range most {
		life := time.Hour
		if i == most-1 {
			life = -time.Second // the last that waits is too old when its turn comes
		}
		if !g.submit(job(i, life)) {
			t.Fatalf("job %d was refused", i)
		}
	}
	if len(started) != 2 || len(dropped) != 0 {
		t.Fatalf("%v run, %v dropped", started, dropped)
	}
	releases[0]()
	releases[0]() // a second call frees nothing
	if len(started) != 3 || started[2] != most-2 || dropped[reasonStale] != 1 {
		t.Errorf("%v started and %v dropped after one release, want the newest that is worth it", started, dropped)
	}
	for i := range 3 {
		g.submit(job(most+i, time.Hour))
	}
	if len(g.waiting) != 2*queueFactor || dropped[reasonQueue] != 1 {
		t.Errorf("%d wait, %v dropped; want the oldest gone", len(g.waiting), dropped)
	}
	g.close()
	if g.submit(job(0, time.Hour)) || dropped[reasonStale] != 1+2*queueFactor {
		t.Errorf("%v dropped after close", dropped)
	}
}

func TestBackoffStaysInBounds(t *testing.T) {
	p := newDialPause()
	least := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 7500 * time.Millisecond, 7500 * time.Millisecond}
	for i, low := range least {
		if d := p.after(0); d < low || d > 2*low {
			t.Errorf("pause %d is %s", i, d)
		}
	}
	if p.after(time.Second) < 7*time.Second {
		t.Error("a socket that lived for a second started the back-off over")
	}
	if p.after(time.Minute) > time.Second {
		t.Error("a socket that lived for a minute did not start the back-off over")
	}
}

func TestOfferDescription(t *testing.T) {
	n := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	s := &Swarm{node: n, tasks: newTasks(), log: n.log, dead: make(chan struct{})}
	close(s.dead)
	a := &attempt{swarm: s, outgoing: true}
	sdp, err := a.makeOffer()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pc.GracefulClose(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(sdp, "a=max-message-size:65536\r\n") {
		t.Errorf("message size is not told in %s", sdp)
	}
	if got := strings.Count(sdp, "a=candidate:"); got != 1 && got != 2 { // pion tells each component once
		t.Errorf("%d candidates in %s", got, sdp)
	}
	if strings.Contains(sdp, " tcp ") || strings.Contains(sdp, ".local") {
		t.Errorf("TCP or hidden candidates in %s", sdp)
	}
	if len(sdp) > 1500 {
		t.Errorf("offer has %d bytes", len(sdp))
	}
}

func TestAdvertisedAddressReplacesTheLocalOne(t *testing.T) {
	for _, listen := range []string{"", ":0"} {
		n := newTestNode(t, NodeConfig{Listen: listen, Advertise: []string{"203.0.113.7"}})
		s := &Swarm{node: n, tasks: newTasks(), log: n.log, dead: make(chan struct{})}
		close(s.dead)
		a := &attempt{swarm: s, outgoing: true}
		sdp, err := a.makeOffer()
		if err != nil {
			t.Fatal(err)
		}
		if err := a.pc.GracefulClose(); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(sdp) {
			if strings.HasPrefix(line, "a=candidate:") && !strings.Contains(line, " 203.0.113.7 ") {
				t.Errorf("listen %q: candidate %s", listen, line)
			}
		}
		if !strings.Contains(sdp, " 203.0.113.7 ") {
			t.Errorf("listen %q: no advertised candidate in %s", listen, sdp)
		}
	}
}

func TestAdvertisedLocalAddressIsListenedOn(t *testing.T) {
	plan, err := planAddresses(NodeConfig{Advertise: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.rewrite) != 0 || len(plan.listen) != 1 || plan.listen[0] != loopback4 {
		t.Errorf("plan is %+v", plan)
	}
	plan, err = planAddresses(NodeConfig{Loopback: true, Advertise: []string{"127.0.0.1", "203.0.113.7"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.rewrite) != 1 || plan.rewrite[0].Mode != webrtc.ICEAddressRewriteReplace {
		t.Errorf("plan is %+v", plan)
	}
	for _, a := range primaryAddresses() {
		if !usable(a) {
			t.Errorf("%s is not usable", a)
		}
	}
	if usable(netip.MustParseAddr("fe80::1%eth0")) || usable(netip.IPv6Unspecified()) {
		t.Error("link-local or unspecified addresses are usable")
	}
}

const (
	sdpHead = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	sdpData = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
	sdpTail = "a=ice-ufrag:abcd\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n"

	browserCandidates = "a=candidate:1 1 udp 2113937151 0b2b0c0e-0000-4000-8000-000000000000.local 50000 typ host\r\n" +
		"a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n" +
		"a=candidate:3 1 UDP 1677729535 192.0.2.1 50001 typ srflx raddr 0.0.0.0 rport 0\r\n" +
		"a=candidate:4 1 udp 1 224.0.0.1 50001 typ host\r\n" +
		"a=candidate:5 1 udp 1 0.0.0.0 50001 typ host\r\n" +
		"a=candidate:6 1 udp 1 fe80::1%eth0 50001 typ host\r\n" +
		"a=candidate:7 1 udp 1 example.com 50001 typ host\r\n" +
		"a=candidate:8 1 udp 1 192.0.2.1 70000 typ host\r\n" +
		"a=candidate:9 1 udp 1 192.0.2.1 50001 typ host\r\n" +
		"a=candidate:short\r\n" +
		"a=end-of-candidates\r\n"
)

func TestCleanSDP(t *testing.T) {
	got, err := cleanSDP(sdpHead + "a=extmap-allow-mixed\r\nb=AS:1\r\n" + sdpData + sdpTail + browserCandidates)
	if err != nil {
		t.Fatal(err)
	}
	want := sdpHead + sdpData + sdpTail +
		"a=candidate:3 1 UDP 1677729535 192.0.2.1 50001 typ srflx raddr 0.0.0.0 rport 0\r\na=end-of-candidates\r\n"
	if got != want {
		t.Errorf("got %q", got)
	}
	few := sdpHead + sdpData
	for port := range 100 {
		few += fmt.Sprintf("a=candidate:3 1 udp 1 192.0.2.1 %d typ host\r\n", 1000+port)
	}
	if got, err = cleanSDP(few); err != nil || strings.Count(got, "candidate") != maxSDPPorts {
		t.Errorf("%d ports of one machine are kept, %v", strings.Count(got, "candidate"), err)
	}
	for name, end := range map[string]string{"usual": "\r\n", "bare": "\r", "odd": "\n\r"} {
		many := sdpHead + sdpData
		for port := range 100 {
			many += fmt.Sprintf("a=candidate:3 1 udp 1 192.0.2.%d 1000 typ host", port) + end
		}
		if got, err = cleanSDP(many); err != nil || strings.Count(got, "candidate") != maxSDPCandidates {
			t.Errorf("%s ends of lines: %d candidates are kept, %v", name, strings.Count(got, "candidate"), err)
		}
	}
	for name, bad := range map[string]string{
		"empty":              "",
		"too long":           strings.Repeat("x", maxSDPBytes+1),
		"no data channel":    sdpHead,
		"video":              sdpHead + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
		"two data channels":  sdpHead + sdpData + sdpData,
		"one line too long":  sdpHead + sdpData + "a=mid:" + strings.Repeat("x", maxSDPLine) + "\r\n",
		"not a line at all":  sdpHead + sdpData + "nonsense\r\n",
		"sound beside it":    sdpHead + sdpData + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
		"a return before it": sdpHead + "\rm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + sdpData,
	} {
		if _, err := cleanSDP(bad); err == nil {
			t.Errorf("%s: %d bytes were taken", name, len(bad))
		}
	}
}

// TestReachIsBounded has checks come from ever more addresses.
func TestReachIsBounded(t *testing.T) {
	n := newTestNode(t, NodeConfig{})
	r := newReach(n.metrics)
	allowed := 0
	for i := range 1000 {
		if r.allows(net.IPv4(10, 0, byte(i>>8), byte(i))) {
			allowed++
		}
	}
	if allowed != maxCandidates || r.allows(net.IPv4(192, 0, 2, 1)) {
		t.Errorf("%d addresses are looked at", allowed)
	}
	if newReach(n.metrics).allows(net.IPv4bcast) || newReach(n.metrics).allows(net.IPv4(224, 0, 0, 1)) {
		t.Error("whole networks are looked at")
	}
}

func FuzzCleanSDP(f *testing.F) {
	f.Add(sdpHead + sdpData + sdpTail + browserCandidates)
	f.Add("")
	f.Add("m=application \na=candidate:\r\ra=candidate:1 1 udp 1 ::1 1 typ host")
	f.Fuzz(func(t *testing.T, sdp string) {
		got, err := cleanSDP(sdp)
		if err != nil {
			return
		}
		if len(got) > 2*len(sdp)+2 || strings.Count(got, "a=candidate:") > strings.Count(sdp, "a=candidate:") {
			t.Errorf("%q became %q", sdp, got)
		}
		again, err := cleanSDP(got)
		if got != "" && (err != nil || again != got) {
			t.Errorf("cleaning twice gives %q, %v", again, err)
		}
	})
}

func FuzzFromTracker(f *testing.F) {
	f.Add([]byte(`{"action":"announce","info_hash":"AAAAAAAAAAAAAAAAAAAA","interval":20,"complete":0}`))
	f.Add([]byte(`{"action":"announce","info_hash":"AAAAAAAAAAAAAAAAAAAA","peer_id":"-PM0203-000000000001","offer":{"type":"offer","sdp":"v=0"},"offer_id":"\u0019Û¨"}`))
	f.Add([]byte(`{"failure reason":"no"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseTracker(b)
		if err != nil {
			return
		}
		if p := m.pause(); p != 0 && (p < announceLeast || p > announceMost) {
			t.Errorf("pause is %s", p)
		}
		if m.label() == "" || (m.infoHash != "" && len(m.infoHash) != 20) {
			t.Errorf("hash %q", m.infoHash)
		}
	})
}
