package telemetry

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func reasonOf(t *testing.T, err error) Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var r *RefusalError
	if !errors.As(err, &r) {
		t.Fatalf("error %v is no *RefusalError", err)
	}
	return r.Reason
}

func TestDecodeReport(t *testing.T) {
	const head = `{"v":1,"sequence":1,"role":"viewer",`
	tests := []struct {
		name, body string
		want       Reason
	}{
		{"smallest", head + `"counters":{}}`, ""},
		{"full", `{"v":1,"session":"s","sequence":7,"role":"viewer","counters":{"http":10,"seeder":5,"viewer":1,"discarded":2,"uploaded":9},"base":{"http":1},"peers":3,"stalls":1,"stallMs":20,"startupMs":300}`, ""},
		{"seeder", `{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"renditions":[{"name":"720p","heldEdge":44,"segments":8}],"peers":2,"maxPeers":200,"uplinkBps":1,"uplinkLimitBps":0}}`, ""},
		{"newer field", head + `"counters":{},"mood":"good"}`, ""},
		{"empty", ``, Malformed},
		{"null", `null`, WrongVersion},
		{"array", `[]`, Malformed},
		{"trailing", head + `"counters":{}} {}`, Malformed},
		{"version", `{"v":2,"sequence":1,"role":"viewer","counters":{}}`, WrongVersion},
		{"role", `{"v":1,"sequence":1,"role":"origin","counters":{}}`, Malformed},
		{"no sequence", `{"v":1,"role":"viewer","counters":{}}`, Malformed},
		{"negative sequence", `{"v":1,"sequence":-1,"role":"viewer","counters":{}}`, Malformed},
		{"negative", head + `"counters":{"http":-1}}`, Negative},
		{"negative base", head + `"counters":{"http":1},"base":{"http":-1}}`, Negative},
		{"unsafe integer", head + `"counters":{"http":9007199254740992}}`, Overflowing},
		{"sum overflows", head + `"counters":{"http":9007199254740991,"seeder":1}}`, Overflowing},
		{"beyond int64", head + `"counters":{"http":9223372036854775808}}`, Malformed},
		{"fraction", head + `"counters":{"http":1.5}}`, Malformed},
		{"base above", head + `"counters":{"http":1},"base":{"http":2}}`, Inconsistent},
		{"discarded above", head + `"counters":{"http":1,"discarded":2}}`, Inconsistent},
		{"peers", head + `"counters":{},"peers":-1}`, Malformed},
		{"stalls", head + `"counters":{},"stalls":99999999999}`, Malformed},
		{"startup", head + `"counters":{},"startupMs":-5}`, Malformed},
		{"viewer as seeder", head + `"counters":{},"seeder":{}}`, Malformed},
		{"long session", head + `"counters":{},"session":"` + strings.Repeat("a", MaxSessionLength+1) + `"}`, Malformed},
		{"control character", head + `"counters":{},"session":"a\n"}`, Malformed},
		{"rendition name", `{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"renditions":[{"name":""}]}}`, Malformed},
		{"held edge", `{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"renditions":[{"name":"a","heldEdge":-2}]}}`, Malformed},
		{"known edge", `{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"renditions":[{"name":"a","knownEdge":-1}]}}`, Malformed},
		{"many renditions", `{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"renditions":[` + strings.Repeat(`{"name":"a"},`, MaxRenditions) + `{"name":"a"}]}}`, Malformed},
		{"uplink", `{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"uplinkBps":-1}}`, Malformed},
		{"too large", head + `"counters":{}}` + strings.Repeat(" ", MaxReportSize), TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeReport([]byte(tt.body))
			if got := reasonOf(t, err); got != tt.want {
				t.Fatalf("reason %q, want %q (%v)", got, tt.want, err)
			}
		})
	}
}

func FuzzDecodeReport(f *testing.F) {
	f.Add([]byte(`{"v":1,"session":"s","sequence":7,"role":"viewer","counters":{"http":10,"discarded":2},"base":{"http":1},"peers":3}`))
	f.Add([]byte(`{"v":1,"sequence":1,"role":"seeder","counters":{},"seeder":{"renditions":[{"name":"720p","heldEdge":44,"segments":8}]}}`))
	f.Add([]byte(`{"v":1,"sequence":1,"role":"viewer","counters":{"http":9007199254740991,"seeder":9007199254740991}}`))
	f.Add([]byte(`{"v":1,"sequence":9,"role":"viewer","counters":{"viewer":90},"base":{"viewer":10},"receipts":[{"boot":"a","reading":3,"counters":{"viewer":40}},{"boot":"b","reading":1,"counters":{"viewer":60}}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeReport(b)
		if err != nil {
			reasonOf(t, err)
			return
		}
		if r.Counters.check() != "" || r.Counters.Received() < 0 || (r.Base != nil && !r.Counters.AtLeast(*r.Base)) {
			t.Fatalf("accepted %+v", r)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeReport(again); err != nil && len(again) <= MaxReportSize {
			t.Fatalf("does not read its own writing %s: %v", again, err)
		}
		// Whatever a report claims about earlier trackers, it never counts for more than it claims to have received.
		a := NewAggregate(Config{OnlyRead: true, Boot: "b"}, start)
		if _, err := a.Accept(Sender{Key: "k", Stream: "s", Role: r.Role}, r, start.Add(time.Minute)); err != nil {
			reasonOf(t, err)
			return
		}
		for _, kept := range []Kept{{"a": 3}, {}, {"b": 1}} {
			a.MarkRead(start.Add(time.Minute), kept)
			if total := a.Summary(start.Add(time.Minute)).Stream("s", r.Role).Totals; !r.Counters.AtLeast(total) {
				t.Fatalf("counted %+v of %+v", total, r)
			}
		}
	})
}

func BenchmarkDecodeReport(b *testing.B) {
	body := []byte(`{"v":1,"session":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","sequence":7,"role":"viewer","counters":{"http":10,"seeder":5,"viewer":1,"discarded":2,"uploaded":9},"base":{"http":1,"seeder":0,"viewer":0,"discarded":0,"uploaded":0},"peers":3,"stalls":1,"stallMs":20,"startupMs":300}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeReport(body); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSwarmOfASeeder(t *testing.T) {
	for id, want := range map[string]Reason{
		"":                                      "",
		"town-hall@tn5w8s":                      "",
		"Stadtfest Köln":                        "",
		strings.Repeat("a", MaxSwarmIDLength):   "",
		strings.Repeat("a", MaxSwarmIDLength+1): Malformed,
		"a\nb":                                  Malformed,
		"a\x00":                                 Malformed,
	} {
		text, err := json.Marshal(map[string]any{"v": 1, "sequence": 1, "role": "seeder", "seeder": map[string]any{"swarmID": id}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := DecodeReport(text)
		var refusal *RefusalError
		if errors.As(err, &refusal) {
			if refusal.Reason != want {
				t.Errorf("%q: %v", id, err)
			}
			continue
		}
		if want != "" || r.Seeder.SwarmID != id {
			t.Errorf("%q: accepted %+v", id, r.Seeder)
		}
	}
}

func TestSiteOfAnEdgeSeeder(t *testing.T) {
	for site, good := range map[string]bool{"": true, "Büro 2": true, strings.Repeat("a", MaxSiteLength): true,
		strings.Repeat("a", MaxSiteLength+1): false, "a\nb": false} {
		text, err := json.Marshal(map[string]any{"v": 1, "sequence": 1, "role": "seeder", "seeder": map[string]any{"edgeSite": site}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := DecodeReport(text)
		if (err == nil) != good || good && r.Seeder.EdgeSite != site {
			t.Errorf("%q: %v", site, err)
		}
	}
}
