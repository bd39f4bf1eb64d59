package telemetry

import (
	"cmp"
	"slices"
	"time"
)

// SiteSummary is what one site's peers received in the window.
type SiteSummary struct {
	Site string // empty: addresses outside of all sites; OtherSite: the sum of further sites
	// Reporting are viewer sessions that are heard. Telling are those of them that tell where their bytes came from, and Alone
	// those that take all from the origin by the policy of the site.
	Reporting, Telling, Alone int
	Span                      time.Duration // that the sums cover
	Viewers                   Sources       // what viewers received
	Seeders                   Sources       // what seeders at the site received
	OneCopy                   int64         // bytes of the renditions that were played, each counted once
	Renditions                []RenditionSummary
}

// RenditionSummary is the part of one rendition. Its name is empty for viewers that do not tell renditions.
type RenditionSummary struct {
	Rendition string
	Viewers   int // sessions that play it
	Received  Sources
	OneCopy   int64
}

// Place reports whether the summary is that of one place where viewers are to share: only then its copies mean something.
func (s SiteSummary) Place() bool {
	return s.Site != "" && s.Site != OtherSite && (s.Alone == 0 || s.Alone < s.Reporting)
}

// Outside returns the bytes that came over the line of the site.
func (s SiteSummary) Outside() int64 { return addSaturating(s.Viewers.Outside(), s.Seeders.Outside()) }

// Copies returns how many times what is played came over the line: Outside ÷ OneCopy. It is not known while nothing is played,
// and where the summary is not that of one place, or of viewers that share nothing.
func (s SiteSummary) Copies() (float64, bool) {
	if !s.Place() || s.OneCopy <= 0 {
		return 0, false
	}
	return float64(s.Outside()) / float64(s.OneCopy), true
}

// LineBitsPerSecond returns the rate of these bytes.
func (s SiteSummary) LineBitsPerSecond() float64 {
	if s.Span <= 0 {
		return 0
	}
	return 8 * float64(s.Outside()) / s.Span.Seconds()
}

// Achieved returns the share of what viewers received that came from inside the site.
func (s SiteSummary) Achieved() (float64, bool) {
	received := s.Viewers.Received()
	if !s.Place() || received <= 0 {
		return 0, false
	}
	return 1 - float64(s.Viewers.Outside())/float64(received), true
}

// Achievable returns what that share is if everything comes over the line once and there is no seeder inside: 1 − 1/n for n
// viewers of a rendition. Viewers count for the time that they were there.
func (s SiteSummary) Achievable() (float64, bool) {
	received := s.Viewers.Received()
	if !s.Place() || received <= 0 {
		return 0, false
	}
	return max(0, 1-float64(s.OneCopy)/float64(received)), true
}

// Offload returns the share of what viewers received that did not come from the origin.
func (s SiteSummary) Offload() (float64, bool) {
	received := s.Viewers.Received()
	if received <= 0 {
		return 0, false
	}
	return 1 - float64(s.Viewers.Origin)/float64(received), true
}

// Add returns the sum of two sites. Renditions are left out.
func (s SiteSummary) Add(t SiteSummary) SiteSummary {
	s.Reporting, s.Telling, s.Alone = s.Reporting+t.Reporting, s.Telling+t.Telling, s.Alone+t.Alone
	s.Span = max(s.Span, t.Span)
	s.Viewers, s.Seeders = s.Viewers.Add(t.Viewers), s.Seeders.Add(t.Seeders)
	s.OneCopy = addSaturating(s.OneCopy, t.OneCopy)
	s.Renditions = nil
	return s
}

// Sites returns the sums of a stream's sites, by name. Its cost is linear in the cells.
func (a *Aggregate) Sites(stream string, now time.Time) []SiteSummary {
	a.sweep(now)
	out := []SiteSummary{}
	for key, w := range a.sites {
		if key.stream != stream {
			continue
		}
		sum := SiteSummary{Site: key.site, Seeders: w.seeders.sum(now), Span: min(spanAt(a.bucket(), now), max(now.Sub(w.since), time.Second))}
		sum.Reporting, sum.Telling, sum.Alone = w.reporting, w.telling, w.alone
		for name, c := range w.cells {
			if part := c.window.sum(now); part != (cellSums{}) {
				sum.Renditions = append(sum.Renditions, RenditionSummary{name, w.plays[name], part.Sources, part.copy.estimate()})
			}
		}
		sum.total()
		out = append(out, sum)
	}
	slices.SortFunc(out, func(x, y SiteSummary) int { return cmp.Compare(x.Site, y.Site) })
	return out
}

// total sums the renditions. Viewers that do not tell renditions play those of the others, so they count as a copy of their
// own only where there are no others.
func (s *SiteSummary) total() {
	var untold int64
	for _, r := range s.Renditions {
		s.Viewers = s.Viewers.Add(r.Received)
		if r.Rendition == "" {
			untold = r.OneCopy
			continue
		}
		s.OneCopy = addSaturating(s.OneCopy, r.OneCopy)
	}
	if s.OneCopy == 0 {
		s.OneCopy = untold
	}
	slices.SortFunc(s.Renditions, func(x, y RenditionSummary) int { return cmp.Compare(x.Rendition, y.Rendition) })
}
