package telemetry

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// page is a viewer that reports as viewers do: it hands on what trackers told it.
type page struct {
	from     Sender
	counters Counters
	sequence int64
	base     *Counters
	receipts []Receipt
}

func newPage(key string, now time.Time) *page {
	return &page{from: Sender{Key: key, Stream: "s", Role: RoleViewer, Began: now}}
}

// report tells a tracker of n more bytes of each kind; the answer may get lost.
func (p *page) report(t *testing.T, a *Aggregate, now time.Time, n int64, lost bool) {
	t.Helper()
	p.sequence++
	p.counters = p.counters.Add(Counters{HTTP: n, Seeder: 2 * n, Viewer: 3 * n, Discarded: n / 2, Uploaded: n})
	sent := Report{Version: 1, Role: RoleViewer, Sequence: p.sequence, Counters: p.counters, Base: p.base, Receipts: p.receipts}
	raw, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeReport(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	r, err := a.Accept(p.from, got, now)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if !lost {
		p.base, p.receipts = &r.Acked, r.Receipts
	}
}

func read(a *Aggregate, now time.Time, kept Kept) (int64, Counters) {
	number := a.MarkRead(now, kept)
	return number, a.Summary(now).Stream("s", RoleViewer).Totals
}

// TestOnlyKeptIsAcknowledged follows one viewer over a tracker's readings.
func TestOnlyKeptIsAcknowledged(t *testing.T) {
	t.Parallel()
	now := start
	tick := func() time.Time { now = now.Add(5 * time.Second); return now }
	a := NewAggregate(Config{OnlyRead: true, Boot: "a"}, now)
	p := newPage("k", now)
	for i, step := range []struct {
		bytes    int64
		kept     Kept // nil: no reading
		acked    int64
		receipts string
	}{
		{100, nil, 0, "[{a 1 100}]"},
		{100, Kept{}, 0, "[{a 1 200}]"},         // reading 1: 200
		{100, nil, 0, "[{a 1 200} {a 2 300}]"},  // 200 were read; not known yet whether they were stored
		{0, Kept{"a": 1}, 0, ""},                // reading 2: 300, and 200 are kept
		{0, nil, 200, "[{a 2 300}]"},            //
		{0, Kept{"a": 1}, 200, ""},              // nothing is new: still reading 2
		{50, nil, 200, "[{a 2 300} {a 3 350}]"}, //
		{0, Kept{"a": 2}, 0, ""},                // reading 3: 350
		{0, Kept{"a": 3}, 0, ""},
		{0, nil, 350, "[]"},
	} {
		if step.bytes > 0 || step.kept == nil {
			p.report(t, a, tick(), step.bytes, false)
			got := fmt.Sprint(short(p.receipts))
			if p.base.HTTP != step.acked || got != step.receipts {
				t.Errorf("step %d: acked %d, receipts %s; want %d, %s", i, p.base.HTTP, got, step.acked, step.receipts)
			}
		}
		if step.kept != nil {
			read(a, now, step.kept)
		}
	}
}

type brief struct {
	Boot          string
	Reading, HTTP int64
}

func short(receipts []Receipt) []brief {
	out := []brief{}
	for _, r := range receipts {
		out = append(out, brief{r.Boot, r.Reading, r.Counters.HTTP})
	}
	return out
}

// TestWithoutAReaderAllIsAcknowledged acknowledges at once.
func TestWithoutAReaderAllIsAcknowledged(t *testing.T) {
	t.Parallel()
	a := NewAggregate(Config{Boot: "a"}, start)
	p := newPage("k", start)
	p.report(t, a, start.Add(5*time.Second), 100, false)
	if p.base.HTTP != 100 || len(p.receipts) != 0 {
		t.Errorf("acked %d, %v", p.base.HTTP, p.receipts)
	}
	read(a, start.Add(6*time.Second), Kept{})
	p.report(t, a, start.Add(10*time.Second), 100, false)
	if p.base.HTTP != 100 || fmt.Sprint(short(p.receipts)) != "[{a 2 200}]" {
		t.Errorf("acked %d, %v after a reading", p.base.HTTP, short(p.receipts))
	}
	p.report(t, a, start.Add(2*time.Minute), 100, false)
	if p.base.HTTP != 300 || len(p.receipts) != 0 {
		t.Errorf("acked %d, %v long after the last reading", p.base.HTTP, short(p.receipts))
	}
}

// TestATrackerThatForgot has the bytes of a session that it does not know any more.
func TestATrackerThatForgot(t *testing.T) {
	t.Parallel()
	now := start
	tick := func() time.Time { now = now.Add(5 * time.Second); return now }
	a := NewAggregate(Config{OnlyRead: true, Boot: "a", MaxSessions: 1}, now)
	p, other := newPage("k", now), newPage("other", now)
	p.report(t, a, tick(), 100, false)
	read(a, now, Kept{})
	p.report(t, a, tick(), 100, false)
	other.report(t, a, tick(), 0, false)
	p.report(t, a, tick(), 100, false)
	if _, got := read(a, now, Kept{}); got != p.counters {
		t.Errorf("counted %+v of %+v", got, p.counters)
	}
}

// TestExactOverEnds ends trackers and the reader at random moments: between a reading and its arrival, between its
// arrival and its being kept, and after that. Whatever happens, what is kept in the end is what was sent.
func TestExactOverEnds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		exactOverEnds(t, seed, true)
	}
}

// TestExactWithoutBeingTold does the same to trackers that are not configured with OnlyRead, after the first reading.
func TestExactWithoutBeingTold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		exactOverEnds(t, seed, false)
	}
}

func exactOverEnds(t *testing.T, seed uint64, onlyRead bool) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	now, boots, wasRead := start, 0, false
	var a *Aggregate
	boot := func() {
		boots++
		wasRead = false
		a = NewAggregate(Config{OnlyRead: onlyRead, Boot: fmt.Sprint("boot-", boots), BurstBytes: 1 << 40}, now)
	}
	boot()
	var pages []*page
	for i := range 5 {
		pages = append(pages, newPage(fmt.Sprint(i), now))
	}
	report := func(p *page, n int64) { p.report(t, a, now, n, false) }
	durable := Accumulator{}
	reading := func(kept bool) {
		number, totals := read(a, now, durable.Kept())
		if kept {
			durable.Observe(a.cfg.Boot, number, totals)
		}
		wasRead = true
	}
	for range 60 {
		now = now.Add(5 * time.Second)
		for _, p := range pages {
			if rnd.IntN(4) > 0 {
				report(p, rnd.Int64N(1000))
			}
		}
		switch rnd.IntN(6) {
		case 0, 1:
			reading(true)
		case 2, 3:
			reading(!onlyRead)
		case 4:
			if onlyRead || wasRead {
				boot()
			}
		}
	}
	var want Counters
	for _, p := range pages {
		now = now.Add(5 * time.Second)
		report(p, 10)
		want = want.Add(p.counters)
	}
	reading(true)
	// Uploaded does not make a reading, and is not kept.
	if got := durable.Total; got.HTTP != want.HTTP || got.Seeder != want.Seeder || got.Viewer != want.Viewer || got.Discarded != want.Discarded {
		t.Fatalf("seed %d: kept %+v of %+v over %d trackers", seed, got, want, boots)
	}
}

func TestReceiptsOfStrangers(t *testing.T) {
	t.Parallel()
	for name, receipts := range map[string]string{
		"no boot":         `{"reading":1}`,
		"no reading":      `{"boot":"a"}`,
		"negative bytes":  `{"boot":"a","reading":1,"counters":{"http":-1}}`,
		"above counters":  `{"boot":"a","reading":1,"counters":{"http":101}}`,
		"falling":         `{"boot":"a","reading":1,"counters":{"http":50}},{"boot":"a","reading":2,"counters":{"http":40}}`,
		"too many":        `{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1},{"boot":"a","reading":1}`,
		"not printable":   `{"boot":"\u0000","reading":1}`,
		"another type":    `{"boot":1,"reading":1}`,
		"endless reading": `{"boot":"a","reading":9223372036854775807}`,
	} {
		if _, err := DecodeReport(fmt.Appendf(nil, `{"v":1,"sequence":1,"role":"viewer","counters":{"http":100},"receipts":[%s]}`, receipts)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := DecodeReport([]byte(`{"v":1,"sequence":1,"role":"viewer","counters":{"http":100},"receipts":[{"boot":"a","reading":1,"counters":{"http":100}}]}`)); err != nil {
		t.Error(err)
	}
}
