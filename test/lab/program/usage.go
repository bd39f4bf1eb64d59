package program

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// proc reads a file of the process in /proc, which Linux has.
func (p *Process) proc(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), name))
	if err != nil {
		p.Running(t)
		t.Fatal(err)
	}
	return b
}

// memory reads one line of /proc/PID/status, such as VmRSS, in bytes.
func (p *Process) memory(t testing.TB, line string) int64 {
	t.Helper()
	for l := range bytes.Lines(p.proc(t, "status")) {
		name, rest, _ := bytes.Cut(l, []byte(":"))
		if string(name) != line {
			continue
		}
		if f := bytes.Fields(rest); len(f) == 2 {
			return lab.Must[int64](t)(strconv.ParseInt(string(f[0]), 10, 64)) << 10
		}
	}
	t.Fatalf("/proc/%d/status has no %s", p.PID(), line)
	return 0
}

// RSS is how much memory the process holds, in bytes.
func (p *Process) RSS(t testing.TB) int64 { return p.memory(t, "VmRSS") }

// Peak is the most memory that the process has held since the last ResetPeak, in bytes.
func (p *Process) Peak(t testing.TB) int64 { return p.memory(t, "VmHWM") }

// ResetPeak begins a new measurement of Peak.
func (p *Process) ResetPeak(t testing.TB) {
	t.Helper()
	// proc(5): 5 resets the peak resident set size.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID()), []byte("5"), 0); err != nil {
		p.Running(t)
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
	user := lab.Must[int64](t)(strconv.ParseInt(string(f[11]), 10, 64))
	system := lab.Must[int64](t)(strconv.ParseInt(string(f[12]), 10, 64))
	return time.Duration(user+system) * clockTick
}

// Descriptors is how many files and sockets the process has open.
func (p *Process) Descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		p.Running(t)
		t.Fatal(err)
	}
	return len(entries)
}
