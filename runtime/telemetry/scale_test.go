package telemetry

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The audience of the measurements: as many sessions as a tracker keeps by default, which report as seldom as it asks that many.
const (
	reporters     = 100_000
	reporterSites = 200
	reporterRate  = 2000 // reports a second that a tracker takes by default
)

// reporter is a viewer in a few bytes: it hands on what the tracker answered.
type reporter struct {
	base     Counters
	receipts [2]Receipt
	told     int
	sequence int64
	counters Counters
	played   [3]Sources
}

// town is an audience that reports in turn, with a reader that stores totals every 15 s. It plays three renditions, most of the
// time the last of them.
type town struct {
	*Aggregate
	all      []reporter
	sites    []string
	now      time.Time
	reading  time.Time
	number   int64
	interval time.Duration
	names    map[string]string
}

func newTown(n int) *town {
	v := &town{all: make([]reporter, n), now: start, reading: start, interval: NextReport(n, 5*time.Second, reporterRate),
		names: map[string]string{"main-0": "360p", "main-1": "720p", "main-2": "1080p"}}
	for i := range reporterSites {
		v.sites = append(v.sites, fmt.Sprint("office-", i))
	}
	v.Aggregate = NewAggregate(Config{OnlyRead: true, Boot: "0123456789abcdef"}, start)
	v.SetRenditions(v.names)
	return v
}

// key is that of a ticket, in memory of its own as one that was decoded.
func key(i int) string {
	var b [20]byte
	binary.BigEndian.PutUint64(b[:], uint64(start.UnixMilli()))
	binary.BigEndian.PutUint64(b[8:], uint64(i)*0x9e3779b97f4a7c15)
	return string(b[:])
}

// round has each viewer report once, over the time of one interval.
func (v *town) round(tb testing.TB) {
	step := v.interval / time.Duration(len(v.all))
	for i := range v.all {
		v.now = v.now.Add(step)
		if v.now.Sub(v.reading) >= 15*time.Second {
			v.reading, v.number = v.now, v.MarkRead(v.now, Kept{v.cfg.Boot: v.number})
		}
		v.report(tb, i)
	}
}

func (v *town) report(tb testing.TB, i int) {
	p := &v.all[i]
	p.sequence++
	// 3 Mbit/s and some more or less: a tenth from the origin, a fifth from seeders elsewhere.
	n := int64(v.interval.Seconds()) * int64(350_000+i%50_000)
	more := Sources{Origin: n / 10, SeederOutside: n / 5, ViewerInside: n * 7 / 10}
	playing := 2
	if p.sequence <= 2 {
		playing = int(p.sequence - 1)
	}
	p.played[playing] = p.played[playing].Add(more)
	p.counters = p.counters.Add(Counters{HTTP: more.Origin, Seeder: more.Seeder(), Viewer: more.Viewer(), Discarded: n / 1000, Uploaded: n / 2})
	r := Report{Version: 1, Role: RoleViewer, Sequence: p.sequence, Counters: p.counters, Peers: 12, Stalls: int(p.sequence) / 9,
		StallMs: p.sequence / 9 * 700, StartupMs: 800, Checks: &Checks{Right: p.sequence * 12, Unknown: 1}, Receipts: p.receipts[:p.told]}
	for k := range min(3, int(p.sequence)) {
		r.Played = append(r.Played, Played{strings.Clone([]string{"main-0", "main-1", "main-2"}[k]), p.played[k]})
	}
	if p.sequence > 1 {
		r.Base = &p.base
	}
	from := Sender{Key: key(i), Stream: "s", Site: v.sites[i%len(v.sites)], Role: RoleViewer, Began: start, Interval: v.interval}
	result, err := v.Accept(from, r, v.now)
	if err != nil {
		tb.Fatal(err)
	}
	p.base, p.told = result.Acked, copy(p.receipts[:], result.Receipts)
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkFootprint measures what an aggregate keeps for each of 100,000 sessions that have reported eight times: three
// renditions, 200 sites, a base and receipts in each report, a reading of totals every 15 s. The memory of the reporters is not
// counted. Run with -benchtime 1x.
func BenchmarkFootprint(b *testing.B) {
	for b.Loop() {
		v := newTown(reporters)
		before := heap()
		for range 8 {
			v.round(b)
		}
		b.ReportMetric(float64(heap()-before)/reporters, "B/session")
		runtime.KeepAlive(v)
	}
}

// BenchmarkAtScale measures what a report, a scrape and a reading cost with 100,000 live sessions at 200 sites.
func BenchmarkAtScale(b *testing.B) {
	v := newTown(reporters)
	for range 3 {
		v.round(b)
	}
	b.Run("report", func(b *testing.B) {
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			v.now = v.now.Add(v.interval / reporters)
			v.report(b, i%reporters)
			i++
		}
	})
	b.Run("summary", func(b *testing.B) {
		for b.Loop() {
			v.Summary(v.now)
		}
	})
	b.Run("sites", func(b *testing.B) {
		for b.Loop() {
			v.Sites("s", v.now)
		}
	})
	b.Run("reading", func(b *testing.B) {
		for b.Loop() {
			v.MarkRead(v.now, nil)
		}
	})
}
