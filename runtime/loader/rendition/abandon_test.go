package rendition

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// TestAbandonedBytesAreKept: a player that reads a segment whose transfer from the origin is abandoned notices nothing.
func TestAbandonedBytesAreKept(t *testing.T) {
	const path = "/a/3.ts"
	whole := bytes.Repeat([]byte(path+" "), 2000)
	half := len(whole) / 2
	hung := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/a.m3u8":
			_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n")
			for i := range 8 {
				_, _ = fmt.Fprintf(w, "#EXTINF:4,\na/%d.ts\n", i)
			}
			_, _ = io.WriteString(w, "#EXT-X-ENDLIST\n")
		case r.URL.Path == path && r.Header.Get("Range") == "":
			w.Header().Set("Accept-Ranges", "bytes")
			w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
			_, _ = w.Write(whole[:half])
			_ = http.NewResponseController(w).Flush()
			close(hung)
			<-r.Context().Done()
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(whole))
		}
	}))
	defer origin.Close()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: origin.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	shared := newShared(source)
	shared.Settings.OnDemand = true
	r := New(t.Context(), shared, manifest.Rendition{Name: "a", Stream: identity.Stream{URI: origin.URL + "/a.m3u8"}})
	defer shared.Work.Wait()
	shared.Work.Go(r.Run)
	defer r.Leave()
	w := r.Watch(func() {})
	defer w.Close()
	if _, _, err := w.Playlist(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		reader, err := w.Open(t.Context(), origin.URL+path)
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer func() { _ = reader.Close() }()
		data, err := io.ReadAll(reader)
		done <- result{data, err}
	}()
	<-hung
	abandoned := make(chan struct{})
	stop := time.AfterFunc(20*time.Second, func() { t.Error("half of the segment did not arrive within 20 s"); close(abandoned) })
	defer stop.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		answer := make(chan bool, 1)
		r.mail.Post(func() {
			seg := r.core.ByKey(store.Key(origin.URL + path))
			if seg.Progress().Received != int64(half) {
				answer <- false
				return
			}
			r.core.Abandon(seg, time.Now())
			answer <- true
		})
		select {
		case <-abandoned:
			return
		case <-tick.C:
			waiting = !<-answer
		}
	}
	got := <-done
	if got.err != nil || !bytes.Equal(got.data, whole) {
		t.Errorf("the player got %d of %d bytes, %v", len(got.data), len(whole), got.err)
	}
	if c := shared.Counters.Counters(); c.Discarded != 0 {
		t.Errorf("%d bytes were discarded", c.Discarded)
	}
}

// TestBytesOfARequestThatJustEndedAreKept ends a request to a peer at the moment at which the owner decides: what the
// peer brought is in the mailbox. A player that reads those bytes notices nothing.
func TestBytesOfARequestThatJustEndedAreKept(t *testing.T) {
	r := idle(t, 0, 1)
	s, seg, half := connect(t, r), r.core.Segments()[0], []byte("half of it")
	if !r.transit.Reserve(len(half)) {
		t.Fatal("no room")
	}
	now := time.Now()
	seg.Partial = half
	readersOf(seg).SetFeed(ondemand.NewFeed(0, half, -1, now))
	reader := ondemand.NewReader(t.Context(), readersOf(seg).Feed(), false, func() {})
	if n, err := reader.Read(make([]byte, 64)); n != len(half) || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	r.core.Request(s, seg, now)
	s.Closed()
	r.core.Abandon(seg, now)
	for _, work := range r.mail.Take() {
		work()
	}
	if string(seg.Partial) != string(half) || r.shared.Counters.Discarded.Load() != 0 {
		t.Errorf("%q is kept, %d bytes were discarded", seg.Partial, r.shared.Counters.Discarded.Load())
	}
	readersOf(seg).Feed().Finish(append(half, " and the rest"...))
	if rest, err := io.ReadAll(reader); err != nil || string(rest) != " and the rest" {
		t.Errorf("the player then read %q, %v", rest, err)
	}
}
