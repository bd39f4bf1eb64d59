package telemetry

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// audience is a constructed site: viewers of a live stream that all receive each segment, of which some copies come over the
// line.
type audience struct {
	viewers  []watcher
	segment  time.Duration // of the stream
	bits     int64         // per second
	copies   int           // how many viewers get each segment over the line
	backlog  int           // segments that a newcomer gets at once, from viewers inside
	from     string        // "origin", "seeder" or "viewer": what the copies come from
	interval time.Duration // of reports
	silent   bool          // viewers do not tell sources
}

// watcher is one viewer, in seconds from the begin. It plays the rendition "a" until it switches to "b".
type watcher struct{ joins, leaves, switches float64 }

func crowd(n int, w watcher) []watcher {
	all := make([]watcher, n)
	for i := range all {
		all[i] = w
	}
	return all
}

// play reports what the viewers of a site received for some time, and returns what crossed the line in the last window, and
// the distinct bytes that were received there in that time.
func (s audience) play(t *testing.T, a *Aggregate, site string, seconds int) (outside, distinct int64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	if s.interval == 0 {
		s.interval = 5 * time.Second
	}
	type state struct {
		told     map[string]*Sources
		counters Counters
		next     float64
		sequence int64
		begun    bool
	}
	states := make([]state, len(s.viewers))
	for i := range states {
		states[i] = state{told: map[string]*Sources{}, next: s.viewers[i].joins + rnd.Float64()*s.interval.Seconds()}
	}
	bytes := s.bits / 8 * int64(s.segment) / int64(time.Second)
	window := float64(seconds) - a.cfg.Window.Seconds()
	rendition := func(w watcher, at float64) string {
		if w.switches > 0 && at >= w.switches {
			return "b"
		}
		return "a"
	}
	give := func(i int, at float64, over bool) {
		st := &states[i]
		name := rendition(s.viewers[i], at)
		if st.told[name] == nil {
			st.told[name] = &Sources{}
		}
		p := st.told[name]
		switch {
		case !over:
			p.ViewerInside += bytes
			st.counters.Viewer += bytes
		case s.from == "origin":
			p.Origin += bytes
			st.counters.HTTP += bytes
		case s.from == "viewer":
			p.ViewerOutside += bytes
			st.counters.Viewer += bytes
		default:
			p.SeederOutside += bytes
			st.counters.Seeder += bytes
		}
		if over && at > window {
			outside += bytes
		}
	}
	const step = 0.1
	published := 0
	for tick := range int(float64(seconds) / step) {
		at := float64(tick) * step
		fresh := int(at/s.segment.Seconds()) > published
		if fresh {
			published++
		}
		here := map[string][]int{}
		for i, w := range s.viewers {
			st := &states[i]
			if at < w.joins || at >= w.leaves {
				continue
			}
			if !st.begun {
				st.begun = true
				for range s.backlog {
					give(i, at, false)
				}
			}
			here[rendition(w, at)] = append(here[rendition(w, at)], i)
		}
		for _, name := range []string{"a", "b"} {
			if !fresh || len(here[name]) == 0 {
				continue
			}
			if at > window {
				distinct += bytes
			}
			for n, k := range rnd.Perm(len(here[name])) {
				give(here[name][k], at, n < s.copies)
			}
		}
		for i, w := range s.viewers {
			st := &states[i]
			// The last report is sent on leaving.
			if at < min(st.next, w.leaves) || at < w.joins || st.next > 2*w.leaves {
				continue
			}
			if at >= w.leaves {
				st.next = 3 * w.leaves
			} else {
				st.next = at + s.interval.Seconds()*(0.9+0.2*rnd.Float64())
			}
			st.sequence++
			r := Report{Version: 1, Sequence: st.sequence, Role: RoleViewer, Counters: st.counters}
			for _, name := range []string{"a", "b"} {
				if p := st.told[name]; p != nil && !s.silent {
					r.Played = append(r.Played, Played{name, *p})
				}
			}
			from := Sender{Key: fmt.Sprintf("%s-%d", site, i), Stream: "s", Site: site, Role: RoleViewer,
				Began: start.Add(time.Duration(w.joins * float64(time.Second)))}
			if _, err := a.Accept(from, r, start.Add(time.Duration(at*float64(time.Second)))); err != nil {
				t.Fatalf("viewer %d at %.1f: %v", i, at, err)
			}
		}
	}
	return outside, distinct
}

func siteNamed(t *testing.T, a *Aggregate, name string, now time.Time) SiteSummary {
	t.Helper()
	for _, s := range a.Sites("s", now) {
		if s.Site == name {
			return s
		}
	}
	t.Fatalf("no figures of %q", name)
	return SiteSummary{}
}

// TestCopiesOfConstructedSwarms compares copies with what crossed the line in the last minute.
func TestCopiesOfConstructedSwarms(t *testing.T) {
	const always = 1e9
	var arrivals, churn, rungs, newcomers []watcher
	for i := range 10 {
		newcomers = append(newcomers, watcher{joins: 0.3 * float64(i), leaves: always})
	}
	for i := range 20 {
		arrivals = append(arrivals, watcher{joins: float64(3 * i), leaves: always})
		churn = append(churn, watcher{joins: float64(9 * i), leaves: float64(9*i + 60)})
		rungs = append(rungs, watcher{leaves: always, switches: 150 + float64(3*i)})
	}
	for name, tt := range map[string]struct {
		audience
		seconds int
		within  float64 // relative
	}{
		"one viewer":                          {audience{viewers: crowd(1, watcher{leaves: always}), copies: 1}, 180, 0.08},
		"ten viewers, one copy":               {audience{viewers: crowd(10, watcher{leaves: always}), copies: 1}, 180, 0.08},
		"ten viewers, from the origin":        {audience{viewers: crowd(10, watcher{leaves: always}), copies: 1, from: "origin"}, 180, 0.08},
		"ten viewers, from viewers elsewhere": {audience{viewers: crowd(10, watcher{leaves: always}), copies: 1, from: "viewer"}, 180, 0.08},
		"ten viewers, three copies":           {audience{viewers: crowd(10, watcher{leaves: always}), copies: 3}, 180, 0.08},
		"each takes its own":                  {audience{viewers: crowd(10, watcher{leaves: always}), copies: 10}, 180, 0.08},
		"segments of 10 s":                    {audience{viewers: crowd(10, watcher{leaves: always}), copies: 1, segment: 10 * time.Second}, 240, 0.15},
		"segments of 6 s":                     {audience{viewers: crowd(10, watcher{leaves: always}), copies: 2, segment: 6 * time.Second}, 240, 0.1},
		"seldom reports":                      {audience{viewers: crowd(10, watcher{leaves: always}), copies: 1, interval: 20 * time.Second}, 300, 0.3},
		"ten that have just come":             {audience{viewers: newcomers, copies: 1, backlog: 4}, 75, 0.05},
		"a join storm":                        {audience{viewers: arrivals, copies: 1, backlog: 6}, 70, 0.15},
		"viewers come and go":                 {audience{viewers: churn, copies: 1, backlog: 4}, 180, 0.2},
		"viewers change quality":              {audience{viewers: rungs, copies: 1}, 205, 0.2},
		"viewers that do not tell":            {audience{viewers: crowd(10, watcher{leaves: always}), copies: 1, silent: true}, 180, 0.08},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.segment == 0 {
				tt.segment = 4 * time.Second
			}
			tt.bits = 3_000_000
			a := NewAggregate(Config{}, start)
			outside, distinct := tt.play(t, a, "Berlin", tt.seconds)
			got := siteNamed(t, a, "Berlin", start.Add(time.Duration(tt.seconds)*time.Second))
			want := float64(outside) / float64(distinct)
			copies, ok := got.Copies()
			t.Logf("%.3f copies, in truth %.3f; %.0f bit/s on the line; achieved and achievable %v %v", copies, want, got.LineBitsPerSecond(), first(got.Achieved()), first(got.Achievable()))
			if !ok || copies < want*(1-tt.within) || copies > want*(1+tt.within) {
				t.Errorf("%.3f copies, want %.3f within %.0f %%", copies, want, 100*tt.within)
			}
			line := 8 * float64(outside) / 60
			off := 0.2 + max(0, tt.interval.Seconds()-5)/60 // seldom reports come in lumps
			if rate := got.LineBitsPerSecond(); rate < line*(1-off) || rate > line*(1+off) {
				t.Errorf("%.0f bit/s, want about %.0f", rate, line)
			}
		})
	}
}

func first(v float64, _ bool) float64 { return v }

// TestAchievedOfConstructedSwarms: with one copy and n viewers both are 1 − 1/n; with more copies less is achieved.
func TestAchievedOfConstructedSwarms(t *testing.T) {
	for _, tt := range []struct {
		viewers, copies      int
		achieved, achievable float64
	}{{1, 1, 0, 0}, {10, 1, .9, .9}, {10, 3, .7, .9}, {4, 4, 0, .75}, {10, 0, 1, .9}} {
		a := NewAggregate(Config{}, start)
		s := audience{viewers: crowd(tt.viewers, watcher{leaves: 1e9}), copies: tt.copies, segment: 4 * time.Second, bits: 3_000_000}
		s.play(t, a, "Berlin", 180)
		got := siteNamed(t, a, "Berlin", start.Add(180*time.Second))
		achieved, ok := got.Achieved()
		achievable, ok2 := got.Achievable()
		if !ok || !ok2 || abs(achieved-tt.achieved) > .03 || abs(achievable-tt.achievable) > .03 {
			t.Errorf("%d viewers, %d copies: %.3f of %.3f, want %.2f of %.2f", tt.viewers, tt.copies, achieved, achievable, tt.achieved, tt.achievable)
		}
		if got.Reporting != tt.viewers || got.Telling != tt.viewers || len(got.Renditions) != 1 || got.Renditions[0].Viewers != tt.viewers {
			t.Errorf("%+v", got)
		}
	}
}

func abs(v float64) float64 { return max(v, -v) }
