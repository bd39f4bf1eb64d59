package dashboard

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

var begin = time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)

func of[T any](v T) *T { return &v }

// told is what a healthy tracker says of a stream with some viewers, of whom a tenth of the bytes came from the origin.
func told(boot string, viewers int, bytes int64) stats.Stats {
	ratio := .9
	return stats.Stats{Boot: boot, Viewers: viewers, Reporting: viewers, Seeders: 1, Live: of(true), Peerable: of(true),
		Offload: stats.Offload{WindowSeconds: 60, WindowRatio: &ratio, Window: telemetry.Counters{HTTP: 60, Seeder: 240, Viewer: 300},
			Totals: telemetry.Counters{HTTP: bytes / 10, Seeder: bytes * 9 / 10}}}
}

// TestTotalsOfStreamsThatComeAndGo: only what came while a stream was seen is summed, once, whichever tracker speaks for it.
func TestTotalsOfStreamsThatComeAndGo(t *testing.T) {
	n := NewNetwork(OfTracker, begin)
	at := begin
	round := func(all map[string]stats.Stats) {
		r := n.Begin(at)
		for name, s := range all {
			if s.Boot == "" {
				r.Unknown("media", name)
				continue
			}
			r.Add("media", name, s)
		}
		r.End()
		at = at.Add(history.FineStep)
	}
	round(map[string]stats.Stats{"old": told("a", 5, 1_000_000)})
	round(map[string]stats.Stats{"old": told("a", 5, 1_000_100), "new": told("a", 2, 5_000_000)})
	round(map[string]stats.Stats{"old": told("a", 5, 1_000_200), "new": told("a", 2, 5_000_010)})
	round(map[string]stats.Stats{"old": {}, "new": told("a", 2, 5_000_020)})                      // it does not answer,
	round(map[string]stats.Stats{"old": told("a", 5, 1_000_400), "new": told("a", 2, 5_000_030)}) // and answers again
	round(map[string]stats.Stats{"old": told("b", 5, 50)})                                        // its tracker was replaced, and the other one is gone
	round(map[string]stats.Stats{"old": told("b", 5, 2_000_000)})
	want := 100. + 100 + 10 + 10 + 200 + 10 + 50 + 1_999_950
	s := n.Past.Query(history.Query{From: begin, To: at, Points: 100})
	got, viewers := 0., 0.
	for i := range s.Time {
		if !math.IsNaN(s.HTTP[i]) {
			got += s.HTTP[i] + s.Seeder[i]
			viewers = max(viewers, s.ViewersMost[i])
		}
	}
	if math.Abs(got-want) > 10 || viewers != 7 {
		t.Errorf("%v bytes, want %v; %v viewers", got, want, viewers)
	}
	if now := n.Overview(""); now.Streams != 1 || now.Viewers != 5 || len(now.List) != 1 || now.Offload == nil || *now.Offload != .9 || now.BitsPerSecond != 80 || now.OriginBitsPerSecond != 8 {
		t.Errorf("%+v", now)
	}
}

// TestOverviewIsBounded: streams with problems come first, then those with most viewers; a part of a name finds the others.
func TestOverviewIsBounded(t *testing.T) {
	n := NewNetwork(OfCluster, begin)
	r := n.Begin(begin)
	for i := range 700 {
		s := told("a", i, 0)
		if i == 3 {
			s.SourceProblem = "connection refused"
		}
		r.Add("media", fmt.Sprintf("stream-%03d", i), s)
	}
	r.Unknown("media", "starting")
	r.End()
	now := n.Overview("")
	if now.Streams != 701 || now.Unknown != 1 || now.Critical != 1 || now.Watched != 699 || len(now.List) != maxListed || now.More != 701-maxListed {
		t.Fatalf("%d streams, %d unknown, %d critical, %d watched, %d listed, %d more", now.Streams, now.Unknown, now.Critical, now.Watched, len(now.List), now.More)
	}
	if now.List[0].Name != "stream-003" || now.List[1].Name != "stream-699" {
		t.Errorf("%s, %s", now.List[0].Name, now.List[1].Name)
	}
	for match, want := range map[string]int{"stream-00": 10, "MEDIA/start": 1, "media": maxListed, "none": 0, strings.Repeat("x", 1000): 0} {
		if got := n.Overview(match); len(got.List) != want || got.Streams != 701 {
			t.Errorf("%.20s: %d streams", match, len(got.List))
		}
	}
	b, err := n.Encode(url.Values{"match": {"starting"}})
	if err != nil || !strings.Contains(string(b), `"name":"starting","known":false,"live":null,"viewers":0`) || strings.Contains(string(b), "stream-") {
		t.Errorf("%s, %v", b, err)
	}
	var back Overview
	if err := json.Unmarshal(b, &back); err != nil || back.Of != OfCluster {
		t.Error(err, back)
	}
}

// TestSitesOfAllStreams: a line carries the bytes of all streams.
func TestSitesOfAllStreams(t *testing.T) {
	n := NewNetwork(OfTracker, begin)
	at := begin
	for range 10 {
		r := n.Begin(at)
		for i := range 3 {
			s := told("a", 4, 0)
			s.Sites = []stats.Site{{Name: "berlin", Viewers: 4, Copies: of(2.), OneCopyBytes: 600, Window: telemetry.Sources{SeederOutside: 1200}}, {Name: telemetry.OtherSite, Window: telemetry.Sources{Origin: 60}}}
			r.Add("media", fmt.Sprint(i), s)
		}
		r.End()
		at = at.Add(history.FineStep)
	}
	s := n.Past.Query(history.Query{From: begin, To: at, Points: 100})
	if len(s.Sites) != 2 || s.Sites[0].Name != "berlin" || math.Abs(s.Sites[0].LineBytes/s.Sites[0].OneCopyBytes-2) > 1e-3 ||
		math.Abs(s.Sites[0].LineBytes-3*1200*90/60./stay) > 50 || s.Sites[0].Viewers != 12 || s.Sites[1].Name != history.Other {
		t.Errorf("%+v", s.Sites)
	}
}

func TestTooManySites(t *testing.T) {
	all := sites{}
	for i := range maxSites + 100 {
		all.add(history.Part{Name: fmt.Sprint(i), Line: 1})
	}
	line := 0.
	for _, p := range all.list() {
		line += p.Line
	}
	if len(all) != maxSites+1 || line != maxSites+100 || all.list()[0].Name != history.Other {
		t.Errorf("%d sites, %v bytes", len(all), line)
	}
}

// TestStallsAreForgotten: they are a problem while they are many, and none some minutes later.
func TestStallsAreForgotten(t *testing.T) {
	n := NewNetwork(OfTracker, begin)
	at := begin
	stalled := func(i int, ms int64) bool {
		r := n.Begin(at)
		s := told("a", 10, int64(i))
		s.Offload.StallMs = ms
		r.Add("media", "one", s)
		r.End()
		at = at.Add(history.FineStep)
		found := n.Overview("").List[0].Problems
		return len(found) == 1 && found[0].Runbook == "P2PStreamViewersStall"
	}
	stalled(0, 0)
	if !stalled(1, 20_000) || stalled(2, 20_000) == false {
		t.Error("20 s of 100 s are no problem")
	}
	for i := range 200 {
		stalled(3+i, 20_000)
	}
	if stalled(300, 20_000) {
		t.Error("they are a problem half an hour later")
	}
}

// TestProblemsOfAStream: each has a runbook that there is, and that the page of one stream names for the same.
func TestProblemsOfAStream(t *testing.T) {
	page, err := os.ReadFile("../../web/dashboard/problems.ts")
	if err != nil {
		t.Fatal(err)
	}
	var slow telemetry.Spread
	slow.Add(8*time.Second, 10)
	seeder := func(fresh bool, peers, most int) telemetry.SeederReport {
		return telemetry.SeederReport{ID: "s", Fresh: fresh, State: telemetry.SeederState{Peers: peers, MaxPeers: most}}
	}
	site := func(name string, copies float64, viewers int) stats.Site {
		return stats.Site{Name: name, Copies: &copies, Viewers: viewers}
	}
	covered := map[string]bool{}
	for want, change := range map[string]func(*stats.Stats){
		"":                          func(*stats.Stats) {},
		"P2PStreamSourceUnreadable": func(s *stats.Stats) { s.SourceProblem = "x" },
		"P2PStreamSeedersGone":      func(s *stats.Stats) { s.SeederStates = []telemetry.SeederReport{seeder(false, 1, 0)} },
		"P2PStreamLineOverloaded": func(s *stats.Stats) {
			s.Sites = []stats.Site{site("few", 9, 3), site("paris", 2.5, 20), site("lyon", 4, 20), site("good", 1, 20)}
		},
		"P2PStreamNotShared":     func(s *stats.Stats) { s.Peerable = of(false) },
		"P2PStreamStartsSlowly":  func(s *stats.Stats) { s.Offload.RecentWaits = &telemetry.Waits{Startup: slow} },
		"P2PStreamOffloadLost":   func(s *stats.Stats) { s.Offload.WindowRatio = of(.2) },
		"P2PStreamSeedersBehind": func(s *stats.Stats) { s.Behind = []stats.Behind{{Seeder: "s"}} },
		"P2PStreamSeedersFull":   func(s *stats.Stats) { s.SeederStates = []telemetry.SeederReport{seeder(true, 195, 200)} },
		"P2PStreamSegmentsWrong": func(s *stats.Stats) { s.Integrity = &stats.Integrity{Checks: telemetry.Checks{Wrong: 1}} },
		"P2PStreamNoTelemetry":   func(s *stats.Stats) { s.Reporting = 0 },
	} {
		s := told("a", 20, 0)
		change(&s)
		b := BriefOf("media", "one", s, nil)
		got := ""
		for _, p := range b.Problems {
			got += p.Runbook
		}
		if got != want {
			t.Errorf("%s: %+v", want, b.Problems)
		}
		if want == "P2PStreamLineOverloaded" && (b.WorstSite != "lyon" || !b.Overloaded || !strings.Contains(b.Problems[0].Text, "2 sites")) {
			t.Errorf("%+v", b)
		}
		covered[want] = true
	}
	covered["P2PStreamViewersStall"] = true // TestStallsAreForgotten
	for _, m := range regexp.MustCompile(`"(P2PStream\w+)"`).FindAllSubmatch(page, -1) {
		if name := string(m[1]); !covered[name] {
			t.Errorf("the page of one stream knows %s, and that of many does not", name)
		}
	}
	source, err := os.ReadFile("brief.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(P2PStream\w+)"`).FindAllSubmatch(source, -1) {
		if _, err := os.Stat("../../docs/runbooks/" + string(m[1]) + ".md"); err != nil {
			t.Errorf("%s has no runbook: %v", m[1], err)
		}
	}
}
