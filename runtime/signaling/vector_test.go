package signaling

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vectorMessage struct{ Socket, From, To, Raw string }

type vectorCase struct {
	ID, Kind, Note, Tracker string
	In                      vectorMessage
	Out                     []vectorMessage
	Transcript              []vectorMessage
}

func vectorCases(t testing.TB) []vectorCase {
	dir := os.Getenv("P2PSTREAM_VECTORS")
	if dir == "" {
		dir = "testdata"
	}
	b, err := os.ReadFile(filepath.Join(dir, "tracker.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vectorCase }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// TestVectorTracker decodes every message of the vectors, compares it with what encoding/json sees in it, and
// encodes it again.
func TestVectorTracker(t *testing.T) {
	for _, c := range vectorCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			if c.In.Raw != "" {
				checkClient(t, c.In.Raw)
			}
			for _, m := range c.Out {
				checkTracker(t, m.Raw)
			}
			for _, m := range c.Transcript {
				if m.From != "" {
					checkClient(t, m.Raw)
				} else {
					checkTracker(t, m.Raw)
				}
			}
		})
	}
}

// object decodes raw with encoding/json; the error is the one the parsers must give.
func object(raw string) (map[string]any, error) {
	var v any
	if json.Unmarshal([]byte(raw), &v) != nil {
		return nil, ErrSyntax
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, ErrNotObject
	}
	return m, nil
}

// wantID is what an id should decode to, the slow way.
func wantID(v any) (id ID, ok bool) {
	s, _ := v.(string)
	var b []byte
	for _, r := range s {
		if r > 255 {
			return id, false
		}
		b = append(b, byte(r))
	}
	if len(b) != IDLength {
		return id, false
	}
	return ID(b), true
}

func wantSDP(v any, kind string) (string, bool) {
	m, _ := v.(map[string]any)
	sdp, ok := m["sdp"].(string)
	return sdp, ok && (m["type"] == nil || m["type"] == kind)
}

func text(t *testing.T, r Raw) string {
	t.Helper()
	s, err := r.Text()
	if err != nil {
		t.Fatalf("%q: %v", r, err)
	}
	return s
}

type plainOffer struct{ SDP, ID string }

func checkClient(t *testing.T, raw string) {
	t.Helper()
	got, err := ParseClientMessage([]byte(raw), Limits{})
	want, wantErr := object(raw)
	if wantErr == nil {
		wantErr = wantClientError(want)
	}
	if !errors.Is(err, wantErr) {
		t.Fatalf("error %v, want %v: %s", err, wantErr, raw)
	}
	if want["action"] != nil && !errors.Is(wantErr, ErrAction) {
		wantAction := map[any]Action{"announce": ActionAnnounce, "scrape": ActionScrape}[want["action"]]
		if want["answer"] != nil && got.Action == ActionAnswer {
			wantAction = ActionAnswer
		}
		if got.Action != wantAction {
			t.Fatalf("action %v: %s", got.Action, raw)
		}
	}
	if err != nil {
		return
	}
	if got.Action == ActionScrape {
		again, err := ParseClientMessage(AppendScrape(nil, got.Scrape...), Limits{})
		if err != nil || !cmp.Equal(again.Scrape, got.Scrape) || again.ScrapeAll != got.ScrapeAll {
			t.Fatalf("scrape did not survive: %v %s", err, raw)
		}
		return
	}
	hash, _ := wantID(want["info_hash"])
	peer, _ := wantID(want["peer_id"])
	if got.InfoHash != hash || got.PeerID != peer {
		t.Fatalf("ids %q %q: %s", got.InfoHash, got.PeerID, raw)
	}
	if got.Action == ActionAnswer {
		to, _ := wantID(want["to_peer_id"])
		sdp, _ := wantSDP(want["answer"], "answer")
		if got.ToPeerID != to || text(t, got.SDP) != sdp || text(t, got.OfferID) != want["offer_id"] {
			t.Fatalf("answer %+v: %s", got, raw)
		}
		b := AppendAnswer(nil, hash, peer, to, got.SDP, got.OfferID, nil)
		sameFields(t, b, want, "answer")
		return
	}
	var offers, wantOffers []plainOffer
	for _, o := range got.Offers {
		offers = append(offers, plainOffer{text(t, o.SDP), text(t, o.ID)})
	}
	items, _ := want["offers"].([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		sdp, ok := wantSDP(m["offer"], "offer")
		id, isText := m["offer_id"].(string)
		if ok && isText {
			wantOffers = append(wantOffers, plainOffer{sdp, id})
		}
	}
	if diff := cmp.Diff(wantOffers, offers); diff != "" || got.Dropped != len(items)-len(offers) {
		t.Fatalf("offers: %s", diff)
	}
	if n, ok := want["numwant"].(float64); ok && got.NumWant != int(n) || !ok && got.NumWant != -1 {
		t.Fatalf("numwant %d: %s", got.NumWant, raw)
	}
	if left, ok := want["left"].(float64); got.Complete != (ok && left == 0) {
		t.Fatalf("complete %v: %s", got.Complete, raw)
	}
	b := AppendAnnounce(nil, Announce{InfoHash: hash, PeerID: peer, Event: got.Event, NumWant: got.NumWant, Offers: got.Offers})
	sameFields(t, b, want, "offers")
}

// wantClientError says what is wrong with a message, from its generic decoding.
func wantClientError(m map[string]any) error {
	switch m["action"] {
	case "announce":
	case "scrape":
		items, ok := m["info_hash"].([]any)
		if !ok && m["info_hash"] != nil {
			items = []any{m["info_hash"]}
		}
		for _, v := range items {
			if _, ok := wantID(v); !ok {
				return ErrInfoHash
			}
		}
		return nil
	default:
		return ErrAction
	}
	if _, ok := wantID(m["info_hash"]); !ok {
		return ErrInfoHash
	}
	if _, ok := wantID(m["peer_id"]); !ok {
		return ErrPeerID
	}
	if m["answer"] != nil {
		if _, ok := wantID(m["to_peer_id"]); !ok {
			return ErrToPeerID
		}
		if _, ok := wantSDP(m["answer"], "answer"); !ok {
			return ErrAnswer
		}
		if _, ok := m["offer_id"].(string); !ok {
			return ErrOfferID
		}
		return nil
	}
	for _, name := range eventNames {
		if m["event"] == nil || m["event"] == name {
			return nil
		}
	}
	return ErrEvent
}

// sameFields compares each field that both the message as sent and our encoding of it have. Descriptions are
// compared by type and sdp only, because nothing else is kept.
func sameFields(t *testing.T, b []byte, want map[string]any, descriptions string) {
	t.Helper()
	got, err := object(string(b))
	if err != nil {
		t.Fatalf("encoded: %v: %s", err, b)
	}
	for key, v := range got {
		w, there := want[key]
		if !there || key == "numwant" || key == descriptions {
			continue
		}
		if diff := cmp.Diff(w, v); diff != "" {
			t.Fatalf("%s: %s", key, diff)
		}
	}
}

func checkTracker(t *testing.T, raw string) {
	t.Helper()
	got, err := ParseTrackerMessage([]byte(raw))
	want, wantErr := object(raw)
	if wantErr != nil {
		t.Fatalf("vector is not an object: %s", raw)
	}
	hash, hashOK := wantID(want["info_hash"])
	peer, peerOK := wantID(want["peer_id"])
	relayed := want["offer"] != nil || want["answer"] != nil
	reason, failure := want["failure reason"].(string)
	switch {
	case failure:
	case want["info_hash"] != nil && !hashOK, relayed && !hashOK:
		wantErr = ErrInfoHash
	case relayed && !peerOK:
		wantErr = ErrPeerID
	}
	if !errors.Is(err, wantErr) {
		t.Fatalf("error %v, want %v: %s", err, wantErr, raw)
	}
	if err != nil {
		return
	}
	var b []byte
	descriptions := ""
	switch {
	case failure:
		wantKind(t, got, KindFailure, raw)
		if got.Failure != reason || got.HasInfoHash != hashOK || got.InfoHash != hash {
			t.Fatalf("failure %+v: %s", got, raw)
		}
		var echo Raw
		if hashOK {
			echo = AppendID(nil, hash)
		}
		b = AppendFailure(nil, got.Action, echo, got.Failure)
	case relayed:
		kind, name := KindOffer, "offer"
		if want["offer"] == nil {
			kind, name = KindAnswer, "answer"
		}
		wantKind(t, got, kind, raw)
		sdp, _ := wantSDP(want[name], name)
		if got.PeerID != peer || got.InfoHash != hash || text(t, got.SDP) != sdp || text(t, got.OfferID) != want["offer_id"] {
			t.Fatalf("relayed %+v: %s", got, raw)
		}
		descriptions = name
		b = appendRelayed(nil, hash, peer, name, got.SDP, got.OfferID, nil)
	case want["files"] != nil:
		wantKind(t, got, KindScrape, raw)
		flags, _ := want["flags"].(map[string]any)
		interval, _ := flags["min_request_interval"].(float64)
		b = AppendScrapeReply(nil, got.Files, int(interval))
	default:
		wantKind(t, got, KindReply, raw)
		b = AppendReply(nil, hash, got.Interval, got.Complete, got.Incomplete)
	}
	sameFields(t, b, want, descriptions)
	for key := range want {
		if again, _ := object(string(b)); again[key] == nil && key != "extra" {
			t.Fatalf("our encoding lacks %q: %s", key, b)
		}
	}
}

func wantKind(t *testing.T, m TrackerMessage, want Kind, raw string) {
	t.Helper()
	if m.Kind != want {
		t.Fatalf("kind %v, want %v: %s", m.Kind, want, raw)
	}
}
