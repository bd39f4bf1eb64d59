package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestPlaylistsAreAsFreshAsAsked(t *testing.T) {
	f := newFilm(t)
	sequence := 0
	f.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/a.m3u8" {
			return false
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if sequence < 0 {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		sequence++
		_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXTINF:60,\n%d.ts\n", sequence, sequence)
		return true
	})
	e := onDemandEngine(t, f, nil)
	w, err := e.Watch(t.Context(), f.URL+"/a.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	get := func(maxAge time.Duration) (int64, error) {
		p, _, err := w.Playlist(t.Context(), maxAge)
		if p == nil {
			return -1, err
		}
		return p.MediaSequence, err
	}
	for i, want := range []int64{1, 1, 2, 2, 3} {
		maxAge := time.Hour
		if i == 2 || i == 4 {
			maxAge = 0
		}
		if got, err := get(maxAge); got != want || err != nil {
			t.Errorf("call %d: sequence %d, %v; want %d", i, got, err, want)
		}
	}
	f.mu.Lock()
	sequence = -1
	f.mu.Unlock()
	if got, err := get(0); got != 3 || statusOf(err) != http.StatusBadGateway {
		t.Errorf("with the origin in trouble: sequence %d, %v; want 3 and its error", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, _, err := w.Playlist(ctx, 0); p == nil || !errors.Is(err, context.Canceled) {
		t.Errorf("a player that has gone: %v, %v", p, err)
	}
}

func TestPresentationIsLoadedAnew(t *testing.T) {
	f := newFilm(t)
	e := onDemandEngine(t, f, nil)
	w := watch(t, e, f.URL+"/a.m3u8")
	p, err := e.Presentation(t.Context(), time.Hour)
	if err != nil || len(p.Renditions) != 2 || string(p.Text) != f.master {
		t.Fatalf("presentation %+v, %v", p, err)
	}
	f.mu.Lock()
	f.master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=3000\nc.m3u8\n"
	f.mu.Unlock()
	if p, err = e.Presentation(t.Context(), 0); err != nil || len(p.Renditions) != 1 {
		t.Fatalf("presentation %+v, %v", p, err)
	}
	if _, err := read(t, watch(t, e, f.URL+"/c.m3u8"), f.URL+"/c/0.ts"); err != nil {
		t.Errorf("the new rendition: %v", err)
	}
	if _, err := read(t, w, f.URL+"/a/0.ts"); err != nil {
		t.Errorf("the old one, watched: %v", err)
	}
	if _, err := e.Watch(t.Context(), f.URL+"/b.m3u8"); !errors.Is(err, ErrUnknownRendition) {
		t.Errorf("the old one, not watched: %v", err)
	}
	f.set(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true })
	if p, err = e.Presentation(t.Context(), 0); err != nil || len(p.Renditions) != 1 {
		t.Errorf("with the origin in trouble: %+v, %v", p, err)
	}
}
