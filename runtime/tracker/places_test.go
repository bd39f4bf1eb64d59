package tracker

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// byThirdByte makes a site of each 127.0.X.0/24.
func byThirdByte(c sockets.Client) swarm.Place {
	return swarm.Place{Site: fmt.Sprint("site", c.Remote.As4()[2]), Peering: sites.Full}
}

// dialFrom opens a socket from a loopback address.
func dialFrom(t testing.TB, s *Server, address string, header http.Header, query string) *client {
	t.Helper()
	local := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	d := websocket.Dialer{HandshakeTimeout: patience, NetDialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		return local.DialContext(ctx, network, to)
	}}
	c, resp, err := d.Dial("ws://"+s.Addr().String()+"/announce"+query, header)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	return &client{t, c}
}

// collect reads messages until the tracker has handled all that was sent before: it scrapes, and the reply comes last.
func (c *client) collect() (all []signaling.TrackerMessage) {
	c.t.Helper()
	c.send(string(signaling.AppendScrape(nil, hashOne)))
	for {
		m := c.read()
		if m.Kind == signaling.KindScrape {
			return all
		}
		all = append(all, m)
	}
}

// TestSitesOverSockets has pages at loopback addresses of two sites: they never meet across, and only the gateways of each are
// led to the seeder, which learns where they are.
func TestSitesOverSockets(t *testing.T) {
	s := running(t, Config{SeederToken: "secret", Peering: PeeringConfig{Gateways: 1}})
	s.streams.only.hub.setPlaces(byThirdByte)
	seeder := dialFrom(t, s, "127.0.9.1", http.Header{"Authorization": {"Bearer secret"}}, "")
	seeder.send(announce(hashOne, peerID(900), 0))
	seeder.expect(signaling.KindReply)
	pages := map[int]*client{}
	for i := range 8 {
		site := 1 + i%2
		id := 100*site + i
		pages[id] = dialFrom(t, s, fmt.Sprintf("127.0.%d.%d", site, 1+i), nil, "")
		pages[id].send(announce(hashOne, peerID(id), 5))
		pages[id].expect(signaling.KindReply)
	}
	s.streams.only.hub.barrier()
	led := map[string]int{}
	for _, m := range seeder.collect() {
		if m.Kind == signaling.KindOffer {
			led[m.Origin.Site]++
			want := signaling.Origin{Site: fmt.Sprint("site", number(m.PeerID)/100), Gateway: true}
			if !m.HasOrigin || m.Origin != want {
				t.Errorf("the seeder was told %+v of %s", m.Origin, m.PeerID)
			}
		}
	}
	if led["site1"] != 1 || led["site2"] != 1 || len(led) != 2 {
		t.Errorf("viewers led to the seeder, by site: %v", led)
	}
	met := 0
	for id, page := range pages {
		for _, m := range page.collect() {
			if m.Kind != signaling.KindOffer {
				continue
			}
			met++
			if number(m.PeerID)/100 != id/100 || !m.HasOrigin || m.Origin != (signaling.Origin{Near: true}) {
				t.Errorf("page %d has an offer of %s, and was told %+v", id, m.PeerID, m.Origin)
			}
		}
	}
	if met < 6 {
		t.Errorf("%d offers inside of the sites", met)
	}
	// A gateway closes its socket: the seeder is asked at once for an offer to its successor.
	_ = pages[100].ws.Close()
	var request signaling.TrackerMessage
	for request.OffersWanted == 0 {
		request = seeder.read()
	}
	if request.OffersWanted != 1 || request.InfoHash != hashOne {
		t.Errorf("the seeder was asked %+v", request)
	}
	seeder.send(announce(hashOne, peerID(900), 1))
	if m := pages[102].read(); m.Kind != signaling.KindOffer || number(m.PeerID) != 900 || m.Origin.Near {
		t.Errorf("the successor got %+v", m)
	}
}

func number(id signaling.ID) (n int) {
	_, _ = fmt.Sscanf(id.String()[8:], "%d", &n) // ids of these tests end in a number
	return n
}

// TestTheMapChanges while sockets are open: their clients meet those of the new site, and without a map all meet.
func TestTheMapChanges(t *testing.T) {
	s := running(t, Config{})
	s.streams.only.hub.setPlaces(byThirdByte)
	a, b := dialFrom(t, s, "127.0.1.1", nil, ""), dialFrom(t, s, "127.0.2.1", nil, "")
	for i, page := range []*client{a, b} {
		page.send(announce(hashOne, peerID(1+i), 5))
		page.expect(signaling.KindReply)
	}
	s.streams.only.hub.setPlaces(func(sockets.Client) swarm.Place { return swarm.Place{Site: "one", Peering: sites.Full} })
	for _, page := range []*client{a, b} {
		if m := page.expect(signaling.KindReply); m.Interval != 1 {
			t.Errorf("after a move the next announce is asked for in %d s", m.Interval)
		}
	}
	a.send(announce(hashOne, peerID(1), 5))
	if m := b.expect(signaling.KindOffer); m.PeerID != peerID(1) || !m.Origin.Near {
		t.Errorf("got %+v", m)
	}
	s.streams.only.hub.setPlaces(nil)
	c := dialFrom(t, s, "127.0.3.1", nil, "")
	c.send(announce(hashOne, peerID(3), 5))
	b.expect(signaling.KindReply) // it was moved
	if m := b.expect(signaling.KindOffer); m.PeerID != peerID(3) || m.HasOrigin {
		t.Errorf("without a map: %+v", m)
	}
	_ = c.ws.Close()
	eventually(t, "the closed socket to be forgotten", func() bool {
		s.streams.only.hub.places.mu.Lock()
		defer s.streams.only.hub.places.mu.Unlock()
		return len(s.streams.only.hub.places.sessions) == 2
	})
}

// TestReportsSayWhatWasDelivered follows a page's report to the shards.
func TestReportsSayWhatWasDelivered(t *testing.T) {
	s := running(t, Config{Shards: 1, Stream: &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8", AnySwarm: true}})
	s.streams.only.hub.setPlaces(byThirdByte)
	text, err := s.keys.current().Issue(s.streams.only.viewers.Stream(), "", time.Hour, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	page := dialFrom(t, s, "127.0.1.1", nil, "?t="+text)
	page.send(announce(hashOne, peerID(1), 5))
	page.expect(signaling.KindReply)
	s.streams.only.hub.places.mu.Lock()
	var sess *session
	for sess = range s.streams.only.hub.places.sessions {
	}
	s.streams.only.hub.places.mu.Unlock()
	// The first report says from when on it counts.
	s.streams.only.hub.delivered(sess.client.Ticket.Session, 5)
	s.streams.only.hub.barrier()
	report := func(sequence, uploaded int) {
		page.send(string(telemetry.FrameReport([]byte(fmt.Sprintf(
			`{"v":1,"sequence":%d,"role":"viewer","counters":{"uploaded":%d},"peers":1,"stalls":0,"stallMs":0,"startupMs":0}`, sequence, uploaded)))))
		for {
			_, b, err := page.ws.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if answer, ok := telemetry.Answer(b); ok {
				t.Logf("answer: %s", answer)
				return
			}
		}
	}
	report(1, 1000)
	s.streams.only.hub.barrier()
	if got := sess.socks[0].Delivered(time.Now()); got < 900 || got > 1000 {
		t.Errorf("delivered %v bytes, want 1000", got)
	}
}
