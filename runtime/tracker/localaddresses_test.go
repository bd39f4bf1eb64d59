package tracker

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/descriptions"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

const maskedHost = "a=candidate:1 1 udp 2122265343 0e9c3a1c-8f5d-4a47-9a3e-111111111111.local 39155 typ host\r\n"

// offering announces one offer with these candidates.
func offering(id signaling.ID, candidates string) string {
	return string(signaling.AppendAnnounce(nil, signaling.Announce{InfoHash: hashOne, PeerID: id, NumWant: 1, Offers: []signaling.Offer{
		{SDP: signaling.AppendText(nil, "v=0\r\n"+candidates), ID: signaling.AppendID(nil, id)}}}))
}

// bySecondByte makes a site of each 127.X.0.0/16 but the first, and no peering in 127.9.0.0/16.
func bySecondByte(c sockets.Client) swarm.Place {
	n := c.Remote.As4()[1]
	place := swarm.Place{Site: fmt.Sprint("site", n), Peering: sites.Full}
	switch n {
	case 0:
		place = swarm.Place{}
	case 9:
		place.Peering = sites.Off
	}
	return place
}

// TestLocalAddresses has pages in several subnets and sites, with offers as browsers make them.
func TestLocalAddresses(t *testing.T) {
	s := running(t, Config{SeederToken: "secret"})
	if got := s.streams.only.hub.localAddresses(); got != nil {
		t.Errorf("without sites: %+v", got)
	}
	s.streams.only.hub.setPlaces(bySecondByte)
	const shown, told = "a=candidate:1 1 udp 2122265343 10.1.1.1 39155 typ host\r\n", "a=candidate:2 1 udp 1677729535 10.1.1.1 39155 typ srflx raddr 0.0.0.0 rport 0\r\n"
	for i, p := range []struct{ from, candidates string }{
		{"127.1.1.1", maskedHost}, {"127.1.1.2", maskedHost}, {"127.1.2.1", maskedHost}, {"127.1.2.2", shown}, {"127.1.2.3", maskedHost + told},
		{"127.2.1.1", maskedHost}, {"127.2.1.2", maskedHost}, {"127.2.1.3", maskedHost}, {"127.2.1.4", maskedHost},
		{"127.3.1.1", shown}, {"127.3.1.2", ""},
		{"127.0.1.1", maskedHost}, {"127.9.1.1", maskedHost},
	} {
		page := dialFrom(t, s, p.from, nil, "")
		page.send(offering(peerID(i), p.candidates))
		page.expect(signaling.KindReply)
	}
	seeder := dialFrom(t, s, "127.1.3.1", http.Header{"Authorization": {"Bearer secret"}}, "")
	seeder.send(offering(peerID(900), maskedHost))
	seeder.expect(signaling.KindReply)
	got := s.streams.only.hub.localAddresses()
	want := stats.LocalAddresses{Viewers: 10, Hidden: 7, Reflected: 1, Divided: 1, Sites: []stats.HidingSite{
		{Site: "site2", Viewers: 4, Hidden: 4}, {Site: "site1", Viewers: 5, Hidden: 3, Reflected: 1, Subnets: true}}}
	if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v\nwant %+v", *got, want)
	}
	if all := s.streams.only.viewers.Stats().LocalAddresses; all == nil || all.Hidden != 7 {
		t.Errorf("in the statistics: %+v", all)
	}
	families, err := s.reg.(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "p2pstream_tracker_divided_sites" {
				series["divided"] = m.GetGauge().GetValue()
			}
			if f.GetName() == "p2pstream_tracker_local_addresses" {
				series[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	if fmt.Sprint(series) != "map[divided:1 hidden:7 reflected:1 shown:2]" {
		t.Errorf("series: %v", series)
	}
	// An announce without an offer says nothing new; one with an address does. A page that leaves is not counted any more.
	page := dialFrom(t, s, "127.4.1.1", nil, "")
	for _, c := range []struct {
		message string
		shown   bool
	}{
		{offering(peerID(50), maskedHost), false}, {announce(hashOne, peerID(50), 0), false}, {offering(peerID(50), shown+maskedHost), true},
	} {
		page.send(c.message)
		for page.read().Kind != signaling.KindReply {
		}
		if n := s.streams.only.hub.localAddresses().Hidden; n != map[bool]int{false: 8, true: 7}[c.shown] {
			t.Errorf("%s: %d are hidden", c.message, n)
		}
	}
	_ = page.ws.Close()
	eventually(t, "the page to be forgotten", func() bool { return s.streams.only.hub.localAddresses().Viewers == 10 })
}

// TestHidingSitesAreBounded: a mask can make a site of each viewer.
func TestHidingSitesAreBounded(t *testing.T) {
	h := &hub{places: newPlaces()}
	h.places.of = func(sockets.Client) swarm.Place { return swarm.Place{} }
	const many = 3 * hidingSites
	for i := range many {
		for range 1 + i%2 {
			s := &session{hub: h, client: sockets.Client{Remote: netip.AddrFrom4([4]byte{10, byte(i), 0, 1})}}
			s.place.Store(&swarm.Place{Site: fmt.Sprintf("%03d", i)})
			s.hosts.Store(uint32(descriptions.HostsHidden))
			h.places.sessions[s] = struct{}{}
		}
	}
	a := h.localAddresses()
	if len(a.Sites) != hidingSites || a.Others != many-hidingSites || a.Hidden != many+many/2 || a.Divided != 0 {
		t.Fatalf("%d sites and %d others, %d hidden, %d divided", len(a.Sites), a.Others, a.Hidden, a.Divided)
	}
	for i, s := range a.Sites {
		if want := fmt.Sprintf("%03d", 2*i+1); s.Site != want || s.Hidden != 2 {
			t.Errorf("site %d is %+v, want %s", i, s, want)
		}
	}
}

func TestSubnets(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"10.1.2.3", "10.1.2.250", true}, {"10.1.2.3", "10.1.3.3", false}, {"::ffff:10.1.2.3", "10.1.2.4", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::1", true}, {"2001:db8:0:1::1", "2001:db8:0:2::1", false}, {"10.1.2.3", "2001:db8::1", false},
	} {
		if same := subnetOf(netip.MustParseAddr(c.a)) == subnetOf(netip.MustParseAddr(c.b)); same != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, same)
		}
	}
	if subnetOf(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("an address that is not known is in a subnet")
	}
}
