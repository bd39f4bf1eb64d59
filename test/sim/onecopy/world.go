package onecopy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Figures are the results of a run.
type Figures struct {
	// Copies is how often the origin was asked for a segment, on average, Most for the one that it was asked for most often.
	Copies float64
	Most   int
	// Segments counts those that the figures are of.
	Segments int
	// Stalls counts times that playback had to wait, Stalled is how long all of them waited, and Jumps counts players that
	// fell out of the playlist. Played is the media time of all viewers.
	Stalls, Jumps   int
	Stalled, Played time.Duration
	// Unstarted counts viewers that did not begin to play within 15 s.
	Unstarted int
}

// String is one line.
func (f Figures) String() string {
	return fmt.Sprintf("%.2f copies of %d segments, %d at most; %d stalls, %s in all, of %s; %d jumps, %d not started",
		f.Copies, f.Segments, f.Most, f.Stalls, f.Stalled, f.Played.Truncate(time.Second), f.Jumps, f.Unstarted)
}

type world struct {
	clock
	cfg       Config
	rnd       *rand.Rand
	began     time.Time
	members   int // so far
	viewers   []*member
	seeders   []*member
	newest    int64
	published time.Time
	list      *manifest.Playlist
	asked     map[int64]int // of the origin, by number
	figures   Figures
}

// Run plays one run.
func Run(cfg Config) Figures {
	epoch := time.Unix(1_700_000_000, 0)
	w := &world{
		clock: clock{now: epoch}, cfg: cfg, began: epoch, rnd: rand.New(rand.NewPCG(cfg.Seed, 1)), newest: before - 1, asked: make(map[int64]int),
	}
	w.publish()
	for range cfg.Seeders {
		s := w.newMember(true)
		w.seeders = append(w.seeders, s)
		s.begin()
		w.introduce(s)
		w.counting(s)
	}
	for range cfg.Viewers {
		w.after(time.Duration(w.rnd.Int64N(int64(cfg.Storm))), func() { w.join() })
	}
	w.after(cfg.Storm, w.trouble)
	w.run(epoch.Add(cfg.Length))
	return w.result()
}

// publish adds a segment to the playlist.
func (w *world) publish() {
	w.newest++
	w.published, w.list = w.now, nil
	w.after(target, w.publish)
}

// playlist is that of now.
func (w *world) playlist() *manifest.Playlist {
	if w.list == nil {
		first := w.newest - entries + 1
		w.list = &manifest.Playlist{Live: true, TargetDuration: target, MediaSequence: first, Entries: entries, Window: entries * target}
		for n := first; n <= w.newest; n++ {
			w.list.Segments = append(w.list.Segments, manifest.Segment{
				Sequence: n, URL: fmt.Sprintf("http://h/%d", n), Start: time.Duration(n) * target, Duration: target,
			})
		}
	}
	return w.list
}

// join has a new viewer come.
func (w *world) join() {
	m := w.newMember(false)
	w.viewers = append(w.viewers, m)
	m.begin()
	w.introduce(m)
	w.counting(m)
	w.after(15*time.Second, func() {
		if !m.gone && !m.play.Stats(w.now).Started {
			w.figures.Unstarted++
		}
	})
}

// introduce has a new member meet all seeders, and some viewers, after a while.
func (w *world) introduce(m *member) {
	others := slices.Clone(w.seeders)
	if !m.seeder {
		for range w.cfg.Links {
			others = append(others, w.viewers[w.rnd.IntN(len(w.viewers))])
		}
	}
	for _, other := range others {
		w.after(linkLeast+time.Duration(w.rnd.Int64N(int64(linkMost-linkLeast))), func() { m.meet(other) })
	}
}

// counting tells a member from time to time how many others there are.
func (w *world) counting(m *member) {
	w.after(delay, func() {
		census := core.Census{Peers: len(w.viewers) - 1, Seeders: len(w.seeders), Known: true}
		if m.seeder {
			census = core.Census{Peers: len(w.viewers), Seeders: len(w.seeders) - 1, Known: true}
		}
		if w.cfg.Says != 0 {
			census.Peers = w.cfg.Says
		}
		m.core.Counted(census)
		w.after(count, func() {
			if !m.gone {
				w.counting(m)
			}
		})
	})
}

// trouble begins after the storm.
func (w *world) trouble() {
	if w.cfg.SeederHangs {
		w.seeders[0].hangs = true
	}
	w.second()
}

// second is what happens once a second.
func (w *world) second() {
	for i, m := range w.viewers {
		if w.rnd.Float64() < w.cfg.Churn/60 {
			m.leave()
			w.figures.count(m)
			w.viewers[i] = w.viewers[len(w.viewers)-1]
			w.viewers = w.viewers[:len(w.viewers)-1]
			w.join()
			break
		}
	}
	for _, m := range w.viewers {
		m.hangs = w.rnd.Float64() < w.cfg.Deserters
	}
	w.after(time.Second, w.second)
}

// result sums what was counted. What is not played yet at the end does not count.
func (w *world) result() Figures {
	f := w.figures
	since := int64(before) + int64((w.cfg.Storm+w.cfg.Settle)/target)
	sum := 0
	for n := since; n <= w.newest-int64(w.cfg.Behind); n++ {
		f.Segments++
		sum += w.asked[n]
		f.Most = max(f.Most, w.asked[n])
	}
	f.Copies = float64(sum) / float64(f.Segments)
	for _, m := range w.viewers {
		f.count(m)
	}
	return f
}

// count adds what a viewer measured of its playback.
func (f *Figures) count(m *member) {
	st := m.play.Stats(m.w.now)
	f.Stalls += st.Stalls
	f.Stalled += st.Stalled
	f.Played += st.Played
}
