package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/freeport"
)

// Process is one running program.
type Process struct {
	Name string
	// Admin is host:port of /metrics and /readyz; empty if the program was started without.
	Admin string

	cmd      *exec.Cmd
	pid      int
	out, log output
	ended    chan struct{} // closed when it has
	err      error         // then set

	mu       sync.Mutex
	stopping bool
}

// startTime is how long a program may take until it is ready, and endTime to end after SIGTERM.
const (
	startTime = 30 * time.Second
	endTime   = 30 * time.Second
)

// Start runs `p2pstream name --config` with cfg as JSON, and flags after it, until the test ends. It waits until
// /readyz of the given admin address says so; without an address it waits for nothing. A program that ends by itself
// fails the test.
func Start(t testing.TB, name, admin string, cfg any, flags ...string) *Process {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".json")
	if err := os.WriteFile(file, Must[[]byte](t)(json.Marshal(cfg)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Process{Name: name, Admin: admin, ended: make(chan struct{})}
	p.cmd = exec.Command(binary, append([]string{name, "--config", file}, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	// Nothing that a test started outlives it, however it ends.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	p.pid = p.cmd.Process.Pid
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() || os.Getenv("P2PSTREAM_TEST_LOG") != "" {
			t.Logf("%s said, in %d bytes:\n%s", name, p.LogBytes(), p.log.tail(4000))
		}
	})
	if admin != "" {
		Eventually(t, startTime, name+" to be ready", func() bool {
			p.check(t)
			resp, err := http.Get("http://" + admin + "/readyz")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
	return p
}

// check ends the test if the program has ended by itself.
func (p *Process) check(t testing.TB) {
	t.Helper()
	if !p.Alive() {
		t.Fatalf("%s ended by itself: %v\n%s", p.Name, p.err, p.log.tail(8000))
	}
}

// Alive reports whether the program runs.
func (p *Process) Alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// PID is the process id.
func (p *Process) PID() int { return p.pid }

// Stop sends SIGTERM and waits for the end; a program that has ended before fails the test, and so does one that
// needs to be killed, or says that something went wrong.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return
	}
	p.stopping = true
	if !p.Alive() {
		t.Errorf("%s ended by itself: %v\n%s", p.Name, p.err, p.log.tail(8000))
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("ending %s: %v", p.Name, err)
	}
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("%s: %v", p.Name, p.err)
		}
	case <-time.After(endTime):
		t.Errorf("%s did not end within %s", p.Name, endTime)
		_ = p.cmd.Process.Kill() // its end is awaited
		<-p.ended
	}
}

// LogBytes is how much the program has logged.
func (p *Process) LogBytes() int64 { return p.log.written() }

// Log is the beginning of what the program has logged, up to keptOutput bytes.
func (p *Process) Log() string { return string(p.log.tail(keptOutput)) }

// Output is the beginning of what the program has printed.
func (p *Process) Output() []byte { return p.out.tail(keptOutput) }

// keptOutput bounds what is remembered of each output of a program.
const keptOutput = 1 << 20

// output counts what is written, and keeps the beginning.
type output struct {
	mu   sync.Mutex
	n    int64
	kept bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n += int64(len(b))
	if room := keptOutput - o.kept.Len(); room > 0 {
		o.kept.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

func (o *output) written() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n
}

func (o *output) tail(n int) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.kept.Bytes()
	return bytes.Clone(b[max(0, len(b)-n):])
}

// FreeAddress returns 127.0.0.1 and a port that is free for TCP and UDP, and that nobody else in this process was given.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return Must[string](t)(freeport.On("127.0.0.1"))
}

// From is the n-th address that attacks come from, 127.0.n.1: bystanders are at 127.0.0.1, so that limits per address
// tell the two apart.
func From(n int) net.IP { return net.IPv4(127, 0, byte(n), 1) }

// Dialer dials from the n-th address of attackers.
func Dialer(n int) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: From(n)}, Timeout: 10 * time.Second}
}

// proc reads a file of the process in /proc.
func (p *Process) proc(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.pid, name))
	if err != nil {
		p.check(t)
		t.Fatal(err)
	}
	return b
}
