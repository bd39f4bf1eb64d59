package status

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

const (
	maxSites    = 50
	maxSiteName = 64 // bytes
	// maxCopies bounds what a tracker can say.
	maxCopies = 1e6
)

// sites fills in the figures by site. They stay as they are while those of a new tracker are not known, and where they have
// hardly moved: each change is a write.
func (m *moment) sites(out *v1.P2PStreamStatus) {
	out.Sites, out.WorstSite = m.before.Sites, m.before.WorstSite
	r := m.fresh()
	if r == nil || !m.known(r.Stats) {
		return
	}
	out.Sites, out.WorstSite = siteStatuses(r.Stats.Sites, m.before.Sites)
}

// siteStatuses are the figures of the sites with most traffic, by name and then of the others, and the worst of them.
func siteStatuses(all []stats.Site, before []v1.SiteStatus) (out []v1.SiteStatus, most *v1.WorstSiteStatus) {
	named, other := pickSites(all)
	for _, s := range named {
		out = append(out, steady(siteStatus(s), before))
	}
	slices.SortFunc(out, func(a, b v1.SiteStatus) int { return cmp.Compare(a.Name, b.Name) })
	most = worst(out)
	if other != nil {
		out = append(out, steady(siteStatus(*other), before))
	}
	return out, most
}

// pickSites returns the sites with most traffic, and the sum of the others; nil if there are none.
func pickSites(all []stats.Site) (named []stats.Site, other *stats.Site) {
	var usable []stats.Site
	seen := map[string]bool{telemetry.OtherSite: true}
	add := func(s stats.Site) {
		if other == nil {
			other = &stats.Site{Name: telemetry.OtherSite}
		}
		other.Viewers += max(s.Viewers, 0)
		other.Reporting += max(s.Reporting, 0)
		other.LineBitsPerSecond += min(max(s.LineBitsPerSecond, 0), math.MaxInt64/stats.MaxBytes)
		other.Window = other.Window.Add(s.Window.Sub(telemetry.Sources{})) // negative bytes become zero
	}
	for _, s := range all {
		switch {
		case s.Name == telemetry.OtherSite:
			add(s)
		case s.Name == "" || len(s.Name) > maxSiteName || !utf8.ValidString(s.Name) || !printable(s.Name) || seen[s.Name]:
		default:
			seen[s.Name] = true
			usable = append(usable, s)
		}
	}
	slices.SortFunc(usable, func(a, b stats.Site) int {
		return cmp.Or(cmp.Compare(b.LineBitsPerSecond, a.LineBitsPerSecond), cmp.Compare(b.Window.Received(), a.Window.Received()),
			cmp.Compare(b.Viewers, a.Viewers), cmp.Compare(a.Name, b.Name))
	})
	for i, s := range usable {
		if i < maxSites {
			named = append(named, s)
		} else {
			add(s)
		}
	}
	return named, other
}

func siteStatus(s stats.Site) v1.SiteStatus {
	out := v1.SiteStatus{Name: s.Name, Viewers: *count(s.Viewers), Reporting: *count(s.Reporting), LineBitsPerSecond: rounded(s.LineBitsPerSecond),
		AchievedPercent: percentOf(s.Achieved), AchievablePercent: percentOf(s.Achievable), OffloadPercent: percentOf(s.Offload)}
	// Where few viewers report, the figures would be those of a few.
	if c := s.Copies; c != nil && *c >= 0 && *c <= maxCopies && s.Reporting > 0 && float64(s.Reporting) >= enoughCoverage*float64(s.Viewers) {
		out.Copies = strconv.FormatFloat(*c, 'f', 2, 64)
	}
	return out
}

func percentOf(ratio *float64) *int32 {
	if ratio == nil || !(*ratio >= 0 && *ratio <= 1) {
		return nil
	}
	percent := int32(math.Round(100 * *ratio))
	return &percent
}

// How far figures move before they are written again: as far as they do from one reading to the next while nothing changes.
const (
	viewersMove = 0.02
	copiesMove  = 0.05
	lineMove    = 0.1
	shareMove   = 2 // percent points
)

// steady returns the figures of before, if those of now hardly differ from them.
func steady(now v1.SiteStatus, all []v1.SiteStatus) v1.SiteStatus {
	i := slices.IndexFunc(all, func(s v1.SiteStatus) bool { return s.Name == now.Name })
	if i < 0 {
		return now
	}
	before := all[i]
	shares := func(s v1.SiteStatus) [3]*int32 {
		return [...]*int32{s.AchievedPercent, s.AchievablePercent, s.OffloadPercent}
	}
	for i, share := range shares(now) {
		was := shares(before)[i]
		if (was == nil) != (share == nil) || was != nil && max(*was-*share, *share-*was) > shareMove {
			return now
		}
	}
	if moved(float64(before.Viewers), float64(now.Viewers), viewersMove) || moved(float64(before.Reporting), float64(now.Reporting), viewersMove) ||
		moved(float64(before.LineBitsPerSecond), float64(now.LineBitsPerSecond), lineMove) ||
		moved(copiesOf(before.Copies), copiesOf(now.Copies), copiesMove) {
		return now
	}
	return before
}

func moved(before, now, by float64) bool {
	return math.Abs(now-before) > by*max(math.Abs(before), math.Abs(now))
}

// copiesOf reads the figure in status; -1 if it is not known.
func copiesOf(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return v
}

// worst is the site with most copies, the first by name of equals; nil if none is known.
func worst(all []v1.SiteStatus) *v1.WorstSiteStatus {
	var found *v1.WorstSiteStatus
	most := -1.0
	for _, s := range all {
		if c := copiesOf(s.Copies); c > most {
			most, found = c, &v1.WorstSiteStatus{Name: s.Name, Copies: s.Copies}
		}
	}
	return found
}
