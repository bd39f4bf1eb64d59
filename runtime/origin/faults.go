package origin

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin/timeline"
)

// writeTimeout is how long one write to a client may take: a client that stops
// reading loses its connection, one that reads slowly does not.
const writeTimeout = 30 * time.Second

// ratePiece is the interval in which pieces of a rate-limited body are sent.
const ratePiece = 50 * time.Millisecond

// garbage is the answer of notplaylist, as from a captive portal or a misconfigured
// web server.
const garbage = "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"

// inject applies the fault f. It reports whether that answered the request;
// otherwise the writer applies the rest of the fault.
func (s *streams) inject(w *writer, r *http.Request, f timeline.Fault) (answered bool) {
	count := func(name string) { s.stats.faults.WithLabelValues(name).Inc() }
	if f.Delay > 0 {
		count("slow")
		if !w.sleep(f.Delay) {
			return true // the client has gone
		}
	}
	switch {
	case f.Status != 0:
		if f.RetryAfter > 0 {
			count("busy")
			w.Header().Set("Retry-After", strconv.FormatInt(f.RetryAfter, 10))
		} else {
			count("status")
		}
		fail(w, f.Status, "injected fault: status "+strconv.Itoa(f.Status))
		return true
	case f.Redirect:
		count("redirect")
		w.Header().Set("Cache-Control", cacheNever)
		http.Redirect(w, r, timeline.WithoutRedirect(r.URL.Path), http.StatusFound) //nolint:gosec // a parsed path begins with /live or /vod and stays on this host
		return true
	case f.Garbage:
		count("notplaylist")
		setType(w, "text/html; charset=utf-8", cacheNever)
		_, _ = io.WriteString(w, garbage) // the client is gone if this fails
		return true
	}
	if f.Truncate {
		count("truncate")
		w.truncate = true
	}
	if f.RateKbit > 0 {
		count("rate")
		w.bytesPerSecond = float64(f.RateKbit) * 1000 / 8
	}
	return false
}

var errTruncated = errors.New("truncated on purpose")

// writer counts what is written, and applies the faults of bodies.
type writer struct {
	http.ResponseWriter
	request *http.Request
	control *http.ResponseController

	truncate       bool
	bytesPerSecond float64

	status  int
	length  int64 // Content-Length; -1: not set
	sent    int64
	cut     bool
	started time.Time // of the body, when its rate is limited
}

func newWriter(w http.ResponseWriter, r *http.Request) *writer {
	return &writer{ResponseWriter: w, request: r, control: http.NewResponseController(w), length: -1}
}

// WriteHeader records status and length.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		if n, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64); err == nil {
			w.length = n
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes at the rate of the fault, and stops in the middle of a body if it
// is to be truncated.
func (w *writer) Write(b []byte) (n int, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.cut {
		return 0, errTruncated
	}
	if w.truncate && w.length >= 0 {
		if rest := w.length/2 - w.sent; int64(len(b)) > rest {
			n, err = w.paced(b[:rest])
			if err == nil {
				w.cut, err = true, errTruncated
			}
			return n, err
		}
	}
	return w.paced(b)
}

// paced writes b no faster than the rate allows.
func (w *writer) paced(b []byte) (n int, err error) {
	if w.bytesPerSecond == 0 {
		return w.write(b)
	}
	if w.started.IsZero() {
		w.started = time.Now()
	}
	piece := max(1, int(w.bytesPerSecond*ratePiece.Seconds()))
	for len(b) > 0 && err == nil {
		var m int
		m, err = w.write(b[:min(piece, len(b))])
		n += m
		b = b[m:]
		if err == nil {
			err = w.control.Flush()
		}
		// Relative to the start of the body, so that errors of single sleeps do not add up.
		due := w.started.Add(time.Duration(float64(w.sent) / w.bytesPerSecond * float64(time.Second)))
		if err == nil && !w.sleep(time.Until(due)) {
			err = w.request.Context().Err()
		}
	}
	return n, err
}

func (w *writer) write(b []byte) (int, error) {
	// Fails for a test's recorder, which needs no deadline.
	_ = w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := w.ResponseWriter.Write(b)
	w.sent += int64(n)
	return n, err
}

// sleep waits, and returns false if the client has gone.
func (w *writer) sleep(d time.Duration) bool {
	if d <= 0 {
		return w.request.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-w.request.Context().Done():
		return false
	}
}

// code returns the status for metrics; "aborted" if the client left before there was one.
func (w *writer) code() string {
	if w.status == 0 {
		return "aborted"
	}
	return strconv.Itoa(w.status)
}

// outcome returns the counts of the request.
func (w *writer) outcome() Count {
	c := Count{Requests: 1, Bytes: w.sent}
	whole := w.length < 0 || w.sent == w.length || w.request.Method == http.MethodHead
	switch {
	case w.status == http.StatusNotModified:
		c.NotModified = 1
	case (w.status == http.StatusOK || w.status == http.StatusPartialContent) && whole:
		c.Complete = 1
	case w.status/100 != 3:
		c.Failed = 1
	}
	if w.status >= http.StatusBadRequest {
		c.Refused = 1
	}
	return c
}
