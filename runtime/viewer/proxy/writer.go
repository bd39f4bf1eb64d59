package proxy

import (
	"bytes"
	"net/http"
	"time"
)

// writeTimeout is how long a player may read no byte before it is disconnected. A
// slow reader is not.
const writeTimeout = 30 * time.Second

// writer counts what is written and sets a deadline for every write.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	time    time.Duration // that each write may take
	status  int
	sent    int64
	first   func() // called at the first byte of a body
}

func newWriter(w http.ResponseWriter, each time.Duration) *writer {
	return &writer{ResponseWriter: w, control: http.NewResponseController(w), time: each}
}

// WriteHeader notes the status.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.setDeadline()
	w.ResponseWriter.WriteHeader(status)
}

// Write writes b within the deadline.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.first != nil && len(b) > 0 {
		w.first()
		w.first = nil
	}
	w.setDeadline()
	n, err := w.ResponseWriter.Write(b)
	w.sent += int64(n)
	return n, err
}

func (w *writer) setDeadline() {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.time)) // recorders of tests have none
}

// code is the status; 499 when the player left before there was one.
func (w *writer) code() int {
	if w.status == 0 {
		return 499
	}
	return w.status
}

func (w *writer) header(kind, cache, etag string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	if etag != "" {
		h.Set("ETag", etag)
	}
}

// text answers with a playlist.
func (w *writer) text(r *http.Request, text []byte, etag, cache string) {
	w.body(r, playlistType, text, etag, cache)
}

// body answers with all of a body or the part that is asked for.
func (w *writer) body(r *http.Request, kind string, data []byte, etag, cache string) {
	w.header(kind, cache, etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// problem answers with an error, unless an answer has begun.
func (w *writer) problem(p *problem) {
	if w.status != 0 {
		return
	}
	h := w.Header()
	for _, name := range []string{"ETag", "Content-Length", "Content-Range", "Accept-Ranges"} {
		h.Del(name)
	}
	h.Set("Cache-Control", cacheNever)
	if p.retry {
		h.Set("Retry-After", "1")
	}
	http.Error(w, "p2pstream: "+p.text, p.status)
}
