package sockets

import (
	"errors"
	"io"
	"sync"
)

// Message is the bytes of one message, in a pooled buffer.
type Message struct {
	Bytes []byte
	owner *conn // counts the buffer; nil while it is in the pool
	held  int
}

// keepBytes is the largest buffer that is returned to the pool: a browser's announce has 5 to 11 KB.
const keepBytes = 16 << 10

var messages = sync.Pool{New: func() any { return &Message{Bytes: make([]byte, 0, 4096)} }}

// Release returns the buffer to the pool; the bytes must not be used afterwards.
func (m *Message) Release() {
	m.disown()
	if cap(m.Bytes) > keepBytes {
		return
	}
	m.Bytes = m.Bytes[:0]
	messages.Put(m)
}

// disown ends that the owner counts the buffer.
func (m *Message) disown() {
	if m.owner != nil {
		m.owner.hold(-m.held)
		m.owner, m.held = nil, 0
	}
}

// readMessage reads r to its end. The buffer counts as held by owner until the message is released.
func readMessage(r io.Reader, owner *conn) (*Message, error) {
	m := messages.Get().(*Message)
	m.owner = owner
	b := m.Bytes[:0]
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		if n := cap(b) - m.held; n > 0 {
			m.held += n
			owner.hold(n)
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		m.Bytes = b
		switch {
		case errors.Is(err, io.EOF):
			return m, nil
		case err != nil:
			m.Release()
			return nil, err
		}
	}
}

// queues are the buffers in which frames wait to be written.
var queues = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func releaseQueue(b *[]byte) {
	if cap(*b) > keepBytes {
		return
	}
	*b = (*b)[:0]
	queues.Put(b)
}

// Opcodes of RFC 6455 §11.8.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// appendFrame appends one unmasked, final frame (RFC 6455 §5.2).
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, byte(n))
	case n < 1<<16:
		dst = append(dst, 126, byte(n>>8), byte(n))
	default:
		dst = append(dst, 127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, payload...)
}
