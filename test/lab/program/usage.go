package program

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// Usage is what the kernel says of a process.
type Usage struct {
	// RSS is how much memory it holds, in bytes.
	RSS int64
	// CPU is how much processor time all of its threads have used, in steps of 10 ms.
	CPU time.Duration
	// Descriptors is how many files and sockets it has open.
	Descriptors int
}

// clockTick is USER_HZ, which is 100 on every architecture that Go runs on under Linux.
const clockTick = 10 * time.Millisecond

// ReadUsage reads /proc of a process, which only Linux has.
func ReadUsage(pid int) (Usage, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	descriptors, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return Usage{}, fmt.Errorf("reading descriptors of a process (this needs Linux): %w", err)
	}
	memory, err := os.ReadFile(dir + "/statm")
	if err != nil {
		return Usage{}, fmt.Errorf("reading memory of a process: %w", err)
	}
	times, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, fmt.Errorf("reading times of a process: %w", err)
	}
	return parseUsage(len(descriptors), string(memory), string(times))
}

func parseUsage(descriptors int, memory, times string) (Usage, error) {
	u := Usage{Descriptors: descriptors}
	pages := strings.Fields(memory)
	// The name of the program, in parentheses, may hold anything. utime and stime are fields 14 and 15 of proc(5).
	_, rest, _ := strings.Cut(times[strings.LastIndexByte(times, ')')+1:], " ")
	fields := strings.Fields(rest)
	if len(pages) < 2 || len(fields) < 13 {
		return u, fmt.Errorf("reading /proc: %q and %q are too short", memory, times)
	}
	var numbers [3]int64
	for i, text := range []string{pages[1], fields[11], fields[12]} {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return u, fmt.Errorf("reading /proc: %w", err)
		}
		numbers[i] = n
	}
	u.RSS, u.CPU = numbers[0]*int64(os.Getpagesize()), time.Duration(numbers[1]+numbers[2])*clockTick
	return u, nil
}

// Usage is ReadUsage for tests.
func (p *Process) Usage(t testing.TB) Usage {
	t.Helper()
	u, err := ReadUsage(p.PID())
	if err != nil {
		p.Running(t)
		t.Fatal(err)
	}
	return u
}

// Peak is the most memory that a process has held since its measurement began.
type Peak struct {
	p       *Process
	highest int64 // before the kernel's own measurement began anew
}

// Peak begins a measurement. Several may run, one within the other.
func (p *Process) Peak(t testing.TB) *Peak {
	t.Helper()
	p.measuring.Lock()
	defer p.measuring.Unlock()
	now := p.highWater(t)
	for _, other := range p.peaks {
		other.highest = max(other.highest, now)
	}
	// proc(5): 5 resets the peak resident set size.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID()), []byte("5"), 0); err != nil {
		p.Running(t)
		t.Fatalf("resetting the peak of %s: %v", p.Name, err)
	}
	m := &Peak{p: p}
	p.peaks = append(p.peaks, m)
	return m
}

// Bytes is the peak so far.
func (m *Peak) Bytes(t testing.TB) int64 {
	t.Helper()
	m.p.measuring.Lock()
	defer m.p.measuring.Unlock()
	return max(m.highest, m.p.highWater(t))
}

// highWater is the peak resident set size that the kernel knows, in bytes.
func (p *Process) highWater(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		p.Running(t)
		t.Fatalf("reading the peak of %s: %v", p.Name, err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			return lab.Must[int64](t)(strconv.ParseInt(kib, 10, 64)) << 10
		}
	}
	t.Fatalf("/proc/%d/status does not say VmHWM", p.PID())
	return 0
}
