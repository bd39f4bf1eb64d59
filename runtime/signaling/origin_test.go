package signaling

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// sameOrigin checks that an origin is the same after it was written and read, and that encoding/json agrees.
func sameOrigin(t *testing.T, o Origin) {
	t.Helper()
	b := AppendRelayedOffer(nil, ID{}, ID{}, Offer{SDP: Raw(`"sdp"`), ID: Raw(`"id"`)}, &o)
	m, err := ParseTrackerMessage(b)
	if err != nil || !m.HasOrigin || m.Origin != o || m.Kind != KindOffer {
		t.Fatalf("%+v became %+v, %v: %s", o, m.Origin, err, b)
	}
	var decoded struct {
		Own map[string]any `json:"p2pstream"`
	}
	if err := json.Unmarshal(b, &decoded); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(want, &members); err != nil {
		t.Fatal(err)
	}
	if len(members) != len(decoded.Own) {
		t.Fatalf("members %v, want %v", decoded.Own, members)
	}
	for k, v := range members {
		if decoded.Own[k] != v {
			t.Errorf("%s is %v, want %v", k, decoded.Own[k], v)
		}
	}
}

func TestOriginInMessages(t *testing.T) {
	for _, o := range []Origin{{}, {Near: true}, {Site: "Zürich \"HQ\"", Cell: 3, Near: true, Gateway: true, ReceiveOnly: true}, {Site: "a", Gateway: true}} {
		sameOrigin(t, o)
	}
	// What viewers get is as the protocol notes say.
	got := string(AppendRelayedAnswer(nil, ID([]byte("tlCIAIrI13koYCQLatNp")), ID([]byte("-PM0203-000000000001")), Raw(`"s"`), Raw(`"o"`), &Origin{Near: true}))
	want := `{"action":"announce","info_hash":"tlCIAIrI13koYCQLatNp","peer_id":"-PM0203-000000000001","answer":{"type":"answer","sdp":"s"},"offer_id":"o","p2pstream":{"near":true}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestMessagesWithoutSites are byte for byte what they were before sites.
func TestMessagesWithoutSites(t *testing.T) {
	hash, id := ID([]byte("tlCIAIrI13koYCQLatNp")), ID([]byte("-PM0203-000000000001"))
	head := `{"action":"announce","info_hash":"tlCIAIrI13koYCQLatNp","peer_id":"-PM0203-000000000001",`
	for want, got := range map[string][]byte{
		head + `"offer":{"type":"offer","sdp":"s"},"offer_id":"o"}`:   AppendRelayedOffer(nil, hash, id, Offer{SDP: Raw(`"s"`), ID: Raw(`"o"`)}, nil),
		head + `"answer":{"type":"answer","sdp":"s"},"offer_id":"o"}`: AppendRelayedAnswer(nil, hash, id, Raw(`"s"`), Raw(`"o"`), nil),
	} {
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if m, err := ParseTrackerMessage(got); err != nil || m.HasOrigin || m.OffersWanted != 0 {
			t.Errorf("%+v, %v", m, err)
		}
	}
}

func TestOffersRequest(t *testing.T) {
	m, err := ParseTrackerMessage(AppendOffersRequest(nil, ID([]byte("tlCIAIrI13koYCQLatNp")), 4))
	if err != nil || m.OffersWanted != 4 || m.Kind != KindUnknown || m.Action != ActionAnnounce || !m.HasInfoHash || m.Interval != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
}

// TestPlaceNotice: it is about a peer, and of no kind that clients act on.
func TestPlaceNotice(t *testing.T) {
	hash, id := ID([]byte("tlCIAIrI13koYCQLatNp")), ID([]byte("-PM0203-000000000001"))
	for _, o := range []Origin{{}, {Site: "Bern", Cell: 3, Gateway: true}, {Site: "Zürich", Near: true, ReceiveOnly: true}} {
		b := AppendPlaceNotice(nil, hash, id, o)
		m, err := ParseTrackerMessage(b)
		if err != nil || m.Kind != KindUnknown || !m.HasAbout || m.About != id || !m.HasOrigin || m.Origin != o || m.InfoHash != hash || m.Interval != 0 {
			t.Errorf("%s: %+v, %v", b, m, err)
		}
	}
	// What is about no peer, or is an offer as well, is no notice.
	head := `{"action":"announce","info_hash":"tlCIAIrI13koYCQLatNp"`
	for _, tail := range []string{`,"about":"short","p2pstream":{"near":true}}`, `,"about":7,"p2pstream":{}}`, `,"about":"-PM0203-000000000001"}`,
		`,"about":"-PM0203-000000000001","p2pstream":null}`, `,"about":"-PM0203-000000000001","p2pstream":{},"failure reason":"x"}`,
		`,"about":"-PM0203-000000000001","peer_id":"-PM0203-000000000002","offer":{"type":"offer","sdp":"s"},"offer_id":"o","p2pstream":{"near":true}}`} {
		if m, err := ParseTrackerMessage([]byte(head + tail)); err != nil || m.HasAbout {
			t.Errorf("%s: %+v, %v", tail, m, err)
		}
	}
}

// TestUnusableOrigins: what another tracker writes there does not make a message unusable, and is bounded.
func TestUnusableOrigins(t *testing.T) {
	head := `{"action":"announce","info_hash":"tlCIAIrI13koYCQLatNp","peer_id":"-PM0203-000000000001","offer":{"type":"offer","sdp":"s"},"offer_id":"o","p2pstream":`
	for _, own := range []string{`null`, `7`, `"text"`, `[{"near":true}]`, `{}`, `{"near":1,"site":7,"cell":-1,"gateway":"true","offers":{}}`,
		`{"site":null,"cell":1e9,"offers":99999999999999999999}`} {
		m, err := ParseTrackerMessage([]byte(head + own + `}`))
		if err != nil || m.Kind != KindOffer || m.Origin.Near || m.Origin.Gateway || m.Origin.Site != "" || m.Origin.Cell < 0 || m.Origin.Cell > maxCell || m.OffersWanted != 0 {
			t.Errorf("%s: %+v, %v", own, m, err)
		}
	}
	m, err := ParseTrackerMessage([]byte(head + `{"site":"` + strings.Repeat("é", maxSiteName) + `","cell":99999999,"offers":5000}}`))
	if err != nil || len(m.Origin.Site) > maxSiteName || !utf8.ValidString(m.Origin.Site) || m.Origin.Cell != maxCell || m.OffersWanted != MaxRequestedOffers {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestOffersForSeeders: only an announce that says so has them.
func TestOffersForSeeders(t *testing.T) {
	id := ID([]byte("-PS0001-000000000001"))
	b := AppendAnnounce(nil, Announce{InfoHash: id, PeerID: id, NumWant: 1, ToSeeders: true,
		Offers: []Offer{{SDP: Raw(`"sdp"`), ID: Raw(`"00000000000000000001"`)}}})
	if m, err := ParseClientMessage(b, Limits{}); err != nil || !m.ToSeeders || len(m.Offers) != 1 {
		t.Errorf("%+v, %v: %s", m, err, b)
	}
	for text, want := range map[string]bool{"true": true, "false": false, `"true"`: false, "1": false, "null": false, "[true]": false, "{}": false} {
		b := []byte(`{"action":"announce","info_hash":"-PS0001-000000000001","peer_id":"-PS0001-000000000001","to_seeders":` + text + `}`)
		if m, err := ParseClientMessage(b, Limits{}); err != nil || m.ToSeeders != want {
			t.Errorf("%s: %v, %v", text, m.ToSeeders, err)
		}
	}
}

// TestLostPeers: those of an announce, up to MaxLost, and what is no id does not count.
func TestLostPeers(t *testing.T) {
	id := ID([]byte("-PS0001-000000000001"))
	lost := []ID{ID([]byte("-PV0001-000000000001")), ID([]byte("-PV0001-000000000002"))}
	b := AppendAnnounce(nil, Announce{InfoHash: id, PeerID: id, Lost: lost})
	if m, err := ParseClientMessage(b, Limits{}); err != nil || !slices.Equal(m.Lost, lost) {
		t.Errorf("%+v, %v: %s", m, err, b)
	}
	one := `"-PV0001-000000000001"`
	for text, want := range map[string]int{
		"[]": 0, one: 0, "null": 0, "{}": 0, `[1,null,"short",[` + one + `],` + one + "]": 1, "[" + strings.Repeat(one+",", 50) + one + "]": MaxLost,
	} {
		b := []byte(`{"action":"announce","info_hash":"-PS0001-000000000001","peer_id":"-PS0001-000000000001","lost":` + text + `}`)
		if m, err := ParseClientMessage(b, Limits{}); err != nil || len(m.Lost) != want {
			t.Errorf("%s: %v, %v", text, m.Lost, err)
		}
	}
}
