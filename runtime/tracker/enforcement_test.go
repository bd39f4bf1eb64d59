package tracker

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// office is a tracker behind a proxy that names the viewers, with a seeder elsewhere and three pages of a site whose peering is
// Full. What each of them gets is read by seen.
type office struct {
	t *testing.T
	*Server
	seeder *client
	pages  []*client
}

// Ids of the peers of an office: the page under test has 1.
const officeSeeder, officePages = 900, 100

// openOffice starts one. list are sites beside the office's own, which comes last and holds 198.51.100.0/24.
func openOffice(t *testing.T, fallback sites.Peering, list ...sites.Entry) *office {
	t.Helper()
	list = append(list, sites.Entry{Name: "berlin", CIDRs: []string{"198.51.100.0/24"}, Gateways: 1})
	s := running(t, Config{SeederToken: "secret", Shards: 1,
		ClientAddress: ClientAddressConfig{From: "Forwarded", TrustedProxies: []string{proxyAddress + "/32"}},
		Sites:         &SitesConfig{Config: sites.Config{List: list, Fallback: sites.Fallback{Peering: fallback}}}})
	o := &office{t: t, Server: s, seeder: dialFrom(t, s, "127.0.9.1", http.Header{"Authorization": {"Bearer secret"}}, "")}
	o.seeder.send(announce(hashOne, peerID(officeSeeder), 0))
	o.seeder.expect(signaling.KindReply)
	for i := range 3 {
		page := o.from("198.51.100." + fmt.Sprint(50+i))
		page.send(announce(hashOne, peerID(officePages+i), 5))
		page.expect(signaling.KindReply)
		o.pages = append(o.pages, page)
	}
	o.clear()
	return o
}

// from is the socket of a page at an address, which the proxy names.
func (o *office) from(address string) *client {
	return dialThrough(o.t, o.Server, dialer(proxyAddress, nil), http.Header{"X-Forwarded-For": {address}})
}

// clear waits until all that was sent was handled, and takes what came of it.
func (o *office) clear() { o.seen(o.pages[0]) }

// seen returns from which peers the seeder, the pages and one more page have offers and answers.
func (o *office) seen(page *client) (seeder, pages, own []int) {
	o.t.Helper()
	from := func(c *client) (all []int) {
		for _, m := range c.collect() {
			if m.Kind == signaling.KindOffer || m.Kind == signaling.KindAnswer {
				all = append(all, number(m.PeerID))
			}
		}
		return all
	}
	for range 2 { // after the first round, all that was sent has reached the shard
		for _, c := range o.pages {
			pages = append(pages, from(c)...)
		}
		seeder, own = append(seeder, from(o.seeder)...), append(own, from(page)...)
		o.streams.only.hub.barrier()
	}
	return seeder, pages, own
}

// offer makes every other peer of the office announce with offers.
func (o *office) offer() {
	o.t.Helper()
	o.seeder.send(announce(hashOne, peerID(officeSeeder), 5))
	for i, page := range o.pages {
		page.send(announce(hashOne, peerID(officePages+i), 10))
	}
}

func (o *office) dropped() uint64 {
	st := &o.streams.only.hub.shards[0].core.Stats
	return st.AnswersUnknown.Load() + st.AnswersForeign.Load() + st.AnswersDeparted.Load()
}

func count(all []int, n int) (times int) {
	for _, x := range all {
		if x == n {
			times++
		}
	}
	return times
}

// ignoring is a page that announces with offers, again and again, whatever its settings said.
func (o *office) ignoring(address string) *client {
	o.t.Helper()
	page := o.from(address)
	for range 3 {
		page.send(announce(hashOne, peerID(1), 10))
	}
	o.offer()
	return page
}

// TestPagesThatIgnoreTheirSettings: what a site's policy forbids does not happen although the page tries.
func TestPagesThatIgnoreTheirSettings(t *testing.T) {
	entry := func(peering sites.Peering) sites.Entry {
		return sites.Entry{Name: "elsewhere", CIDRs: []string{"203.0.113.0/24"}, Peering: peering, CrossSite: true}
	}
	// A range of the office's own site, which has a policy of its own.
	guests := func(peering sites.Peering) sites.Entry {
		return sites.Entry{Name: "guests", CIDRs: []string{"198.51.100.128/25"}, Peering: peering}
	}
	for name, tt := range map[string]struct {
		fallback sites.Peering
		site     []sites.Entry
		address  string
		seeded   bool // it may be led to the seeder
	}{
		"Off":                        {sites.Full, []sites.Entry{entry(sites.Off)}, "203.0.113.9", false},
		"ReceiveOnly":                {sites.Full, []sites.Entry{entry(sites.ReceiveOnly)}, "203.0.113.9", true},
		"guests that are Off":        {sites.Full, []sites.Entry{guests(sites.Off)}, "198.51.100.200", false},
		"the fallback is Off":        {sites.Off, nil, "192.0.2.1", false},
		"the fallback receives only": {sites.ReceiveOnly, nil, "192.0.2.1", true},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, tt.fallback, tt.site...)
			page := o.ignoring(tt.address)
			seeder, pages, own := o.seen(page)
			if got := count(seeder, 1) > 0; got != tt.seeded {
				t.Errorf("its offers reached the seeder: %t", got)
			}
			if count(pages, 1) > 0 {
				t.Error("its offers reached other pages")
			}
			for _, id := range own {
				if id != officeSeeder || !tt.seeded {
					t.Errorf("it got something of peer %d", id)
				}
			}
			// It answers offers that it was never sent, of all peers whose ids it may know.
			before := o.dropped()
			for _, id := range []int{officeSeeder, officePages, officePages + 1, officePages + 2} {
				m := signaling.TrackerMessage{InfoHash: hashOne, PeerID: peerID(id), OfferID: signaling.Raw(`"forged"`)}
				page.send(answerTo(m, peerID(1)))
			}
			if seeder, pages, _ := o.seen(page); count(seeder, 1)+count(pages, 1) > 0 {
				t.Error("its answers reached other peers")
			}
			if got := o.dropped() - before; got != 4 {
				t.Errorf("%d answers were counted as dropped, want 4", got)
			}
		})
	}
}

// TestReceiveOnlyInAnOffice: a page that only receives chooses its sources in its own site, and gets no offers but the seeder's.
func TestReceiveOnlyInAnOffice(t *testing.T) {
	o := openOffice(t, sites.Full)
	file, err := sites.Parse([]byte("berlin,198.51.100.0/24,On\nberlin,198.51.100.128/25,Leech\n"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := sites.New(sites.Config{}, file)
	if err != nil {
		t.Fatal(err)
	}
	o.streams.only.hub.setPlaces(placesOn(m))
	page := o.ignoring("198.51.100.200")
	seeder, pages, own := o.seen(page)
	if count(seeder, 1) == 0 || count(pages, 1) == 0 {
		t.Errorf("it was led to the seeder %d times, to pages of its site %d times", count(seeder, 1), count(pages, 1))
	}
	for _, id := range own {
		if id != officeSeeder {
			t.Errorf("it got something of peer %d", id)
		}
	}
}

// TestAPageWhoseAddressChangesSite: a map that sends it to a site without peering ends what it was introduced to.
func TestAPageWhoseAddressChangesSite(t *testing.T) {
	o := openOffice(t, sites.Full)
	page := o.from("198.51.100.200")
	page.send(announce(hashOne, peerID(1), 0))
	page.expect(signaling.KindReply)
	o.offer()
	o.clear()
	var offer signaling.TrackerMessage
	for _, m := range page.collect() {
		if m.Kind == signaling.KindOffer && number(m.PeerID) < officeSeeder {
			offer = m
		}
	}
	if offer.OfferID == nil {
		t.Fatal("it has no offer of another page to answer")
	}
	m, err := sites.New(sites.Config{List: []sites.Entry{{Name: "vpn", CIDRs: []string{"198.51.100.128/25"}, Peering: sites.Off},
		{Name: "berlin", CIDRs: []string{"198.51.100.0/24"}, Gateways: 1}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.streams.only.hub.setPlaces(placesOn(m))
	before := o.dropped()
	page.send(answerTo(offer, peerID(1)))
	for range 3 {
		page.send(announce(hashOne, peerID(1), 10))
	}
	o.offer()
	seeder, pages, own := o.seen(page)
	if count(seeder, 1)+count(pages, 1) > 0 || len(own) > 0 {
		t.Errorf("after the move, the seeder has %v, pages have %v, and it has %v", seeder, pages, own)
	}
	if got := o.dropped() - before; got != 1 {
		t.Errorf("%d answers were counted as dropped, want that to an offer from before the move", got)
	}
}

// TestSocketsOfStrangers claim an address of the office, and to be a seeder.
func TestSocketsOfStrangers(t *testing.T) {
	for name, header := range map[string]http.Header{
		"X-Forwarded-For":     {"X-Forwarded-For": {"198.51.100.7"}},
		"through the proxy":   {"X-Forwarded-For": {"198.51.100.7, " + proxyAddress}},
		"Forwarded":           {"Forwarded": {"for=198.51.100.7"}},
		"both, and X-Real-IP": {"X-Forwarded-For": {"198.51.100.7"}, "Forwarded": {"for=198.51.100.7"}, "X-Real-Ip": {"198.51.100.7"}},
		"nothing":             nil,
	} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, sites.Off)
			page := dialFrom(t, o.Server, strangerAddress, header, "?site=berlin&seeder=true")
			a := announce(hashOne, peerID(1), 10)
			page.send(a)
			page.send(a[:len(a)-1] + `,"to_seeders":true,"p2pstream":{"site":"berlin","near":true,"gateway":true}}`)
			o.offer()
			seeder, pages, own := o.seen(page)
			if count(seeder, 1)+count(pages, 1)+len(own) > 0 {
				t.Errorf("the seeder has %v, pages have %v, and the stranger has %v", seeder, pages, own)
			}
		})
	}
}

// TestAViewerThatClaimsToBeASeeder by its id, by the member of announces that seeders use, or by a token that is wrong.
func TestAViewerThatClaimsToBeASeeder(t *testing.T) {
	o := openOffice(t, sites.Full, sites.Entry{Name: "vpn", CIDRs: []string{"203.0.113.0/24"}, Peering: sites.Off})
	page := o.from("203.0.113.9")
	id := signaling.ID([]byte("-PS0001-000000000001"))
	a := announce(hashOne, id, 10)
	page.send(a[:len(a)-1] + `,"to_seeders":true,"left":0}`)
	if m := page.read(); m.Kind != signaling.KindFailure {
		t.Errorf("an id of seeders is answered with %+v", m)
	}
	a = announce(hashOne, peerID(1), 10)
	page.send(a[:len(a)-1] + `,"to_seeders":true,"left":0,"event":"completed"}`)
	o.offer()
	seeder, pages, own := o.seen(page)
	if count(seeder, 1)+count(pages, 1)+len(own) > 0 {
		t.Errorf("the seeder has %v, pages have %v, and it has %v", seeder, pages, own)
	}
	for _, token := range []string{"Bearer wrong", "Bearer ", "Bearer secret2"} {
		if c, status, err := tryDial(o.Server, http.Header{"Authorization": {token}}, "?site=berlin"); err == nil || status != http.StatusUnauthorized {
			if c != nil {
				_ = c.Close()
			}
			t.Errorf("%q: %d, %v", token, status, err)
		}
	}
	// One that is refused as a seeder and connects as a page stays a page.
	stranger := o.from("203.0.113.10")
	stranger.send(announce(hashOne, peerID(2), 10))
	o.streams.only.hub.barrier()
	if m := stranger.expect(signaling.KindReply); m.Interval < int((60*time.Second)/time.Second) {
		t.Errorf("a page without peering is to announce again after %d s", m.Interval)
	}
}
