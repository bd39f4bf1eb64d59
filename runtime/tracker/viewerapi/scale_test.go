package viewerapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// crowdReport is a report of a page that has played two renditions.
const crowdReport = `{"action":"report","v":1,"sequence":%d,"role":"viewer","counters":{"http":%d,"seeder":%d,"viewer":%d,"discarded":0,"uploaded":%d},` +
	`"peers":12,"stalls":0,"stallMs":0,"startupMs":800,"checks":{"right":%d,"wrong":0,"unknown":1},` +
	`"played":[{"r":"720p","origin":%d,"seederOutside":%d,"viewerInside":%d},{"r":"audio-en","viewerInside":%d}]%s}`

// crowd is viewers of 200 sites that report over their sockets, and hand on what was answered.
type crowd struct {
	*Handler
	reg  *prometheus.Registry
	all  []crowdViewer
	mu   sync.Mutex
	kept telemetry.Kept
}

type crowdViewer struct {
	ticket   tickets.Ticket
	from     netip.Addr
	sequence int64
	unit     int64  // bytes are multiples of it
	past     []byte // base and receipts, as JSON
}

func newCrowd(tb testing.TB, n int, now func() time.Time) *crowd {
	tb.Helper()
	c := &crowd{reg: prometheus.NewRegistry(), all: make([]crowdViewer, n), kept: telemetry.Kept{}}
	offices, err := sites.New(sites.Config{Mask: sites.Mask{IPv4: 24}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	began := now()
	facts := liveFacts(began)
	c.Handler, err = New(Config{StreamURL: "https://origin.test/live.m3u8", SeederToken: "secret", TotalsKept: true}, Dependencies{
		Swarms: &fakeSwarms{audience: Audience{ViewerSockets: n}}, Facts: &fakeFacts{facts}, Now: now,
		Sites: func() *sites.Map { return offices }}, slog.New(slog.DiscardHandler), c.reg)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range c.all {
		site := i % 200
		c.all[i] = crowdViewer{ticket: tickets.Ticket{Session: fmt.Sprintf("%020d", i), Issued: began},
			from: netip.AddrFrom4([4]byte{10, 9, byte(site), byte(1 + i/200%250)}), unit: 10_000 + int64(i%1000), past: make([]byte, 0, 512)}
	}
	return c
}

// report has one viewer report 100 more units.
func (c *crowd) report(tb testing.TB, v *crowdViewer) {
	v.sequence++
	n := v.sequence * v.unit
	message := fmt.Appendf(nil, crowdReport, v.sequence, 10*n, 20*n, 70*n, 50*n, 12*v.sequence, 10*n, 20*n, 65*n, 5*n, v.past)
	body, ok := telemetry.Answer(c.Report(v.ticket, v.from, message))
	var answer struct {
		Acked, Receipts json.RawMessage
		NextMs          int64
	}
	if err := json.Unmarshal(body, &answer); err != nil || !ok || answer.Acked == nil {
		tb.Errorf("answer %s: %v", body, err)
		return
	}
	if answer.Receipts == nil {
		answer.Receipts = json.RawMessage("[]")
	}
	v.past = fmt.Appendf(v.past[:0], `,"base":%s,"receipts":%s`, answer.Acked, answer.Receipts)
}

// look reads the totals as an operator does, and scrapes the metrics.
func (c *crowd) look(tb testing.TB) {
	c.mu.Lock()
	defer c.mu.Unlock()
	read := c.sums(c.kept)
	c.kept = telemetry.Kept{c.boot: read.Offload.Reading}
	if _, err := c.reg.Gather(); err != nil {
		tb.Error(err)
	}
}

// check compares the totals with what all viewers have told.
func (c *crowd) check(tb testing.TB) {
	tb.Helper()
	var units int64
	for _, v := range c.all {
		units += v.sequence * v.unit
	}
	got := c.Stats()
	want := telemetry.Counters{HTTP: 10 * units, Seeder: 20 * units, Viewer: 70 * units, Uploaded: 50 * units}
	if got.Offload.Totals != want || got.Reporting != len(c.all) || got.Sessions != len(c.all) || got.Evicted != 0 {
		tb.Errorf("%d viewers, %d sessions, %d forgotten, totals %+v; want %d viewers and %+v", got.Reporting, got.Sessions, got.Evicted, got.Offload.Totals, len(c.all), want)
	}
	for reason, n := range got.Refused {
		tb.Errorf("%d reports refused: %s", n, reason)
	}
	var bySite telemetry.Counters
	for _, g := range got.Groups {
		bySite = bySite.Add(g.Totals)
	}
	if bySite != want || len(got.Groups) != min(200, len(c.all)) {
		tb.Errorf("%d sites with %+v, want %+v", len(got.Groups), bySite, want)
	}
}

// TestTotalsOfACrowdAreExact: viewers report beside each other while the totals are read and metrics scraped, and each byte counts
// once.
func TestTotalsOfACrowdAreExact(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newCrowd(t, 3000, func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	for range 4 {
		mu.Lock()
		now = now.Add(5 * time.Second)
		mu.Unlock()
		var wg sync.WaitGroup
		for part := range 4 {
			wg.Go(func() {
				for i := part; i < len(c.all); i += 4 {
					c.report(t, &c.all[i])
					if i%500 == part {
						c.look(t)
					}
				}
			})
		}
		wg.Wait()
	}
	c.check(t)
}

// BenchmarkCrowd has 100,000 viewers report over two rounds at the pace that the tracker asks of that many, in real time, with a
// reading and a scrape every 15 s. It reports the share of one core that the process used, the viewers' part included, and the
// memory that is in use at the end and was not before the first report. The totals must be exact. It takes two minutes: run with
// -benchtime 1x.
func BenchmarkCrowd(b *testing.B) {
	const viewers, rounds = 100_000, 2
	for b.Loop() {
		c := newCrowd(b, viewers, time.Now)
		before := inUse()
		interval, began, used := c.nextReport(), time.Now(), cpuTime(b)
		looked, late := began, time.Duration(0)
		for k := range viewers * rounds {
			due := began.Add(time.Duration(float64(k) / viewers * float64(interval)))
			if wait := time.Until(due); wait > time.Millisecond {
				<-time.After(wait)
			} else {
				late = max(late, -wait)
			}
			c.report(b, &c.all[k%viewers])
			if time.Since(looked) >= 15*time.Second {
				looked = time.Now()
				c.look(b)
			}
		}
		elapsed := time.Since(began)
		used = cpuTime(b) - used
		b.ReportMetric(used.Seconds()/elapsed.Seconds(), "cores")
		b.ReportMetric(float64(inUse()-before)/(1<<20), "MiB")
		b.ReportMetric(float64(viewers*rounds)/elapsed.Seconds(), "reports/s")
		b.ReportMetric(late.Seconds(), "s-late")
		c.check(b)
		runtime.KeepAlive(c)
	}
}

// inUse is the memory in use after a collection.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// cpuTime is the processor time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
