package viewerapi

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// hasSites reports whether there is a map of sites: without one there are no figures by site.
func (h *Handler) hasSites() bool { return h.deps.Sites != nil && h.deps.Sites() != nil }

// nameRenditions tells the aggregate what peers may call the stream's renditions, and their names. h.mu is held.
func (h *Handler) nameRenditions(f Facts) {
	var first *Rendition
	if len(f.Renditions) > 0 {
		first = &f.Renditions[0]
	}
	if h.named && h.namesOf == first { // facts are replaced and never changed
		return
	}
	h.named, h.namesOf = true, first
	names := map[string]string{}
	for _, r := range f.Renditions {
		for _, key := range append([]string{r.Name}, r.Keys...) {
			names[key] = r.Name
		}
	}
	h.aggregate.SetRenditions(names)
}

// siteFigures makes the figures of all sites, those with most traffic by their names and the rest in one.
func (h *Handler) siteFigures(all []telemetry.SiteSummary, most int) []stats.Site {
	viewers := map[string]int{}
	if h.deps.SiteViewers != nil {
		viewers = h.deps.SiteViewers()
	}
	known := make(map[string]bool, len(all))
	for _, s := range all {
		known[s.Site] = true
	}
	for name := range viewers {
		if !known[name] {
			all = append(all, telemetry.SiteSummary{Site: name})
		}
	}
	// Further sites come last, so that they are summed with those that are left out.
	slices.SortFunc(all, func(x, y telemetry.SiteSummary) int {
		if last := cmp.Compare(siteRank(x), siteRank(y)); last != 0 {
			return last
		}
		return cmp.Or(cmp.Compare(y.Outside()+y.Viewers.Received(), x.Outside()+x.Viewers.Received()),
			cmp.Compare(viewers[y.Site], viewers[x.Site]), cmp.Compare(x.Site, y.Site))
	})
	out := make([]stats.Site, 0, min(len(all), most+1))
	rest, restViewers, further := telemetry.SiteSummary{Site: telemetry.OtherSite}, 0, false
	for i, s := range all {
		if i < most && s.Site != telemetry.OtherSite {
			out = append(out, siteStats(s, max(viewers[s.Site], s.Reporting)))
			continue
		}
		further = true
		rest = rest.Add(s)
		restViewers += max(viewers[s.Site], s.Reporting)
	}
	if further {
		out = append(out, siteStats(rest, restViewers))
	}
	return out
}

func siteRank(s telemetry.SiteSummary) int {
	if s.Site == telemetry.OtherSite {
		return 1
	}
	return 0
}

func siteStats(s telemetry.SiteSummary, viewers int) stats.Site {
	out := stats.Site{Name: s.Site, Viewers: viewers, Reporting: s.Reporting, Telling: s.Telling, Alone: s.Alone, Window: s.Viewers, Seeders: s.Seeders,
		OneCopyBytes: s.OneCopy, Copies: orNull(s.Copies()), LineBitsPerSecond: int64(math.Round(s.LineBitsPerSecond())),
		Achieved: orNull(s.Achieved()), Achievable: orNull(s.Achievable()), Offload: orNull(s.Offload())}
	renditions := slices.Clone(s.Renditions)
	slices.SortStableFunc(renditions, func(x, y telemetry.RenditionSummary) int {
		return cmp.Compare(y.Received.Received(), x.Received.Received())
	})
	for i, r := range renditions {
		one := stats.SiteRendition{Name: r.Rendition, Viewers: r.Viewers, Window: r.Received, OneCopyBytes: r.OneCopy}
		if r.OneCopy > 0 && s.Place() {
			copies := float64(r.Received.Outside()) / float64(r.OneCopy)
			one.Copies = &copies
		}
		if i < stats.MaxSiteRenditions {
			out.Renditions = append(out.Renditions, one)
			continue
		}
		one.Name, one.Copies = telemetry.OtherRendition, nil
		if i == stats.MaxSiteRenditions {
			out.Renditions = append(out.Renditions, one)
			continue
		}
		last := &out.Renditions[stats.MaxSiteRenditions]
		last.Viewers, last.Window, last.OneCopyBytes = last.Viewers+one.Viewers, last.Window.Add(one.Window), last.OneCopyBytes+one.OneCopyBytes
	}
	return out
}

func orNull(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

// sitesNow are the figures of the sites with most traffic; nil without sites.
func (h *Handler) sitesNow(now time.Time, most int) []stats.Site {
	if !h.hasSites() {
		return nil
	}
	h.mu.Lock()
	all := h.aggregate.Sites(h.cfg.Stream, now)
	h.mu.Unlock()
	return h.siteFigures(all, most)
}
