package program

import (
	"context"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// Start launches a program until the test ends. A program that ends by itself, or ends with an exit code other than 0,
// fails the test. A test that fails shows the end of the program's log.
func Start(t testing.TB, s Spec) *Process {
	t.Helper()
	if s.Dir == "" {
		s.Dir = t.TempDir()
	}
	p := lab.Must[*Process](t)(Launch(context.Background(), s))
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() || lab.Verbose() {
			t.Logf("%s logged %d bytes:\n%s", p.Name, p.LogBytes(), p.log.tail(4000))
		}
	})
	return p
}

// Stop is Terminate for tests.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if err := p.Terminate(); err != nil {
		t.Errorf("%v\n%s", err, p.log.tail(8000))
	}
}

// Finish is Wait for tests; it returns what the program printed.
func (p *Process) Finish(t testing.TB, within time.Duration) []byte {
	t.Helper()
	if err := p.Wait(within); err != nil {
		t.Fatalf("%v\n%s", err, p.log.tail(8000))
	}
	return p.Output()
}

// Running fails the test at once if the program has ended by itself.
func (p *Process) Running(t testing.TB) {
	t.Helper()
	if !p.Alive() && !p.Wanted() {
		t.Fatalf("%v\n%s", p.endError(), p.log.tail(8000))
	}
}

// Metrics scrapes the program.
func (p *Process) Metrics(t testing.TB) lab.Metrics {
	t.Helper()
	p.Running(t)
	return lab.Must[lab.Metrics](t)(lab.Scrape(context.Background(), p.Admin))
}

// Counts reports by how much a counter grew while f ran.
func (p *Process) Counts(t testing.TB, f func(), name string, labels ...string) float64 {
	t.Helper()
	before := p.Metrics(t).Sum(name, labels...)
	f()
	return p.Metrics(t).Sum(name, labels...) - before
}
