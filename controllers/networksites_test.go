package controllers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// figures puts a server before the tracker that answers for the figures of streams, by their names.
func (p *platform) figures(of map[string]stats.Stats) {
	p.t.Helper()
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: p.server.AdminAddr().String()})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, stats.Path) {
			behind.ServeHTTP(w, r)
			return
		}
		s := of[strings.Split(r.URL.Path, "/")[2]]
		s.Version, s.Boot, s.Now = stats.Version, "a", time.Now()
		s.StartedAt = s.Now.Add(-time.Hour)
		_ = json.NewEncoder(w).Encode(s) // the operator may be gone
	}))
	p.t.Cleanup(front.Close)
	p.nodes.answerBy(strings.TrimPrefix(front.URL, "http://"))
}

// TestSitesOfANetwork: what two streams have at a site is one figure of the network, without the streams that are gone.
func TestSitesOfANetwork(t *testing.T) {
	t.Parallel()
	watched := func(viewers int, line, one, outside int64) stats.Stats {
		return stats.Stats{ViewersKnown: true, Viewers: viewers, Reporting: viewers, Sites: []stats.Site{{Name: "berlin", Viewers: viewers, Reporting: viewers,
			LineBitsPerSecond: line, OneCopyBytes: one, Window: telemetry.Sources{SeederOutside: outside, ViewerInside: 9 * outside}}}}
	}
	team := newWorld(t)
	p := newPlatform(t, func(s *v1.P2PNetworkSpec) {
		all(s)
		s.Sites = &v1.SitesSpec{List: []v1.SiteSpec{{Name: "berlin", CIDRs: []v1.SiteRange{"10.1.0.0/16"}}}}
	}, team)
	p.figures(map[string]stats.Stats{"one": watched(6, 3_000_000, 1000, 1000), "two": watched(4, 1_000_000, 1000, 3000)})
	team.stream("one", p.on, swarm("a"))
	team.stream("two", p.on, swarm("b"))
	p.operator()
	n := p.untilNetwork("told of a site by both streams", func(n *v1.P2PNetwork) bool { return len(n.Status.Sites) == 1 && n.Status.Sites[0].Viewers == 10 })
	if s := n.Status.Sites[0]; s.Name != "berlin" || s.Copies != "2.00" || s.LineBitsPerSecond != 4_000_000 || s.OffloadPercent == nil || *s.OffloadPercent != 100 ||
		n.Status.WorstSite == nil || n.Status.WorstSite.Name != "berlin" {
		t.Errorf("%s", text(t, n.Status))
	}
	if err := team.Delete(t.Context(), team.get("two")); err != nil {
		t.Fatal(err)
	}
	n = p.untilNetwork("told of a site by one stream", func(n *v1.P2PNetwork) bool { return len(n.Status.Sites) == 1 && n.Status.Sites[0].Viewers == 6 })
	if s := n.Status.Sites[0]; s.Copies != "1.00" {
		t.Errorf("%s", text(t, n.Status))
	}
}
