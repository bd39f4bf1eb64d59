package loader

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
)

// TestTheOneThatStaysSharesAgain watches two renditions with one identity on demand. The first of them has the swarm; when
// it sleeps, the other one gets it.
func TestTheOneThatStaysSharesAgain(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/m.m3u8":
			_, _ = io.WriteString(w, "#EXTM3U\n")
			for _, name := range []string{"a", "b"} {
				_, _ = fmt.Fprintf(w, "#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"avc1.4d401f\",RESOLUTION=640x360\n%s.m3u8\n", name)
			}
		case strings.HasSuffix(r.URL.Path, ".m3u8"):
			_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\ns.ts\n#EXT-X-ENDLIST\n")
		}
	}))
	defer srv.Close()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: srv.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	node, err := mesh.NewNode(mesh.NodeConfig{Loopback: true}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Close() }()
	e, err := New(Config{Source: source, OnDemand: true, SwarmID: "s", Trackers: []string{"ws://127.0.0.1:1/announce"}}, node, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	first, err := e.Watch(t.Context(), srv.URL+"/a.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	second, err := e.Watch(t.Context(), srv.URL+"/b.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	joined := func(uri string) int {
		e.mu.Lock()
		s := e.demand.slots[srv.URL+uri]
		e.mu.Unlock()
		s.mu.Lock()
		r := s.r
		s.mu.Unlock()
		if r == nil {
			return 0
		}
		return len(r.Claimed())
	}
	if joined("/a.m3u8") != 1 || joined("/b.m3u8") != 0 {
		t.Fatalf("%d and %d swarms are joined", joined("/a.m3u8"), joined("/b.m3u8"))
	}
	first.Close()
	until(t, "the other one to join", func() bool { return joined("/b.m3u8") == 1 })
}
