package program

import (
	"bytes"
	"sync"
)

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

// tail is the last n bytes of what was kept.
func (o *output) tail(n int) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.kept.Bytes()
	return bytes.Clone(b[max(0, len(b)-n):])
}
