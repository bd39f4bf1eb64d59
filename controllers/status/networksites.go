package status

import (
	"math"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// StreamReading is what the tracker said of one stream of a network.
type StreamReading struct {
	*Reading
	// Known: viewers have come back to the tracker since it started.
	Known bool
}

// Newest of readings, for what trackers say of all streams alike; nil when there is none.
func Newest(all []StreamReading) *Reading {
	var newest *Reading
	for _, r := range all {
		if newest == nil || newest.At.Before(r.At) {
			newest = r.Reading
		}
	}
	return newest
}

// maxSummedSites are told apart when sites of streams are summed; further ones count as other.
const maxSummedSites = 4096

// networkSites fills in the figures by site. As those of a stream, they stay as they are while some are not known.
func (m *moment) networkSites(out *v1.P2PNetworkStatus, before v1.P2PNetworkStatus) {
	if !m.network.HasSites || len(m.network.Attached) == 0 {
		return
	}
	out.Sites, out.WorstSite = before.Sites, before.WorstSite
	var all [][]stats.Site
	for _, r := range m.network.Readings {
		if m.now.Sub(r.At) > staleAfter {
			continue
		}
		if !r.Known {
			return
		}
		all = append(all, r.Stats.Sites)
	}
	if len(all) > 0 {
		out.Sites, out.WorstSite = siteStatuses(sumSites(all), before.Sites)
	}
}

// siteSum is a site over several streams.
type siteSum struct {
	telemetry.SiteSummary
	viewers int
	line    int64
}

// sumSites adds up the sites of several streams. Copies of a sum are what came over the line ÷ one copy of each rendition of each
// stream that was played there.
func sumSites(streams [][]stats.Site) []stats.Site {
	sums := map[string]*siteSum{}
	for _, sites := range streams {
		for _, s := range sites {
			name := s.Name
			if sums[name] == nil && len(sums) >= maxSummedSites {
				name = telemetry.OtherSite
			}
			sum := sums[name]
			if sum == nil {
				sum = &siteSum{SiteSummary: telemetry.SiteSummary{Site: name}}
				sums[name] = sum
			}
			sum.add(s)
		}
	}
	out := make([]stats.Site, 0, len(sums))
	for _, s := range sums {
		out = append(out, s.site())
	}
	return out
}

func (s *siteSum) add(t stats.Site) {
	none := telemetry.Sources{}
	// Taking nothing away makes zero of what is negative.
	s.SiteSummary = s.Add(telemetry.SiteSummary{Reporting: max(t.Reporting, 0), Alone: max(t.Alone, 0),
		Viewers: t.Window.Sub(none), Seeders: t.Seeders.Sub(none), OneCopy: max(t.OneCopyBytes, 0)})
	s.viewers += max(t.Viewers, 0)
	s.line += min(max(t.LineBitsPerSecond, 0), math.MaxInt64/stats.MaxBytes)
}

func (s *siteSum) site() stats.Site {
	known := func(v float64, ok bool) *float64 {
		if !ok {
			return nil
		}
		return &v
	}
	return stats.Site{Name: s.Site, Viewers: s.viewers, Reporting: s.Reporting, Alone: s.Alone, Window: s.Viewers, Seeders: s.Seeders,
		OneCopyBytes: s.OneCopy, LineBitsPerSecond: s.line, Copies: known(s.Copies()),
		Achieved: known(s.Achieved()), Achievable: known(s.Achievable()), Offload: known(s.Offload())}
}
