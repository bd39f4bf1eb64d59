// Package mailbox carries work to a goroutine that owns state.
package mailbox

import "sync"

// Mailbox is a queue of functions that one owner goroutine runs. Posting never blocks, so that owners may post to each
// other. Its users bound it: each connection and each transfer has at most a few messages under way.
type Mailbox struct {
	mu     sync.Mutex
	queue  []func()
	signal chan struct{}
	closed bool
}

// New returns an empty mailbox.
func New() *Mailbox { return &Mailbox{signal: make(chan struct{}, 1)} }

// Post queues work; after Close it is dropped.
func (m *Mailbox) Post(work func()) {
	m.mu.Lock()
	if !m.closed {
		m.queue = append(m.queue, work)
	}
	m.mu.Unlock()
	select {
	case m.signal <- struct{}{}:
	default:
	}
}

// Signal delivers a value after work was posted; several posts may share one.
func (m *Mailbox) Signal() <-chan struct{} { return m.signal }

// Take removes what is queued and returns it, oldest first.
func (m *Mailbox) Take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	work := m.queue
	m.queue = nil
	return work
}

// Close drops what is queued and what is posted later.
func (m *Mailbox) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.queue = true, nil
}
