package rendition

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// doubtOf is the error of a follower that sees numbers go back far.
func doubtOf(t *testing.T) (doubt error) {
	t.Helper()
	first := 1000
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXTINF:1,\n%d.ts\n", first, first)
		first = 0
	}))
	defer s.Close()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_ = source.Follow(ctx, manifest.Rendition{Stream: identity.Stream{URI: s.URL}}, manifest.Ahead, func(_ *manifest.Playlist, err error) {
		if doubt = err; manifest.NewEventSuspected(err) {
			cancel()
		}
	})
	if !manifest.NewEventSuspected(doubt) {
		t.Fatalf("no doubt: %v", doubt)
	}
	return doubt
}
