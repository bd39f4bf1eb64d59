package history

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"
	"unsafe"
)

var begin = time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)

// run adds a sample every ten seconds for a time, as change makes them of the one before.
func run(r *Ring, from time.Time, d time.Duration, s Sample, change func(i int, s *Sample)) (Sample, time.Time) {
	at := from
	for i := 0; !at.After(from.Add(d)); i++ {
		if change != nil {
			change(i, &s)
		}
		s.At = at
		r.Add(s)
		at = at.Add(FineStep)
	}
	return s, from.Add(d)
}

func sumOf(v Values) (sum float64) {
	for _, x := range v {
		if !math.IsNaN(x) {
			sum += x
		}
	}
	return sum
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(1, math.Abs(a), math.Abs(b)) }

func TestCountersBecomeWhatCame(t *testing.T) {
	r := New()
	_, end := run(r, begin, 2*time.Minute, Sample{Viewers: 3, Counters: Counters{HTTP: 1000}}, func(i int, s *Sample) {
		if i > 0 {
			s.HTTP += 100
			s.Viewer += 300
		}
	})
	got := r.Query(Query{From: begin, To: end, Points: 240})
	if got.StepSeconds != 10 || len(got.Time) != 12 || got.From != begin.Unix() || got.To != end.Unix() {
		t.Fatalf("%d points of %v s", len(got.Time), got.StepSeconds)
	}
	for i := range got.Time {
		if got.HTTP[i] != 100 || got.Viewer[i] != 300 || got.Viewers[i] != 3 || got.ViewersMost[i] != 3 || got.Covered[i] != 10 {
			t.Fatalf("point %d: %v %v %v", i, got.HTTP[i], got.Viewer[i], got.Viewers[i])
		}
	}
}

func TestCountersThatBeganAnew(t *testing.T) {
	r := New()
	for i, c := range []Counters{{HTTP: 1000, Stalls: 7}, {HTTP: 1500, Stalls: 7}, {HTTP: 200, Stalls: 1}, {HTTP: 300, Stalls: 1}} {
		r.Add(Sample{At: begin.Add(time.Duration(i) * FineStep), Counters: c})
	}
	got := r.Query(Query{From: begin, To: begin.Add(30 * time.Second), Points: 10})
	if sumOf(got.HTTP) != 500+200+100 || sumOf(got.Stalls) != 1 {
		t.Errorf("%v bytes and %v stalls", got.HTTP, got.Stalls)
	}
}

func TestClockThatWasSetBack(t *testing.T) {
	r := New()
	r.Add(Sample{At: begin})
	r.Add(Sample{At: begin.Add(10 * time.Second), Counters: Counters{HTTP: 10}})
	r.Add(Sample{At: begin.Add(-time.Hour), Counters: Counters{HTTP: 20}})
	r.Add(Sample{At: begin.Add(20 * time.Second), Counters: Counters{HTTP: 30}})
	got := r.Query(Query{From: begin, To: begin.Add(20 * time.Second), Points: 10})
	if sumOf(got.HTTP) != 30 || sumOf(got.Covered) != 20 {
		t.Errorf("%v bytes in %v s", got.HTTP, got.Covered)
	}
}

// TestNothingIsNotZero: where there was no sample there is no value, also in JSON and CSV.
func TestNothingIsNotZero(t *testing.T) {
	r := New()
	r.Add(Sample{At: begin})
	r.Add(Sample{At: begin.Add(10 * time.Second)})
	got := r.Query(Query{From: begin.Add(-10 * time.Second), To: begin.Add(20 * time.Second), Points: 10})
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"viewers":[null,0,null]`, `"http":[null,0,null]`, `"startupP50Ms":[null,null,null]`, `"sites":[]`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s has no %s", b, want)
		}
	}
	var csv bytes.Buffer
	if err := got.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	if rows := strings.Split(csv.String(), "\n"); !strings.HasPrefix(rows[1], "2026-01-02T07:59:50Z,,") || !strings.HasPrefix(rows[2], "2026-01-02T08:00:00Z,10,0,0,") {
		t.Errorf("%s", csv.String())
	}
}

// TestADay: a whole day is remembered, the last hour finely, and nothing of it twice.
func TestADay(t *testing.T) {
	r := New()
	_, end := run(r, begin, 30*time.Hour, Sample{Viewers: 1}, func(_ int, s *Sample) { s.Viewer += 10 })
	day := r.Query(Query{From: end.Add(-Span), To: end, Points: MaxPoints})
	if day.StepSeconds != 60 || len(day.Time) != MaxPoints {
		t.Fatalf("%d points of %v s", len(day.Time), day.StepSeconds)
	}
	if reach := r.Reach(); reach < Span-time.Minute || reach > Span {
		t.Errorf("it reaches back %s", reach)
	}
	if got, want := sumOf(day.Viewer), Span.Seconds(); !near(got, want) {
		t.Errorf("%v bytes, want %v", got, want)
	}
	for i, c := range day.Covered {
		if !near(c, 60) {
			t.Fatalf("point %d: %v s are known", i, c)
		}
	}
	if hour := r.Query(Query{From: end.Add(-Fine), To: end, Points: 360}); hour.StepSeconds != 10 || sumOf(hour.Viewer) != 3600 {
		t.Errorf("hour: steps of %v s, %v bytes", hour.StepSeconds, sumOf(hour.Viewer))
	}
	if old := r.Query(Query{From: begin, To: end.Add(-Span - time.Hour), Points: 60}); sumOf(old.Covered) != 0 {
		t.Errorf("%v s of the day before are known", sumOf(old.Covered))
	}
}

// TestQuietStreamsNeedNoMemory: a stream without viewers has one slot for each hour at most.
func TestQuietStreamsNeedNoMemory(t *testing.T) {
	r := New()
	_, end := run(r, begin, 30*time.Hour, Sample{Seeders: 2, Counters: Counters{HTTP: 5}}, nil)
	if n := r.fine.count + r.coarse.count; n > 4 {
		t.Errorf("%d slots", n)
	}
	if got := r.Query(Query{From: end.Add(-time.Hour), To: end, Points: 60}); sumOf(got.Covered) != 3600 || got.Seeders[30] != 2 {
		t.Errorf("%v s are known, of %v seeders", sumOf(got.Covered), got.Seeders[30])
	}
	// What comes after a quiet time is not spread over it.
	run(r, end.Add(FineStep), 2*time.Hour, Sample{Seeders: 2, Viewers: 4}, func(_ int, s *Sample) { s.HTTP += 10 })
	before := r.Query(Query{From: end.Add(-time.Hour), To: end.Add(-time.Minute), Points: 60})
	if sumOf(before.HTTP) != 0 || sumOf(before.Viewers) != 0 {
		t.Errorf("%v bytes before they came", before.HTTP)
	}
}

func TestPercentilesAreTheWorst(t *testing.T) {
	r := New()
	_, end := run(r, begin, 2*time.Minute, Sample{}, func(i int, s *Sample) { s.StartupP95 = time.Duration(i) * time.Second })
	got := r.Query(Query{From: begin, To: end, Points: 2})
	if got.StartupP95Ms[0] != 6000 || got.StartupP95Ms[1] != 12000 || !math.IsNaN(got.StallP95Ms[0]) {
		t.Errorf("%v", got.StartupP95Ms)
	}
}

func TestSites(t *testing.T) {
	r := New()
	_, end := run(r, begin, time.Minute, Sample{}, func(_ int, s *Sample) {
		s.Sites = []Part{{Name: "paris", Line: 10, Received: 20, OneCopy: 10, Viewers: 2}, {Name: "lyon", Line: 90, Received: 100, OneCopy: 30, Viewers: 4}, {}}
		s.Renditions = []Part{{Name: "720p", Viewers: 6}}
	})
	got := r.Query(Query{From: begin, To: end, Points: 6})
	if len(got.Sites) != 2 || got.Sites[0].Name != "lyon" || got.Sites[0].LineBytes != 540 || got.Sites[0].OneCopyBytes != 180 || got.Sites[0].Viewers != 4 || got.Sites[1].Line[3] != 10 || got.Sites[0].OneCopy[3] != 30 {
		t.Errorf("%+v", got.Sites)
	}
	if len(got.Renditions) != 1 || got.Renditions[0].Name != "720p" || got.Renditions[0].Watching[0] != 6 {
		t.Errorf("%+v", got.Renditions)
	}
}

// TestManySites: there are no more names than places, none of the bytes is lost, and names of long ago give way.
func TestManySites(t *testing.T) {
	r := New()
	all := func(prefix string, n int) (out []Part) {
		for i := range n {
			out = append(out, Part{Name: fmt.Sprint(prefix, i), Line: 1, Viewers: 1})
		}
		return out
	}
	_, end := run(r, begin, time.Hour, Sample{}, func(_ int, s *Sample) { s.Sites, s.Renditions = all("old", 100), all("r", 20) })
	got := r.Query(Query{From: begin, To: end, Points: 60})
	bytes := 0.
	other := false
	for _, s := range got.Sites {
		bytes += s.LineBytes
		other = other || s.Name == Other && s.LineBytes == 360*36
	}
	if r.Names() != MaxSites+MaxRenditions {
		t.Errorf("%d names", r.Names())
	}
	if len(got.Sites) != MaxSites+1 || !other || bytes != 360*100 || len(got.Renditions) != MaxRenditions+1 {
		t.Fatalf("%d sites, %v bytes, %d renditions", len(got.Sites), bytes, len(got.Renditions))
	}
	_, end = run(r, end.Add(FineStep), Span+time.Hour, Sample{}, nil)
	_, end = run(r, end.Add(FineStep), time.Minute, Sample{}, func(_ int, s *Sample) { s.Sites = all("new", 10) })
	got = r.Query(Query{From: end.Add(-time.Minute), To: end, Points: 60})
	if len(got.Sites) != 10 || !strings.HasPrefix(got.Sites[0].Name, "new") || len(r.sites.ids) > MaxSites || len(r.sites.used) > MaxSites {
		t.Errorf("%d sites, %d names", len(got.Sites), len(r.sites.ids))
	}
}

func TestNamesAreCut(t *testing.T) {
	n := newNames(2)
	n.id(strings.Repeat("ü", 100))
	if name := nameOf(n.all(), 0); len(name) != MaxName || name != strings.Repeat("ü", MaxName/2) {
		t.Errorf("%q", name)
	}
}

// TestAnySamples: whatever comes in whatever rhythm, the bounds hold, and each byte comes out once.
func TestAnySamples(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := New()
		s, at := Sample{At: begin}, begin
		var came []struct {
			at    time.Time
			bytes float64
		}
		for range 9000 {
			s.At, s.Viewers, s.Sites = at, float64(random.IntN(3)), nil
			if random.IntN(3) > 0 {
				s.HTTP += int64(random.IntN(1000))
			}
			for range random.IntN(4) {
				s.Sites = append(s.Sites, Part{Name: fmt.Sprint(random.IntN(90)), Line: float64(random.IntN(100))})
			}
			bytes := 0.
			if r.began {
				bytes = float64(s.HTTP - r.last.HTTP)
			}
			came = append(came, struct {
				at    time.Time
				bytes float64
			}{at, bytes})
			r.Add(s)
			at = at.Add(time.Duration(1+random.IntN(20000)) * time.Millisecond)
		}
		end := s.At
		if bytes := r.Bytes(); bytes < int64(r.bytes()) || bytes > int64(r.bytes())+32<<10 {
			t.Fatalf("seed %d: %d bytes are told, %d are taken by slots", seed, bytes, r.bytes())
		}
		if r.fine.count > fineSlots || r.coarse.count > coarseSlots {
			t.Fatalf("seed %d: %d and %d slots", seed, r.fine.count, r.coarse.count)
		}
		refs := make([]int, MaxSites)
		r.each(func(s *slot) {
			for i, p := range s.parts {
				if i > 0 && s.parts[i-1].id >= p.id {
					t.Fatalf("seed %d: parts out of order", seed)
				}
				if int(p.id) < len(refs) {
					refs[p.id]++
				}
			}
		})
		for i, p := range r.sites.used {
			if p.slots != refs[i] {
				t.Fatalf("seed %d: %q is in %d slots, and %d are counted", seed, p.name, refs[i], p.slots)
			}
		}
		// All that is remembered, cut into points of any size.
		first := end
		r.each(func(s *slot) {
			if f := time.UnixMilli(s.from); f.Before(first) {
				first = f
			}
		})
		want := 0.
		for _, c := range came {
			if c.at.After(first) && end.Sub(first) <= Span {
				want += c.bytes
			}
		}
		for _, points := range []int{7, 240, MaxPoints} {
			q := Query{From: first.Add(-5 * time.Minute), To: end, Points: points}
			got := r.Query(q)
			if len(got.Time) > points || len(got.Time) == 0 || len(got.Viewers) != len(got.Time) {
				t.Fatalf("seed %d: %d points of %d", seed, len(got.Time), points)
			}
			// The first point may be left out, if points are few and long.
			if got.From <= first.Unix() && end.Sub(first) <= Span && !near(sumOf(got.HTTP), want) {
				t.Fatalf("seed %d, %d points: %v bytes, want %v", seed, points, sumOf(got.HTTP), want)
			}
			for i, c := range got.Covered {
				if c > got.StepSeconds*(1+1e-9) {
					t.Fatalf("seed %d: point %d has %v s of %v", seed, i, c, got.StepSeconds)
				}
			}
		}
	}
}

func TestParseQuery(t *testing.T) {
	now := begin.Add(50 * time.Hour)
	for text, want := range map[string]Query{
		"":                   {now.Add(-time.Hour), now, DefaultPoints},
		"from=-15m":          {now.Add(-15 * time.Minute), now, DefaultPoints},
		"from=-48h&points=1": {now.Add(-Span), now, 1},
		"from=-9000h":        {now.Add(-Span), now, DefaultPoints},
		fmt.Sprint("from=", now.Unix()-60, "&to=", now.Unix()-30): {now.Add(-time.Minute), now.Add(-30 * time.Second), DefaultPoints},
		"from=2026-01-04T09:00:00Z&to=2126-01-04T09:00:00Z":       {time.Date(2026, 1, 4, 9, 0, 0, 0, time.UTC), now, DefaultPoints},
		"to=9223372036854775807":                                  {now.Add(-time.Hour), now, DefaultPoints},
	} {
		values, _ := url.ParseQuery(text)
		got, err := ParseQuery(values, now)
		if err != nil || !got.From.Equal(want.From) || !got.To.Equal(want.To) || got.Points != want.Points {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"from=x", "to=now", "from=-1", "from=--1h", "points=0", "points=-1", "points=1441", "points=1e3", "points=x", "points=99999999999999999999",
		"points=" + strings.Repeat("0", 50) + "1", "from=-15m&to=-30m", "from=0&to=1", "from=-30h&to=-25h", "to=0", "from=9999-12-31T23:59:59Z",
		"from=" + strings.Repeat("1", 60), "from=-" + strings.Repeat("1", 30) + "h", "from=99999999999999999999999", "from=%00",
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseQuery(values, now); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestCSV(t *testing.T) {
	r := New()
	_, end := run(r, begin, time.Minute, Sample{}, func(_ int, s *Sample) {
		s.Sites = []Part{{Name: "a,\"b\"\r\n=1+1", Line: 1.5, OneCopy: 0.5}}
		s.Renditions = []Part{{Name: "720p", Viewers: 2}}
	})
	var b bytes.Buffer
	if err := r.Query(Query{From: begin, To: end, Points: 6}).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	last := len(rows[0]) - 1
	if rows[0][last-2] != `line_bytes:a,"b"  =1+1` || rows[1][last-2] != "1.5" || rows[0][last-1] != `one_copy_bytes:a,"b"  =1+1` || rows[1][last-1] != "0.5" || rows[0][last] != "rendition_viewers:720p" || rows[6][last] != "2" || rows[1][0] != "2026-01-02T08:00:00Z" {
		t.Errorf("%v", rows[:2])
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("-15m", "", "10")
	f.Add("0", "2026-01-02T15:04:05Z", "1440")
	f.Add("-9223372036854775808", "9223372036854775807", "1")
	r := New()
	_, end := run(r, begin, 3*time.Hour, Sample{Viewers: 2}, func(_ int, s *Sample) { s.HTTP += 5 })
	f.Fuzz(func(t *testing.T, from, to, points string) {
		q, err := ParseQuery(url.Values{"from": {from}, "to": {to}, "points": {points}}, end)
		if err != nil {
			return
		}
		if q.Points < 1 || q.Points > MaxPoints || !q.From.Before(q.To) || q.To.After(end) || end.Sub(q.From) > Span {
			t.Fatalf("%+v", q)
		}
		got := r.Query(q)
		if len(got.Time) > q.Points || len(got.Time) == 0 {
			t.Fatalf("%d points of %d", len(got.Time), q.Points)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkMemory says what a day takes: of a stream whose viewers tell no sites, and of one with as many sites and renditions as
// there may be.
func BenchmarkMemory(b *testing.B) {
	for name, parts := range map[string]int{"without sites": 0, "with 64 sites": MaxSites} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				r := New()
				run(r, begin, Span, Sample{Viewers: 100}, func(_ int, s *Sample) {
					s.HTTP += 1000
					s.Sites, s.Renditions = nil, nil
					for i := range parts {
						s.Sites = append(s.Sites, Part{Name: fmt.Sprint("site-", i), Line: 10})
					}
					for i := range min(parts, MaxRenditions) {
						s.Renditions = append(s.Renditions, Part{Name: fmt.Sprint("rendition-", i), Viewers: 1})
					}
				})
				b.ReportMetric(float64(r.bytes())/1024, "KiB/stream")
			}
		})
	}
}

// bytes is what the slots take.
func (r *Ring) bytes() (n int) {
	for _, q := range []*queue{&r.fine, &r.coarse} {
		n += cap(q.slots) * int(unsafe.Sizeof(slot{}))
		q.each(func(s *slot) { n += cap(s.parts) * int(unsafe.Sizeof(part{})) })
	}
	return n
}

// TestMemoryIsBounded is the figure that docs/dashboard.md states.
func TestMemoryIsBounded(t *testing.T) {
	r := New()
	var all []Part
	for i := range MaxSites + 10 {
		all = append(all, Part{Name: fmt.Sprint(i), Line: 10})
	}
	run(r, begin, Span+2*time.Hour, Sample{Viewers: 100}, func(_ int, s *Sample) {
		s.HTTP += 1000
		s.Sites, s.Renditions = all, all[:MaxRenditions+1]
	})
	if n := r.Bytes(); n > 6<<20 {
		t.Errorf("%d bytes", n)
	}
	// A day without viewers gives it back.
	run(r, r.last.At.Add(FineStep), Span+2*time.Hour, Sample{}, nil)
	if n := r.Bytes(); n > 24<<10 {
		t.Errorf("%d bytes a day later", n)
	}
}

func BenchmarkQueryDay(b *testing.B) {
	r := New()
	_, end := run(r, begin, Span, Sample{}, func(_ int, s *Sample) {
		s.HTTP += 1000
		s.Sites = nil
		for i := range MaxSites {
			s.Sites = append(s.Sites, Part{Name: fmt.Sprint(i), Line: 10})
		}
	})
	for b.Loop() {
		r.Query(Query{From: end.Add(-Span), To: end, Points: DefaultPoints})
	}
}
