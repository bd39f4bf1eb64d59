package integrity

import (
	"encoding/json"
	"testing"
)

// FuzzBatch: what a seeder may send never panics, and what is accepted keeps the ledger within its bounds.
func FuzzBatch(f *testing.F) {
	good, err := json.Marshal(say("seeder-0", swarmA, &Span{1, MaxID}, Segment{ID: 7, Hash: hashOf("7")}, Segment{ID: 7, Hash: hashOf("8"), Again: true}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"v":1,"seeder":"s","swarms":[{"infoHash":"AAAAAAAAAAAAAAAAAAAA","covers":{"from":9007199254740991,"to":-1},"segments":[]}]}`))
	f.Add([]byte(`{"v":1,"swarms":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := DecodeBatch(b)
		if err != nil {
			return
		}
		l := NewLedger(Limits{Swarms: 2, PerSwarm: 8, Hashes: 12, Seeders: 2})
		l.Accept(say("other", swarmA, nil, Segment{ID: 7, Hash: hashOf("else")}), start)
		for range 2 {
			l.Accept(batch, start)
		}
		c := l.Counts()
		if c.Swarms > 2 || c.Hashes > 16 || c.Hashes < 0 || c.Disputed < 0 {
			t.Errorf("%+v", c)
		}
		for _, s := range batch.Swarms {
			for _, after := range []int64{-1, 0, 6, MaxID - 1} {
				if got := l.List(name, []string{s.InfoHash}, after, start); len(got.Hashes) > MaxHashes || got.check() != nil {
					t.Errorf("%+v: %v", got, got.check())
				}
			}
		}
	})
}

// FuzzAnswer: what a tracker may answer to viewers and seeders never panics; what is believed was signed.
func FuzzAnswer(f *testing.F) {
	key := Key([]byte("0123456789abcdef"), "event")
	good, err := json.Marshal(Sign(key, []List{{Swarm: name, After: 4, Hashes: []string{hashOf("5").String(), ""}, From: 1, To: MaxID}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"v":1,"boot":"b","disputed":[{"infoHash":"AAAAAAAAAAAAAAAAAAAA","id":7}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := DecodeReply(b); err == nil && len(r.Disputed) > maxDisputes {
			t.Errorf("%d disputes", len(r.Disputed))
		}
		a, err := DecodeAnswer(key, b)
		if err != nil {
			return
		}
		k := NewKnown()
		for _, l := range a.Lists {
			k.Learn(l, start)
		}
	})
}
