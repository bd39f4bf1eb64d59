package status_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// TestSitesThatCannotWork: status says what is wrong with sites and what to do, and the stream stays ready.
func TestSitesThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stats  stats.Stats
		reason string
		says   string
	}{
		"no sites":                {stats.Stats{OneAddress: "10.0.0.1"}, v1.ReasonAvailable, "The tracker answers"},
		"all well":                {stats.Stats{SiteMap: &stats.SiteMap{Sites: 3}}, v1.ReasonAvailable, "The tracker answers"},
		"one address":             {stats.Stats{OneAddress: "10.0.0.1", SiteMap: &stats.SiteMap{}}, v1.ReasonClientAddressesHidden, "all viewers seem to have the address 10.0.0.1"},
		"no address":              {stats.Stats{OneAddress: "<script>", SiteMap: &stats.SiteMap{}}, v1.ReasonAvailable, ""},
		"no map":                  {stats.Stats{SiteMap: &stats.SiteMap{Problem: stats.SiteMapMissing}}, v1.ReasonSiteMapMissing, `spec.sites.mapRef is missing: key "sites.csv" of ConfigMap "subnets"`},
		"a map in another form":   {stats.Stats{SiteMap: &stats.SiteMap{Problem: stats.SiteMapUnreadable, Detail: "it is UTF-16"}}, v1.ReasonSiteMapInvalid, "it is UTF-16"},
		"a problem of the future": {stats.Stats{SiteMap: &stats.SiteMap{Problem: "Else"}}, v1.ReasonSiteMapInvalid, `key "sites.csv" of ConfigMap "subnets", cannot be read`},
		"bad lines":               {stats.Stats{SiteMap: &stats.SiteMap{IgnoredLines: 2, FirstIgnored: &stats.SiteLine{Line: 7, Text: "no ranges"}}}, v1.ReasonSiteMapInvalid, "the first one is line 7: no ranges"},
	} {
		r, _ := next(t, pending(), healthy(func(o *status.Observed) {
			o.SiteMap = &v1.SiteMapReference{Name: "subnets"}
			o.Reading.Stats.OneAddress, o.Reading.Stats.SiteMap = c.stats.OneAddress, c.stats.SiteMap
		}), now)
		got := condition(t, r.Status, v1.ConditionTrackerReady)
		if got.Status != metav1.ConditionTrue || got.Reason != c.reason || !strings.Contains(got.Message, c.says) {
			t.Errorf("%s: %+v", name, got)
		}
		if ready := condition(t, r.Status, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
			t.Errorf("%s: %+v", name, ready)
		}
		// A restarted operator keeps the warning until it has read the tracker.
		r, _ = next(t, r.Status, healthy(func(o *status.Observed) { o.Reading, o.ReadingPending = nil, true }), now.Add(time.Second))
		if again := condition(t, r.Status, v1.ConditionTrackerReady); again.Reason != c.reason {
			t.Errorf("%s, after a restart: %+v", name, again)
		}
	}
}
