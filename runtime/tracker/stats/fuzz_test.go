package stats

import (
	"bytes"
	"net/url"
	"testing"
)

// FuzzDecode: the operator must survive any answer of a pod.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"boot":"b","viewersKnown":true,"viewers":3,"peerable":null,"offload":{"reading":3,"totals":{"http":1}}}`))
	f.Add([]byte(`{"v":1,"boot":"b","renditions":[{"name":"720p","swarms":[{"generation":"v2.3","infoHash":"x"}]}],"seederStates":[{"id":"s"}]}`))
	f.Add([]byte(`{"v":2,"boot":"b"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(bytes.NewReader(b))
		if err != nil {
			return
		}
		if s.Version != Version || s.Boot == "" {
			t.Fatalf("took %+v", s)
		}
		for _, r := range s.Renditions {
			r.InfoHashes()
		}
	})
}

// FuzzKeptOf: what KeptOf accepts is what AccumulatePath writes.
func FuzzKeptOf(f *testing.F) {
	f.Add("accumulate=1&kept=7:1f0c&kept=1:b")
	f.Add("accumulate=1&kept=-1:b")
	f.Add("kept=1:b")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		kept, err := KeptOf(query)
		if err != nil || kept == nil {
			return
		}
		u, err := url.Parse(AccumulatePath(kept))
		if err != nil {
			t.Fatal(err)
		}
		again, err := KeptOf(u.Query())
		if err != nil || len(again) != len(kept) {
			t.Fatalf("%v became %v, %v", kept, again, err)
		}
		for boot, reading := range kept {
			if again[boot] != reading {
				t.Fatalf("%v became %v", kept, again)
			}
		}
	})
}
