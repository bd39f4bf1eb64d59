package sim

import (
	"slices"
	"time"
)

// siteFigures are counted after the storm, except for those with Run.
type siteFigures struct {
	entered, enteredRun float64      // bytes over the line
	played, playedRun   map[int]bool // segments
	origin              float64      // bytes of those that came from the origin
}

// SiteResult is one site's line of the table.
type SiteResult struct {
	Name    string
	Viewers int
	// Copies is what entered the site ÷ what was played there, each segment once. CopiesRun is that of the whole run.
	Copies, CopiesRun float64
	// OriginShare is the part of what entered that came from the origin and not from seeders.
	OriginShare float64
}

// Figures are the results of a run.
type Figures struct {
	Sites []SiteResult
	// Joined counts viewers. Lonely are those without a connection 10 s after they came, although others were there; LonelyTime
	// is the share of all viewers' time after that in which they had none.
	Joined, Lonely int
	LonelyTime     float64
	// Gateways is the highest number that a site had for each of its cells, Cells that of cells of a site.
	Gateways, Cells int
	// Across counts connections between sites.
	Across int
	// Delay is the time from publication to arrival of live segments: half of them, and 99 of 100, arrived earlier.
	Delay50, Delay99 time.Duration
	// Announces and Relayed count messages and offers.
	Announces, Relayed uint64

	viewerTime, lonelyTime time.Duration
	delays                 []time.Duration
}

// cross counts bytes over a line.
func (w *world) cross(t *transfer, bytes float64) {
	f := &t.to.site.figures
	f.enteredRun += bytes
	if w.now >= w.cfg.Storm {
		f.entered += bytes
		if t.from == nil {
			f.origin += bytes
		}
	}
}

// arrived notes that a viewer holds one more segment.
func (w *world) arrived(t *transfer) {
	f := &t.to.site.figures
	if f.played == nil {
		f.played, f.playedRun = map[int]bool{}, map[int]bool{}
	}
	f.playedRun[t.segment] = true
	if w.published(t.segment) >= w.cfg.Storm {
		f.played[t.segment] = true
	}
	if t.segment > t.to.firstSeg+backlog && w.now >= w.cfg.Storm {
		w.figures.delays = append(w.figures.delays, w.now-w.published(t.segment))
	}
}

// observe looks at all viewers once a second.
func (w *world) observe() {
	for _, at := range w.places {
		for _, p := range at.viewers {
			age := w.now - p.joined
			if age < 10*time.Second {
				continue
			}
			lonely := len(p.near) == 0 && p.seeders == 0
			if age < 11*time.Second {
				w.figures.Joined++
				if lonely {
					w.figures.Lonely++
				}
			}
			w.figures.viewerTime += time.Second
			if lonely {
				w.figures.lonelyTime += time.Second
			}
		}
	}
	gateways, cells := int(w.core.Stats.Gateways.Load()), int(w.core.Stats.Cells.Load())
	w.figures.Cells = max(w.figures.Cells, cells)
	if cells > 0 {
		w.figures.Gateways = max(w.figures.Gateways, (gateways+cells-1)/cells)
	}
}

// Run plays one run.
func Run(cfg Config) Figures {
	w := newWorld(cfg)
	arrivals := map[time.Duration][]*place{}
	for _, at := range w.places {
		for range at.size {
			when := time.Duration(w.rnd.Int64N(int64(cfg.Storm/step))) * step
			arrivals[when] = append(arrivals[when], at)
		}
	}
	for w.now = 0; w.now < cfg.Length; w.now += step {
		if w.now%cfg.Segment == 0 {
			w.newest = before + int(w.now/cfg.Segment)
		}
		for _, at := range arrivals[w.now] {
			w.join(at)
		}
		if w.now%time.Second == 0 {
			w.second()
		}
		w.connect()
		w.ask()
		w.move()
	}
	return w.result()
}

// second is what happens once a second: churn, announces, and what the tracker does by itself.
func (w *world) second() {
	for _, at := range w.places {
		for _, p := range slices.Clone(at.viewers) {
			switch {
			case w.rnd.Float64() < w.cfg.Churn/60:
				w.leave(p)
				w.join(at)
			case p.next <= w.now:
				w.announce(p, 5)
			}
		}
	}
	for _, p := range w.seeders {
		if p.next <= w.now {
			w.announce(p, 0)
		}
	}
	w.end()
	w.deliver(w.core.Tick(w.clock()))
	w.observe()
}

func (w *world) result() Figures {
	f := w.figures
	size := w.bytesOfSegment()
	for _, at := range w.places {
		s := at.figures
		r := SiteResult{Name: at.name, Viewers: at.size}
		if n := len(s.played); n > 0 {
			r.Copies = s.entered / (float64(n) * size)
		}
		if n := len(s.playedRun); n > 0 {
			r.CopiesRun = s.enteredRun / (float64(n) * size)
		}
		if s.entered > 0 {
			r.OriginShare = s.origin / s.entered
		}
		f.Sites = append(f.Sites, r)
	}
	if f.viewerTime > 0 {
		f.LonelyTime = float64(f.lonelyTime) / float64(f.viewerTime)
	}
	slices.Sort(f.delays)
	if n := len(f.delays); n > 0 {
		f.Delay50, f.Delay99 = f.delays[n/2], f.delays[n*99/100]
	}
	f.Announces, f.Relayed = w.core.Stats.Announces.Load(), w.core.Stats.OffersRelayed.Load()
	return f
}

// Copies returns the copies of the site in the middle, and of the worst one.
func (f Figures) Copies() (median, worst float64) {
	all := make([]float64, 0, len(f.Sites))
	for _, s := range f.Sites {
		all = append(all, s.Copies)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)-1]
}
