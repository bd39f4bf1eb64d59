package bystander

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/program"
)

// Bounds is what an attack may cost a program.
type Bounds struct {
	// Memory is by how many bytes the process may grow at most, at its peak.
	Memory int64
	// Log is how many bytes it may log.
	Log int64
	// Rest is the share of one processor that it may use when the attack is over, and RestWithin how soon it must be down to
	// that. Defaults
	// 0.25 and 20 s.
	Rest       float64
	RestWithin time.Duration
}

// Cost is a program under attack, as it was before.
type Cost struct {
	p    *program.Process
	peak *program.Peak
	rss  int64
	log  int64
	cpu  time.Duration
}

// Measure notes the state of the program before an attack; Check compares.
func Measure(t testing.TB, p *program.Process) *Cost {
	t.Helper()
	p.Running(t)
	return &Cost{p: p, peak: p.Peak(t), rss: p.Usage(t).RSS, log: p.LogBytes(), cpu: p.Usage(t).CPU}
}

// restSpan is the time over which the share of the processor is measured.
const restSpan = 200 * time.Millisecond

// Check compares what the attack cost with what it may cost, and says both.
func (c *Cost) Check(t testing.TB, b Bounds) {
	t.Helper()
	c.p.Running(t)
	if b.Rest == 0 {
		b.Rest = 0.25
	}
	if b.RestWithin == 0 {
		b.RestWithin = 20 * time.Second
	}
	cpu := c.p.Usage(t).CPU - c.cpu
	began := time.Now()
	rest := c.rest(t, b)
	grown, logged := c.peak.Bytes(t)-c.rss, c.p.LogBytes()-c.log
	t.Logf("%s: memory +%.1f MiB (of %.0f) from %.1f, %d bytes logged (of %d), CPU %v, at rest (%.0f %%) after %v",
		c.p.Name, mib(grown), mib(b.Memory), mib(c.rss), logged, b.Log, cpu, 100*rest, time.Since(began).Round(time.Millisecond))
	if grown > b.Memory {
		t.Errorf("%s grew by %.1f MiB, to %.1f; %.0f are the most", c.p.Name, mib(grown), mib(c.rss+grown), mib(b.Memory))
	}
	if logged > b.Log {
		t.Errorf("%s logged %d bytes, %d are the most; the log ends with\n%s", c.p.Name, logged, b.Log, c.p.LogTail(1000))
	}
	if rest > b.Rest {
		t.Errorf("%s used %.0f %% of a processor %s after the attack", c.p.Name, 100*rest, b.RestWithin)
	}
}

// rest measures until the process is at rest or has had its time, and returns the last share.
func (c *Cost) rest(t testing.TB, b Bounds) float64 {
	t.Helper()
	tick := time.NewTicker(restSpan)
	defer tick.Stop()
	deadline := time.Now().Add(b.RestWithin)
	at, cpu := time.Now(), c.p.Usage(t).CPU
	for {
		<-tick.C
		now, used := time.Now(), c.p.Usage(t).CPU
		share := float64(used-cpu) / float64(now.Sub(at))
		if share <= b.Rest || now.After(deadline) {
			return share
		}
		at, cpu = now, used
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
