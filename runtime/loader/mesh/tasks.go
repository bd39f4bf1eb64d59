package mesh

import "sync"

// tasks counts goroutines like a sync.WaitGroup, but may be added to during a Wait, and can be
// closed for good at a moment when none runs.
type tasks struct {
	mu     sync.Mutex
	n      int
	closed bool
	wake   chan struct{}
}

func newTasks() *tasks { return &tasks{wake: make(chan struct{}, 1)} }

// run starts f, or reports false when the tasks are closed.
func (t *tasks) run(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	go func() {
		defer t.done()
		f()
	}()
	return true
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// closeIdle closes the tasks if none runs.
func (t *tasks) closeIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = t.closed || t.n == 0
	return t.closed
}
