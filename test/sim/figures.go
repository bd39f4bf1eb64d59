package sim

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
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
	// Killed counts gateways that Config.Kill ended.
	Killed int
	// Across counts connections between sites.
	Across int
	// Delay is the time from publication to arrival of live segments: half of them, and 99 of 100, arrived earlier.
	Delay50, Delay99 time.Duration
	// Start50 and Start99 are the times from the wish to play to the first segment.
	Start50, Start99 time.Duration
	// Stalls counts times that playback had to wait, Stalled is how long all of them waited, and Leaps counts players that went
	// on at the live edge because what they lacked had left the playlist.
	Stalls  int
	Stalled time.Duration
	Leaps   int
	// Spread sums what the seeders decided.
	Spread superseed.Stats
	// Crossings are the segments that crossed lines.
	Crossings Crossings
	// Announces and Relayed count messages and offers.
	Announces, Relayed uint64

	viewerTime, lonelyTime time.Duration
	delays, starts         []time.Duration
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
	if t.segment > t.to.player.first+backlog && w.now >= w.cfg.Storm {
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
			lonely := len(p.near) == 0 && len(p.sources) == 0
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
			w.publish()
		}
		for _, at := range arrivals[w.now] {
			w.join(at)
		}
		if w.now%time.Second == 0 {
			w.second()
		}
		w.connect()
		w.settle()
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
				w.leave(p, w.rnd.Float64() < w.cfg.Silent)
				w.join(at)
			case p.next <= w.now:
				w.announce(p, 5)
			}
			if every := w.cfg.Reports; every > 0 && !p.gone && (w.now-p.joined).Truncate(time.Second)%every == 0 {
				w.core.Delivered(p.sock, p.delivered, w.clock())
				p.delivered = 0
			}
		}
	}
	if w.cfg.Kill > 0 && w.now > 0 && w.now%w.cfg.Kill == 0 {
		w.kill()
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

// kill ends one gateway of each site without a word.
func (w *world) kill() {
	for _, at := range w.places {
		var gateways []*peer
		for _, p := range at.viewers {
			for _, seeder := range p.sources {
				if seeder.told[p].Gateway {
					gateways = append(gateways, p)
					break
				}
			}
		}
		if n := len(gateways); n > 0 {
			w.leave(gateways[w.rnd.IntN(n)], true)
			w.join(at)
			w.figures.Killed++
		}
	}
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
	f.Delay50, f.Delay99 = middle(f.delays)
	f.Start50, f.Start99 = middle(f.starts)
	for _, seeder := range w.seeders {
		st := seeder.seeding.state.Stats(w.clock())
		f.Spread.Segments += st.Segments
		f.Spread.Told += st.Told
		f.Spread.Late += st.Late
		f.Spread.Opened += st.Opened
		f.Spread.Unchosen += st.Unchosen
		f.Spread.GroupOff += st.GroupOff
	}
	f.Announces, f.Relayed = w.core.Stats.Announces.Load(), w.core.Stats.OffersRelayed.Load()
	return f
}

// middle returns what half of all and 99 of 100 are at most.
func middle(all []time.Duration) (half, most time.Duration) {
	slices.Sort(all)
	if n := len(all); n > 0 {
		return all[n/2], all[n*99/100]
	}
	return 0, 0
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
