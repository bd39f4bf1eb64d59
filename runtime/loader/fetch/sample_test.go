package fetch

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// TestSample compares parts of segments, of which some are parts of files, with what an origin gives.
func TestSample(t *testing.T) {
	file := make([]byte, 1<<20)
	_, _ = rand.Read(file)
	other := bytes.Clone(file)
	for i := range other {
		other[i] ^= 1
	}
	var sent atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/whole" {
			_, _ = w.Write(file)
			return
		}
		rec := httptest.NewRecorder()
		http.ServeContent(rec, r, "", time.Time{}, bytes.NewReader(file))
		sent.Add(int64(rec.Body.Len()))
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = rec.Body.WriteTo(w)
	}))
	defer origin.Close()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: origin.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	v := NewVerifier(source, &traffic.Recorder{})
	for name, tt := range map[string]struct {
		segment manifest.Segment
		data    []byte
		same    bool
		most    int64
	}{
		"the same":         {manifest.Segment{URL: origin.URL + "/file"}, file, true, 1 << 15},
		"others":           {manifest.Segment{URL: origin.URL + "/file"}, other, false, 1 << 15},
		"part of a file":   {manifest.Segment{URL: origin.URL + "/file", Range: &manifest.ByteRange{Offset: 1000, Length: 100_000}}, file[1000:101_000], true, 4096},
		"others of a part": {manifest.Segment{URL: origin.URL + "/file", Range: &manifest.ByteRange{Offset: 1000, Length: 100_000}}, other[1000:101_000], false, 4096},
		"little":           {manifest.Segment{URL: origin.URL + "/file", Range: &manifest.ByteRange{Length: 10}}, file[:10], true, 10},
		"nothing":          {manifest.Segment{URL: origin.URL + "/file"}, nil, true, 0},
	} {
		sent.Store(0)
		if same, err := v.sample(t.Context(), tt.segment, tt.data); err != nil || same != tt.same || sent.Load() > tt.most {
			t.Errorf("%s: %v, %v after %d bytes, want %v after %d at most", name, same, err, sent.Load(), tt.same, tt.most)
		}
	}
	if _, err := v.sample(t.Context(), manifest.Segment{URL: origin.URL + "/whole"}, file); manifest.ReasonOf(err) != manifest.ReasonRangeIgnored {
		t.Errorf("of an origin without ranges: %v", err)
	}
}

// TestSlowOriginsKeepFewSegments: what is compared waits for the origin with its bytes, so no more than a few do.
func TestSlowOriginsKeepFewSegments(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	origin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer origin.Close()
	defer stop()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: origin.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	counters := &traffic.Recorder{}
	v := NewVerifier(source, counters)
	var all sync.WaitGroup
	var ended atomic.Int64
	for range 5 * maxCompared {
		all.Go(func() {
			_, _ = v.Contradicts(ctx, manifest.Segment{URL: origin.URL + "/s"}, []byte("x"), true)
			ended.Add(1)
		})
	}
	for deadline := time.Now().Add(20 * time.Second); ended.Load() != 4*maxCompared; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d wait", 5*maxCompared-ended.Load(), 5*maxCompared)
		}
	}
	stop()
	all.Wait()
	if n := counters.Comparisons[traffic.Uncompared].Load(); n != 5*maxCompared {
		t.Errorf("%d are counted", n)
	}
}
