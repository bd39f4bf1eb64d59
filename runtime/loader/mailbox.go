package loader

import "sync"

// mailbox carries work to the goroutine that owns a rendition. Posting never
// blocks, so owners may post to each other. It is bounded by its users: each
// connection and each transfer has at most a few messages under way.
type mailbox struct {
	mu     sync.Mutex
	queue  []func()
	signal chan struct{}
	closed bool
}

func newMailbox() *mailbox { return &mailbox{signal: make(chan struct{}, 1)} }

// post queues work; after close it is dropped.
func (m *mailbox) post(work func()) {
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

// take returns what is queued.
func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	work := m.queue
	m.queue = nil
	return work
}

func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.queue = true, nil
}
