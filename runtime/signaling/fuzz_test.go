package signaling

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var seeds = []string{"", "null", "[]", "{}", `{"action":`, `{"action":"dance"}`, `{"offers":[null]}`, "{\"a\":\"\xff\"}", `{"x":1e999}`}

func FuzzParseClientMessage(f *testing.F) {
	for _, c := range vectorCases(f) {
		f.Add([]byte(c.In.Raw))
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseClientMessage(b, Limits{})
		if err != nil {
			if fail := AppendFailure(nil, m.Action, m.RawInfoHash, err.Error()); !json.Valid(fail) {
				t.Fatalf("failure is not JSON: %q", fail)
			}
			return
		}
		if !json.Valid(b) {
			t.Fatalf("accepted what is not JSON: %q", b)
		}
		var again []byte
		switch m.Action {
		case ActionAnnounce:
			again = AppendAnnounce(nil, Announce{InfoHash: m.InfoHash, PeerID: m.PeerID, Event: m.Event, NumWant: m.NumWant, ToSeeders: m.ToSeeders, Lost: m.Lost, Offers: m.Offers})
			for _, o := range m.Offers {
				roundTrip(t, AppendRelayedOffer(nil, m.InfoHash, m.PeerID, o, nil), KindOffer, o.SDP, o.ID)
			}
		case ActionAnswer:
			again = AppendAnswer(nil, m.InfoHash, m.PeerID, m.ToPeerID, m.SDP, m.OfferID, nil)
			roundTrip(t, AppendRelayedAnswer(nil, m.InfoHash, m.PeerID, m.SDP, m.OfferID, nil), KindAnswer, m.SDP, m.OfferID)
		case ActionScrape:
			again = AppendScrape(nil, m.Scrape...)
		}
		lim := Limits{MessageBytes: 2*len(b) + 1024}
		n, err := ParseClientMessage(again, lim)
		if err != nil {
			t.Fatalf("our own encoding is refused: %v: %q", err, again)
		}
		// What an encoding does not carry.
		m.RawInfoHash, n.RawInfoHash, m.Complete, m.Dropped = nil, nil, false, 0
		if m.Action == ActionAnswer {
			m.NumWant = -1
		} else {
			m.ToPeerID, m.SDP, m.OfferID = ID{}, nil, nil
		}
		if m.Action == ActionScrape {
			m = ClientMessage{Action: m.Action, Scrape: m.Scrape, ScrapeAll: m.ScrapeAll}
			n = ClientMessage{Action: n.Action, Scrape: n.Scrape, ScrapeAll: n.ScrapeAll}
		}
		if diff := cmp.Diff(m, n, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func roundTrip(t *testing.T, b []byte, kind Kind, sdp, offerID Raw) {
	t.Helper()
	m, err := ParseTrackerMessage(b)
	if err != nil || m.Kind != kind || string(m.SDP) != string(sdp) || string(m.OfferID) != string(offerID) {
		t.Fatalf("relayed message does not parse: %v: %q", err, b)
	}
}

func FuzzParseTrackerMessage(f *testing.F) {
	for _, c := range vectorCases(f) {
		for _, m := range c.Out {
			f.Add([]byte(m.Raw))
		}
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	about := ID([]byte("-PM0203-000000000001"))
	f.Add(AppendPlaceNotice(nil, about, about, Origin{Site: "Zürich", Cell: 3, Near: true, Gateway: true, ReceiveOnly: true}))
	f.Add(AppendOffersRequest(nil, about, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseTrackerMessage(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("accepted what is not JSON: %q", b)
		}
		if m.HasOrigin {
			sameOrigin(t, m.Origin)
		}
		if m.HasAbout {
			n, err := ParseTrackerMessage(AppendPlaceNotice(nil, m.InfoHash, m.About, m.Origin))
			if err != nil || !m.HasOrigin || m.Kind == KindOffer || m.Kind == KindAnswer || !n.HasAbout || n.About != m.About || n.Origin != m.Origin {
				t.Fatalf("notice %+v became %+v, %v", m, n, err)
			}
		}
		switch m.Kind {
		case KindOffer:
			roundTrip(t, AppendRelayedOffer(nil, m.InfoHash, m.PeerID, Offer{m.SDP, m.OfferID}, nil), KindOffer, m.SDP, m.OfferID)
		case KindAnswer:
			roundTrip(t, AppendRelayedAnswer(nil, m.InfoHash, m.PeerID, m.SDP, m.OfferID, nil), KindAnswer, m.SDP, m.OfferID)
		case KindReply:
			n, err := ParseTrackerMessage(AppendReply(nil, m.InfoHash, m.Interval, m.Complete, m.Incomplete))
			if err != nil || n.Interval != m.Interval || n.Complete != m.Complete || n.Incomplete != m.Incomplete {
				t.Fatalf("reply %+v became %+v, %v", m, n, err)
			}
		case KindScrape:
			n, err := ParseTrackerMessage(AppendScrapeReply(nil, m.Files, 1))
			if err != nil || !cmp.Equal(m.Files, n.Files) {
				t.Fatalf("files %v became %v, %v", m.Files, n.Files, err)
			}
		case KindFailure:
			n, err := ParseTrackerMessage(AppendFailure(nil, m.Action, nil, m.Failure))
			if err != nil || n.Failure != m.Failure {
				t.Fatalf("failure %q became %q, %v", m.Failure, n.Failure, err)
			}
		}
	})
}
