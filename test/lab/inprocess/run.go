package inprocess

import (
	"context"
	"sync"
	"testing"
	"time"
)

// Program is what every program of p2pstream can do: Run until the context ends, and say when it is ready.
type Program interface {
	Run(context.Context) error
	Ready() <-chan struct{}
}

// Times of a program's life, far above what any needs: a viewer waits for answers to its last offers before it ends.
const (
	startTime = time.Minute
	endTime   = time.Minute
)

// Run runs a program until the returned stop is called or the test ends, and waits until it is ready. stop waits until
// the program has ended, and may be called more than once. An error of the program fails the test.
func Run(t testing.TB, p Program) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("running %T: %v", p, err)
			}
		case <-time.After(endTime):
			t.Errorf("%T did not end within %s", p, endTime)
		}
	})
	t.Cleanup(stop)
	select {
	case <-p.Ready():
	case err := <-done:
		done <- err // for stop
		t.Fatalf("%T ended before it was ready", p)
	case <-time.After(startTime):
		t.Fatalf("%T was not ready within %s", p, startTime)
	}
	return stop
}
