package telemetry

import (
	"maps"
	"time"
)

// OtherSite names the sum of sites that have no figures of their own.
const OtherSite = "other"

// Bounds of the figures by site.
const (
	maxSites = 1024
	maxCells = 8192
)

// siteIdle is after what time without a report a site may be forgotten.
const siteIdle = 10 * time.Minute

type siteKey struct{ stream, site string }

// site sums what the peers of one site received.
type site struct {
	key     siteKey
	since   time.Time // from when on there are reports
	last    time.Time // the last report
	cells   map[string]*cell
	seeders window[Sources] // what seeders inside received
	attendance
}

// cell sums what the viewers of one site received of one rendition.
type cell struct {
	window window[cellSums]
	// covered is up to when viewers are known to have played it, and by the session that was counted last.
	covered time.Time
	by      recordKey
}

// cellSums are sums of one rendition at one site.
type cellSums struct {
	Sources
	copy oneCopy
}

// Add returns the sum.
func (c cellSums) Add(d cellSums) cellSums {
	return cellSums{Sources: c.Sources.Add(d.Sources), copy: c.copy.Add(d.copy)}
}

func (c cellSums) scale(f float64) cellSums {
	return cellSums{Sources: c.Sources.scale(f), copy: c.copy.scale(f)}
}

// SetRenditions says which renditions there are: what peers may call them, and their names. Others are summed under
// OtherRendition. Nil: peers are believed.
func (a *Aggregate) SetRenditions(names map[string]string) {
	if (names == nil) != (a.renditions == nil) || !maps.Equal(names, a.renditions) {
		a.recount(names)
	}
}

func (a *Aggregate) renditionOf(key string) string {
	if key == "" || a.renditions == nil {
		return key
	}
	if name, ok := a.renditions[key]; ok {
		return name
	}
	return OtherRendition
}

// siteOf returns the sums of a sender's site. When there are too many sites it is OtherSite.
func (a *Aggregate) siteOf(from Sender, elapsed time.Duration, now time.Time) *site {
	key := siteKey{from.Stream, from.Site}
	w := a.sites[key]
	if w == nil && len(a.sites) >= a.cfg.MaxSites {
		a.forgetSites(now)
		if len(a.sites) >= a.cfg.MaxSites {
			a.foldedSites++
			key.site = OtherSite
			w = a.sites[key]
		}
	}
	if w == nil {
		w = &site{key: key, since: now.Add(-elapsed), cells: map[string]*cell{}, seeders: window[Sources]{width: a.bucket()}}
		a.sites[key] = w
	}
	w.last = now
	return w
}

// forgetSites drops sites that have been silent for long, at most once in a while.
func (a *Aggregate) forgetSites(now time.Time) {
	if now.Sub(a.sitesSwept) < a.cfg.Interval {
		return
	}
	a.sitesSwept = now
	for key, w := range a.sites {
		if now.Sub(w.last) > siteIdle {
			a.cells -= len(w.cells)
			delete(a.sites, key)
		}
	}
}

// cellOf returns the sums of a rendition. When there are too many it is OtherRendition; each site has that and the sum of
// what is not told by rendition.
func (a *Aggregate) cellOf(w *site, rendition string) *cell {
	c := w.cells[rendition]
	if c == nil && a.cells >= a.cfg.MaxCells && rendition != "" {
		rendition = OtherRendition
		if c = w.cells[rendition]; c == nil {
			a.foldedCells++
		}
	}
	if c == nil {
		c = &cell{window: window[cellSums]{width: a.bucket()}}
		w.cells[rendition] = c
		a.cells++
	}
	return c
}

func (a *Aggregate) bucket() time.Duration { return max(a.cfg.Window/windowBuckets, 1) }

// Folded returns how many reports were summed under OtherSite, and how many cells under OtherRendition.
func (a *Aggregate) Folded() (sites, cells int64) { return a.foldedSites, a.foldedCells }

// place sums where the bytes of a report came from. delta is what the report added to the session's counters in the elapsed
// time before now. With baseline, the bytes told so far are taken note of and not counted. It returns what was counted, by the
// names of renditions.
func (a *Aggregate) place(s *session, from Sender, r Report, delta Counters, baseline bool, elapsed time.Duration, now time.Time) []Played {
	s.site = a.siteOf(from, elapsed, now)
	s.set(tells, len(r.Played) > 0)
	s.set(alone, from.Alone)
	told, parts := s.rises(r.Played, s.last)
	if !s.is(tells) {
		whole, since := s.playing("", s.last), time.Duration(0)
		if delta.Received() > 0 {
			since = whole.rise(s.last)
		}
		told, parts = []playing{*whole}, []rise{{untold(delta), since}}
	} else if baseline {
		return nil
	}
	limit(parts, delta)
	if from.Role == RoleSeeder {
		var sum Sources
		for _, p := range parts {
			sum = sum.Add(p.Sources)
		}
		s.site.seeders.add(sum, elapsed, now)
		return []Played{{Sources: sum}}
	}
	net := 1.0 // the share that was of use
	if received := delta.Received(); received > 0 {
		net = 1 - float64(min(delta.Discarded, received))/float64(received)
	}
	flows := make([]flow, 0, len(parts))
	for i, p := range parts {
		if told[i].current(s.patience(), s.last) {
			flows = join(flows, flow{Played{a.renditionOf(told[i].key), p.Sources}, told[i].began, p.since})
		}
	}
	added := make([]Played, len(flows))
	for i, f := range flows {
		c := a.cellOf(s.site, f.Rendition)
		copied := c.copyOf(s, f, int64(net*float64(f.Received())), elapsed, now)
		c.window.add(cellSums{Sources: f.Sources, copy: copied}, elapsed, now)
		added[i] = f.Played
	}
	return added
}

// flow is what one report adds to a rendition, and since when the session has played it.
type flow struct {
	Played
	began int64         // as in playing
	since time.Duration // as in rise
}

// join adds a flow to those of one report: a peer may name a rendition in two ways, and those without a name of their own are
// one.
func join(all []flow, f flow) []flow {
	for i := range all {
		if all[i].Rendition == f.Rendition {
			all[i].Sources = all[i].Add(f.Sources)
			all[i].began = min(all[i].began, f.began)
			all[i].since = max(all[i].since, f.since)
			return all
		}
	}
	return append(all, f)
}
