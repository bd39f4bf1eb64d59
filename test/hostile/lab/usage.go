package lab

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// memory reads one line of /proc/PID/status, such as VmRSS, in bytes.
func (p *Process) memory(t testing.TB, line string) int64 {
	t.Helper()
	for l := range bytes.Lines(p.proc(t, "status")) {
		name, rest, _ := bytes.Cut(l, []byte(":"))
		if string(name) != line {
			continue
		}
		if f := bytes.Fields(rest); len(f) == 2 {
			return Must[int64](t)(strconv.ParseInt(string(f[0]), 10, 64)) << 10
		}
	}
	t.Fatalf("/proc/%d/status has no %s", p.pid, line)
	return 0
}

// RSS is how much memory the process holds, in bytes.
func (p *Process) RSS(t testing.TB) int64 { return p.memory(t, "VmRSS") }

// Peak is the most that the process has held since the last ResetPeak.
func (p *Process) Peak(t testing.TB) int64 { return p.memory(t, "VmHWM") }

// ResetPeak begins a new measurement of Peak.
func (p *Process) ResetPeak(t testing.TB) {
	t.Helper()
	// proc(5): 5 resets the peak resident set size.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.pid), []byte("5"), 0); err != nil {
		p.check(t)
		t.Fatal(err)
	}
}

// clockTick is USER_HZ, which is 100 on every architecture that Go runs on under Linux.
const clockTick = 10 * time.Millisecond

// CPU is how much processor time the process has used, in steps of 10 ms.
func (p *Process) CPU(t testing.TB) time.Duration {
	t.Helper()
	b := p.proc(t, "stat")
	// The name, in brackets, may hold anything; utime and stime are fields 14 and 15.
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	user := Must[int64](t)(strconv.ParseInt(string(f[11]), 10, 64))
	system := Must[int64](t)(strconv.ParseInt(string(f[12]), 10, 64))
	return time.Duration(user+system) * clockTick
}

// Descriptors is how many files and sockets the process has open.
func (p *Process) Descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	if err != nil {
		p.check(t)
		t.Fatal(err)
	}
	return len(entries)
}

// Bounds is what an attack may cost a program.
type Bounds struct {
	// Memory is by how many bytes the process may grow at most, at its peak.
	Memory int64
	// Log is how many bytes it may log.
	Log int64
	// Rest is the share of one processor that it may use when the attack is over, and RestWithin how soon. Defaults
	// 0.25 and 20 s.
	Rest       float64
	RestWithin time.Duration
}

// Watch is a process under attack, as it was before.
type Watch struct {
	p   *Process
	rss int64
	log int64
	cpu time.Duration
}

// Watch notes the state of the process; Check compares.
func (p *Process) Watch(t testing.TB) *Watch {
	t.Helper()
	p.check(t)
	p.ResetPeak(t)
	return &Watch{p: p, rss: p.RSS(t), log: p.LogBytes(), cpu: p.CPU(t)}
}

// restSpan is over what time the share of the processor is measured.
const restSpan = 300 * time.Millisecond

// Check compares what the attack cost with what it may cost, and says both.
func (w *Watch) Check(t testing.TB, b Bounds) {
	t.Helper()
	w.p.check(t)
	if b.Rest == 0 {
		b.Rest = 0.25
	}
	if b.RestWithin == 0 {
		b.RestWithin = 20 * time.Second
	}
	cpu := w.p.CPU(t) - w.cpu
	began := time.Now()
	rest := w.rest(t, b)
	grown, logged := w.p.Peak(t)-w.rss, w.p.LogBytes()-w.log
	t.Logf("%s: memory +%.1f MiB (of %.0f) from %.1f, %d bytes logged (of %d), CPU %v, at rest (%.0f %%) after %v",
		w.p.Name, mib(grown), mib(b.Memory), mib(w.rss), logged, b.Log, cpu, 100*rest, time.Since(began).Round(time.Millisecond))
	if grown > b.Memory {
		t.Errorf("%s grew by %.1f MiB, to %.1f; %.0f are the most", w.p.Name, mib(grown), mib(w.rss+grown), mib(b.Memory))
	}
	if logged > b.Log {
		t.Errorf("%s logged %d bytes, %d are the most; the log ends with\n%s", w.p.Name, logged, b.Log, w.p.log.tail(1000))
	}
	if rest > b.Rest {
		t.Errorf("%s used %.0f %% of a processor %s after the attack", w.p.Name, 100*rest, b.RestWithin)
	}
}

// rest measures until the process is at rest or has had its time, and returns the last share.
func (w *Watch) rest(t testing.TB, b Bounds) float64 {
	t.Helper()
	tick := time.NewTicker(restSpan)
	defer tick.Stop()
	deadline := time.Now().Add(b.RestWithin)
	at, cpu := time.Now(), w.p.CPU(t)
	for {
		<-tick.C
		now, used := time.Now(), w.p.CPU(t)
		share := float64(used-cpu) / float64(now.Sub(at))
		if share <= b.Rest || now.After(deadline) {
			return share
		}
		at, cpu = now, used
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
