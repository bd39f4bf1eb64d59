package tracker

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// fields are those of an announce and of an answer, all of them well-formed.
func fields() map[string]any {
	return map[string]any{
		"action": "announce", "info_hash": peer.NewID().String(), "peer_id": peer.NewID().String(), "numwant": 1,
		"event": "started", "left": 0, "uploaded": 0, "downloaded": 0, "trackerid": "x",
		"offers":     []any{map[string]any{"offer": map[string]any{"type": "offer", "sdp": "v=0"}, "offer_id": peer.NewID().String()}},
		"to_peer_id": peer.NewID().String(), "answer": map[string]any{"type": "answer", "sdp": "v=0"},
		"offer_id": peer.NewID().String(),
	}
}

// variants returns messages in which every field in turn holds the given JSON, with and without the answer.
func variants(value string) (all []string) {
	for _, without := range [][]string{{"answer"}, {"offers"}, {}} {
		for name := range fields() {
			m := fields()
			for _, w := range without {
				delete(m, w)
			}
			m[name] = json.RawMessage(value)
			b, err := json.Marshal(m)
			if err != nil {
				panic(err)
			}
			all = append(all, string(b))
		}
	}
	return all
}

// survives sends messages over sockets of their own and of one address, few enough to be no flood, and fails the test
// if one of them costs its socket.
func survives(t *testing.T, s *scene, all []string) {
	t.Helper()
	from := newOrigin()
	const each = 100
	for i := 0; i < len(all); i += each {
		ws := dial(t, s.Listen, from)
		for _, m := range all[i:min(len(all), i+each)] {
			ws.text(m)
		}
		ws.alive(t)
		_ = ws.Close()
	}
}

// messages are attacks with the text of messages.
var messages = []attack{
	{name: "null everywhere", run: func(t *testing.T, s *scene) {
		all := []string{"null", "[null]", "{}", `{"null":null}`, `{"action":null}`, `{"action":"announce","offers":[null]}`,
			`{"action":"scrape","info_hash":[null]}`, `{"action":"scrape","info_hash":null}`}
		for _, offer := range []string{"null", `{"offer":null}`, `{"offer":{"sdp":null,"type":null},"offer_id":null}`, `{"offer_id":null}`} {
			all = append(all, variants("["+offer+"]")...)
		}
		survives(t, s, append(all, variants("null")...))
	}},
	{name: "wrong types", run: func(t *testing.T, s *scene) {
		var all []string
		for _, v := range []string{"0", "-1", "1e999", "true", `""`, `"x"`, "[]", "{}", "[[]]", `{"sdp":1}`, "0.5", "18446744073709551616"} {
			all = append(all, variants(v)...)
		}
		s.counted(t, 100, func() { survives(t, s, all) }, "p2pstream_tracker_messages_total", `kind="invalid"`)
	}},
	{name: "malformed JSON", run: func(t *testing.T, s *scene) {
		b, err := json.Marshal(fields())
		if err != nil {
			t.Fatal(err)
		}
		whole := string(b)
		all := []string{"", " ", "\x00", "{", "}", `"`, `{"`, `{"a"`, `{"a":`, `{"a":1,`, "{,}", "[1,]", "nul", "tru", "+1", "0x1", "\ufeff{}",
			"{\"action\":\"\xff\xfe\"}", `{"action":"\ud800"}`, `{"action":"\u00"}`, whole + whole, "'" + whole + "'",
			"// comment\n" + whole, strings.ReplaceAll(whole, ":", "="), strings.ReplaceAll(whole, `"`, `'`)}
		for i := 0; i < len(whole); i += 7 {
			all = append(all, whole[:i], whole[:i]+"\xc3"+whole[i:])
		}
		survives(t, s, all)
	}},
	{name: "deeply nested JSON", run: func(t *testing.T, s *scene) {
		const depth = 30_000
		open, end := strings.Repeat("[", depth), strings.Repeat("]", depth)
		objects := strings.Repeat(`{"a":`, depth/3) + "1" + strings.Repeat("}", depth/3)
		survives(t, s, []string{open, open + end, `{"a":` + open + end + "}", `{"offers":` + open + end + "}",
			`{"action":` + objects + "}", `{"info_hash":` + open + end + "}", objects, `{"answer":` + objects + "}",
			`{"offers":[{"offer":` + objects + `}]}`})
	}},
	{name: "the same field a thousand times", run: func(t *testing.T, s *scene) {
		var all []string
		for name, v := range fields() {
			b, err := json.Marshal(map[string]any{name: v})
			if err != nil {
				t.Fatal(err)
			}
			field := strings.Trim(string(b), "{}")
			all = append(all, "{"+strings.Repeat(string(b[1:len(b)-1])+",", min(1000, 60_000/len(b)))+field+"}")
		}
		survives(t, s, all)
	}},
	{name: "thousands of offers in one message", run: func(t *testing.T, s *scene) {
		from, hash := newOrigin(), peer.NewID()
		victim := dial(t, s.Listen, from)
		victim.announce(hash, peer.NewID(), 0)
		ws := dial(t, s.Listen, newOrigin())
		offer := `{"offer":{"sdp":"v","type":"offer"},"offer_id":"12345678901234567890"},`
		list := strings.TrimSuffix(strings.Repeat(offer, 60_000/len(offer)), ",")
		s.counted(t, 10, func() {
			for range 50 {
				ws.text(fmt.Sprintf(`{"action":"announce","info_hash":%q,"peer_id":%q,"numwant":9999,"offers":[%s]}`,
					hash, peer.NewID(), list))
			}
			ws.alive(t)
		}, "p2pstream_tracker_limit_hits_total", `limit="offers_per_announce"`)
		if n := offersWithin(victim, time.Second); n > maxOffers {
			t.Errorf("one peer was given %d offers at once", n)
		}
	}},
	{name: "scrapes of too many swarms", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		ws.raw(frame(fin|opText, scrape(65)))
		if m, ok := ws.message(10*time.Second, func(m signaling.TrackerMessage) bool { return m.Failure != "" }); !ok {
			t.Error("no failure")
		} else if m.Action != signaling.ActionScrape {
			t.Errorf("failure of %v, which drops a browser's socket", m.Action)
		}
		ws.alive(t)
	}},
}

// maxOffers is how many offers one viewer may be given at once: as many as it may have connections, and those of a
// few seconds.
const maxOffers = 50

// offersWithin counts the offers that come within a time.
func offersWithin(s *socket, within time.Duration) (n int) {
	s.message(within, func(m signaling.TrackerMessage) bool {
		if m.Kind == signaling.KindOffer {
			n++
		}
		return false
	})
	return n
}
