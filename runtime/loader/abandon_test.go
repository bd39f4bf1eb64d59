package loader

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// TestAbandonedBytesAreKept: a player that reads a segment whose transfer from the origin is given up notices nothing.
func TestAbandonedBytesAreKept(t *testing.T) {
	f := newFilm(t)
	const path = "/a/3.ts"
	whole := bytesOf(path)
	half := len(whole) / 2
	hung := make(chan struct{})
	f.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path || r.Header.Get("Range") != "" {
			return false
		}
		w.Header().Set("Accept-Ranges", "bytes")
		w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
		_, _ = w.Write(whole[:half])
		_ = http.NewResponseController(w).Flush()
		close(hung)
		<-r.Context().Done()
		return true
	})
	e := onDemandEngine(t, f, nil)
	w := watch(t, e, f.URL+"/a.m3u8")
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := read(t, w, f.URL+path)
		done <- result{data, err}
	}()
	<-hung
	e.mu.Lock()
	r := e.renditions[0]
	e.mu.Unlock()
	var received int64
	until(t, "half of the segment", func() bool {
		answer := make(chan int64, 1)
		r.mail.Post(func() {
			seg := r.byKey[store.Key(f.URL+path)]
			if a := seg.arriving.Load(); a != nil && seg.state == schedule.Fetching && a.received == int64(half) {
				r.abandon(seg, time.Now())
				answer <- a.received
				return
			}
			answer <- 0
		})
		received = <-answer
		return received > 0
	})
	got := <-done
	if got.err != nil || !bytes.Equal(got.data, whole) {
		t.Errorf("the player got %d of %d bytes, %v", len(got.data), len(whole), got.err)
	}
	if c := e.Counters(); c.Discarded != 0 {
		t.Errorf("%d bytes were thrown away", c.Discarded)
	}
}
