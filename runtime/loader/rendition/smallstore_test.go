package rendition

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// TestLiveSeederWithASmallStore seeds two renditions whose windows together do not fit, with segments of many sizes.
func TestLiveSeederWithASmallStore(t *testing.T) {
	origin := newCounting(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin.mu.Lock()
		origin.asked[r.URL.Path]++
		origin.order = append(origin.order, r.URL.Path)
		origin.mu.Unlock()
		n, _ := strconv.Atoi(r.URL.Path[2:])
		_, _ = w.Write([]byte(strings.Repeat("x", 400+(n*7919)%1200)))
	}))
	defer srv.Close()
	first := seeding(t, srv.URL, 20_000)
	second := New(t.Context(), first.shared, manifest.Rendition{Name: "b", Bandwidth: 4000})
	first.shared.Evicted = func(keys []store.Key) { first.Evicted(keys); second.Evicted(keys) }
	now := time.Now()
	const window, steps = 30, 60
	for edge := int64(window - 1); edge < window+steps; edge++ {
		for prefix, r := range map[string]*Rendition{"a": first, "b": second} {
			p := origin.playlist(edge-window+1, edge)
			for i := range p.Segments {
				p.Segments[i].URL = fmt.Sprintf("%s/%s%d", srv.URL, prefix, p.Segments[i].Sequence)
			}
			r.merge(p, now)
			drive(t, r, now)
		}
		now = now.Add(2 * time.Second)
	}
	if n, distinct := len(origin.order), len(origin.asked); n > distinct+distinct/20 {
		t.Errorf("%d fetches of %d segments, %.2f copies: %v", n, distinct, float64(n)/float64(distinct), origin.twice())
	}
	for _, r := range []*Rendition{first, second} {
		if edge := r.segments.order[len(r.segments.order)-1]; !edge.held() {
			t.Errorf("the newest segment of %s is not held", r.info.Name)
		}
	}
}
